//! Rules of single scopes: asked about each time, a fresh login, a short life; and how a login is told of (RFC 9470).

use std::time::Duration;

use gatelet::testkit::{RequestParams, TestClient, TestResource, TestServer};

use crate::cases;
use crate::introspecting::SERVER_SECRET;
use crate::world::{Database, app, consent_page, logged_in, world};

cases![
    a_scope_can_be_asked_about_each_time,
    a_scope_can_want_a_fresh_login,
    a_fresh_login_is_fresh_when_the_person_allows,
    a_refresh_leaves_out_what_wants_a_fresher_login,
    a_scope_can_shorten_the_life_of_its_tokens,
    a_token_says_when_and_how_the_person_logged_in,
    a_class_of_login_that_there_is_not_is_refused,
];

const BANK: &str = "https://bank.example.com/mcp";

async fn bank(database: Database) -> TestServer {
    let bank = TestResource::new(BANK)
        .scope("look", "See what there is")
        .scope("pay", "Pay")
        .rule(|scope| scope.asks_each_time = true)
        .scope("sign", "Sign contracts")
        .rule(|scope| scope.max_age = Some(Duration::from_secs(300)))
        .scope("peek", "See secrets")
        .rule(|scope| scope.access_token_ttl = Some(Duration::from_secs(120)));
    world(database).resource(bank).resource_server("bank", SERVER_SECRET, [BANK]).start().await
}

fn ask(scope: &'static str) -> impl Fn(RequestParams) -> RequestParams {
    move |request| request.scope(scope).resource(BANK)
}

async fn a_scope_can_be_asked_about_each_time(database: Database) {
    let server = bank(database).await;
    let own = TestClient::new(&server, "own", "http://127.0.0.1/own");
    let mut browser = logged_in(&server, "alice").await;
    let request = own.authorization(ask("look"));
    request.callback(&browser.get(&request.url).await.left()).code();
    for _ in 0..2 {
        let request = own.authorization(ask("look pay"));
        let page = consent_page(&mut browser, &request.url).await;
        request.callback(&browser.consent(&page).allow().await.left()).code();
    }
    let page = consent_page(&mut browser, &own.authorization(ask("look pay")).url).await;
    assert!(page.text().contains("You are asked each time: it may Pay"), "{}", page.text());
}

async fn a_scope_can_want_a_fresh_login(database: Database) {
    // RFC 9470 §4
    let server = bank(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    server.clock().advance(Duration::from_secs(301));
    assert!(consent_page(&mut browser, &client.authorization(ask("look")).url).await.status == 200);
    let request = client.authorization(ask("look sign"));
    let page = browser.get(&request.url).await.page();
    assert!(page.has_form_with("password"), "{}", page.text());
    let page = browser.log_in(&page, "alice").await.page();
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    assert_eq!(client.redeem(&callback).await.granted().scope(), "look sign");
}

async fn a_fresh_login_is_fresh_when_the_person_allows(database: Database) {
    // RFC 9470 §4
    let server = bank(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(ask("look sign"));
    let page = consent_page(&mut browser, &request.url).await;
    server.clock().advance(Duration::from_secs(301));
    let page = browser.consent(&page).allow().await.page();
    assert!(page.has_form_with("password"), "they took too long: {}", page.text());
    let page = browser.log_in(&page, "alice").await.page();
    server.clock().advance(Duration::from_secs(300));
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    server.clock().advance(Duration::from_secs(10));
    let answer = client.redeem(&callback).await.granted();
    assert_eq!(answer.scope(), "look sign", "the client's time is not the person's");
    let claims = server.verify(answer.access_token()).await;
    server.clock().advance(Duration::from_secs(800));
    let bank = TestClient::new(&server, "bank", "").secret(SERVER_SECRET);
    assert_eq!(bank.introspect(answer.access_token()).await.json["scope"], claims["scope"]);
}

async fn a_refresh_leaves_out_what_wants_a_fresher_login(database: Database) {
    // RFC 9470 §4, RFC 6749 §6: the rest goes on, and the answer says what it is
    let server = bank(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let first =
        client.redeem(&client.authorize(&mut browser, "alice", ask("look sign")).await).await.granted();
    server.clock().advance(Duration::from_secs(300));
    let second = client.refresh(first.refresh_token()).await.granted();
    assert_eq!(second.scope(), "look sign");
    server.clock().advance(Duration::from_secs(1));
    let third = client.refresh(second.refresh_token()).await.granted();
    assert_eq!(third.scope(), "look");
    assert_eq!(server.verify(third.access_token()).await["scope"], "look");
    let again = client.authorize(&mut browser, "alice", ask("look sign")).await;
    let fresh = client.redeem(&again).await.granted();
    assert_eq!(fresh.scope(), "look sign", "after a login");
    let alone = client.redeem(&client.authorize(&mut browser, "alice", ask("sign")).await).await.granted();
    server.clock().advance(Duration::from_secs(301));
    let refused = client.refresh(alone.refresh_token()).await;
    assert_eq!(refused.refusal(), (400, "invalid_grant"), "nothing is left: the client asks the person anew");
}

async fn a_scope_can_shorten_the_life_of_its_tokens(database: Database) {
    let server = bank(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    for (scope, seconds) in [("look", 900), ("look peek", 120)] {
        let request = client.authorization(|request| request.scope(scope).resource(BANK));
        let page = consent_page(&mut browser, &request.url).await;
        let callback = request.callback(&browser.consent(&page).allow().await.left());
        let answer = client.redeem(&callback).await.granted();
        assert_eq!(answer.json["expires_in"], seconds);
        let claims = server.verify(answer.access_token()).await;
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), seconds);
        if seconds == 120 {
            let narrow = [
                ("grant_type", "refresh_token"),
                ("refresh_token", answer.refresh_token()),
                ("scope", "look"),
            ];
            assert_eq!(client.token(&narrow).await.granted().json["expires_in"], 900, "without the scope");
        }
    }
}

async fn a_token_says_when_and_how_the_person_logged_in(database: Database) {
    // RFC 9470 §6.1, RFC 9470 §5, RFC 9068 §2.2.1
    let server = bank(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let logged_in_at = server.clock().now().seconds();
    server.clock().advance(Duration::from_secs(60));
    let ask =
        |request: RequestParams| request.param("acr_values", "phr urn:gatelet:acr:password").resource(BANK);
    let ask = |request: RequestParams| ask(request).scope("look").param("max_age", "60");
    let answer = client.redeem(&client.authorize(&mut browser, "alice", ask).await).await.granted();
    for answer in [client.refresh(answer.refresh_token()).await.granted(), answer] {
        let claims = server.verify(answer.access_token()).await;
        assert_eq!(claims["auth_time"], logged_in_at);
        assert_eq!(claims["acr"], "urn:gatelet:acr:password");
    }
}

async fn a_class_of_login_that_there_is_not_is_refused(database: Database) {
    // RFC 9470 §5
    let server = bank(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| ask("look")(request).param("acr_values", "phr phrh"));
    let left = browser.get(&request.url).await.left();
    assert_eq!(request.callback(&left).error(), "unmet_authentication_requirements");
}
