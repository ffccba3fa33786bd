//! rmcp, the official Rust SDK, as a client (MCP 2026-07-28 authorization): it discovers, registers and refreshes by
//! its own rules; the test only opens the addresses that it is told to.

use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{RoleClient, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationManager, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ServiceExt as _, model::JsonObject};
use serde_json::{Value, json};

use crate::dev_server::{DevServer, alice_allows};

const CALLBACK: &str = "http://127.0.0.1:49152/callback";

type Client = RunningService<RoleClient, ()>;

/// Connects without a token and hands back what the refusal says.
async fn challenge(url: &str) -> String {
    let transport = StreamableHttpClientTransport::with_client(
        reqwest::Client::new(),
        StreamableHttpClientTransportConfig::with_uri(url),
    );
    let Err(refused) = ().serve(transport).await else { panic!("without a token nobody gets in") };
    refused.auth_challenge().unwrap_or_else(|| panic!("no challenge in {refused}")).to_owned()
}

/// Connects with whatever tokens `manager` holds.
async fn connected(url: &str, manager: AuthorizationManager) -> Client {
    let client = AuthClient::new(reqwest::Client::new(), manager);
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    ().serve(StreamableHttpClientTransport::with_client(client, config)).await.expect("rmcp connects")
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> Result<CallToolResult, ServiceError> {
    let arguments: JsonObject = serde_json::from_value(arguments).unwrap();
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await
}

async fn whoami(client: &Client) -> Value {
    call(client, "whoami", json!({})).await.expect("whoami").structured_content.expect("structured content")
}

/// Authorizes for the first time: what rmcp does of itself from a 401 to a token.
async fn authorized(server: &DevServer) -> (OAuthState, gatelet::testkit::Browser) {
    let url = server.mcp_url();
    let challenge = challenge(&url).await;
    let mut state = OAuthState::new(&url, None).await.unwrap();
    // Told to follow the challenge; else it asks at once for everything that the resource's metadata lists.
    let request = AuthorizationRequest::new(CALLBACK)
        .with_client_name("rmcp test")
        .with_challenge(challenge)
        .with_initial_scope_selection();
    state.start_authorization(request).await.expect("rmcp discovers and registers");
    let address = state.get_authorization_url().await.unwrap();
    let mut browser = server.browser();
    let callback = alice_allows(&mut browser, &address, &["mcp:read"]).await;
    state.handle_callback_url(&callback).await.expect("rmcp redeems the code");
    (state, browser)
}

#[tokio::test]
async fn rmcp_finds_its_way_from_a_refusal_to_a_tool_call() {
    let server = DevServer::start().await;
    let (state, _) = authorized(&server).await;
    let (client_id, _) = state.get_credentials().await.unwrap();
    let client = connected(&server.mcp_url(), state.into_authorization_manager().unwrap()).await;

    let tools = client.list_all_tools().await.unwrap();
    let mut names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    names.sort_unstable();
    assert_eq!(names, ["erase_notes", "list_notes", "read_note", "whoami", "write_note"]);

    let me = whoami(&client).await;
    assert_eq!(
        (&me["sub"], &me["client_id"], &me["tenant"], &me["roles"], &me["scopes"]),
        (&json!("alice"), &json!(client_id), &json!("acme"), &json!(["member"]), &json!(["mcp:read"]))
    );
    call(&client, "list_notes", json!({})).await.expect("mcp:read is enough to list notes");
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcp_steps_up_with_the_same_client() {
    // MCP 2026-07-28 authorization, scope challenge handling: 403, then the union of scopes.
    let server = DevServer::start().await;
    let (mut state, mut browser) = authorized(&server).await;
    let (client_id, tokens) = state.get_credentials().await.unwrap();
    let note = json!({"title": "A note", "text": "by rmcp"});

    // Its own HTTP client sees the refusal with which step-up begins.
    let mut before = OAuthState::new(&server.mcp_url(), None).await.unwrap();
    before.set_credentials(&client_id, tokens.unwrap()).await.unwrap();
    let client = connected(&server.mcp_url(), before.into_authorization_manager().unwrap()).await;
    let refused =
        call(&client, "write_note", note.clone()).await.expect_err("mcp:read is not enough to write");
    let words = format!("{refused:?}");
    assert!(words.contains("insufficient_scope") && words.contains("mcp:write"), "{words}");
    drop(client);

    let address = state.request_scope_upgrade("mcp:write", CALLBACK).await.expect("rmcp asks for more");
    assert!(address.contains(&format!("client_id={client_id}&")), "{address}");
    let callback = alice_allows(&mut browser, &address, &["mcp:read", "mcp:write"]).await;
    state.handle_callback_url(&callback).await.expect("rmcp redeems the second code");
    let client = connected(&server.mcp_url(), state.into_authorization_manager().unwrap()).await;
    call(&client, "write_note", note).await.expect("now it may write");
    let me = whoami(&client).await;
    let mut scopes: Vec<_> =
        me["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    scopes.sort_unstable();
    assert_eq!((&me["client_id"], scopes), (&json!(client_id), vec!["mcp:read", "mcp:write"]));
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcp_refreshes_when_its_token_has_expired_and_goes_on() {
    // The server's clock moves and rmcp's does not: it learns of the expiry by a 401, refreshes and tries again.
    let server = DevServer::start().await;
    let (state, _) = authorized(&server).await;
    let client = connected(&server.mcp_url(), state.into_authorization_manager().unwrap()).await;
    let mut seen = vec![whoami(&client).await["jti"].clone()];
    for _ in 0..3 {
        server.clock.advance(Duration::from_secs(16 * 60));
        let me = whoami(&client).await;
        assert_eq!((&me["sub"], &me["scopes"]), (&json!("alice"), &json!(["mcp:read"])));
        assert!(!seen.contains(&me["jti"]), "another access token");
        seen.push(me["jti"].clone());
    }
    let events = server.dev.app.engine().store.audit_events(None, 100).await.unwrap();
    let rotations = events.iter().filter(|event| event.kind == "refresh_rotated").count();
    assert_eq!(rotations, 3, "one refresh for each expiry");
    client.cancel().await.unwrap();
}
