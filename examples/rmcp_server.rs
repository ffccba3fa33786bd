//! An MCP server made with rmcp whose access tokens come from Gatelet, checked by [`gatelet::resource`]:
//!
//! ```sh
//! ISSUER=http://localhost:8710/oauth URL=http://127.0.0.1:8000 TENANT=acme cargo run --example rmcp_server
//! ```
//!
//! Its tests stand below: an authorization server of their own, and every bad token that Gatelet knows of.
//!
//! Give Gatelet this server as a resource: `uri = "http://127.0.0.1:8000/mcp"`. A token that is revoked is accepted until
//! it expires, a quarter of an hour at most.

use std::error::Error;

use axum::Router;
use axum::http::request::Parts;
use gatelet::resource::{AccessToken, ConfigError, ResourceServer};
use rmcp::handler::server::tool::Extension;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::{tool, tool_router};
use tokio::net::TcpListener;

struct Notes;

#[tool_router(server_handler)]
impl Notes {
    #[tool(description = "Who is calling")]
    fn whoami(&self, Extension(request): Extension<Parts>) -> String {
        request.extensions.get::<AccessToken>().map(|token| token.subject().to_owned()).unwrap_or_default()
    }
}

/// The server that is reached at `url` and takes tokens of `issuer`, of one tenant alone if one is named.
fn app(url: &str, issuer: &str, tenant: Option<&str>) -> Result<Router, ConfigError> {
    let mut server = ResourceServer::builder(format!("{url}/mcp"), issuer).required_scopes(["mcp:read"]);
    if let Some(tenant) = tenant {
        server = server.tenant(tenant);
    }
    let server = server.build()?;
    let mcp = StreamableHttpService::<_, LocalSessionManager>::new(
        || Ok(Notes),
        Default::default(),
        Default::default(),
    );
    Ok(Router::new().route_service("/mcp", mcp).route_layer(server.layer()).merge(server.metadata_router()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (issuer, url) = (std::env::var("ISSUER")?, std::env::var("URL")?);
    let app = app(&url, &issuer, std::env::var("TENANT").ok().as_deref())?;
    let listener = TcpListener::bind(url.trim_start_matches("http://")).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
    use gatelet::testkit::{MintSpec, TestServer};
    use gatelet::zoo::DependsOn;
    use tower::ServiceExt as _;

    use super::*;

    const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",
        "capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

    /// How the server answers the first request of an MCP client that has this token.
    async fn status(app: &Router, token: &str) -> u16 {
        let request = Request::post("/mcp")
            .header(HOST, "127.0.0.1:8000")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream");
        let request = request.body(Body::from(INITIALIZE)).unwrap();
        app.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn every_token_of_the_zoo_gets_its_answer() {
        let gatelet = TestServer::start().await;
        let app = app("http://127.0.0.1:8000", gatelet.issuer(), Some("acme")).unwrap();
        for token in gatelet.control().zoo(&MintSpec::default()).await.unwrap() {
            // This server asks nobody whether a token was revoked.
            if token.specimen.depends_on != Some(DependsOn::Introspection) {
                let answered = status(&app, &token.token.unwrap()).await;
                assert_eq!(
                    answered, token.specimen.status,
                    "{}: {}",
                    token.specimen.name, token.specimen.why
                );
            }
        }
    }
}
