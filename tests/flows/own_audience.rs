//! Clients with an audience of their own: tokens for whoever checks for the client's name or for an agreed word.

use gatelet::protocol::{ClientId, ClientOrigin};
use gatelet::testkit::{Browser, ClientAuth, TestClient, TestServer, TestUser};
use serde_json::json;

use crate::cases;
use crate::configured::{GRANT, RESOURCES, SECRET, configured, read};
use crate::world::{Database, NOTES, logged_in};

cases![
    a_client_that_names_no_resource_gets_tokens_for_its_own_audience,
    people_grant_a_client_tokens_for_its_own_audience,
    the_own_audience_of_a_client_is_for_nobody_else,
];

const WITH_AUDIENCE: &str = r#"
[[clients]]
id = "agent"
audience = "agent"
auth_method = "client_secret_post"
machine_scopes = ["customer:read", "ticket:create"]
[[clients]]
id = "plain"
audience = "mcp-server-api"
redirect_uris = ["http://127.0.0.1/cb"]
scope = ["tools:read", "tools:write"]
[[clients]]
id = "stranger"
redirect_uris = ["http://127.0.0.1/cb"]
"#;

async fn server_with_audiences(database: Database) -> TestServer {
    let config = read(&format!("{RESOURCES}{WITH_AUDIENCE}"), &[("GATELET_CLIENT_AGENT_SECRET", SECRET)]);
    let alice = TestUser::new("alice").member_of("acme", ["member"]);
    configured(database, config).user(alice).start().await
}

async fn a_client_that_names_no_resource_gets_tokens_for_its_own_audience(database: Database) {
    // RFC 8707 §2: the server may assume a resource of its own choice; RFC 9068 §3: its default audience.
    let server = server_with_audiences(database).await;
    let post = ClientAuth::Post("agent".to_owned(), SECRET.to_owned());
    for (asked, granted) in
        [(None, "customer:read ticket:create"), (Some("ticket:create mcp:read"), "ticket:create")]
    {
        let pairs: Vec<_> = [GRANT].into_iter().chain(asked.map(|scope| ("scope", scope))).collect();
        let answer = server.token(&pairs, &post).await.granted();
        let claims = server.verify(answer.access_token()).await;
        assert_eq!(
            (&claims["aud"], &claims["sub"], &claims["scope"]),
            (&json!("agent"), &json!("agent"), &json!(granted))
        );
    }
    let refused = server.token(&[GRANT, ("scope", "mcp:read")], &post).await;
    assert_eq!(refused.refusal(), (400, "invalid_scope"));
    let elsewhere = server.token(&[GRANT, ("resource", NOTES)], &post).await;
    assert_eq!(elsewhere.refusal(), (400, "invalid_target"), "its scopes are its own");
}

async fn people_grant_a_client_tokens_for_its_own_audience(database: Database) {
    // RFC 8707 §2.2: what was granted without a resource is refreshed without one.
    let server = server_with_audiences(database).await;
    let plain = TestClient::new(&server, "plain", "http://127.0.0.1:4711/cb");
    let mut browser = Browser::new(&server);
    let callback =
        plain.authorize(&mut browser, "alice", |request| request.scope("tools:read mcp:read")).await;
    let mut tokens = plain.redeem(&callback).await.granted();
    for _ in 0..2 {
        let claims = server.verify(tokens.access_token()).await;
        assert_eq!(claims["aud"], "mcp-server-api");
        assert_eq!((&claims["sub"], &claims["scope"]), (&json!("alice"), &json!("tools:read")));
        tokens = plain.refresh(tokens.refresh_token()).await.granted();
    }
    let callback = plain.authorize(&mut browser, "alice", |request| request).await;
    assert_eq!(plain.redeem(&callback).await.granted().scope(), "tools:read tools:write");
}

async fn the_own_audience_of_a_client_is_for_nobody_else(database: Database) {
    let server = server_with_audiences(database).await;
    let own = "client://audience/plain";
    let stranger = TestClient::new(&server, "stranger", "http://127.0.0.1:4711/cb");
    let request = stranger.authorization(|request| request.resource(own));
    let mut alice = logged_in(&server, "alice").await;
    assert_eq!(request.callback(&alice.get(&request.url).await.left()).error(), "invalid_target");
    let post = ClientAuth::Post("agent".to_owned(), SECRET.to_owned());
    let answer = server.token(&[GRANT, ("resource", own)], &post).await;
    assert_eq!(answer.refusal(), (400, "invalid_target"));
    let store = server.app().engine().store.clone();
    let plain = store.client(&ClientId::parse("plain").unwrap()).await.unwrap().unwrap();
    assert_eq!((plain.origin, plain.audience.as_deref()), (ClientOrigin::Config, Some("mcp-server-api")));
}
