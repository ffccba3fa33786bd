//! Introspection (RFC 7662) as servers of resources and clients use it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatelet::protocol::IntrospectionMode;
use gatelet::testkit::{ClientAuth, TestClient, TestResource, TestServer, TestServerBuilder, TestUser};
use serde_json::json;

use crate::cases;
use crate::world::{Database, NOTES, ROBOT_SECRET, Watch, app, server, tokens, web, world};

cases![
    an_active_token_is_answered_with_what_it_says,
    everything_but_a_good_token_is_answered_alike,
    a_server_sees_what_is_for_it_and_a_client_what_is_its_own,
    who_asks_proves_who_it_is,
    a_machine_asks_with_its_own_token_for_its_own_resource,
    a_refresh_token_is_told_to_its_client_alone,
    asking_writes_nothing,
    everybody_may_ask_where_that_was_decided,
    the_other_address_is_there_whatever_the_issuer,
    what_ends_is_inactive_at_once,
    roles_are_told_as_they_are_now,
    a_server_of_another_tenant_with_the_same_audience_is_told_nothing,
    a_signed_answer_says_whom_it_is_for_and_is_no_access_token,
];

pub(crate) const SERVER_SECRET: &str = "notes0server0secret0of0more0than0128bits";
const OTHER: &str = "https://other.example.com/mcp";
const INACTIVE: &str = r#"{"active":false}"#;

fn with_servers(database: Database) -> TestServerBuilder {
    let other =
        TestResource::new(OTHER).scope("mcp:read", "Read").audience("other-api").default_scope("mcp:read");
    world(database).resource(other).resource_server("notes-server", SERVER_SECRET, [NOTES]).resource_server(
        "other-server",
        SERVER_SECRET,
        [OTHER],
    )
}

/// The usual server, whose resource has a server that may introspect.
pub(crate) async fn serving(database: Database) -> TestServer {
    world(database).resource_server("notes-server", SERVER_SECRET, [NOTES]).start().await
}

pub(crate) fn notes_server(server: &TestServer) -> TestClient {
    TestClient::new(server, "notes-server", "").secret(SERVER_SECRET)
}

fn other_server(server: &TestServer) -> TestClient {
    TestClient::new(server, "other-server", "").secret(SERVER_SECRET)
}

fn robot(server: &TestServer) -> TestClient {
    TestClient::new(server, "robot", "").secret(ROBOT_SECRET)
}

pub(crate) async fn is_active(asking: &TestClient, token: &str) -> bool {
    let answer = asking.introspect(token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    match answer.json["active"].as_bool() {
        Some(true) => true,
        _ => {
            assert_eq!(answer.body, INACTIVE);
            false
        }
    }
}

async fn an_active_token_is_answered_with_what_it_says(database: Database) {
    // RFC 7662 §2.2
    let server = serving(database).await;
    let issued = tokens(&server, &app(&server)).await;
    let said = server.verify(issued.access_token()).await;
    let answer = notes_server(&server).introspect(issued.access_token()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    let now = server.clock().now().seconds();
    assert_eq!(
        answer.json,
        json!({
            "active": true, "iss": server.issuer(), "sub": "alice", "aud": NOTES, "client_id": "app",
            "username": "alice", "scope": "mcp:read mcp:write", "iat": now, "exp": now + 900, "jti": said["jti"],
            "token_type": "Bearer", "tenant": "acme", "roles": ["member"], "auth_time": said["auth_time"],
            "acr": "urn:gatelet:acr:password", "gatelet_test": true,
        })
    );
    let machine = robot(&server).client_credentials(Some("mcp:read")).await.granted();
    let said = server.verify(machine.access_token()).await;
    assert_eq!(
        notes_server(&server).introspect(machine.access_token()).await.json,
        json!({
            "active": true, "iss": server.issuer(), "sub": "robot", "aud": NOTES, "client_id": "robot",
            "scope": "mcp:read", "iat": now, "exp": now + 900, "jti": said["jti"], "token_type": "Bearer",
            "tenant": "acme", "gatelet_test": true,
        })
    );
}

async fn everything_but_a_good_token_is_answered_alike(database: Database) {
    // RFC 7662 §2.2 and §4
    let server = serving(database).await;
    let notes = notes_server(&server);
    let client = app(&server);
    let callback = crate::world::granted(&server, &client).await;
    let issued = client.redeem(&callback).await.granted();
    let [header, claims, signature] =
        issued.access_token().split('.').collect::<Vec<_>>().try_into().expect("three parts");
    for token in [
        "x".to_owned(),
        callback.code().to_owned(),
        issued.refresh_token().to_owned(),
        format!("{header}.{claims}."),
        format!("{header}.{claims}.{}", "A".repeat(signature.len())),
        format!("{header}.{}.{signature}", claims.to_uppercase()),
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}."),
    ] {
        let answer = notes.introspect(&token).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, INACTIVE), "{token}");
    }
    assert!(is_active(&notes, issued.access_token()).await);
    server.clock().advance(Duration::from_secs(899));
    assert!(is_active(&notes, issued.access_token()).await);
    server.clock().advance(Duration::from_secs(1));
    assert!(!is_active(&notes, issued.access_token()).await, "expired");
}

async fn a_server_sees_what_is_for_it_and_a_client_what_is_its_own(database: Database) {
    // RFC 7662 §2.2 and §4
    let server = with_servers(database).start().await;
    let (notes, other, robot) = (notes_server(&server), other_server(&server), robot(&server));
    let grant = ("grant_type", "client_credentials");
    let for_notes = robot.token(&[grant, ("resource", NOTES)]).await.granted();
    let for_other = robot.token(&[grant, ("resource", OTHER)]).await.granted();
    for (caller, token, sees) in [
        (&notes, &for_notes, true),
        (&notes, &for_other, false),
        (&other, &for_other, true),
        (&other, &for_notes, false),
        (&robot, &for_notes, true),
        (&robot, &for_other, true),
        (&web(&server), &for_notes, false),
    ] {
        assert_eq!(is_active(caller, token.access_token()).await, sees);
    }
    assert_eq!(other.introspect(for_other.access_token()).await.json["aud"], "other-api", "one string");
    // A client that may be anybody sees nothing, not even its own.
    let client = app(&server);
    let ask = |request: gatelet::testkit::RequestParams| request.scope("mcp:read").resource(NOTES);
    let callback = client.authorize(&mut gatelet::testkit::Browser::new(&server), "alice", ask).await;
    let redemption = client.redemption(&callback);
    let issued = client.token(&redemption).await.granted();
    assert_eq!(client.introspect(issued.access_token()).await.refusal(), (401, "invalid_client"));
    assert!(is_active(&notes, issued.access_token()).await);
}

async fn who_asks_proves_who_it_is(database: Database) {
    // RFC 7662 §2.1 and §4
    let server = serving(database).await;
    let issued = tokens(&server, &app(&server)).await;
    let url = server.endpoint("introspect");
    let pairs = [("token", issued.access_token()), ("token_type_hint", "access_token")];
    let basic =
        ClientAuth::Header(format!("Basic {}", STANDARD.encode(format!("notes-server:{SERVER_SECRET}"))));
    let post = ClientAuth::Post("notes-server".to_owned(), SERVER_SECRET.to_owned());
    for auth in [&basic, &post] {
        assert_eq!(server.post(&url, &pairs, auth).await.json["active"], true);
    }
    for (auth, challenge) in [
        (ClientAuth::Nothing, ""),
        (ClientAuth::Public("notes-server".to_owned()), ""),
        (ClientAuth::Public("app".to_owned()), ""),
        (ClientAuth::Post("notes-server".to_owned(), "wrong".to_owned()), ""),
        (ClientAuth::Basic("notes-server".to_owned(), "wrong".to_owned()), "Basic realm=\"token\""),
        (ClientAuth::Basic("nobody".to_owned(), SERVER_SECRET.to_owned()), "Basic realm=\"token\""),
    ] {
        let answer = server.post(&url, &pairs, &auth).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{auth:?}");
        assert_eq!(answer.header("www-authenticate"), challenge, "{auth:?}");
    }
    assert_eq!(server.post(&url, &[], &post).await.refusal(), (400, "invalid_request"));
    let twice = [("token", "a"), ("token", "b")];
    assert_eq!(server.post(&url, &twice, &post).await.refusal(), (400, "invalid_request"));
    // A script of another origin is not for this.
    let request = server.http().post(&url).header("origin", "https://app.example");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body("token=x");
    let asked = request.send().await.unwrap();
    assert_eq!(asked.headers().get("access-control-allow-origin"), None);
}

async fn a_machine_asks_with_its_own_token_for_its_own_resource(database: Database) {
    // RFC 7662 §2.1
    let gateway = with_servers(database).machine_client("gateway", SERVER_SECRET, ["mcp:read"], None);
    let server = gateway.introspects("gateway", [NOTES]).start().await;
    let notes = TestClient::new(&server, "gateway", "").secret(SERVER_SECRET);
    // One that may obtain nothing there gets a token all the same, which is good for asking.
    let bare =
        notes_server(&server).token(&[("grant_type", "client_credentials"), ("resource", NOTES)]).await;
    assert_eq!(bare.granted().scope(), "");
    let grant = ("grant_type", "client_credentials");
    let own = notes.token(&[grant, ("resource", NOTES)]).await.granted();
    let for_other = notes.token(&[grant, ("resource", OTHER)]).await.granted();
    let asked_about = robot(&server).token(&[grant, ("resource", NOTES)]).await.granted();
    let url = server.endpoint("introspect");
    let pairs = [("token", asked_about.access_token())];
    let bearer = |token: &str| ClientAuth::Header(format!("Bearer {token}"));
    let answer = server.post(&url, &pairs, &bearer(own.access_token())).await;
    assert_eq!((answer.status, &answer.json["sub"]), (200, &json!("robot")));
    // Another server was given this one, and robot is the server of nothing.
    for token in [for_other.access_token(), asked_about.access_token(), "x"] {
        let answer = server.post(&url, &pairs, &bearer(token)).await;
        assert_eq!(answer.refusal(), (401, "invalid_token"));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"token\", error=\"invalid_token\"");
    }
    let both = [pairs[0], ("client_id", "notes-server"), ("client_secret", SERVER_SECRET)];
    let answer = server.post(&url, &both, &bearer(own.access_token())).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
    // A revoked one opens nothing.
    assert_eq!(notes.revoke(own.access_token()).await.status, 200);
    let answer = server.post(&url, &pairs, &bearer(own.access_token())).await;
    assert_eq!(answer.refusal(), (401, "invalid_token"));
}

async fn a_refresh_token_is_told_to_its_client_alone(database: Database) {
    // RFC 7662 §2.2; the live one, and the one before while it is still answered.
    let server = serving(database).await;
    let client = web(&server);
    let first = tokens(&server, &client).await;
    let now = server.clock().now().seconds();
    let answer = client.introspect(first.refresh_token()).await;
    assert_eq!(
        answer.json,
        json!({
            "active": true, "iss": server.issuer(), "aud": server.issuer(), "sub": "alice", "client_id": "web",
            "username": "alice", "scope": "mcp:read mcp:write", "iat": now, "exp": now + 30 * 86_400,
            "tenant": "acme", "roles": ["member"],
        })
    );
    for asking in [notes_server(&server), robot(&server)] {
        assert!(!is_active(&asking, first.refresh_token()).await);
    }
    let second = client.refresh(first.refresh_token()).await.granted();
    assert!(
        is_active(&client, first.refresh_token()).await && is_active(&client, second.refresh_token()).await
    );
    server.clock().advance(Duration::from_secs(60));
    assert!(!is_active(&client, first.refresh_token()).await, "the window is over");
    // Asking is not presenting: it does not end the grant.
    assert!(is_active(&client, second.refresh_token()).await);
    server.clock().advance(Duration::from_secs(30 * 86_400));
    assert!(!is_active(&client, second.refresh_token()).await, "expired");
}

async fn asking_writes_nothing(database: Database) {
    let server = serving(database).await;
    let notes = notes_server(&server);
    let issued = tokens(&server, &web(&server)).await;
    let mut watch = Watch::on(&server).await;
    for token in [issued.access_token(), issued.refresh_token(), "x"] {
        notes.introspect(token).await;
        web(&server).introspect(token).await;
    }
    assert!(!watch.has_changed().await);
}

async fn everybody_may_ask_where_that_was_decided(database: Database) {
    let server = with_servers(database).introspection(IntrospectionMode::Open).start().await;
    let (url, grant) = (server.url("/oauth/introspect"), ("grant_type", "client_credentials"));
    let issued = robot(&server).token(&[grant, ("resource", OTHER)]).await.granted();
    let pairs = [("token", issued.access_token())];
    let ask = async |auth: &ClientAuth| server.post(&url, &pairs, auth).await;
    assert_eq!(ask(&ClientAuth::Nothing).await.json["aud"], "other-api");
    assert_eq!(ask(&ClientAuth::Public("whoever".to_owned())).await.json["active"], true);
    // Who says more than its name is held to it.
    assert!(!is_active(&notes_server(&server), issued.access_token()).await);
    let wrong = ClientAuth::Basic("notes-server".to_owned(), "wrong".to_owned());
    assert_eq!(ask(&wrong).await.refusal(), (401, "invalid_client"));
    let wrong = ClientAuth::Post("notes-server".to_owned(), "wrong".to_owned());
    assert_eq!(ask(&wrong).await.refusal(), (401, "invalid_client"));
    // Nobody is told that a refresh token is good: it could be taken for an access token.
    let ask = |request: gatelet::testkit::RequestParams| request.scope("mcp:read").resource(NOTES);
    let client = web(&server);
    let callback = client.authorize(&mut gatelet::testkit::Browser::new(&server), "alice", ask).await;
    let issued = client.redeem(&callback).await.granted();
    let answer = server.post(&url, &[("token", issued.refresh_token())], &ClientAuth::Nothing).await;
    assert_eq!(answer.body, INACTIVE);
}

async fn the_other_address_is_there_whatever_the_issuer(database: Database) {
    let server = world(database)
        .issuer_path("/deep/er/")
        .resource_server("notes-server", SERVER_SECRET, [NOTES])
        .start()
        .await;
    let issued = robot(&server).client_credentials(None).await.granted();
    let pairs = [("token", issued.access_token())];
    let auth = ClientAuth::Basic("notes-server".to_owned(), SERVER_SECRET.to_owned());
    for url in [server.url("/oauth/introspect"), server.endpoint("introspect")] {
        assert_eq!(server.post(&url, &pairs, &auth).await.json["active"], true, "{url}");
    }
}

async fn what_ends_is_inactive_at_once(database: Database) {
    // RFC 7662 §4: whatever ended since then, and no cache in between.
    use gatelet::audit::{AuditEvent, AuditKind};
    use gatelet::protocol::{ClientId, TenantId, UserId};
    let server = serving(database).await;
    let notes = notes_server(&server);
    let store = server.app().engine().store.clone();
    let now = server.clock().now();
    let suspended = || AuditEvent::new(now, AuditKind::Suspended);
    let alices = tokens(&server, &app(&server)).await;
    let machine = robot(&server).client_credentials(None).await.granted();
    assert!(
        is_active(&notes, alices.access_token()).await && is_active(&notes, machine.access_token()).await
    );
    assert!(store.suspend_user(&UserId::parse("alice").unwrap(), suspended()).await.unwrap().is_won());
    assert!(!is_active(&notes, alices.access_token()).await);
    assert!(store.suspend_client(&ClientId::parse("robot").unwrap(), suspended()).await.unwrap().is_won());
    assert!(!is_active(&notes, machine.access_token()).await);
    let resumed = || AuditEvent::new(now, AuditKind::Resumed);
    assert!(store.resume_client(&ClientId::parse("robot").unwrap(), resumed()).await.unwrap().is_won());
    assert!(!is_active(&notes, machine.access_token()).await, "resuming gives nothing back");
    server.clock().advance(Duration::from_secs(1));
    let machine = robot(&server).client_credentials(None).await.granted();
    assert!(is_active(&notes, machine.access_token()).await);
    // The tenant of a machine.
    let server = self::server(Database::Sqlite).await;
    let robot = robot(&server);
    let own = robot.client_credentials(None).await.granted();
    assert!(is_active(&robot, own.access_token()).await);
    let store = server.app().engine().store.clone();
    let now = server.clock().now();
    let suspended = || AuditEvent::new(now, AuditKind::Suspended);
    let resumed = || AuditEvent::new(now, AuditKind::Resumed);
    assert!(store.suspend_tenant(&TenantId::parse("acme").unwrap(), suspended()).await.unwrap().is_won());
    assert_eq!(robot.introspect(own.access_token()).await.refusal(), (401, "invalid_client"));
    assert!(store.resume_tenant(&TenantId::parse("acme").unwrap(), resumed()).await.unwrap().is_won());
    assert!(!is_active(&robot, own.access_token()).await, "resuming gives nothing back");
}

async fn roles_are_told_as_they_are_now(database: Database) {
    // RFC 7662 §2.2
    let server = serving(database).await;
    let notes = notes_server(&server);
    let issued = tokens(&server, &app(&server)).await;
    assert_eq!(notes.introspect(issued.access_token()).await.json["roles"], json!(["member"]));
    let admin = TestUser::new("alice").member_of("acme", ["admin"]);
    let server = server.restart_with(|builder| builder.user(admin)).await;
    let notes = notes_server(&server);
    assert_eq!(notes.introspect(issued.access_token()).await.json["roles"], json!(["admin"]));
}

async fn a_server_of_another_tenant_with_the_same_audience_is_told_nothing(database: Database) {
    // RFC 7662 §4
    let twin = |uri: &str, tenant: &str| {
        let resource = TestResource::new(uri).scope("mcp:read", "Read").default_scope("mcp:read");
        resource.audience("shared").only_for_tenant(tenant)
    };
    let (acmes, globexs) = ("https://a.example.com/mcp", "https://g.example.com/mcp");
    let server = world(database).resource(twin(acmes, "acme")).resource(twin(globexs, "globex"));
    let server = server.resource_server("acmes", SERVER_SECRET, [acmes]).resource_server(
        "globexs",
        SERVER_SECRET,
        [globexs],
    );
    let server = server.start().await;
    let client = app(&server);
    let ask = |request: gatelet::testkit::RequestParams| request.scope("mcp:read").resource(acmes);
    let callback = client.authorize(&mut gatelet::testkit::Browser::new(&server), "alice", ask).await;
    let issued = client.redeem(&callback).await.granted();
    assert_eq!(server.verify(issued.access_token()).await["aud"], "shared");
    let asking = |id: &str| TestClient::new(&server, id, "").secret(SERVER_SECRET);
    assert!(is_active(&asking("acmes"), issued.access_token()).await);
    assert!(!is_active(&asking("globexs"), issued.access_token()).await);
}

async fn a_signed_answer_says_whom_it_is_for_and_is_no_access_token(database: Database) {
    // RFC 9701 §5
    let server = with_servers(database).introspection(IntrospectionMode::Open).start().await;
    let grant = ("grant_type", "client_credentials");
    let issued = robot(&server).token(&[grant, ("resource", NOTES)]).await.granted();
    let plain = notes_server(&server).introspect(issued.access_token()).await.json;
    let ask = async |secret: Option<&str>, token: &str| {
        let request = server.http().post(server.endpoint("introspect"));
        let request = request.header("accept", "application/token-introspection+jwt");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = match secret {
            Some(secret) => request.basic_auth("notes-server", Some(secret)),
            None => request,
        };
        let response = request.body(format!("token={token}")).send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status().as_u16(), kind, response.text().await.unwrap())
    };
    let (status, kind, jwt) = ask(Some(SERVER_SECRET), issued.access_token()).await;
    assert_eq!((status, kind.as_str()), (200, "application/token-introspection+jwt"));
    let part = |number: usize| -> serde_json::Value {
        let part = jwt.split('.').nth(number).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let own: serde_json::Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD.decode(issued.access_token().split('.').next().unwrap()).unwrap(),
    )
    .unwrap();
    let header = json!({"typ": "token-introspection+jwt", "alg": "RS256", "kid": own["kid"]});
    assert_eq!(part(0), header);
    let now = server.clock().now().seconds();
    let claims =
        json!({"iss": server.issuer(), "aud": "notes-server", "iat": now, "token_introspection": plain});
    assert_eq!(part(1), claims);
    // It is good for nothing else, although the same key signed it.
    assert!(!is_active(&notes_server(&server), &jwt).await);
    let (_, _, inactive) = ask(Some(SERVER_SECRET), "x").await;
    let claims = URL_SAFE_NO_PAD.decode(inactive.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["token_introspection"], json!({"active": false}));
    // Whom would it be for? And a refusal is no answer about a token.
    for secret in [None, Some("wrong")] {
        let (status, kind, _) = ask(secret, issued.access_token()).await;
        assert_eq!((status, kind.as_str()), (401, "application/json"));
    }
}
