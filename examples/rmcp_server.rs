//! An MCP server made with rmcp whose access tokens come from Gatelet, checked by [`gatelet::resource`]:
//!
//! ```sh
//! ISSUER=http://localhost:8710/oauth URL=http://127.0.0.1:8000 TENANT=acme cargo run --example rmcp_server
//! ```
//!
//! Give Gatelet this server as a resource: `uri = "http://127.0.0.1:8000/mcp"`. A token that is revoked is accepted until
//! it expires, a quarter of an hour at most.

use std::error::Error;

use axum::Router;
use axum::http::request::Parts;
use gatelet::resource::{AccessToken, ResourceServer};
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (issuer, url) = (std::env::var("ISSUER")?, std::env::var("URL")?);
    let mut server = ResourceServer::builder(format!("{url}/mcp"), &issuer).required_scopes(["mcp:read"]);
    if let Ok(tenant) = std::env::var("TENANT") {
        server = server.tenant(&tenant);
    }
    let server = server.build()?;
    let mcp = StreamableHttpService::<_, LocalSessionManager>::new(
        || Ok(Notes),
        Default::default(),
        Default::default(),
    );
    let app =
        Router::new().route_service("/mcp", mcp).route_layer(server.layer()).merge(server.metadata_router());
    let listener = TcpListener::bind(url.trim_start_matches("http://")).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
