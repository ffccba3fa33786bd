//! Logging in and out, with a keyboard and a mouse.

use gatelet::testkit::{PASSWORD, TestClient};
use serde_json::json;

use crate::cases;
use crate::listener::Listener;
use crate::person::Person;
use crate::stage::Stage;

cases![
    a_wrong_password_is_said_and_the_right_one_leads_on,
    the_session_is_out_of_reach_of_scripts,
    two_tabs_log_in_one_after_the_other,
    somebody_else_takes_over,
    logging_out_ends_the_session_in_every_tab,
];

const ASKED: &str = "Allow editor to use Notes?";

async fn editor(stage: &Stage) -> (Listener, TestClient) {
    let listener = Listener::open().await;
    let client = TestClient::new(&stage.server, "editor", &listener.url("127.0.0.1", "/cb"));
    (listener, client)
}

async fn a_wrong_password_is_said_and_the_right_one_leads_on(stage: &Stage) {
    let (_listener, client) = editor(stage).await;
    let person = Person(&stage.browser);
    person.opens(&client.authorization(|request| request).url).await.is(200, "Log in");
    let again = person.logs_in("alice", "through the looking glass").await;
    again.is(403, "Log in");
    again.says("Wrong user name or password. Check both and try again.");
    let fields = "['username', 'password'].map((id) => document.getElementById(id).value)";
    assert_eq!(person.evaluates(fields).await, json!(["alice", ""]), "the name stays, the password does not");
    assert_eq!(person.evaluates("document.activeElement.id").await, "password");
    person.types("Password", PASSWORD).await;
    person.presses("Log in").await.is(200, ASKED);
    person.complained_only_of(&["status of 403"]).await;
}

async fn the_session_is_out_of_reach_of_scripts(stage: &Stage) {
    // RFC 6265 §4.1.2.6; ASVS 3.3: what a script could read, a hole in a page would give away.
    let person = Person(&stage.browser);
    person.opens(&stage.server.url("/login")).await.is(200, "Log in");
    person.logs_in("alice", PASSWORD).await.says("You are logged in as");
    assert_eq!(person.evaluates("document.cookie").await, "");
    let kept = stage.browser.devtools("Network.getCookies", json!({})).await.unwrap();
    let kept = kept["cookies"].as_array().unwrap();
    assert_eq!(kept.len(), 2, "{kept:?}");
    for cookie in kept {
        let guards = (&cookie["httpOnly"], &cookie["sameSite"], &cookie["path"]);
        assert_eq!(guards, (&json!(true), &json!("Lax"), &json!("/")), "{cookie}");
    }
    person.complained_of_nothing().await;
}

async fn two_tabs_log_in_one_after_the_other(stage: &Stage) {
    let (_listener, client) = editor(stage).await;
    let person = Person(&stage.browser);
    person.opens(&client.authorization(|request| request).url).await.is(200, "Log in");
    let first = stage.browser.tab_in_use().await.unwrap();
    stage.browser.new_tab().await.unwrap();
    person.opens(&client.authorization(|request| request).url).await.is(200, "Log in");
    person.logs_in("alice", PASSWORD).await.is(200, ASKED);
    stage.browser.turn_to(&first).await.unwrap();
    person.logs_in("alice", PASSWORD).await.is(200, ASKED);
    person.complained_of_nothing().await;
}

async fn somebody_else_takes_over(stage: &Stage) {
    let (listener, client) = editor(stage).await;
    let person = Person(&stage.browser);
    let request = client.authorization(|request| request);
    person.opens(&request.url).await.is(200, "Log in");
    person.logs_in("alice", PASSWORD).await.says("You are alice");
    person.presses("Not you? Switch account").await.is(200, "Log in");
    person.logs_in("bob", PASSWORD).await.says("You are bob");
    person.presses("Allow").await.is(200, "Connected");
    let callback = request.callback(&listener.url("127.0.0.1", &listener.visit().await.target));
    let tokens = client.redeem(&callback).await.granted();
    assert_eq!(stage.server.verify(tokens.access_token()).await["sub"], "bob");
    person.complained_of_nothing().await;
}

async fn logging_out_ends_the_session_in_every_tab(stage: &Stage) {
    let (listener, client) = editor(stage).await;
    let person = Person(&stage.browser);
    let request = client.authorization(|request| request);
    person.opens(&request.url).await;
    person.logs_in("alice", PASSWORD).await.is(200, ASKED);
    let asked = stage.browser.tab_in_use().await.unwrap();
    stage.browser.new_tab().await.unwrap();
    person.opens(&stage.server.url("/logout")).await.is(200, "Log out?");
    person.presses("Log out").await.is(200, "You are logged out");
    stage.browser.turn_to(&asked).await.unwrap();
    person.presses("Allow").await.is(400, "You are no longer logged in");
    person.opens(&request.url).await.is(200, "Log in");
    assert!(listener.visits().is_empty());
    person.complained_only_of(&["status of 400"]).await;
}
