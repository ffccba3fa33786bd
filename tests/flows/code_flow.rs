//! The authorization code grant from one end to the other.

use gatelet::protocol::GrantId;
use gatelet::testkit::{Browser, RequestParams, TestResource, TestServer};
use serde_json::json;

use crate::cases;
use crate::world::{APP_CALLBACK, Database, NOTES, app, logged_in, server, tokens, web, world};

cases![
    an_access_token_says_who_what_and_for_whom_and_nothing_else,
    every_answer_with_tokens_tells_scope_and_lifetime_and_is_kept_by_nobody,
    state_and_issuer_come_back_byte_for_byte,
    what_asks_for_nothing_in_particular_gets_the_default_scopes,
    a_restart_keeps_people_logged_in_grants_and_keys,
    offline_access_is_taken_everywhere_and_decides_nothing,
    an_alias_means_the_resource_itself,
    a_developers_own_server_needs_no_registration_where_that_is_allowed,
];

async fn an_access_token_says_who_what_and_for_whom_and_nothing_else(database: Database) {
    // RFC 9700 §2.3, §4.10.2; RFC 8707 §2.1; RFC 9068 §2.1; MCP Token Passthrough.
    // RFC 9068 §2.2, RFC 8707 §2: one audience, a plain string.
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let login = server.clock().now().seconds();
    server.clock().advance(std::time::Duration::from_secs(100));
    let ask = |request: RequestParams| request.scope("mcp:read mcp:write mcp:unheard_of").resource(NOTES);
    let callback = client.authorize(&mut browser, "alice", ask).await;
    server.clock().advance(std::time::Duration::from_secs(5));
    let answer = client.redeem(&callback).await.granted();
    let claims = server.verify(answer.access_token()).await;
    let now = server.clock().now().seconds();
    assert_eq!(
        claims,
        json!({
            "iss": server.issuer(), "sub": "alice", "aud": NOTES, "client_id": "app",
            "iat": now, "exp": now + 900, "acr": "urn:gatelet:acr:password", "jti": claims["jti"], "scope": "mcp:read mcp:write",
            "tenant": "acme", "roles": ["member"], "auth_time": login,
            "gatelet_test": true,
        })
    );
    let jti = claims["jti"].as_str().unwrap();
    let grant = GrantId::parse(jti.split_once('.').unwrap().0).expect("the jti begins with the grant's id");
    let known = server.app().engine().store.grant(&grant).await.unwrap().expect("the grant");
    assert_eq!(known.grant.client.as_str(), "app");
}

async fn every_answer_with_tokens_tells_scope_and_lifetime_and_is_kept_by_nobody(database: Database) {
    // OAuth 2.1 §3.2.3; RFC 6749 §5.1. `granted` looks at the members and at Cache-Control.
    let server = server(database).await;
    let client = app(&server);
    let redeemed = tokens(&server, &client).await;
    let refreshed = client.refresh(redeemed.refresh_token()).await.granted();
    for answer in [&redeemed, &refreshed] {
        assert_eq!((answer.scope(), &answer.json["expires_in"]), ("mcp:read mcp:write", &json!(900)));
        assert_eq!(answer.header("pragma"), "no-cache");
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(!answer.body.contains("null"));
    }
    let robot = gatelet::testkit::TestClient::new(&server, "robot", "").secret(crate::world::ROBOT_SECRET);
    let machine = robot.client_credentials(None).await.granted();
    assert_eq!((machine.scope(), &machine.json["expires_in"]), ("mcp:read", &json!(900)));
}

async fn state_and_issuer_come_back_byte_for_byte(database: Database) {
    // RFC 9700 §4.4.2.1; MCP Authorization Response Validation.
    // RFC 6749 §4.1.2, RFC 9207 §2. The client compares both in `callback`.
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let long = "x%2F+".repeat(420);
    for state in ["a b+c%20d&e=f#g;h", "ünïcødé 🐚 \u{202e}", "%", "%00%ZZ", "\"<>\\'`{}|^", &long, " "]
    {
        let granted = client.authorize(&mut browser, "alice", |request| request.state(state)).await;
        granted.code();
        let request = client.authorization(|request| request.state(state).param("response_type", "token"));
        let refused = request.callback(&browser.get(&request.url).await.left());
        assert_eq!(refused.error(), "unsupported_response_type", "{state}");
    }
    let without = client.authorize(&mut browser, "alice", |request| request.without("state")).await;
    assert!(!without.url.contains("state"), "{}", without.url);
}

async fn what_asks_for_nothing_in_particular_gets_the_default_scopes(database: Database) {
    // MCP 2025-11-25 Scope Selection Strategy; MCP Scope Minimization; RFC 6749 §3.3: never everything.
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "bob").await;
    for scope in [None, Some(""), Some(" "), Some("mcp:unheard_of address")] {
        let ask = |request: RequestParams| match scope {
            Some(scope) => request.scope(scope),
            None => request,
        };
        let callback = client.authorize(&mut browser, "bob", ask).await;
        assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read", "{scope:?}");
    }
}

async fn a_restart_keeps_people_logged_in_grants_and_keys(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut browser = Browser::new(&server);
    let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
    let first = client.redeem(&callback).await.granted();
    let waiting = client.authorize(&mut browser, "alice", |request| request.scope("mcp:write")).await;
    let keys = server.get(&server.endpoint("jwks")).await.body;
    let server: TestServer = server.restart().await;
    assert_eq!(server.get(&server.endpoint("jwks")).await.body, keys);
    server.verify(first.access_token()).await;
    client.refresh(first.refresh_token()).await.granted();
    client.redeem(&waiting).await.granted();
    let request = client.authorization(|request| request.scope("mcp:read"));
    assert!(browser.get(&request.url).await.page().has_form_with("decision"), "alice is still logged in");
    // A client with a secret is still known by it.
    let answer = web(&server).refresh("gtl_rt_nonsense").await;
    assert_eq!(answer.refusal(), (400, "invalid_grant"));
}

async fn offline_access_is_taken_everywhere_and_decides_nothing(database: Database) {
    // OpenID Connect Core §11: a request for refresh tokens, which these clients get anyway.
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let ask = |request: RequestParams| request.scope("mcp:read offline_access").prompt("consent");
    let callback = client.authorize(&mut browser, "alice", ask).await;
    assert!(callback.url.starts_with(APP_CALLBACK));
    let answer = client.redeem(&callback).await.granted();
    assert_eq!(answer.scope(), "mcp:read offline_access");
    assert_eq!(server.verify(answer.access_token()).await["scope"], "mcp:read");
    let refreshed = client.refresh(answer.refresh_token()).await.granted();
    assert_eq!(refreshed.scope(), "mcp:read offline_access");
}

async fn an_alias_means_the_resource_itself(database: Database) {
    // RFC 8707 §2; clients write the canonical URI in several ways (MCP 2026-07-28 authorization).
    let (second, alias) = ("https://second.example/mcp", "https://old.example/mcp");
    let resource = TestResource::new(second).scope("mcp:read", "Read").alias(alias);
    let server = world(database).resource(resource).start().await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    for written in [second, alias, "https://second.example/mcp/", "https://SECOND.example:443/mcp"] {
        let ask = |request: RequestParams| request.scope("mcp:read").resource(written);
        let callback = client.authorize(&mut browser, "alice", ask).await;
        let mut pairs = client.redemption(&callback).to_vec();
        pairs.push(("resource", written));
        let answer = client.token(&pairs).await.granted();
        assert_eq!(server.verify(answer.access_token()).await["aud"], second, "{written}");
        let pairs = [
            ("grant_type", "refresh_token"),
            ("refresh_token", answer.refresh_token()),
            ("resource", written),
        ];
        client.token(&pairs).await.granted();
    }
    let unclear = client.authorization(|request| request.scope("mcp:read"));
    assert_eq!(unclear.callback(&browser.get(&unclear.url).await.left()).error(), "invalid_target");
}

async fn a_developers_own_server_needs_no_registration_where_that_is_allowed(database: Database) {
    let server = world(database).loopback_resources(true).start().await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let own = "http://localhost:3999/mcp";
    let ask = |request: RequestParams| request.scope("anything:at_all").resource(own);
    let callback = client.authorize(&mut browser, "alice", ask).await;
    let answer = client.redeem(&callback).await.granted();
    let claims = server.verify(answer.access_token()).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(own), &json!("anything:at_all")));
    client.refresh(answer.refresh_token()).await.granted();
    let far = client.authorization(|request| request.resource("https://elsewhere.example/mcp"));
    assert_eq!(far.callback(&browser.get(&far.url).await.left()).error(), "invalid_target");
}
