//! The decision, and what comes of it.

use gatelet::testkit::{Authorization, PASSWORD, TestClient};

use crate::cases;
use crate::listener::Listener;
use crate::person::Person;
use crate::stage::Stage;

cases![
    what_is_unticked_is_not_in_the_token,
    a_refusal_reaches_the_client,
    the_second_time_is_one_click,
    going_back_after_the_decision_finds_it_made,
    two_tabs_are_two_requests,
];

const OVER: &str = "This page has expired";

/// An application that asks for both scopes, and its listener.
async fn asking(stage: &Stage) -> (Listener, TestClient, Authorization) {
    let listener = Listener::open().await;
    let client = TestClient::new(&stage.server, "editor", &listener.url("127.0.0.1", "/cb"));
    let request = client.authorization(|request| request.scope("mcp:read mcp:write"));
    (listener, client, request)
}

async fn what_is_unticked_is_not_in_the_token(stage: &Stage) {
    let (listener, client, request) = asking(stage).await;
    let person = Person(&stage.browser);
    person.opens(&request.url).await;
    person.logs_in("carol", PASSWORD).await.is(200, "Allow editor to use Notes?");
    person.ticks("Write notes").await;
    person.presses("Allow").await.is(200, "Connected");
    let callback = request.callback(&listener.url("127.0.0.1", &listener.visit().await.target));
    let tokens = client.redeem(&callback).await.granted();
    assert_eq!(tokens.scope(), "mcp:read");
    assert_eq!(stage.server.verify(tokens.access_token()).await["scope"], "mcp:read");
    person.complained_of_nothing().await;
}

async fn a_refusal_reaches_the_client(stage: &Stage) {
    // RFC 6749 §4.1.2.1, RFC 9207 §2
    let (listener, _client, request) = asking(stage).await;
    let person = Person(&stage.browser);
    person.opens(&request.url).await;
    person.logs_in("carol", PASSWORD).await;
    person.presses("Deny").await.is(200, "Connected");
    let callback = request.callback(&listener.url("127.0.0.1", &listener.visit().await.target));
    assert_eq!(callback.error(), "access_denied");
    person.complained_of_nothing().await;
}

async fn the_second_time_is_one_click(stage: &Stage) {
    let (listener, client, request) = asking(stage).await;
    let person = Person(&stage.browser);
    person.opens(&request.url).await;
    let first = person.logs_in("dave", PASSWORD).await;
    assert!(!first.text.contains("You have allowed this before"), "{}", first.text);
    person.presses("Allow").await;
    let _first = listener;
    let listener = Listener::open().await;
    let client = TestClient::new(&stage.server, client.client_id(), &listener.url("127.0.0.1", "/cb"));
    let request = client.authorization(|request| request.scope("mcp:read mcp:write"));
    let second = person.opens(&request.url).await;
    second.says("You have allowed this before");
    let boxes =
        "[...document.querySelectorAll('input[name=scope]')].filter((box) => box.checkVisibility()).length";
    assert_eq!(person.evaluates(boxes).await, 0, "the choices are folded away");
    person.presses("Allow").await.is(200, "Connected");
    let callback = request.callback(&listener.url("127.0.0.1", &listener.visit().await.target));
    assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read mcp:write");
    person.complained_of_nothing().await;
}

async fn going_back_after_the_decision_finds_it_made(stage: &Stage) {
    let (listener, _client, request) = asking(stage).await;
    let person = Person(&stage.browser);
    person.opens(&request.url).await;
    person.logs_in("erin", PASSWORD).await;
    person.presses("Allow").await.is(200, "Connected");
    let back = person.goes_back().await;
    back.is(400, OVER);
    assert_eq!(listener.visits().len(), 1, "nothing was sent to the client again");
    person.complained_only_of(&["status of 400"]).await;
}

async fn two_tabs_are_two_requests(stage: &Stage) {
    let (listener, client, first) = asking(stage).await;
    let person = Person(&stage.browser);
    person.opens(&first.url).await;
    person.logs_in("frank", PASSWORD).await;
    let tab = stage.browser.tab_in_use().await.unwrap();
    stage.browser.new_tab().await.unwrap();
    let second = client.authorization(|request| request.scope("mcp:read"));
    person.opens(&second.url).await;
    person.presses("Deny").await.is(200, "Connected");
    let refused = listener.visit().await;
    assert_eq!(second.callback(&listener.url("127.0.0.1", &refused.target)).error(), "access_denied");
    stage.browser.turn_to(&tab).await.unwrap();
    person.presses("Allow").await.is(200, "Connected");
    let allowed = listener.visits().pop().unwrap();
    let callback = first.callback(&listener.url("127.0.0.1", &allowed.target));
    assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read mcp:write");
    person.complained_of_nothing().await;
}
