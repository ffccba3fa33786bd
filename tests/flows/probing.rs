//! `gatelet probe` and an issuer of test mode against servers of this process.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use gatelet::control::{TestMode, TestModeOptions};
use gatelet::probe::{Issuer, Outcome, ProbeError, Report, Settings};
use gatelet::resource::ResourceServer;
use serde_json::json;
use tokio::net::TcpListener;

use crate::cases;
use crate::world::Database;

cases![
    a_server_behind_the_layer_comes_out_clean,
    a_server_that_lets_everybody_in_is_found_out,
    a_token_in_the_query_and_a_session_without_one_are_found_out,
    what_is_no_mcp_server_cannot_be_probed,
    the_issuer_is_afterwards_as_it_was_before,
    who_stops_the_probe_gets_the_issuer_back_as_it_was,
    a_server_of_another_kind_is_not_accused,
    a_token_that_leaves_the_server_without_an_answer_is_told,
    a_server_behind_a_proxy_is_called_by_its_public_url,
    a_tool_that_runs_without_its_scope_is_found_out,
    a_server_that_the_issuer_knows_already_is_probed,
];

/// An issuer of test mode.
async fn issuer() -> (TestMode, Issuer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mode = TestMode::start(TestModeOptions::at(origin)).await.unwrap();
    let router = mode.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let issuer = Issuer::find(&mode.control_url(), mode.key(), "default").await.unwrap();
    (mode, issuer)
}

/// Serves what is made for the URL that it gets; that URL.
async fn served(server: impl FnOnce(&str) -> Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let router = server(&url);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn settings(url: &str) -> Settings {
    Settings {
        target: url.to_owned(),
        resource: None,
        scope: None,
        tenant: Some("acme".to_owned()),
        user: None,
        tools: Vec::new(),
        key_patience: Duration::from_millis(100),
        timeout: Duration::from_secs(5),
    }
}

async fn probed(url: &str, issuer: &Issuer) -> Result<Report, ProbeError> {
    gatelet::probe::run(&settings(url), issuer, pending()).await
}

/// The layer that Gatelet has for resource servers, before a server that says so of itself.
fn layered(resource: &str, issuer: &Issuer, mcp: axum::routing::MethodRouter) -> Router {
    let server = ResourceServer::builder(resource, issuer.issuer.clone())
        .required_scopes(["mcp:read"])
        .tenant("acme")
        .tool("write_note", ["mcp:write"])
        .build()
        .unwrap();
    let router = Router::new().route("/mcp", mcp).layer(server.layer());
    router.merge(server.metadata_router())
}

/// What MCP servers answer to whom they let in.
fn welcome() -> Response {
    axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": {} })).into_response()
}

fn findings(report: &Report) -> Vec<String> {
    let broken = report.checks.iter().filter(|check| check.outcome.is_finding());
    broken
        .map(|check| format!("{}: {}", check.rule.id, check.outcome.message().unwrap_or_default()))
        .collect()
}

fn outcome<'a>(report: &'a Report, id: &str) -> &'a Outcome {
    &report.checks.iter().find(|check| check.rule.id == id).unwrap().outcome
}

async fn a_server_behind_the_layer_comes_out_clean(_: Database) {
    let (_mode, issuer) = issuer().await;
    let url = served(|url| {
        let server = ResourceServer::builder(url, issuer.issuer.clone())
            .required_scopes(["mcp:read"])
            .tenant("acme")
            .build()
            .unwrap();
        let mcp = Router::new().route("/mcp", post(async || welcome())).layer(server.layer());
        mcp.merge(server.metadata_router())
    });
    let report = probed(&url.await, &issuer).await.unwrap();
    // RFC 9111 §5.2.2.1: it keeps the keys for as long as the JWKS allows, and looks again no sooner than it should.
    let found: Vec<_> = findings(&report).into_iter().filter(|found| !found.starts_with("keys/")).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(report.tally().advice, 0, "{report:#?}");
    // RFC 7662: it asks nobody, so it cannot know.
    assert!(matches!(outcome(&report, "token/revoked"), Outcome::NotChecked(_)));
    for kept in ["token/valid", "token/expired", "token/other-tenant", "token/scope-stripped", "usage/query"]
    {
        assert_eq!(*outcome(&report, kept), Outcome::Kept, "{kept}");
    }
}

async fn a_server_that_lets_everybody_in_is_found_out(_: Database) {
    // MCP 2026-07-28 authorization, Token Handling: only tokens that are valid for it
    let (_mode, issuer) = issuer().await;
    let url = served(|_| Router::new().route("/mcp", post(async || welcome()))).await;
    let report = probed(&url, &issuer).await.unwrap();
    for id in ["challenge/status", "challenge/header", "metadata/found", "usage/every-request", "keys/lost"] {
        assert!(outcome(&report, id).is_finding(), "{id}: {report:#?}");
    }
    for specimen in gatelet::zoo::SPECIMENS.iter().filter(|specimen| specimen.status == 401) {
        let outcome = outcome(&report, &format!("token/{}", specimen.name));
        let is_seen = specimen.name != "revoked";
        assert_eq!(outcome.is_finding(), is_seen, "{}: {outcome:?}", specimen.name);
    }
    assert_eq!(*outcome(&report, "keys/new"), Outcome::Kept);
}

async fn a_token_in_the_query_and_a_session_without_one_are_found_out(_: Database) {
    // MCP 2026-07-28 authorization, Token Requirements
    async fn careless(uri: Uri, headers: HeaderMap) -> Response {
        let has_session = headers.contains_key("mcp-session-id");
        let has_token = headers.contains_key("authorization");
        if has_token || has_session || uri.query().unwrap_or_default().contains("access_token=") {
            return ([("mcp-session-id", "s-1")], welcome()).into_response();
        }
        StatusCode::UNAUTHORIZED.into_response()
    }
    let (_mode, issuer) = issuer().await;
    let url = served(|_| Router::new().route("/mcp", post(careless))).await;
    let report = probed(&url, &issuer).await.unwrap();
    for id in ["usage/query", "usage/every-request", "challenge/header"] {
        assert!(outcome(&report, id).is_finding(), "{id}: {report:#?}");
    }
    assert_eq!(*outcome(&report, "challenge/status"), Outcome::Kept);
}

async fn what_is_no_mcp_server_cannot_be_probed(_: Database) {
    let (_mode, issuer) = issuer().await;
    let url = served(|_| Router::new().route("/", post(async || "hello"))).await;
    assert!(matches!(probed(&url, &issuer).await, Err(ProbeError::NotMcp { .. })));
    // Success is not enough: any web page has it.
    let page = served(|_| Router::new().route("/mcp", post(async || "hello"))).await;
    assert!(matches!(probed(&page, &issuer).await, Err(ProbeError::NotMcp { .. })));
    for (status, hint) in [(307, "redirects"), (404, "path"), (405, "POST"), (500, "log")] {
        let status = StatusCode::from_u16(status).unwrap();
        let url = served(|_| Router::new().route("/mcp", post(async move || status))).await;
        let told = probed(&url, &issuer).await.unwrap_err().to_string();
        assert!(told.contains(status.as_str()) && told.contains(hint), "{told}");
    }
    assert!(matches!(probed("http://127.0.0.1:1/mcp", &issuer).await, Err(ProbeError::Unreachable { .. })));
    assert!(matches!(probed("ftp://127.0.0.1/mcp", &issuer).await, Err(ProbeError::Target(_))));
    let refuses = served(|_| Router::new().route("/mcp", post(async || StatusCode::UNAUTHORIZED))).await;
    let report = probed(&refuses, &issuer).await.unwrap();
    assert!(outcome(&report, "token/valid").is_finding(), "{report:#?}");
}

async fn the_issuer_is_afterwards_as_it_was_before(_: Database) {
    let (mode, issuer) = issuer().await;
    let keys = async || mode.issuer("default").unwrap().view().await.keys;
    let before = keys().await;
    let url = served(|_| Router::new().route("/mcp", post(async || welcome()))).await;
    let report = probed(&url, &issuer).await.unwrap();
    assert_eq!(*outcome(&report, "keys/both"), Outcome::Kept);
    assert_eq!(keys().await, before);
}

async fn who_stops_the_probe_gets_the_issuer_back_as_it_was(_: Database) {
    let (mode, issuer) = issuer().await;
    let keys = async || mode.issuer("default").unwrap().view().await.keys;
    let before = keys().await;
    let url = served(|_| Router::new().route("/mcp", post(async || welcome()))).await;
    // It is stopped when it has exchanged the key.
    let stop = async {
        while keys().await == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let probed = gatelet::probe::run(&settings(&url), &issuer, stop).await;
    assert!(matches!(probed, Err(ProbeError::Stopped)), "{probed:?}");
    assert_eq!(keys().await, before);
}

async fn a_server_of_another_kind_is_not_accused(_: Database) {
    // It speaks another revision, and refuses requests that name one which it does not speak; it has no tools; it has its
    // metadata at the root and says nothing of that (MCP 2026-07-28 authorization, Protected Resource Metadata Discovery
    // Requirements); it calls a stranger too eager (RFC 6585 §4) now and then.
    async fn own_kind(headers: HeaderMap, body: String) -> Response {
        let message: serde_json::Value = serde_json::from_str(&body).unwrap();
        let answer = |body: serde_json::Value| axum::Json(body).into_response();
        if message["method"] == "initialize" {
            return answer(
                json!({ "jsonrpc": "2.0", "id": 1, "result": { "protocolVersion": "2025-03-26" } }),
            );
        }
        if headers.get("mcp-protocol-version").is_none_or(|revision| revision != "2025-03-26") {
            return StatusCode::BAD_REQUEST.into_response();
        }
        answer(
            json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32601, "message": "Method not found" } }),
        )
    }
    let (_mode, issuer) = issuer().await;
    let eager = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let url = served(|url| {
        let guarded = layered(url, &issuer, post(own_kind));
        let limited = axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                let turn = eager.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                async move {
                    let path = request.uri().path().to_owned();
                    if path.starts_with("/.well-known/oauth-protected-resource/") {
                        return StatusCode::NOT_FOUND.into_response();
                    }
                    if path == "/mcp" && turn % 9 == 8 {
                        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response();
                    }
                    let mut response = next.run(request).await;
                    let challenge = response.headers().get("www-authenticate").cloned();
                    if let Some(challenge) =
                        challenge.and_then(|challenge| challenge.to_str().ok().map(str::to_owned))
                    {
                        let kept = challenge.replace("resource_metadata=", "realm=");
                        response.headers_mut().insert("www-authenticate", kept.parse().unwrap());
                    }
                    response
                }
            },
        );
        guarded.layer(limited)
    });
    let url = url.await;
    let report = probed(&url, &issuer).await.unwrap();
    let found: Vec<_> = findings(&report).into_iter().filter(|found| !found.starts_with("keys/")).collect();
    assert!(found.is_empty(), "{found:#?}");
    for advised in ["challenge/resource-metadata", "metadata/well-known"] {
        assert!(matches!(outcome(&report, advised), Outcome::Advice(_)), "{report:#?}");
    }
    assert_eq!(*outcome(&report, "token/scope-stripped"), Outcome::Kept);
}

async fn a_token_that_leaves_the_server_without_an_answer_is_told(_: Database) {
    // MCP 2026-07-28 authorization, Token Handling: it is to be answered 401
    async fn fragile(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
        let token =
            request.headers().get("authorization").and_then(|field| field.to_str().ok()).unwrap_or_default();
        // Two parts and no third: as if whoever takes it apart ended the process that serves the connection.
        assert!(token.is_empty() || token.matches('.').count() == 2, "torn");
        next.run(request).await
    }
    let (_mode, issuer) = issuer().await;
    let url = served(|url| {
        layered(url, &issuer, post(async || welcome())).layer(axum::middleware::from_fn(fragile))
    });
    let report = probed(&url.await, &issuer).await.unwrap();
    let told = outcome(&report, "challenge/refused-status").message().unwrap();
    assert!(told.starts_with("answered otherwise: malformed ("), "{told}");
    assert!(matches!(outcome(&report, "token/malformed"), Outcome::NotChecked(_)));
    assert_eq!(*outcome(&report, "token/unknown-crit"), Outcome::Kept, "what comes after it is sent too");
}

async fn a_server_behind_a_proxy_is_called_by_its_public_url(_: Database) {
    // RFC 9728 §3.3: `resource` is what clients are given, wherever the probe reaches the server
    let (_mode, issuer) = issuer().await;
    let public = "http://localhost:1/mcp";
    let url = served(|_| layered(public, &issuer, post(async || welcome()))).await;
    let settings = Settings { resource: Some(public.to_owned()), ..settings(&url) };
    let report = gatelet::probe::run(&settings, &issuer, pending()).await.unwrap();
    for kept in
        ["token/valid", "metadata/resource", "metadata/well-known", "metadata/found", "token/wrong-audience"]
    {
        assert_eq!(*outcome(&report, kept), Outcome::Kept, "{kept}: {report:#?}");
    }
    assert!(outcome(&probed(&url, &issuer).await.unwrap(), "metadata/resource").is_finding());
}

async fn a_tool_that_runs_without_its_scope_is_found_out(_: Database) {
    // RFC 6750 §3.1; MCP 2026-07-28 authorization, Runtime Insufficient Scope Errors
    let (_mode, issuer) = issuer().await;
    let url = served(|url| layered(url, &issuer, post(async || welcome()))).await;
    let tools = ["write_note=mcp:write", "read_notes=mcp:notes"].map(|tool| tool.parse().unwrap());
    let settings = Settings { tools: tools.to_vec(), ..settings(&url) };
    let report = gatelet::probe::run(&settings, &issuer, pending()).await.unwrap();
    for kept in
        ["tool/write_note/scope-missing", "tool/write_note/scope-given", "tool/read_notes/scope-given"]
    {
        assert_eq!(*outcome(&report, kept), Outcome::Kept, "{kept}");
    }
    assert!(outcome(&report, "tool/read_notes/scope-missing").is_finding());
}

async fn a_server_that_the_issuer_knows_already_is_probed(_: Database) {
    let (mode, issuer) = issuer().await;
    let resource = "https://mcp.example/mcp";
    let known = json!({ "uri": resource, "scopes": [{ "name": "mcp:read" }] });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let resources = format!("{}/issuers/default/resources", mode.control_url());
    let added = http.post(resources).bearer_auth(mode.key()).json(&known).send().await.unwrap();
    assert!(added.status().is_success(), "{added:?}");
    let url = served(|_| Router::new().route("/mcp", post(async || welcome()))).await;
    let settings = Settings { resource: Some(resource.to_owned()), ..settings(&url) };
    let report = gatelet::probe::run(&settings, &issuer, pending()).await.unwrap();
    assert_eq!(*outcome(&report, "token/valid"), Outcome::Kept, "{report:#?}");
}
