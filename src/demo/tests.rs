//! The demonstration server as MCP clients see it.

use axum::http::StatusCode;
use rmcp::model::{CallToolRequestParams, CallToolResult, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientServiceExt, RoleClient, ServiceExt};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{PATH, router};
use crate::resource::fixture::{KEY, StubIssuer, claims, clock, jwks};

struct Running {
    base: String,
    issuer: StubIssuer,
    http: reqwest::Client,
}

async fn start() -> Running {
    let issuer = StubIssuer::start(jwks([&KEY]), 300).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = router(&base, &issuer.issuer, clock()).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Running { base, issuer, http: reqwest::Client::builder().no_proxy().build().unwrap() }
}

impl Running {
    fn url(&self) -> String {
        format!("{}{PATH}", self.base)
    }

    fn token(&self, mut changes: Value) -> String {
        changes["iss"] = json!(self.issuer.issuer);
        changes["aud"] = json!(self.url());
        KEY.token(&claims(changes))
    }

    fn transport(&self, scope: &str) -> StreamableHttpClientTransport<reqwest::Client> {
        let config = StreamableHttpClientTransportConfig::with_uri(self.url())
            .auth_header(self.token(json!({ "scope": scope })));
        StreamableHttpClientTransport::with_client(self.http.clone(), config)
    }

    /// A POST as curl sends it with `--json`.
    async fn post(&self, token: &str, body: Value) -> reqwest::Response {
        self.post_with(token, &[], body).await
    }

    async fn post_with(&self, token: &str, headers: &[(&str, &str)], body: Value) -> reqwest::Response {
        let mut request = self
            .http
            .post(self.url())
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }
}

fn call(tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

async fn call_tool(
    client: &RunningService<RoleClient, ()>,
    tool: &'static str,
    arguments: Value,
) -> Result<CallToolResult, rmcp::ServiceError> {
    let arguments = arguments.as_object().unwrap().clone();
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await
}

async fn json_of(response: reqwest::Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

/// What an rmcp client does, with the given token scopes.
async fn use_all_tools(reader: RunningService<RoleClient, ()>, writer: RunningService<RoleClient, ()>) {
    let mut tools: Vec<_> =
        reader.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
    tools.sort();
    assert_eq!(tools, ["erase_notes", "list_notes", "read_note", "whoami", "write_note"]);

    let me = call_tool(&reader, "whoami", json!({})).await.unwrap();
    let structured = me.structured_content.unwrap();
    assert_eq!(structured["sub"], "user-1");
    assert_eq!(structured["client_id"], "client-1");
    assert_eq!(structured["tenant"], "acme");
    assert_eq!(structured["scopes"], json!(["mcp:read"]));
    assert_eq!(structured["jti"], "jti-1");
    assert_eq!(structured["expires_in"], 890);
    assert!(me.content[0].as_text().unwrap().text.contains("user-1"));

    let note = json!({"title": "plan", "text": "take over the world"});
    let refused = call_tool(&reader, "write_note", note.clone()).await.unwrap_err();
    assert!(format!("{refused:?}").contains("InsufficientScope"), "{refused:?}");
    let written = call_tool(&writer, "write_note", note).await.unwrap();
    assert_ne!(written.is_error, Some(true));
    let read = call_tool(&reader, "read_note", json!({"title": "plan"})).await.unwrap();
    assert_eq!(read.structured_content.unwrap()["text"], "take over the world");
    let titles = call_tool(&reader, "list_notes", json!({})).await.unwrap();
    assert_eq!(titles.structured_content.unwrap()["titles"], json!(["plan", "welcome"]));
    let absent = call_tool(&reader, "read_note", json!({"title": "nothing"})).await.unwrap();
    assert_eq!(absent.is_error, Some(true));
}

#[tokio::test]
async fn an_rmcp_client_with_a_session_uses_the_tools() {
    let server = start().await;
    let reader = ().serve(server.transport("mcp:read")).await.unwrap();
    let writer = ().serve(server.transport("mcp:read mcp:write")).await.unwrap();
    use_all_tools(reader, writer).await;
}

#[tokio::test]
async fn an_rmcp_client_without_a_session_uses_the_tools() {
    let server = start().await;
    let discover =
        || ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let reader = ().serve_with_lifecycle(server.transport("mcp:read"), discover()).await.unwrap();
    let writer = ().serve_with_lifecycle(server.transport("mcp:read mcp:write"), discover()).await.unwrap();
    use_all_tools(reader, writer).await;
}

#[tokio::test]
async fn one_post_calls_a_tool() {
    let server = start().await;
    let token = server.token(json!({"scope": null, "preferred_username": "ada"}));
    let whoami = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami"}});
    let response = server.post(&token, whoami).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer = json_of(response).await;
    assert_eq!(answer["result"]["structuredContent"]["username"], "ada");
    assert_eq!(answer["result"]["structuredContent"]["scopes"], json!([]));
}

#[tokio::test]
async fn a_request_without_a_token_learns_where_to_get_one() {
    let server = start().await;
    let response = server.http.post(server.url()).body("{}").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let metadata = format!("{}/.well-known/oauth-protected-resource/demo/mcp", server.base);
    assert_eq!(
        response.headers()["www-authenticate"],
        format!(r#"Bearer resource_metadata="{metadata}", scope="mcp:read""#)
    );
    let document = json_of(server.http.get(metadata).send().await.unwrap()).await;
    assert_eq!(document["resource"], server.url());
    assert_eq!(document["authorization_servers"], json!([server.issuer.issuer]));
    assert_eq!(document["scopes_supported"], json!(["mcp:read", "mcp:write"]));
}

#[tokio::test]
async fn writing_without_the_scope_is_a_step_up_challenge_that_keeps_what_one_has() {
    let server = start().await;
    let note = call("write_note", json!({"title": "a", "text": "b"}));
    let response = server.post(&server.token(json!({})), note).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.ends_with(r#", scope="mcp:read mcp:write""#), "{challenge}");
    for (tool, arguments) in [("list_notes", json!({})), ("read_note", json!({"title": "welcome"}))] {
        let response = server.post(&server.token(json!({"scope": null})), call(tool, arguments)).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{tool}");
    }
    let wide = server.token(json!({"scope": "mcp:read mcp:write"}));
    let note = call("write_note", json!({"title": "a", "text": "b"}));
    let written = json_of(server.post(&wide, note).await).await;
    assert_eq!(written["result"]["content"][0]["text"], "written");
}

fn initialize() -> Value {
    let client = json!({"name": "t", "version": "1"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

#[tokio::test]
async fn sessions_are_bounded_and_calls_without_one_go_on() {
    let server = start().await;
    let token = server.token(json!({}));
    let both = [("Accept", "application/json, text/event-stream")];
    for _ in 0..200 {
        assert_eq!(server.post_with(&token, &both, initialize()).await.status(), StatusCode::OK);
    }
    let refused = server.post_with(&token, &both, initialize()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "60");
    assert_eq!(server.post(&token, call("whoami", json!({}))).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_session_serves_only_the_person_and_client_that_began_it() {
    let server = start().await;
    let both = [("Accept", "application/json, text/event-stream")];
    let begun = server.post_with(&server.token(json!({})), &both, initialize()).await;
    assert_eq!(begun.status(), StatusCode::OK);
    let session = begun.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let headers = [both[0], ("Mcp-Session-Id", session.as_str())];
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    let mine = server.token(json!({"jti": "refreshed"}));
    assert_eq!(server.post_with(&mine, &headers, ready).await.status(), StatusCode::ACCEPTED);
    assert_eq!(server.post_with(&mine, &headers, list.clone()).await.status(), StatusCode::OK);
    for other in [json!({"sub": "user-2"}), json!({"client_id": "client-2"})] {
        let theirs = server.token(other);
        assert_eq!(server.post_with(&theirs, &headers, list.clone()).await.status(), StatusCode::NOT_FOUND);
        let end = server.http.delete(server.url()).header("Mcp-Session-Id", &session).bearer_auth(&theirs);
        assert_eq!(end.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(server.post_with(&mine, &headers, list.clone()).await.status(), StatusCode::OK);
    let end = server.http.delete(server.url()).header("Mcp-Session-Id", &session).bearer_auth(&mine);
    assert_eq!(end.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(server.post_with(&mine, &headers, list).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_hosts_of_ours_are_answered() {
    let server = start().await;
    for (host, status) in [("localhost:1", 200), ("evil.example", 403)] {
        let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
        let response = server.post_with(&server.token(json!({})), &[("Host", host)], list).await;
        assert_eq!(response.status().as_u16(), status, "{host}");
    }
    assert!(router("notes.example", "https://id.example", clock()).is_err());

    let public = router("https://notes.example", &server.issuer.issuer, clock()).unwrap();
    let audience = json!({"iss": server.issuer.issuer, "aud": "https://notes.example/demo/mcp"});
    let request = axum::http::Request::post(PATH)
        .header("Host", "notes.example")
        .header("Authorization", format!("Bearer {}", KEY.token(&claims(audience))))
        .header("Content-Type", "application/json")
        .body(call("whoami", json!({})).to_string())
        .unwrap();
    assert_eq!(public.oneshot(request).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn merged_into_a_server_it_leaves_the_other_paths_alone() {
    let ours = axum::Router::new().fallback(|| async { (StatusCode::NOT_FOUND, "ours") });
    let merged = ours.merge(router("http://localhost:8710", "http://localhost:8710/oauth", clock()).unwrap());
    for (path, status) in [("/unknown", 404), ("/demo/other", 404), (PATH, 401)] {
        let request = axum::http::Request::get(path).body(String::new()).unwrap();
        assert_eq!(merged.clone().oneshot(request).await.unwrap().status().as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn erasing_needs_a_login_of_the_last_five_minutes() {
    // RFC 9470 §3
    use crate::resource::fixture::NOW;
    let server = start().await;
    let scope = "mcp:read mcp:write";
    for (auth_time, status) in [(NOW - 301, 401), (NOW - 299, 200)] {
        let token = server.token(json!({ "scope": scope, "auth_time": auth_time }));
        let response = server.post(&token, call("erase_notes", json!({}))).await;
        assert_eq!(response.status().as_u16(), status);
        if status == 401 {
            let said = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(said.contains(r#"error="insufficient_user_authentication""#), "{said}");
            assert!(said.contains(r#"max_age="300""#), "{said}");
        } else {
            assert!(response.text().await.unwrap().contains("erased 1"));
        }
    }
}
