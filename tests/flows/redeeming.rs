//! Authorization codes at the token endpoint (RFC 6749 §4.1.3; OAuth 2.1 §4.1.3).

use std::time::Duration;

use gatelet::protocol::ClientId;
use gatelet::testkit::{Callback, TestClient};

use crate::cases;
use crate::world::{APP_CALLBACK, Database, NOTES, WEB_SECRET, app, granted, server, web};

cases![
    a_code_is_redeemed_once_and_a_replay_ends_what_was_issued,
    a_replay_with_a_wrong_verifier_ends_nothing,
    three_wrong_verifiers_kill_a_code,
    a_code_expires,
    a_code_is_good_for_its_client_alone,
    the_redirect_uri_is_repeated_exactly_or_not_at_all,
    the_resource_is_the_one_of_the_grant,
    what_is_no_code_is_no_grant,
    a_missing_parameter_is_named,
];

const WRONG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A redemption with one parameter changed; an empty value is an omitted one.
async fn with(client: &TestClient, callback: &Callback, name: &str, value: &str) -> (u16, String) {
    let mut pairs = client.redemption(callback).to_vec();
    pairs.retain(|(key, _)| *key != name);
    pairs.push((name, value));
    let answer = client.token(&pairs).await;
    (answer.status, answer.refusal().1.to_owned())
}

fn refused(error: &str) -> (u16, String) {
    (400, error.to_owned())
}

async fn a_code_is_redeemed_once_and_a_replay_ends_what_was_issued(database: Database) {
    // RFC 9700 §4.5.3; OAuth 2.1 §4.1.3, §7.5.2
    let server = server(database).await;
    for client in [app(&server), web(&server)] {
        let callback = granted(&server, &client).await;
        let tokens = client.redeem(&callback).await.granted();
        let refreshed = client.refresh(tokens.refresh_token()).await.granted();
        assert_eq!(client.redeem(&callback).await.refusal(), (400, "invalid_grant"));
        assert_eq!(client.refresh(refreshed.refresh_token()).await.refusal(), (400, "invalid_grant"));
    }
}

async fn a_replay_with_a_wrong_verifier_ends_nothing(database: Database) {
    // OAuth 2.1 §7.5.2.
    // Whoever saw a code pass by must not be able to end an honest person's grant.
    let server = server(database).await;
    let client = app(&server);
    let callback = granted(&server, &client).await;
    let tokens = client.redeem(&callback).await.granted();
    for _ in 0..5 {
        assert_eq!(with(&client, &callback, "code_verifier", WRONG).await, refused("invalid_grant"));
    }
    client.refresh(tokens.refresh_token()).await.granted();
}

async fn three_wrong_verifiers_kill_a_code(database: Database) {
    // RFC 9700 §2.1.1
    let server = server(database).await;
    let client = app(&server);
    let survivor = granted(&server, &client).await;
    for wrong in [WRONG, "short"] {
        assert_eq!(with(&client, &survivor, "code_verifier", wrong).await, refused("invalid_grant"));
    }
    client.redeem(&survivor).await.granted();
    let dead = granted(&server, &client).await;
    for _ in 0..3 {
        assert_eq!(with(&client, &dead, "code_verifier", WRONG).await, refused("invalid_grant"));
    }
    assert_eq!(client.redeem(&dead).await.refusal(), (400, "invalid_grant"));
}

async fn a_code_expires(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let (early, late) = (granted(&server, &client).await, granted(&server, &client).await);
    server.clock().advance(Duration::from_secs(59));
    client.redeem(&early).await.granted();
    server.clock().advance(Duration::from_secs(1));
    assert_eq!(client.redeem(&late).await.refusal(), (400, "invalid_grant"));
}

async fn a_code_is_good_for_its_client_alone(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let callback = granted(&server, &client).await;
    assert_eq!(web(&server).redeem(&callback).await.refusal(), (400, "invalid_grant"));
    let known = server.app().engine().store.client(&ClientId::parse("web").unwrap()).await.unwrap();
    assert!(known.is_some());
    client.redeem(&callback).await.granted();
    // A confidential client's code without its secret.
    let callback = granted(&server, &web(&server)).await;
    let public = TestClient::new(&server, "web", &callback.redirect_uri);
    assert_eq!(public.redeem(&callback).await.refusal(), (401, "invalid_client"));
    assert_eq!(public.secret(WEB_SECRET).redeem(&callback).await.status, 200);
}

async fn the_redirect_uri_is_repeated_exactly_or_not_at_all(database: Database) {
    // RFC 6749 §4.1.3; OAuth 2.1 §10.2 lets clients leave it out.
    let server = server(database).await;
    let client = app(&server);
    let callback = granted(&server, &client).await;
    for other in ["http://127.0.0.1/cb", "http://127.0.0.1:4712/cb", "https://evil.example/", "x"] {
        let answer = with(&client, &callback, "redirect_uri", other).await;
        assert_eq!(answer, refused("invalid_grant"), "{other}");
    }
    assert_eq!(with(&client, &callback, "redirect_uri", APP_CALLBACK).await.0, 200);
    let callback = granted(&server, &client).await;
    assert_eq!(with(&client, &callback, "redirect_uri", "").await.0, 200);
}

async fn the_resource_is_the_one_of_the_grant(database: Database) {
    // MCP 2025-06-18 Resource Parameter Implementation; MCP Resource Parameter.
    // RFC 8707 §2.2; a slash at the end is the same resource (MCP 2026-07-28 authorization).
    let server = server(database).await;
    let client = app(&server);
    let callback = granted(&server, &client).await;
    for other in ["https://other.example/mcp", "https://mcp.example.com/", "no uri"] {
        assert_eq!(with(&client, &callback, "resource", other).await, refused("invalid_target"), "{other}");
    }
    let mut two = client.redemption(&callback).to_vec();
    two.extend([("resource", NOTES), ("resource", "https://other.example/mcp")]);
    assert_eq!(client.token(&two).await.refusal(), (400, "invalid_target"));
    assert_eq!(with(&client, &callback, "resource", "https://MCP.example.com/mcp/").await.0, 200);
}

async fn what_is_no_code_is_no_grant(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let callback = granted(&server, &client).await;
    let code = callback.code();
    let tokens = client.redeem(&granted(&server, &client).await).await.granted();
    for other in [
        "x",
        &code[..code.len() - 1],
        &format!("{code}x"),
        &code.to_uppercase(),
        &"x".repeat(10_000),
        "\u{1f41a}",
        tokens.refresh_token(),
    ] {
        assert_eq!(with(&client, &callback, "code", other).await, refused("invalid_grant"), "{other}");
    }
    client.redeem(&callback).await.granted();
}

async fn a_missing_parameter_is_named(database: Database) {
    // RFC 9700 §4.8.2
    let server = server(database).await;
    let client = app(&server);
    let callback = granted(&server, &client).await;
    for name in ["code", "code_verifier", "grant_type"] {
        let mut pairs = client.redemption(&callback).to_vec();
        pairs.retain(|(key, _)| *key != name);
        let answer = client.token(&pairs).await;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{name}");
        assert!(answer.text("error_description").contains(name), "{}", answer.body);
    }
    client.redeem(&callback).await.granted();
}
