//! Clients as a configuration for production describes them: keys, two secrets, scopes for each resource.

use std::io;
use std::path::Path;
use std::time::Duration;

use gatelet::config::{Config, FoundFile, Outside, load_from};
use gatelet::fetch::Supplied;
use gatelet::protocol::Network;
use gatelet::testkit::{ClientAuth, ClientKey, PASSWORD, TestClient, TestServer, TestServerBuilder};
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
];

const OTHER: &str = "https://other.example.com/mcp";
pub(crate) const SECRET: &str = "first0secret0of0more0than0128bits000aaaa";
const NEXT_SECRET: &str = "next0secret0of0more0than0128bits0000bbbb";
const KEYS: &str = "https://agent.example/jwks.json";
pub(crate) const GRANT: (&str, &str) = ("grant_type", "client_credentials");

pub(crate) const RESOURCES: &str = r#"
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
