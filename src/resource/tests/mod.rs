//! The layer as a client sees it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use axum::routing::{any, get};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::fixture::{ISSUER, KEY, NOW, RESOURCE, StubIssuer, TestKey, claims, clock, jwks, unsigned};
use super::*;

mod keys;
mod logins;
mod requests;
mod tokens;

const CHALLENGE: &str =
    r#"Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp""#;

fn builder() -> Builder {
    ResourceServer::builder(RESOURCE, ISSUER)
        .scopes_supported(["mcp:read", "mcp:write", "offline_access"])
        .required_scopes(["mcp:read"])
        .jwks(jwks([&KEY]))
        .clock(clock())
}

fn app(server: &ResourceServer) -> Router {
    let whoami = |token: AccessToken| async move {
        format!("{} {:?} {:?}", token.subject(), token.tenant(), token.roles())
    };
    let write = |token: AccessToken| async move { token.require(&["mcp:write"]).map(|()| "written") };
    Router::new()
        .route("/mcp", any(whoami))
        .route("/write", get(write))
        .layer(server.layer())
        .merge(server.metadata_router())
}

async fn send(server: &ResourceServer, request: Request<Body>) -> Response<Body> {
    app(server).oneshot(request).await.unwrap()
}

async fn with_token(server: &ResourceServer, token: &str) -> Response<Body> {
    let request = Request::get("/mcp").header("Authorization", format!("Bearer {token}"));
    send(server, request.body(Body::empty()).unwrap()).await
}

fn challenge(response: &Response<Body>) -> &str {
    response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap())
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn json_body(response: Response<Body>) -> Value {
    serde_json::from_str(&text(response).await).unwrap()
}
