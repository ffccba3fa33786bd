//! Client credentials (RFC 6749 §4.4; MCP extension for machine clients).

use gatelet::testkit::{TestClient, TestResource};
use serde_json::json;

use crate::cases;
use crate::world::{Database, NOTES, ROBOT_SECRET, Watch, server, world};

cases![
    a_machine_token_speaks_for_the_client_alone,
    the_scope_is_what_was_asked_of_what_is_allowed,
    fifty_tokens_write_nothing,
    the_resource_has_to_be_clear,
    a_resource_of_another_tenant_is_no_target,
];

async fn a_machine_token_speaks_for_the_client_alone(database: Database) {
    // RFC 9068 §2.2: sub is the client; RFC 6749 §4.4.3: no refresh token.
    let server = server(database).await;
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    let answer = robot.client_credentials(Some("mcp:read offline_access")).await.granted();
    assert_eq!(answer.json.get("refresh_token"), None);
    let claims = server.verify(answer.access_token()).await;
    let now = server.clock().now().seconds();
    assert_eq!(
        claims,
        json!({
            "iss": server.issuer(), "sub": "robot", "aud": NOTES, "client_id": "robot", "iat": now,
            "exp": now + 900, "jti": claims["jti"], "scope": "mcp:read", "tenant": "acme",
            "gatelet_test": true,
        })
    );
    assert!(!claims["jti"].as_str().unwrap().contains('.'), "there is no grant behind it");
    let other = robot.client_credentials(None).await.granted();
    assert_ne!(server.verify(other.access_token()).await["jti"], claims["jti"]);
}

async fn the_scope_is_what_was_asked_of_what_is_allowed(database: Database) {
    let server = server(database).await;
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    for (asked, granted) in [
        (None, Some("mcp:read")),
        (Some("mcp:read mcp:write"), Some("mcp:read mcp:write")),
        (Some(""), Some("mcp:read")),
        (Some("mcp:write"), Some("mcp:write")),
        (Some("mcp:write mcp:admin"), Some("mcp:write")),
        (Some("mcp:admin"), None),
        (Some("mcp:unheard_of"), None),
        (Some("a\"b"), None),
    ] {
        let answer = robot.client_credentials(asked).await;
        match granted {
            Some(granted) => assert_eq!(answer.granted().scope(), granted, "{asked:?}"),
            None => assert_eq!(answer.refusal(), (400, "invalid_scope"), "{asked:?}"),
        }
    }
}

async fn fifty_tokens_write_nothing(database: Database) {
    let server = server(database).await;
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    let mut watch = Watch::on(&server).await;
    let events = server.app().engine().store.audit_events(None, 1000).await.unwrap().len();
    for _ in 0..50 {
        robot.client_credentials(None).await.granted();
    }
    assert!(!watch.has_changed().await);
    assert_eq!(server.app().engine().store.audit_events(None, 1000).await.unwrap().len(), events);
}

async fn the_resource_has_to_be_clear(database: Database) {
    // RFC 9068 §5; RFC 9068 §3; RFC 8707 §2
    let other = "https://other.example.com/mcp";
    let builder =
        world(database).resource(TestResource::new(other).scope("mcp:read", "Read").audience("other-api"));
    let server = builder.start().await;
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    let grant = ("grant_type", "client_credentials");
    assert_eq!(robot.token(&[grant]).await.refusal(), (400, "invalid_target"), "which of the two?");
    for (resource, audience) in
        [(NOTES, NOTES), (other, "other-api"), ("https://other.example.com/mcp/", "other-api")]
    {
        let answer = robot.token(&[grant, ("resource", resource)]).await.granted();
        assert_eq!(server.verify(answer.access_token()).await["aud"], audience);
    }
    let two = robot.token(&[grant, ("resource", NOTES), ("resource", other)]).await;
    assert_eq!(two.refusal(), (400, "invalid_target"));
    let unknown = robot.token(&[grant, ("resource", "http://127.0.0.1:9/mcp")]).await;
    assert_eq!(unknown.refusal(), (400, "invalid_target"), "a resource on loopback is not let in here");
}

async fn a_resource_of_another_tenant_is_no_target(database: Database) {
    let theirs = "https://globex.example.com/mcp";
    let resource = TestResource::new(theirs).scope("mcp:read", "Read").only_for_tenant("globex");
    let server = world(database).resource(resource).start().await;
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    let answer = robot.token(&[("grant_type", "client_credentials"), ("resource", theirs)]).await;
    assert_eq!(answer.refusal(), (400, "invalid_target"));
    // Nor can a member of acme alone be asked about it.
    let app = crate::world::app(&server);
    let request = app.authorization(|request| request.resource(theirs));
    let mut alice = crate::world::logged_in(&server, "alice").await;
    assert_eq!(request.callback(&alice.get(&request.url).await.left()).error(), "access_denied");
}
