//! Requests that come at once, and clients that hang up. Each is asked of both databases.

use std::time::Duration;

use gatelet::protocol::{GrantId, Rate, Rates};
use gatelet::random::Random;
use gatelet::testkit::{Browser, ClientAuth, ClientKey, JsonAnswer, Landing, TestClient, TestServer};
use gatelet::tokens::CodeToken;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::cases;
use crate::introspecting::{is_active, notes_server, serving};
use crate::revoking::revoked_at_once;
use crate::world::{Database, app, consent_page, granted, logged_in, server, tokens, web, world};

cases![
    of_32_redemptions_of_one_code_one_wins,
    of_32_refreshes_of_one_token_all_get_the_same_successor,
    of_32_decisions_about_one_interaction_one_counts,
    of_32_identical_registrations_comes_one_client,
    of_32_uses_of_one_assertion_one_counts,
    of_32_revocations_of_one_token_all_are_acknowledged_and_one_told_of,
    a_grant_that_is_revoked_while_it_refreshes_stays_revoked,
    a_client_that_hangs_up_while_redeeming_leaves_nothing_half_done,
    a_client_that_hangs_up_while_refreshing_keeps_its_chain,
];

const AT_ONCE: usize = 32;
const HANG_UPS: usize = 60;

/// The answers to what `ask` makes, all asked at once.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(ask: impl Fn() -> F) -> Vec<T> {
    let mut asked = JoinSet::new();
    for _ in 0..AT_ONCE {
        asked.spawn(ask());
    }
    asked.join_all().await
}

fn count(answers: &[JsonAnswer], refusal: (u16, &str)) -> usize {
    answers.iter().filter(|answer| answer.refusal() == refusal).count()
}

/// Whether a replay of the grant's code was noticed.
async fn was_replayed(server: &TestServer, grant: &GrantId) -> bool {
    let events = server.app().engine().store.audit_events(None, 10_000).await.unwrap();
    events.iter().any(|event| event.kind == "code_replayed" && event.grant.as_ref() == Some(grant))
}

async fn grant_of(server: &TestServer, access_token: &str) -> GrantId {
    let claims = server.verify(access_token).await;
    GrantId::parse(claims["jti"].as_str().unwrap().split_once('.').unwrap().0).unwrap()
}

async fn of_32_redemptions_of_one_code_one_wins(database: Database) {
    // OAuth 2.1 §4.1.3. A loser that came while the winner was being written is told that the code is not valid; one
    // that came afterwards knew code and verifier, which is a replay, and ends the winner's grant as well (§7.5.2).
    let server = server(database).await;
    for client in [app(&server), web(&server)] {
        let callback = granted(&server, &client).await;
        let redeem = || {
            let (client, callback) = (client.clone(), callback.clone());
            async move { client.redeem(&callback).await.0 }
        };
        let answers = at_once(redeem).await;
        let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!((winners.len(), count(&answers, (400, "invalid_grant"))), (1, AT_ONCE - 1), "{answers:?}");

        let grant = grant_of(&server, winners[0].text("access_token")).await;
        let refreshed = client.refresh(winners[0].text("refresh_token")).await;
        if was_replayed(&server, &grant).await {
            assert_eq!(refreshed.refusal(), (400, "invalid_grant"));
        } else {
            let live = refreshed.granted();
            assert_eq!(client.redeem(&callback).await.refusal(), (400, "invalid_grant"));
            assert_eq!(client.refresh(live.refresh_token()).await.refusal(), (400, "invalid_grant"));
        }
    }
}

async fn of_32_refreshes_of_one_token_all_get_the_same_successor(database: Database) {
    // Parallel processes of one installation: one rotates, the others are answered as if their answer had been lost.
    let server = server(database).await;
    for client in [app(&server), web(&server)] {
        let mut token = tokens(&server, &client).await.refresh_token().to_owned();
        for _ in 0..2 {
            let refresh = || {
                let (client, token) = (client.clone(), token.clone());
                async move { client.refresh(&token).await }
            };
            let answers = at_once(refresh).await;
            let mut successors: Vec<_> =
                answers.into_iter().map(|answer| answer.granted().refresh_token().to_owned()).collect();
            successors.dedup();
            assert_eq!(successors.len(), 1);
            assert_ne!(successors[0], token);
            token = successors.remove(0);
        }
        client.refresh(&token).await.granted();
    }
}

async fn of_32_decisions_about_one_interaction_one_counts(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| request.scope("mcp:read"));
    let page = consent_page(&mut browser, &request.url).await;
    let decide = || {
        let (mut browser, page): (Browser, _) = (browser.clone(), page.clone());
        async move { browser.consent(&page).allow().await }
    };
    let landings = at_once(decide).await;
    let mut codes = Vec::new();
    for landing in landings {
        match landing {
            Landing::Left(url) => codes.push(request.callback(&url)),
            Landing::Page(page) => assert_eq!((page.status, page.heading()), (400, "This page has expired")),
        }
    }
    assert_eq!(codes.len(), 1);
    client.redeem(&codes[0]).await.granted();
}

async fn of_32_identical_registrations_comes_one_client(database: Database) {
    let server = server(database).await;
    let metadata = serde_json::json!({
        "redirect_uris": ["http://localhost/cb"], "token_endpoint_auth_method": "none", "client_name": "Many",
    });
    let (http, url) = (server.http().clone(), server.endpoint("register"));
    let register = || {
        let request = http.post(&url).json(&metadata);
        async move { request.send().await.unwrap().json::<serde_json::Value>().await.unwrap() }
    };
    let mut ids: Vec<_> =
        at_once(register).await.into_iter().map(|answer| answer["client_id"].clone()).collect();
    ids.dedup();
    assert!(ids.len() == 1 && ids[0].is_string(), "{ids:?}");
}

async fn of_32_uses_of_one_assertion_one_counts(database: Database) {
    // RFC 7523 §3, item 7. The limit on wrong proofs is not what is asked about.
    let rates = Rates { wrong_secrets: Rate::new(64, Duration::from_secs(60)), ..Rates::default() };
    let server = world(database).rates(rates).start().await;
    let metadata = serde_json::json!({
        "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": ClientKey::FIRST.jwks(),
    });
    let registered = server.register(&metadata).await;
    let client = TestClient::new(&server, registered.text("client_id"), "http://127.0.0.1/cb");
    let tokens = tokens(&server, &client.clone().signing(ClientKey::FIRST, &server)).await;
    let claims = client.assertion_claims(server.clock().now());
    let assertion = ClientKey::FIRST.sign(&serde_json::json!({"alg": "RS256"}), &claims);
    let client = client.auth(ClientAuth::Assertion(assertion));
    let refresh = || {
        let (client, token) = (client.clone(), tokens.refresh_token().to_owned());
        async move { client.refresh(&token).await.0 }
    };
    let answers = at_once(refresh).await;
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((winners, count(&answers, (401, "invalid_client"))), (1, AT_ONCE - 1), "{answers:?}");
}

/// Sends a token request and hangs up after up to 5 ms.
async fn hang_up(server: &TestServer, client: &TestClient, pairs: &[(&str, &str)], random: &Random) {
    let named = pairs.iter().copied().chain([("client_id", client.client_id())]);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(named).finish();
    let host = server.origin().strip_prefix("http://").unwrap();
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let [high, low] = random.bytes::<2>();
    tokio::time::sleep(Duration::from_micros(u64::from(u16::from_be_bytes([high, low])) % 5000)).await;
    drop(stream);
}

async fn a_client_that_hangs_up_while_redeeming_leaves_nothing_half_done(database: Database) {
    // The code is spent and its grant has a chain of refresh tokens, or neither.
    let server = server(database).await;
    let (client, random) = (app(&server), Random::seeded(1));
    let store = server.app().engine().store.clone();
    let mut browser = logged_in(&server, "alice").await;
    for round in 0..HANG_UPS {
        let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
        hang_up(&server, &client, &client.redemption(&callback), &random).await;
        let answer = client.redeem(&callback).await;
        let id = CodeToken::parse(callback.code()).unwrap().id().clone();
        let known = store.authorization_code(&id).await.unwrap().unwrap();
        assert!(known.code.redeemed_at.is_some() && known.grant.grant.refresh.is_some(), "round {round}");
        match answer.status {
            200 => drop(client.refresh(answer.refresh_token()).await.granted()),
            _ => assert_eq!(answer.refusal(), (400, "invalid_grant"), "round {round}"),
        }
    }
}

async fn a_client_that_hangs_up_while_refreshing_keeps_its_chain(database: Database) {
    // It never saw the answer, so it asks with the old token, and is answered.
    let server = server(database).await;
    let (client, random) = (app(&server), Random::seeded(2));
    let mut live = tokens(&server, &client).await;
    for _ in 0..HANG_UPS {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", live.refresh_token())];
        hang_up(&server, &client, &pairs, &random).await;
        live = client.refresh(live.refresh_token()).await.granted();
        server.verify(live.access_token()).await;
    }
}

async fn of_32_revocations_of_one_token_all_are_acknowledged_and_one_told_of(database: Database) {
    // RFC 7009 §2.2
    let server = serving(database).await;
    let client = app(&server);
    let issued = tokens(&server, &client).await;
    revoked_at_once(&server, &client, issued.access_token(), "access_token_revoked").await;
    revoked_at_once(&server, &client, issued.refresh_token(), "refresh_token_revoked").await;
    assert_eq!(client.refresh(issued.refresh_token()).await.refusal(), (400, "invalid_grant"));
}

async fn a_grant_that_is_revoked_while_it_refreshes_stays_revoked(database: Database) {
    // RFC 7009 §2.1: an answer that was on its way when the revocation was acknowledged is worth nothing.
    let server = serving(database).await;
    let (client, notes) = (app(&server), notes_server(&server));
    for _ in 0..8 {
        let issued = tokens(&server, &client).await;
        let mut asked = JoinSet::new();
        for number in 0..AT_ONCE {
            let (client, token) = (client.clone(), issued.refresh_token().to_owned());
            asked.spawn(async move {
                match number {
                    16 => client.revoke(&token).await,
                    _ => client.refresh(&token).await.0,
                }
            });
        }
        for answer in asked.join_all().await.iter().filter(|answer| answer.json["access_token"].is_string()) {
            assert!(!is_active(&notes, answer.text("access_token")).await);
            assert_eq!(client.refresh(answer.text("refresh_token")).await.refusal(), (400, "invalid_grant"));
        }
    }
}
