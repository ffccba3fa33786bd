//! Claims under the names that resource servers check, and mapped from what is known.

use gatelet::testkit::{Browser, RequestParams, TestClient, TestServer};
use serde_json::{Value, json};

use crate::cases;
use crate::configured::{GRANT, SECRET, configured, read};
use crate::world::{Database, NOTES};

cases![tokens_have_the_claims_that_a_resource_server_checks, claims_follow_what_is_known_at_each_refresh,];

/// Somebody whose password is the testkit's own.
const PEOPLE: &str = r#"
[claims]
tenant = "tenant_id"
role = "role"
[[tenants]]
id = "acme"
[[roles]]
name = "editor"
[[roles]]
name = "viewer"
[[users]]
id = "u-1"
username = "alice"
name = "Alice"
email = "alice@acme.example"
password_hash = "$argon2id$v=19$m=8,t=1,p=1$Z2F0ZWxldC10ZXN0a2l0IQ$Hty2oloS4fPdttmJs4unCD4XHVbxkwF9jsPScwvtJh8"
attributes = { department = "sales", groups = ["staff", "on-call"] }
memberships = [{ tenant = "acme", roles = ["viewer", "editor"], attributes = { seat = "7" } }]
[[clients]]
id = "app"
redirect_uris = ["http://127.0.0.1/cb"]
attributes = { tier = "gold" }
[[clients]]
id = "robot"
machine_scopes = ["mcp:read"]
attributes = { tier = "silver" }
tenant = "acme"
[[resources]]
uri = "https://plain.example.com/mcp"
scopes = [{ name = "mcp:read" }]
[[resources]]
uri = "https://mcp.example.com/mcp"
scopes = [{ name = "mcp:read" }]
audience = "mcp-server-api"
claims = [
    { name = "org", from = "tenant" },
    { name = "email", from = "user.email" },
    { name = "department", from = "user.attributes.department" },
    { name = "groups", from = "user.attributes.groups" },
    { name = "seat", from = "membership.attributes.seat" },
    { name = "plan", from = "client.attributes.tier" },
]
"#;

/// The claims of a token, without those that change each time.
async fn lasting_claims(server: &TestServer, access_token: &str) -> Value {
    let mut claims = server.verify(access_token).await;
    for name in ["iat", "exp", "jti", "auth_time", "acr"] {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

async fn tokens_have_the_claims_that_a_resource_server_checks(_: Database) {
    // RFC 9068 §2.2.3: further claims are the server's; and an issuer with a slash at its end is compared byte for byte.
    let issuers = ["", "issuer = \"https://id.example.com/t/\"\n", "issuer = \"https://id.example.com/\"\n"];
    for issuer in issuers {
        let text = format!("public_url = \"https://id.example.com\"\n{issuer}{PEOPLE}");
        let config = read(&text, &[("GATELET_CLIENT_ROBOT_SECRET", SECRET)]);
        let server = configured(Database::Sqlite, config).start().await;
        assert_eq!(server.issuer().ends_with('/'), !issuer.is_empty());
        let app = TestClient::new(&server, "app", "http://127.0.0.1:4711/cb");
        let mut browser = Browser::new(&server);
        let ask = async |browser: &mut Browser, resource: &str| {
            let callback =
                app.authorize(browser, "alice", |request| request.scope("mcp:read").resource(resource)).await;
            let tokens = app.redeem(&callback).await.granted();
            lasting_claims(&server, tokens.access_token()).await
        };
        assert_eq!(
            ask(&mut browser, NOTES).await,
            json!({
                "iss": server.issuer(), "sub": "u-1", "aud": "mcp-server-api", "client_id": "app", "scope": "mcp:read",
                "org": "acme", "roles": ["viewer", "editor"], "role": "viewer", "email": "alice@acme.example",
                "department": "sales", "groups": ["staff", "on-call"], "seat": "7", "plan": "gold",
                "gatelet_test": true,
            })
        );
        let plain = "https://plain.example.com/mcp";
        assert_eq!(
            ask(&mut browser, plain).await,
            json!({
                "iss": server.issuer(), "sub": "u-1", "aud": plain, "client_id": "app", "scope": "mcp:read",
                "tenant_id": "acme", "roles": ["viewer", "editor"], "role": "viewer", "gatelet_test": true,
            })
        );
        let robot = TestClient::new(&server, "robot", "").secret(SECRET);
        let answer = robot.token(&[GRANT, ("resource", NOTES)]).await.granted();
        assert_eq!(
            lasting_claims(&server, answer.access_token()).await,
            json!({
                "iss": server.issuer(), "sub": "robot", "aud": "mcp-server-api", "client_id": "robot",
                "scope": "mcp:read", "org": "acme", "plan": "silver", "gatelet_test": true,
            }),
            "a machine is nobody's person"
        );
    }
}

async fn claims_follow_what_is_known_at_each_refresh(database: Database) {
    let text = format!("public_url = \"https://id.example.com\"\n{PEOPLE}");
    let secret = [("GATELET_CLIENT_ROBOT_SECRET", SECRET)];
    let server = configured(database, read(&text, &secret)).start().await;
    let app = TestClient::new(&server, "app", "http://127.0.0.1:4711/cb");
    let ask = |request: RequestParams| request.scope("mcp:read").resource(NOTES);
    let callback = app.authorize(&mut Browser::new(&server), "alice", ask).await;
    let tokens = app.redeem(&callback).await.granted();
    let changed =
        text.replace("\"sales\"", "\"support\"").replace("[\"viewer\", \"editor\"]", "[\"editor\"]");
    let server = server.restart_with(|builder| builder.configuration(read(&changed, &secret))).await;
    let app = TestClient::new(&server, "app", "http://127.0.0.1:4711/cb");
    let tokens = app.refresh(tokens.refresh_token()).await.granted();
    let claims = server.verify(tokens.access_token()).await;
    assert_eq!((&claims["department"], &claims["role"]), (&json!("support"), &json!("editor")));
}
