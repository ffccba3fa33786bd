//! The rules of accessibility on the pages as the server sends them, in the order in which a person meets them.

use gatelet::testkit::{PASSWORD, TestClient};

use crate::Case;
use crate::listener::Listener;
use crate::person::Person;
use crate::stage::Stage;

pub(crate) fn cases() -> Vec<(String, Case)> {
    let walk: Case = Box::new(|stage| Box::pin(walk(stage)));
    vec![("live::every_page_of_a_visit_keeps_the_rules".to_owned(), walk)]
}

async fn walk(stage: &Stage) -> Result<(), String> {
    stage.axe.as_ref().map_err(|why| (*why).to_owned())?;
    stage.browser.forget().await?;
    let person = Person(&stage.browser);
    let listener = Listener::open().await;
    let used = listener.url("127.0.0.1", "/cb");
    let client = stage.self_registered("Accessible editor", "http://127.0.0.1/cb", &used).await;
    let url = client.authorization(|request| request.scope("mcp:read mcp:write")).url;
    let mut found = Vec::new();
    let nobody = TestClient::new(&stage.server, "nobody", &used).authorization(|request| request).url;
    found.extend(look(stage, person.opens(&nobody).await.heading).await?);
    found.extend(look(stage, person.opens(stage.server.issuer()).await.heading).await?);
    found.extend(look(stage, person.opens(&url).await.heading).await?);
    found.extend(look(stage, person.logs_in("alice", "wrong").await.heading).await?);
    person.types("Password", PASSWORD).await;
    found.extend(look(stage, person.presses("Log in").await.heading).await?);
    person.presses("Allow").await.is(200, "Connected");
    found.extend(look(stage, person.opens(&url).await.heading).await?);
    found.extend(look(stage, person.opens(&stage.server.url("/")).await.heading).await?);
    found.extend(look(stage, person.opens(&stage.server.url("/logout")).await.heading).await?);
    found.extend(look(stage, person.presses("Log out").await.heading).await?);
    person.complained_only_of(&["status of 400", "status of 403"]).await;
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

/// What the rules say about the page that the browser shows.
pub(crate) async fn look(stage: &Stage, page: String) -> Result<Vec<String>, String> {
    let axe = stage.axe.as_ref().map_err(|why| (*why).to_owned())?;
    let complaints = axe.complaints(&stage.browser).await?;
    stage.browser.resize(1280, 800).await?;
    Ok(complaints.into_iter().map(|text| format!("{page}: {text}")).collect())
}
