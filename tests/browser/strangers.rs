//! Pages of another site that mean harm, while somebody is logged in.

use gatelet::testkit::{PASSWORD, TestClient};

use crate::cases;
use crate::chromium::EVIL;
use crate::listener::Listener;
use crate::person::Person;
use crate::stage::Stage;

cases![
    no_page_is_shown_in_a_frame,
    a_decision_of_another_site_is_none,
    another_site_logs_nobody_in,
    a_request_that_another_site_posts_starts_at_the_login,
];

/// A page with one form that sends `fields` to `action`.
fn trap(action: &str, fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("<input type=hidden name='{name}' value='{value}'>");
    let fields: String = fields.iter().map(field).collect();
    format!(
        "<!doctype html><title>Prize</title><form method=post action='{action}'>{fields}<button>Win</button></form>"
    )
}

async fn no_page_is_shown_in_a_frame(stage: &Stage) {
    // RFC 9700 §4.16
    let person = Person(&stage.browser);
    let client = TestClient::new(&stage.server, "editor", "http://127.0.0.1:9/cb");
    person.opens(&client.authorization(|request| request).url).await;
    person.logs_in("alice", PASSWORD).await.is(200, "Allow editor to use Notes?");
    let consent = stage.browser.url().await.unwrap();
    let nobody = TestClient::new(&stage.server, "nobody", "http://127.0.0.1:9/cb");
    let framed = [
        consent,
        format!("{}/login?continue=x", stage.server.origin()),
        nobody.authorization(|request| request).url,
        stage.server.url("/"),
        stage.server.url("/logout"),
        stage.server.url("/no-such-page"),
        stage.server.issuer().to_owned(),
    ];
    let evil = Listener::open().await;
    let sources = framed.iter().map(String::as_str).chain(["/harmless"]);
    let frames: String = sources
        .enumerate()
        .map(|(n, url)| format!("<iframe id=f{n} src='{}'></iframe>", url.replace('&', "&amp;")))
        .collect();
    evil.show("/", &format!("<!doctype html><title>Evil</title>{frames}"));
    evil.show("/harmless", "<!doctype html><title>Harmless</title><h1>Seen</h1>");
    stage.browser.log().await.unwrap();
    person.opens(&evil.url(EVIL, "/")).await;
    for (n, url) in framed.iter().enumerate() {
        stage.browser.enter(Some(&format!("//iframe[@id='f{n}']"))).await.unwrap();
        assert_eq!(person.evaluates("location.protocol").await, "chrome-error:", "{url} is shown in a frame");
        assert!(!person.sees().await.text.contains("Gatelet"), "{url}");
        stage.browser.enter(None).await.unwrap();
    }
    stage.browser.enter(Some(&format!("//iframe[@id='f{}']", framed.len()))).await.unwrap();
    assert_eq!(person.sees().await.heading, "Seen", "a page that may be framed is");
    stage.browser.enter(None).await.unwrap();
    let refused = stage.browser.log().await.unwrap();
    let refused = refused.iter().filter(|line| line.contains("frame-ancestors 'none'")).count();
    assert_eq!(refused, framed.len());
}

async fn a_decision_of_another_site_is_none(stage: &Stage) {
    // The worst case: the site knows the interaction, and a token of its own session.
    let listener = Listener::open().await;
    let client = TestClient::new(&stage.server, "editor", &listener.url("127.0.0.1", "/cb"));
    let request = client.authorization(|request| request.scope("mcp:read"));
    let person = Person(&stage.browser);
    person.opens(&request.url).await;
    person.logs_in("alice", PASSWORD).await.is(200, "Allow editor to use Notes?");
    let asked = stage.browser.tab_in_use().await.unwrap();
    let field = |name: &str| format!("document.querySelector('[name={name}]').value");
    let interaction = person.evaluates(&field("interaction")).await;
    let csrf = person.evaluates(&field("csrf")).await;
    stage.browser.new_tab().await.unwrap();
    let evil = Listener::open().await;
    let fields = [
        ("interaction", interaction.as_str().unwrap()),
        ("csrf", csrf.as_str().unwrap()),
        ("scope", "mcp:read"),
        ("decision", "allow"),
    ];
    evil.show("/", &trap(&stage.server.url("/consent"), &fields));
    person.opens(&evil.url(EVIL, "/")).await;
    stage.browser.events().await.unwrap();
    person.presses("Win").await.is(403, "This form did not come from this server");
    assert!(cookies_kept_back(stage).await, "the session went along with a form of another site");
    assert!(listener.visits().is_empty());
    stage.browser.turn_to(&asked).await.unwrap();
    person.presses("Allow").await.is(200, "Connected");
    request.callback(&listener.url("127.0.0.1", &listener.visit().await.target)).code();
    person.complained_only_of(&["status of 403"]).await;
}

/// Whether a request went out for which the browser kept all its cookies of ours back, because of `SameSite=Lax`.
async fn cookies_kept_back(stage: &Stage) -> bool {
    let events = stage.browser.events().await.unwrap();
    events.iter().filter(|event| event.method == "Network.requestWillBeSentExtraInfo").any(|event| {
        let cookies = event.params["associatedCookies"].as_array().map(Vec::as_slice).unwrap_or_default();
        cookies.len() == 2
            && cookies.iter().all(|cookie| {
                cookie["blockedReasons"].as_array().is_some_and(|why| {
                    why.iter().any(|why| why.as_str().is_some_and(|why| why.ends_with("SameSiteLax")))
                })
            })
    })
}

async fn another_site_logs_nobody_in(stage: &Stage) {
    // Login CSRF: the attacker's own name and password in the victim's browser, with a login page of the attacker's.
    let mut attacker = gatelet::testkit::Browser::new(&stage.server);
    let page = attacker.get("/login").await.page();
    let form = page.form_with("username");
    let fields = [
        ("continue", form.value("continue").unwrap()),
        ("csrf", form.value("csrf").unwrap()),
        ("username", "bob"),
        ("password", PASSWORD),
    ];
    let evil = Listener::open().await;
    evil.show("/", &trap(&stage.server.url("/login"), &fields));
    let person = Person(&stage.browser);
    for has_been_here in [false, true] {
        if has_been_here {
            person.opens(&stage.server.url("/login")).await.is(200, "Log in");
        }
        person.opens(&evil.url(EVIL, "/")).await;
        person.presses("Win").await.is(403, "This form did not come from this server");
        person.opens(&stage.server.url("/")).await.says("Nobody is logged in");
    }
    person.complained_only_of(&["status of 403"]).await;
}

async fn a_request_that_another_site_posts_starts_at_the_login(stage: &Stage) {
    // `SameSite=Lax`: a form of another site brings no session, so what it asks for needs a person who types.
    let client = TestClient::new(&stage.server, "own", "https://own.example/cb");
    let request = client.authorization(|request| request.scope("mcp:read"));
    let query = url::Url::parse(&request.url).unwrap();
    let pairs: Vec<(String, String)> =
        query.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let evil = Listener::open().await;
    evil.show("/", &trap(&stage.server.endpoint("authorize"), &pairs));
    let person = Person(&stage.browser);
    person.opens(&stage.server.url("/login")).await;
    person.logs_in("alice", PASSWORD).await.says("You are logged in as");
    person.opens(&evil.url(EVIL, "/")).await;
    person.presses("Win").await.is(200, "Log in");
    person.complained_of_nothing().await;
}
