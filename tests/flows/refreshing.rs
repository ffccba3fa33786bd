//! Refresh tokens (RFC 6749 §6; OAuth 2.1 §4.3; RFC 9700 §4.14.2).

use std::time::Duration;

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::protocol::{ClientId, Lifetimes, UserId};
use gatelet::store::Outcome;
use gatelet::testkit::{TestClient, TokenResponse};

use crate::cases;
use crate::world::{Database, NOTES, app, server, tokens, web, world};

cases![
    every_refresh_gives_the_next_token,
    a_lost_answer_is_given_again_for_a_while,
    an_old_token_ends_the_grant,
    without_a_window_every_second_use_is_a_replay,
    a_request_narrows_its_own_answer_and_never_widens,
    the_resource_stays_the_one_of_the_grant,
    a_token_is_good_for_its_client_alone,
    a_client_that_is_gone_is_told_to_register_again,
    what_is_no_refresh_token_is_no_grant,
    a_chain_ends_when_it_is_not_used_and_in_the_end,
    a_suspended_person_is_refused,
];

const INVALID_GRANT: (u16, &str) = (400, "invalid_grant");

async fn refresh_with(client: &TestClient, token: &str, pair: (&str, &str)) -> TokenResponse {
    client.token(&[("grant_type", "refresh_token"), ("refresh_token", token), pair]).await
}

async fn every_refresh_gives_the_next_token(database: Database) {
    // MCP 2025-06-18 Token Theft; RFC 9700 §2.2.2; MCP Token Theft
    let server = server(database).await;
    for client in [app(&server), web(&server)] {
        let first = tokens(&server, &client).await;
        let mut seen = vec![first.refresh_token().to_owned()];
        let auth_time = server.verify(first.access_token()).await["auth_time"].clone();
        for _ in 0..3 {
            server.clock().advance(Duration::from_secs(1000));
            let next = client.refresh(seen.last().unwrap()).await.granted();
            let claims = server.verify(next.access_token()).await;
            assert_eq!((&claims["sub"], &claims["auth_time"]), (&"alice".into(), &auth_time));
            assert!(!seen.iter().any(|token| token == next.refresh_token()));
            seen.push(next.refresh_token().to_owned());
        }
    }
}

async fn a_lost_answer_is_given_again_for_a_while(database: Database) {
    // One retry window of 60 s; the same successor byte for byte, with a fresh access token.
    let server = server(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let second = client.refresh(first.refresh_token()).await.granted();
    for _ in 0..3 {
        server.clock().advance(Duration::from_secs(19));
        let again = client.refresh(first.refresh_token()).await.granted();
        assert_eq!(again.refresh_token(), second.refresh_token());
        assert_ne!(again.access_token(), second.access_token());
    }
    let third = client.refresh(second.refresh_token()).await.granted();
    client.refresh(third.refresh_token()).await.granted();
}

async fn an_old_token_ends_the_grant(database: Database) {
    // RFC 9700 §4.14.2
    let server = server(database).await;
    let client = app(&server);
    let late = tokens(&server, &client).await;
    let live = client.refresh(late.refresh_token()).await.granted();
    server.clock().advance(Duration::from_secs(60));
    assert_eq!(client.refresh(late.refresh_token()).await.refusal(), INVALID_GRANT);
    assert_eq!(client.refresh(live.refresh_token()).await.refusal(), INVALID_GRANT, "the grant has ended");

    let oldest = tokens(&server, &client).await;
    let older = client.refresh(oldest.refresh_token()).await.granted();
    let live = client.refresh(older.refresh_token()).await.granted();
    assert_eq!(client.refresh(oldest.refresh_token()).await.refusal(), INVALID_GRANT, "two generations old");
    assert_eq!(client.refresh(live.refresh_token()).await.refusal(), INVALID_GRANT);
}

async fn without_a_window_every_second_use_is_a_replay(database: Database) {
    let strict = Lifetimes { retry_window: Duration::ZERO, ..Lifetimes::default() };
    let server = world(database).lifetimes(strict).start().await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let second = client.refresh(first.refresh_token()).await.granted();
    assert_eq!(client.refresh(first.refresh_token()).await.refusal(), INVALID_GRANT);
    assert_eq!(client.refresh(second.refresh_token()).await.refusal(), INVALID_GRANT);
}

async fn a_request_narrows_its_own_answer_and_never_widens(database: Database) {
    // RFC 9700 §4.14.2; RFC 6749 §6
    let server = server(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let narrow = refresh_with(&client, first.refresh_token(), ("scope", "mcp:read")).await.granted();
    assert_eq!(narrow.scope(), "mcp:read");
    assert_eq!(server.verify(narrow.access_token()).await["scope"], "mcp:read");
    for wider in ["mcp:admin", "mcp:read mcp:admin", "mcp:unheard_of"] {
        let answer = refresh_with(&client, narrow.refresh_token(), ("scope", wider)).await;
        assert_eq!(answer.refusal(), (400, "invalid_scope"), "{wider}");
    }
    let whole =
        refresh_with(&client, narrow.refresh_token(), ("scope", "mcp:write mcp:read")).await.granted();
    assert_eq!(whole.scope(), "mcp:read mcp:write", "the grant was not narrowed, nor spent by a refusal");
}

async fn the_resource_stays_the_one_of_the_grant(database: Database) {
    // RFC 8707 §2.2
    let server = server(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    for other in ["https://other.example/mcp", "no uri"] {
        let answer = refresh_with(&client, first.refresh_token(), ("resource", other)).await;
        assert_eq!(answer.refusal(), (400, "invalid_target"), "{other}");
    }
    let same = refresh_with(&client, first.refresh_token(), ("resource", NOTES)).await.granted();
    assert_eq!(server.verify(same.access_token()).await["aud"], NOTES);
}

async fn a_token_is_good_for_its_client_alone(database: Database) {
    // OAuth 2.1 §4.3.1
    let server = server(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    assert_eq!(web(&server).refresh(first.refresh_token()).await.refusal(), INVALID_GRANT);
    client.refresh(first.refresh_token()).await.granted();
}

async fn a_client_that_is_gone_is_told_to_register_again(database: Database) {
    // RFC 6749 §5.2. SDKs register again on invalid_client and on nothing else.
    let server = server(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let gone = TestClient::new(&server, "gone", "http://127.0.0.1/cb");
    for token in [first.refresh_token(), "nonsense", ""] {
        assert_eq!(gone.refresh(token).await.refusal(), (401, "invalid_client"));
    }
    let audit = AuditEvent::new(server.clock().now(), AuditKind::Suspended);
    let store = server.app().engine().store.clone();
    let won = store.suspend_client(&ClientId::parse("app").unwrap(), audit).await.unwrap();
    assert_eq!(won, Outcome::Won(()));
    assert_eq!(client.refresh(first.refresh_token()).await.refusal(), (401, "invalid_client"));
}

async fn what_is_no_refresh_token_is_no_grant(database: Database) {
    // MCP Refresh Tokens
    let server = server(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let token = first.refresh_token();
    for other in [
        "x",
        &token[..token.len() - 1],
        &format!("{token}x"),
        &token.to_uppercase(),
        &"x".repeat(10_000),
        "gtl_rt_",
        first.access_token(),
    ] {
        assert_eq!(client.refresh(other).await.refusal(), INVALID_GRANT, "{other}");
    }
    assert_eq!(client.refresh("").await.refusal(), (400, "invalid_request"));
    client.refresh(token).await.granted();
}

async fn a_chain_ends_when_it_is_not_used_and_in_the_end(database: Database) {
    // RFC 9700 §4.14.2.
    // 30 d unused, 180 d at most.
    const DAY: u64 = 24 * 3600;
    let server = server(database).await;
    let client = app(&server);
    let idle = tokens(&server, &client).await;
    let mut busy = tokens(&server, &client).await;
    for _ in 0..6 {
        server.clock().advance(Duration::from_secs(30 * DAY - 1));
        busy = client.refresh(busy.refresh_token()).await.granted();
    }
    assert_eq!(client.refresh(idle.refresh_token()).await.refusal(), INVALID_GRANT);
    server.clock().advance(Duration::from_secs(6));
    assert_eq!(client.refresh(busy.refresh_token()).await.refusal(), INVALID_GRANT);
}

async fn a_suspended_person_is_refused(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let audit = AuditEvent::new(server.clock().now(), AuditKind::Suspended);
    let store = server.app().engine().store.clone();
    let won = store.suspend_user(&UserId::parse("alice").unwrap(), audit).await.unwrap();
    assert_eq!(won, Outcome::Won(()));
    assert_eq!(client.refresh(first.refresh_token()).await.refusal(), INVALID_GRANT);
}
