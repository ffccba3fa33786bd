//! Clients as a configuration for production describes them: keys, two secrets, scopes for each resource, an audience of
//! their own.

use std::io;
use std::path::Path;
use std::time::Duration;

use gatelet::config::{Config, FoundFile, Outside, load_from};
use gatelet::fetch::Supplied;
use gatelet::protocol::{ClientOrigin, Network};
use gatelet::testkit::{
    Browser, ClientAuth, ClientKey, PASSWORD, TestClient, TestServer, TestServerBuilder, TestUser,
};
use serde_json::json;

use crate::cases;
use crate::world::{Database, NOTES};

cases![
    a_configured_client_signs_by_keys_that_are_written_down,
    keys_at_an_address_are_fetched_when_the_client_first_signs,
    a_long_key_set_is_fetched,
    a_client_with_a_secret_and_keys_comes_either_way,
    two_secrets_are_good_while_one_replaces_the_other,
    wrong_assertions_shut_out_whoever_sends_them_and_nobody_else,
    a_machine_has_scopes_of_its_own_at_each_resource,
    a_machine_token_comes_by_every_way_of_the_mcp_extension,
    a_client_that_names_no_resource_gets_tokens_for_its_own_audience,
    people_grant_a_client_tokens_for_its_own_audience,
    the_own_audience_of_a_client_is_for_nobody_else,
    tokens_have_the_claims_that_a_resource_server_checks,
    claims_follow_what_is_known_at_each_refresh,
];

const OTHER: &str = "https://other.example.com/mcp";
pub(crate) const SECRET: &str = "first0secret0of0more0than0128bits000aaaa";
const NEXT_SECRET: &str = "next0secret0of0more0than0128bits0000bbbb";
const KEYS: &str = "https://agent.example/jwks.json";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

const RESOURCES: &str = r#"
public_url = "https://id.example.com"
[[tenants]]
id = "acme"
[[resources]]
uri = "https://mcp.example.com/mcp"
scopes = [{ name = "mcp:read" }, { name = "mcp:write" }]
default_scopes = ["mcp:read"]
[[resources]]
uri = "https://other.example.com/mcp"
scopes = [{ name = "mcp:read" }, { name = "tools:call" }]
"#;

/// A machine on which there are a configuration file, a secret and a password, whatever they are called.
struct OneFile(String);

impl Outside for OneFile {
    fn read(&self, path: &Path) -> io::Result<FoundFile> {
        let text = match path.to_str() {
            Some("gatelet.toml") => self.0.clone(),
            Some(path) if path.ends_with("-password") => PASSWORD.to_owned(),
            _ => SECRET.to_owned(),
        };
        Ok(FoundFile { text, exposed: false })
    }

    fn run(&self, _: &[String], _: &Path) -> Result<String, String> {
        Err("there are no programs".to_owned())
    }
}

/// A configuration, read as `gatelet serve` reads it.
pub(crate) fn read(text: &str, variables: &[(&str, &str)]) -> Config {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load_from(None, variables, &OneFile(text.to_owned())).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A server with this configuration on this database.
pub(crate) fn configured(database: Database, config: Config) -> TestServerBuilder {
    let builder = TestServer::builder().configuration(config);
    match database {
        Database::Sqlite => builder,
        Database::Postgres(url) => builder.database_url(&url),
    }
}

/// A server with the resources above and these clients.
async fn with_clients(database: Database, clients: &str, variables: &[(&str, &str)]) -> TestServer {
    configured(database, read(&format!("{RESOURCES}{clients}"), variables)).start().await
}

fn agent(server: &TestServer) -> TestClient {
    TestClient::new(server, "agent", "")
}

async fn a_configured_client_signs_by_keys_that_are_written_down(database: Database) {
    // RFC 7523 §2.2; RFC 7591 §2
    let jwks = ClientKey::FIRST.jwks();
    let clients = format!(
        "[[clients]]\nid = \"agent\"\nresource = \"{NOTES}\"\nmachine_scopes = [\"mcp:read\"]\njwks = '{jwks}'\n"
    );
    let server = with_clients(database, &clients, &[]).await;
    let answer = agent(&server).signing(ClientKey::FIRST, &server).client_credentials(None).await.granted();
    assert_eq!(server.verify(answer.access_token()).await["sub"], "agent");
    let forged = agent(&server).signing(ClientKey::SECOND, &server).client_credentials(None).await;
    assert_eq!(forged.refusal(), (401, "invalid_client"));
    for unsigned in [agent(&server), agent(&server).secret(SECRET)] {
        assert_eq!(unsigned.client_credentials(None).await.refusal(), (401, "invalid_client"));
    }
}

const AT_ADDRESS: &str = r#"
[[clients]]
id = "agent"
jwks_uri = "https://agent.example/jwks.json"
resource = "https://mcp.example.com/mcp"
machine_scopes = ["mcp:read"]
"#;

async fn keys_at_an_address_are_fetched_when_the_client_first_signs(database: Database) {
    // RFC 7591 §2, jwks_uri
    let server = with_clients(database, AT_ADDRESS, &[]).await;
    server.supply_document(KEYS, Supplied::document(ClientKey::FIRST.jwks().to_string()));
    assert_eq!(server.asked_documents(), [""; 0], "nothing is fetched at start");
    let signing = agent(&server).signing(ClientKey::FIRST, &server);
    signing.client_credentials(None).await.granted();
    signing.client_credentials(None).await.granted();
    assert_eq!(server.asked_documents(), [KEYS]);
    // They outlive a start at which nobody is there to ask.
    let server = server.restart().await;
    server.withdraw_document(KEYS);
    agent(&server).signing(ClientKey::FIRST, &server).client_credentials(None).await.granted();
    // And are exchanged without anybody's help.
    server.clock().advance(Duration::from_secs(60));
    server.supply_document(KEYS, Supplied::document(ClientKey::SECOND.jwks().to_string()));
    agent(&server).signing(ClientKey::SECOND, &server).client_credentials(None).await.granted();
    server.clock().advance(Duration::from_secs(60));
    let old = agent(&server).signing(ClientKey::FIRST, &server).client_credentials(None).await;
    assert_eq!(old.refusal(), (401, "invalid_client"));
}

async fn a_long_key_set_is_fetched(database: Database) {
    // Client ID Metadata Documents §6 limits documents, not the keys that they point to.
    let server = with_clients(database, AT_ADDRESS, &[]).await;
    let set = |length: usize| {
        let mut set = ClientKey::FIRST.jwks();
        set["padding"] = json!("");
        let padding = length - set.to_string().len();
        set["padding"] = json!("x".repeat(padding));
        Supplied::document(set.to_string())
    };
    let signing = agent(&server).signing(ClientKey::FIRST, &server);
    server.supply_document(KEYS, set(64 * 1024 + 1));
    assert_eq!(signing.client_credentials(None).await.refusal(), (401, "invalid_client"), "too long");
    server.clock().advance(Duration::from_secs(60));
    server.supply_document(KEYS, set(64 * 1024));
    signing.client_credentials(None).await.granted();
}

async fn a_client_with_a_secret_and_keys_comes_either_way(database: Database) {
    // OAuth 2.1 §2.4: one way at a time, which one is the client's choice.
    let jwks = ClientKey::FIRST.jwks();
    let clients = format!(
        "[[clients]]\nid = \"agent\"\nresource = \"{NOTES}\"\nmachine_scopes = [\"mcp:read\"]\njwks = '{jwks}'\n\
         auth_method = [\"client_secret_post\", \"private_key_jwt\"]\n"
    );
    let server = with_clients(database, &clients, &[("GATELET_CLIENT_AGENT_SECRET", SECRET)]).await;
    for client in [agent(&server).secret(SECRET), agent(&server).signing(ClientKey::FIRST, &server)] {
        client.client_credentials(None).await.granted();
    }
    assert_eq!(agent(&server).client_credentials(None).await.refusal(), (401, "invalid_client"));
}

async fn two_secrets_are_good_while_one_replaces_the_other(database: Database) {
    // OAuth 2.1 §2.4.1; RFC 6749 §2.3.1
    let clients = format!(
        "{RESOURCES}[[clients]]\nid = \"agent\"\nresource = \"{NOTES}\"\nmachine_scopes = [\"mcp:read\"]\n"
    );
    let (current, previous) = ("GATELET_CLIENT_AGENT_SECRET", "GATELET_CLIENT_AGENT_PREVIOUS_SECRET");
    let before = read(&clients, &[(current, SECRET)]);
    let between = read(&clients, &[(current, NEXT_SECRET), (previous, SECRET)]);
    let after = read(&clients, &[(current, NEXT_SECRET)]);
    let mut server = configured(database, before).start().await;
    for (config, old, new) in [(None, true, false), (Some(between), true, true), (Some(after), false, true)] {
        if let Some(config) = config {
            server = server.restart_with(|builder| builder.configuration(config)).await;
        }
        for (secret, is_good) in [(SECRET, old), (NEXT_SECRET, new)] {
            for auth in [
                ClientAuth::Basic("agent".to_owned(), secret.to_owned()),
                ClientAuth::Post("agent".to_owned(), secret.to_owned()),
            ] {
                let answer = server.token(&[GRANT], &auth).await;
                assert_eq!(answer.status == 200, is_good, "{secret}: {}", answer.body);
            }
        }
    }
}

async fn wrong_assertions_shut_out_whoever_sends_them_and_nobody_else(database: Database) {
    // OAuth 2.1 §2.4.1
    let jwks = ClientKey::FIRST.jwks();
    let clients = format!(
        "{RESOURCES}[[clients]]\nid = \"agent\"\nresource = \"{NOTES}\"\nmachine_scopes = [\"mcp:read\"]\njwks = '{jwks}'\n"
    );
    let proxies = [Network::parse("127.0.0.0/8").unwrap()];
    let server = configured(database, read(&clients, &[])).trusted_proxies(proxies).start().await;
    let ask = async |key: ClientKey, address: &str| {
        let claims = agent(&server).assertion_claims(server.clock().now());
        let assertion = key.sign(&json!({"alg": "RS256"}), &claims);
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let body = format!(
            "grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}"
        );
        let request = server.http().post(server.endpoint("token")).header("X-Forwarded-For", address);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap().status().as_u16()
    };
    let mut answers = Vec::new();
    for _ in 0..200 {
        answers.push(ask(ClientKey::SECOND, "192.0.2.1").await);
        if answers.last() == Some(&429) {
            break;
        }
    }
    let (last, before) = answers.split_last().unwrap();
    assert!(*last == 429 && before.iter().all(|status| *status == 401), "{answers:?}");
    assert_eq!(ask(ClientKey::FIRST, "192.0.2.1").await, 429, "nor is a right one looked at");
    assert_eq!(ask(ClientKey::FIRST, "192.0.2.2").await, 200, "from elsewhere the client comes in");
    server.clock().advance(Duration::from_secs(3600));
    assert_eq!(ask(ClientKey::FIRST, "192.0.2.1").await, 200);
}

async fn a_machine_has_scopes_of_its_own_at_each_resource(database: Database) {
    // MCP extension OAuth client credentials; RFC 6749 §4.4; RFC 8707 §2
    let clients = r#"
[[clients]]
id = "agent"
machine = [{ resource = "https://mcp.example.com/mcp", scopes = ["mcp:write"] }]
[[clients]]
id = "reader"
machine_scopes = ["mcp:read"]
[[clients.machine]]
resource = "https://other.example.com/mcp"
scopes = ["tools:call"]
"#;
    let secrets = [("GATELET_CLIENT_AGENT_SECRET", SECRET), ("GATELET_CLIENT_READER_SECRET", NEXT_SECRET)];
    let server = with_clients(database, clients, &secrets).await;
    let ask = async |client: &str, resource: &str, scope: Option<&str>| {
        let secret = if client == "agent" { SECRET } else { NEXT_SECRET };
        let pairs: Vec<_> =
            [GRANT, ("resource", resource)].into_iter().chain(scope.map(|scope| ("scope", scope))).collect();
        let answer = server.token(&pairs, &ClientAuth::Basic(client.to_owned(), secret.to_owned())).await;
        match answer.status {
            200 => answer.scope().to_owned(),
            _ => answer.refusal().1.to_owned(),
        }
    };
    for (client, resource, scope, granted) in [
        ("agent", NOTES, None, "mcp:write"),
        ("agent", NOTES, Some("mcp:read mcp:write"), "mcp:write"),
        ("agent", NOTES, Some("mcp:read"), "invalid_scope"),
        ("agent", OTHER, None, "invalid_target"),
        ("agent", OTHER, Some("mcp:write"), "invalid_target"),
        ("reader", NOTES, None, "mcp:read"),
        ("reader", OTHER, None, "tools:call"),
        ("reader", OTHER, Some("mcp:read"), "invalid_scope"),
    ] {
        assert_eq!(ask(client, resource, scope).await, granted, "{client} {resource} {scope:?}");
    }
}

async fn a_machine_token_comes_by_every_way_of_the_mcp_extension(database: Database) {
    // MCP extension OAuth client credentials: a secret in the header or in the form; an assertion without client_id and
    // without kid, for the issuer or for the token endpoint, byte for byte.
    let jwks = ClientKey::FIRST.jwks();
    let clients = format!(
        "[[clients]]\nid = \"agent\"\nresource = \"{NOTES}\"\nmachine_scopes = [\"mcp:read\"]\njwks = '{jwks}'\n"
    );
    let server = with_clients(database, &clients, &[("GATELET_CLIENT_AGENT_SECRET", SECRET)]).await;
    let sign = |audience: &str| {
        let mut claims = agent(&server).assertion_claims(server.clock().now());
        claims["aud"] = json!(audience);
        ClientAuth::Assertion(ClientKey::FIRST.sign(&json!({"alg": "RS256", "typ": "JWT"}), &claims))
    };
    let (id, secret) = ("agent".to_owned(), SECRET.to_owned());
    for auth in [
        ClientAuth::Basic(id.clone(), secret.clone()),
        ClientAuth::Post(id, secret),
        sign(server.issuer()),
        sign(&server.endpoint("token")),
    ] {
        let answer =
            server.token(&[GRANT, ("scope", "mcp:read"), ("resource", NOTES)], &auth).await.granted();
        assert_eq!(answer.json.get("refresh_token"), None, "RFC 6749 §4.4.3");
        let claims = server.verify(answer.access_token()).await;
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!(NOTES), &json!("agent")));
    }
    for audience in [
        format!("{}/", server.issuer()),
        format!("{}/", server.endpoint("token")),
        server.origin().to_owned(),
    ] {
        assert_eq!(
            server.token(&[GRANT], &sign(&audience)).await.refusal(),
            (401, "invalid_client"),
            "{audience}"
        );
    }
    let metadata = server.get(&server.url("/.well-known/oauth-authorization-server/oauth")).await.json;
    let lists = |member: &str, value: &str| metadata[member].as_array().unwrap().contains(&json!(value));
    for method in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
        assert!(lists("token_endpoint_auth_methods_supported", method), "{method}");
    }
    for algorithm in ["RS256", "ES256"] {
        assert!(lists("token_endpoint_auth_signing_alg_values_supported", algorithm), "{algorithm}");
    }
    assert!(lists("grant_types_supported", "client_credentials"));
}

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
    let mut alice = crate::world::logged_in(&server, "alice").await;
    assert_eq!(request.callback(&alice.get(&request.url).await.left()).error(), "invalid_target");
    let post = ClientAuth::Post("agent".to_owned(), SECRET.to_owned());
    let answer = server.token(&[GRANT, ("resource", own)], &post).await;
    assert_eq!(answer.refusal(), (400, "invalid_target"));
    let store = &server.app().engine().store;
    let plain = store.client(&gatelet::protocol::ClientId::parse("plain").unwrap()).await.unwrap().unwrap();
    assert_eq!((plain.origin, plain.audience.as_deref()), (ClientOrigin::Config, Some("mcp-server-api")));
}

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
async fn lasting_claims(server: &TestServer, access_token: &str) -> serde_json::Value {
    let mut claims = server.verify(access_token).await;
    for name in ["iat", "exp", "jti", "auth_time"] {
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
            })
        );
        let plain = "https://plain.example.com/mcp";
        assert_eq!(
            ask(&mut browser, plain).await,
            json!({
                "iss": server.issuer(), "sub": "u-1", "aud": plain, "client_id": "app", "scope": "mcp:read",
                "tenant_id": "acme", "roles": ["viewer", "editor"], "role": "viewer",
            })
        );
        let robot = TestClient::new(&server, "robot", "").secret(SECRET);
        let answer = robot.token(&[GRANT, ("resource", NOTES)]).await.granted();
        assert_eq!(
            lasting_claims(&server, answer.access_token()).await,
            json!({
                "iss": server.issuer(), "sub": "robot", "aud": "mcp-server-api", "client_id": "robot",
                "scope": "mcp:read", "org": "acme", "plan": "silver",
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
    let ask = |request: gatelet::testkit::RequestParams| request.scope("mcp:read").resource(NOTES);
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
