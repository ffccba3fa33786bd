//! A server with each printed profile gives the tokens that such a resource server checks.

use gatelet::config::{PROFILES, environment_lines};
use gatelet::testkit::{Browser, ClientAuth, TestClient, TestServer};
use serde_json::{Value, json};

use crate::cases;
use crate::configured::{SECRET, configured, read};
use crate::world::Database;

cases![
    an_agent_gets_tokens_for_itself,
    a_plain_audience_and_one_role_are_in_the_token,
    an_issuer_that_ends_in_a_slash_is_the_same_everywhere,
    tokens_say_for_which_company_they_are_good,
    an_environment_starts_the_same_server,
];

const MCP: &str = "https://mcp.example.com/mcp";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const CALLBACK: &str = "http://127.0.0.1:4711/callback";

fn text(name: &str) -> &'static str {
    PROFILES.iter().find(|profile| profile.name == name).unwrap().text
}

async fn server(database: Database, name: &str) -> TestServer {
    configured(database, read(text(name), &[])).start().await
}

fn post(id: &str) -> ClientAuth {
    ClientAuth::Post(id.to_owned(), SECRET.to_owned())
}

/// The claims of a token that alice grants the desktop client, which names `resource` when it asks her and never again.
async fn granted(server: &TestServer, scope: &str) -> Value {
    let desktop = TestClient::new(server, "desktop", CALLBACK);
    let mut browser = Browser::new(server);
    let callback =
        desktop.authorize(&mut browser, "alice", |request| request.scope(scope).resource(MCP)).await;
    let tokens = desktop.redeem(&callback).await.granted();
    let tokens = desktop.refresh(tokens.refresh_token()).await.granted();
    server.verify(tokens.access_token()).await
}

async fn an_agent_gets_tokens_for_itself(database: Database) {
    let server = server(database, "agent").await;
    let token_url = server.endpoint("token");
    let answer = server.token(&[GRANT], &post("agent")).await.granted();
    let claims = server.verify(answer.access_token()).await;
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!("agent"), &json!("agent")));
    assert_eq!(claims["iss"].as_str(), token_url.strip_suffix("/token"));
    assert_eq!(claims["scope"], "customer:read ticket:create account:calculate");
    // Such programs take the first key, at either address.
    for address in ["jwks", ".well-known/jwks.json"] {
        let keys = server.get(&server.endpoint(address)).await.json;
        assert_eq!(keys["keys"][0]["alg"], "RS256", "{address}");
    }
    let answer = server.token(&[GRANT, ("scope", "ticket:create")], &post("agent")).await.granted();
    assert_eq!(answer.scope(), "ticket:create");
}

async fn a_plain_audience_and_one_role_are_in_the_token(database: Database) {
    let server = server(database, "plain-audience").await;
    let claims = granted(&server, "tools:read tools:write").await;
    assert_eq!((&claims["aud"], &claims["role"]), (&json!("mcp-server-api"), &json!("admin")));
    assert_eq!(
        (&claims["roles"], &claims["scope"]),
        (&json!(["admin", "user"]), &json!("tools:read tools:write"))
    );
}

async fn an_issuer_that_ends_in_a_slash_is_the_same_everywhere(database: Database) {
    let server = server(database, "slash-issuer").await;
    let issuer = format!("{}/", server.origin());
    let answer = server.token(&[GRANT], &post("backend")).await.granted();
    let claims = server.verify(answer.access_token()).await;
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(issuer), &json!(MCP)));
    let metadata = server.get(&server.url("/.well-known/oauth-authorization-server")).await.json;
    assert_eq!(
        (&metadata["issuer"], &metadata["token_endpoint"]),
        (&json!(issuer), &json!(format!("{issuer}token")))
    );
}

async fn tokens_say_for_which_company_they_are_good(database: Database) {
    let server = server(database, "multi-tenant").await;
    let claims = granted(&server, "mcp:read mcp:admin").await;
    // The first that she belongs to is chosen unless she chooses another; there she may give everything.
    assert_eq!((&claims["tenant"], &claims["roles"]), (&json!("acme"), &json!(["admin", "member"])));
    assert_eq!(claims["scope"], "mcp:read mcp:admin");
    let answer =
        server.token(&[GRANT, ("scope", "mcp:read mcp:admin")], &post("acme-backend")).await.granted();
    let claims = server.verify(answer.access_token()).await;
    assert_eq!((&claims["tenant"], &claims["scope"]), (&json!("acme"), &json!("mcp:read")));
}

async fn an_environment_starts_the_same_server(database: Database) {
    let lines = environment_lines(text("agent"));
    let lines = lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let variables: Vec<_> = lines.map(|line| line.split_once('=').unwrap()).collect();
    let server = configured(database, read("", &variables)).start().await;
    let answer = server.token(&[GRANT], &post("agent")).await.granted();
    assert_eq!(server.verify(answer.access_token()).await["aud"], "agent");
}
