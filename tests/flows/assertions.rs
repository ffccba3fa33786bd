//! Clients that sign (`private_key_jwt`: RFC 7523, rfc7523bis).

use std::time::Duration;

use gatelet::fetch::Supplied;
use gatelet::testkit::{Browser, ClientAuth, ClientKey, TestClient, TestServer, TokenResponse};
use serde_json::{Value, json};

use crate::cases;
use crate::world::{Database, server};

cases![
    a_client_that_may_come_either_way_comes_either_way,
    a_client_that_only_signs_must_sign,
    an_assertion_counts_once,
    an_assertion_names_its_client_and_this_server,
    whatever_is_wrong_with_an_assertion_is_told_in_the_same_words,
    an_assertion_goes_with_no_other_proof,
    exchanged_keys_are_found_without_a_person,
    keys_are_looked_for_once_a_minute,
    keys_that_were_not_there_at_first_are_found_later,
    a_client_with_long_keys_signs_from_the_first,
    a_registered_client_signs_too,
];

const CHATGPT: &str = "https://chatgpt.com/oauth/client.json";
const CHATGPT_KEYS: &str = "https://chatgpt.com/oauth/jwks.json";
const CHATGPT_CALLBACK: &str = "https://chatgpt.com/connector_platform_oauth_redirect";

fn chatgpt() -> Value {
    serde_json::from_str(include_str!("documents/chatgpt.json")).unwrap()
}

fn supply(server: &TestServer, url: &str, document: &Value) {
    server.supply_document(url, Supplied::document(document.to_string()));
}

/// A server that finds ChatGPT's document and keys, and ChatGPT, which signs.
async fn signing(database: Database) -> (TestServer, TestClient) {
    let server = server(database).await;
    supply(&server, CHATGPT, &chatgpt());
    supply(&server, CHATGPT_KEYS, &ClientKey::FIRST.jwks());
    let client = TestClient::new(&server, CHATGPT, CHATGPT_CALLBACK).signing(ClientKey::FIRST, &server);
    (server, client)
}

/// ChatGPT's document as one that only signs.
fn only_signing() -> Value {
    let mut document = chatgpt();
    document.as_object_mut().unwrap().remove("token_endpoint_auth_methods_supported");
    document
}

/// The tokens that alice grants it.
pub(crate) async fn granted(server: &TestServer, client: &TestClient) -> TokenResponse {
    let ask = client.authorize(&mut Browser::new(server), "alice", |request| request.scope("mcp:read")).await;
    client.redeem(&ask).await.granted()
}

/// A refresh request of the client with this assertion.
async fn refresh_with(server: &TestServer, refresh_token: &str, assertion: &str) -> TokenResponse {
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    server.token(&pairs, &ClientAuth::Assertion(assertion.to_owned())).await
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": ClientKey::FIRST.kid()})
}

async fn a_client_that_may_come_either_way_comes_either_way(database: Database) {
    // ChatGPT signs once it has seen that we take it, which can be days after its first visit.
    let (server, client) = signing(database).await;
    let unsigned = TestClient::new(&server, CHATGPT, CHATGPT_CALLBACK);
    let tokens = granted(&server, &unsigned).await;
    let tokens = client.refresh(tokens.refresh_token()).await.granted();
    let tokens = unsigned.refresh(tokens.refresh_token()).await.granted();
    assert_eq!(server.verify(tokens.access_token()).await["client_id"], CHATGPT);
    // But what it presents must be good.
    let forged = client.clone().signing(ClientKey::SECOND, &server);
    assert_eq!(forged.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
}

async fn a_client_that_only_signs_must_sign(database: Database) {
    let (server, client) = signing(database).await;
    supply(&server, CHATGPT, &only_signing());
    let tokens = granted(&server, &client).await;
    let unsigned = TestClient::new(&server, CHATGPT, CHATGPT_CALLBACK);
    assert_eq!(unsigned.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
    assert_eq!(
        unsigned.clone().secret("x").refresh(tokens.refresh_token()).await.refusal(),
        (401, "invalid_client")
    );
    client.refresh(tokens.refresh_token()).await.granted();
}

async fn an_assertion_counts_once(database: Database) {
    // RFC 7523 §3, item 7; rfc7523bis. The leeway for clocks counts.
    let (server, client) = signing(database).await;
    let tokens = granted(&server, &client).await;
    let claims = client.assertion_claims(server.clock().now());
    let assertion = ClientKey::FIRST.sign(&header(), &claims);
    let mut live = refresh_with(&server, tokens.refresh_token(), &assertion).await.granted();
    for wait in [0, 299, 60] {
        server.clock().advance(Duration::from_secs(wait));
        let again = refresh_with(&server, live.refresh_token(), &assertion).await;
        assert_eq!(again.refusal(), (401, "invalid_client"), "after {wait}");
    }
    // What was forged did not use the jti up.
    let mut claims = client.assertion_claims(server.clock().now());
    claims["jti"] = json!("chosen");
    let forged = ClientKey::SECOND.sign(&header(), &claims);
    assert_eq!(refresh_with(&server, live.refresh_token(), &forged).await.refusal(), (401, "invalid_client"));
    let good = ClientKey::FIRST.sign(&header(), &claims);
    live = refresh_with(&server, live.refresh_token(), &good).await.granted();
    client.refresh(live.refresh_token()).await.granted();
}

async fn an_assertion_names_its_client_and_this_server(database: Database) {
    // rfc7523bis: the issuer; RFC 7523 §3: the token endpoint. client_id may be left out and must not differ.
    let (server, client) = signing(database).await;
    let mut token = granted(&server, &client).await.refresh_token().to_owned();
    for audience in [json!(server.issuer()), json!(server.endpoint("token")), json!([server.issuer()])] {
        let mut claims = client.assertion_claims(server.clock().now());
        claims["aud"] = audience;
        let assertion =
            ClientKey::FIRST.sign(&json!({"alg": "RS256", "typ": "client-authentication+jwt"}), &claims);
        let answer = refresh_with(&server, &token, &assertion).await.granted();
        token = answer.refresh_token().to_owned();
    }
    for (named, status) in [(CHATGPT, 200), ("app", 400)] {
        let pairs =
            [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", named)];
        assert_eq!(client.token(&pairs).await.status, status);
    }
}

async fn whatever_is_wrong_with_an_assertion_is_told_in_the_same_words(database: Database) {
    // RFC 7523 §3 and §3.2
    let (server, client) = signing(database).await;
    let token = granted(&server, &client).await.refresh_token().to_owned();
    let now = server.clock().now();
    let claims = |claim: &str, value: Value| {
        let mut claims = client.assertion_claims(now);
        claims[claim] = value;
        claims
    };
    let good = client.assertion_claims(now);
    let sign = |claims: &Value| ClientKey::FIRST.sign(&header(), claims);
    let mut answers = Vec::new();
    for assertion in [
        "nonsense".to_owned(),
        sign(&claims("iss", json!("app"))),
        sign(&claims("sub", json!("app"))),
        sign(&claims("sub", json!("https://unknown.example/c.json"))),
        sign(&claims("aud", json!("https://other.example"))),
        sign(&claims("aud", json!([server.issuer(), "https://other.example"]))),
        sign(&claims("exp", json!(now.seconds() - 60))),
        sign(&claims("exp", json!(now.seconds() + 7200))),
        sign(&claims("nbf", json!(now.seconds() + 600))),
        sign(&claims("jti", Value::Null)),
        ClientKey::FIRST.sign(&json!({"alg": "none"}), &good),
        ClientKey::FIRST.sign(&json!({"alg": "HS256"}), &good),
        ClientKey::FIRST.sign(&json!({"alg": "RS256", "typ": "at+jwt"}), &good),
        ClientKey::FIRST.sign(&json!({"alg": "RS256", "crit": ["exp"]}), &good),
        ClientKey::SECOND.sign(&header(), &good),
        ClientKey::SECOND.sign(&json!({"alg": "RS256", "jwk": ClientKey::SECOND.jwk()}), &good),
        ClientKey::SECOND.sign(&json!({"alg": "RS256", "jku": CHATGPT_KEYS}), &good),
    ] {
        let answer = refresh_with(&server, &token, &assertion).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{assertion}");
        assert_eq!(answer.header("www-authenticate"), "", "no header was used");
        answers.push(answer.body.clone());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    client.refresh(&token).await.granted();
}

async fn an_assertion_goes_with_no_other_proof(database: Database) {
    // OAuth 2.1 §2.4
    let (server, client) = signing(database).await;
    let token = granted(&server, &client).await.refresh_token().to_owned();
    let assertion = ClientKey::FIRST.sign(&header(), &client.assertion_claims(server.clock().now()));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let request = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    let with = |more: &[(&'static str, &'static str)]| {
        let given = [("client_assertion", assertion.as_str()), ("client_assertion_type", kind)];
        request.iter().chain(&given).copied().chain(more.iter().copied()).collect::<Vec<_>>()
    };
    for (pairs, auth) in [
        (with(&[("client_secret", "x")]), ClientAuth::Nothing),
        (with(&[]), ClientAuth::Basic(CHATGPT.to_owned(), "x".to_owned())),
        (with(&[("client_assertion_type", kind)]), ClientAuth::Nothing),
    ] {
        assert_eq!(server.token(&pairs, &auth).await.refusal(), (400, "invalid_request"), "{auth:?}");
    }
    assert_eq!(server.token(&with(&[]), &ClientAuth::Nothing).await.status, 200);
}

async fn exchanged_keys_are_found_without_a_person(database: Database) {
    // Clients refresh for months without a person, and exchange their keys meanwhile.
    let (server, client) = signing(database).await;
    let mut tokens = granted(&server, &client).await;
    assert_eq!(server.asked_documents(), [CHATGPT, CHATGPT_KEYS]);
    server.clock().advance(Duration::from_secs(20 * 86_400));
    tokens = client.refresh(tokens.refresh_token()).await.granted();
    assert_eq!(server.asked_documents().len(), 2, "known keys are not looked for");
    supply(&server, CHATGPT_KEYS, &ClientKey::SECOND.jwks());
    let renewed = client.clone().signing(ClientKey::SECOND, &server);
    tokens = renewed.refresh(tokens.refresh_token()).await.granted();
    assert_eq!(
        server.asked_documents(),
        [CHATGPT, CHATGPT_KEYS, CHATGPT_KEYS],
        "and its document is left alone"
    );
    tokens = renewed.refresh(tokens.refresh_token()).await.granted();
    assert_eq!(server.asked_documents().len(), 3, "they were kept");
    server.clock().advance(Duration::from_secs(61));
    assert_eq!(
        client.refresh(tokens.refresh_token()).await.refusal(),
        (401, "invalid_client"),
        "the old is gone"
    );
}

async fn keys_are_looked_for_once_a_minute(database: Database) {
    let (server, client) = signing(database).await;
    let tokens = granted(&server, &client).await;
    server.clock().advance(Duration::from_secs(60));
    let forged = client.clone().signing(ClientKey::SECOND, &server);
    for (wait, fetches) in [(0, 3), (0, 3), (59, 3), (1, 4), (0, 4)] {
        server.clock().advance(Duration::from_secs(wait));
        assert_eq!(forged.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
        assert_eq!(server.asked_documents().len(), fetches, "after {wait}");
    }
    // A failure counts as well, and takes nothing away.
    server.withdraw_document(CHATGPT_KEYS);
    server.clock().advance(Duration::from_secs(60));
    assert_eq!(forged.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
    assert_eq!(forged.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
    assert_eq!(server.asked_documents().len(), 5);
    client.refresh(tokens.refresh_token()).await.granted();
}

async fn keys_that_were_not_there_at_first_are_found_later(database: Database) {
    let (server, client) = signing(database).await;
    supply(&server, CHATGPT, &only_signing());
    for nothing in [json!({"keys": 1}), json!("x")] {
        supply(&server, CHATGPT_KEYS, &nothing);
        let mut browser = Browser::new(&server);
        let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
        assert_eq!(client.redeem(&callback).await.refusal(), (401, "invalid_client"));
        supply(&server, CHATGPT_KEYS, &ClientKey::FIRST.jwks());
        server.clock().advance(Duration::from_secs(30));
        assert_eq!(client.redeem(&callback).await.refusal(), (401, "invalid_client"), "too soon");
        server.clock().advance(Duration::from_secs(400));
        let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
        client.redeem(&callback).await.granted();
        server.clock().advance(Duration::from_secs(400));
        // The keys that were there stay known when there are none at the address any more.
        supply(&server, CHATGPT_KEYS, &nothing);
        let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
        client.redeem(&callback).await.granted();
        supply(&server, CHATGPT, &{
            let mut moved = only_signing();
            moved["jwks_uri"] = json!("https://chatgpt.com/elsewhere.json");
            moved
        });
        server.clock().advance(Duration::from_secs(400));
        let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
        assert_eq!(
            client.redeem(&callback).await.refusal(),
            (401, "invalid_client"),
            "keys of another address"
        );
        supply(&server, CHATGPT, &only_signing());
        server.clock().advance(Duration::from_secs(400));
    }
}

async fn a_client_with_long_keys_signs_from_the_first(database: Database) {
    // They are not kept before somebody lets the client in.
    let (server, client) = signing(database).await;
    let mut keys = ClientKey::FIRST.jwks();
    keys["padding"] = json!("x".repeat(60 * 1024));
    supply(&server, CHATGPT_KEYS, &keys);
    let tokens = granted(&server, &client).await;
    assert_eq!(server.asked_documents(), [CHATGPT, CHATGPT_KEYS, CHATGPT_KEYS]);
    client.refresh(tokens.refresh_token()).await.granted();
    assert_eq!(server.asked_documents().len(), 3, "from now on they are kept");
}

async fn a_registered_client_signs_too(database: Database) {
    // RFC 7591 §2
    let server = server(database).await;
    let metadata = json!({"redirect_uris": ["http://127.0.0.1/cb"], "client_name": "Signs",
        "token_endpoint_auth_method": "private_key_jwt", "jwks": ClientKey::FIRST.jwks()});
    let registered = server.register(&metadata).await;
    assert_eq!((registered.status, registered.json.get("client_secret")), (201, None), "{}", registered.body);
    assert_eq!(registered.json["jwks"], metadata["jwks"]);
    let again = server.register(&metadata).await;
    assert_ne!(again.text("client_id"), registered.text("client_id"), "who can prove itself shares no row");
    let client = TestClient::new(&server, registered.text("client_id"), "http://127.0.0.1:7/cb");
    let signing = client.clone().signing(ClientKey::FIRST, &server);
    let tokens = granted(&server, &signing).await;
    assert_eq!(client.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
    let forged = client.signing(ClientKey::SECOND, &server);
    assert_eq!(forged.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
    signing.refresh(tokens.refresh_token()).await.granted();
    let elsewhere = json!({"redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": CHATGPT_KEYS});
    assert_eq!(server.register(&elsewhere).await.status, 201);
    assert!(server.asked_documents().is_empty(), "nothing is fetched for a stranger");
}
