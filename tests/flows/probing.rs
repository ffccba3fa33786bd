//! `gatelet probe` and an issuer of test mode against servers of this process.

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

async fn probed(url: &str, issuer: &Issuer) -> Result<Report, ProbeError> {
    let settings = Settings {
        target: url.to_owned(),
        scope: None,
        tenant: Some("acme".to_owned()),
        user: None,
        key_patience: Duration::from_millis(100),
    };
    gatelet::probe::run(&settings, issuer).await
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
