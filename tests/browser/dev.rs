//! The program in dev mode: its front page, and a login of one click.

use serde_json::{Value, json};

use crate::Case;
use crate::listener::Listener;
use crate::live::look;
use crate::person::Person;
use crate::program::{Dev, directory, root};
use crate::stage::Stage;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn cases() -> Vec<(String, Case)> {
    let connect: Case = Box::new(|stage| Box::pin(connect(stage)));
    vec![("dev::two_clicks_connect_a_client".to_owned(), connect)]
}

async fn connect(stage: &Stage) -> Result<(), String> {
    stage.browser.forget().await?;
    let dev = tokio::task::block_in_place(|| Dev::start(&directory("browser"), "data"));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let listener = Listener::open().await;
    let callback = listener.url("127.0.0.1", "/cb");
    let client_id = register(&http, &dev, &callback).await;
    let person = Person(&stage.browser);
    let front = dev.issuer().strip_suffix("/oauth").unwrap();
    let home = person.opens(front).await;
    home.is(200, "Your authorization server is running");
    let mut found = axe(stage, home.heading).await?;
    let query = format!(
        "response_type=code&client_id={client_id}&redirect_uri={callback}&code_challenge={CHALLENGE}\
         &code_challenge_method=S256&state=s"
    );
    let login = person.opens(&format!("{}/authorize?{query}", dev.issuer())).await;
    login.is(200, "Log in");
    found.extend(axe(stage, login.heading).await?);
    let asked = person.chooses("Alice").await;
    asked.says("127.0.0.1");
    found.extend(axe(stage, asked.heading).await?);
    person.presses("Allow").await.is(200, "Connected");
    let answer = url::Url::parse(&listener.url("127.0.0.1", &listener.visit().await.target)).unwrap();
    let code = answer.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={callback}&client_id={client_id}&code_verifier={VERIFIER}"
    );
    let tokens =
        post(&http, &format!("{}/token", dev.issuer()), "application/x-www-form-urlencoded", form).await;
    assert_eq!(tokens["token_type"], "Bearer", "{tokens}");
    person.complained_of_nothing().await;
    drop(dev);
    let _ = std::fs::remove_dir_all(root());
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

/// What axe-core has to say, where it is installed; the cases of its own say so where it is not.
async fn axe(stage: &Stage, page: String) -> Result<Vec<String>, String> {
    if stage.axe.is_ok() { look(stage, page).await } else { Ok(Vec::new()) }
}

async fn register(http: &reqwest::Client, dev: &Dev, callback: &str) -> String {
    let metadata = json!({ "redirect_uris": [callback], "token_endpoint_auth_method": "none" });
    let url = format!("{}/register", dev.issuer());
    let registered = post(http, &url, "application/json", metadata.to_string()).await;
    registered["client_id"].as_str().unwrap_or_else(|| panic!("{registered}")).to_owned()
}

async fn post(http: &reqwest::Client, url: &str, media_type: &str, body: String) -> Value {
    let answer = http.post(url).header("content-type", media_type).body(body).send().await.unwrap();
    answer.json().await.unwrap()
}
