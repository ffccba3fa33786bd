//! A tower layer that makes an MCP server an OAuth 2.1 protected resource.
//!
//! It works with any authorization server that issues RFC 9068 access tokens, and with any tower stack that speaks
//! [`http`](axum::http): axum, rmcp's `StreamableHttpService`, or your own. Put it around the MCP endpoint and it
//!
//! * publishes the protected resource metadata (RFC 9728) by which clients find the authorization server;
//! * answers requests without a token, with a bad one, or with one that lacks a scope with the challenge that an MCP
//!   client acts on (RFC 6750 §3, RFC 9728 §5.1, MCP 2026-07-28 authorization);
//! * checks every token: type, algorithm, signature, issuer, audience, lifetime (RFC 9068 §4, RFC 8725);
//! * knows which scopes each MCP tool needs, so that a call that needs more is answered `403` *before* the MCP server
//!   sees it, and the client can ask the person for more ("step-up");
//! * hands your code an [`AccessToken`] in the request's extensions.
//!
//! The issuer's keys are found through its metadata (RFC 8414), at the first request; they are cached, and fetched
//! again when they age or when a token names a new one.
//!
//! ```no_run
//! use axum::{Router, http::request::Parts};
//! use gatelet::resource::{AccessToken, ResourceServer};
//! use rmcp::{handler::server::tool::Extension, tool, tool_router};
//! use rmcp::transport::streamable_http_server::{StreamableHttpService, session::local::LocalSessionManager};
//!
//! struct Notes;
//!
//! #[tool_router(server_handler)]
//! impl Notes {
//!     #[tool(description = "Write a note")]
//!     fn write_note(&self, Extension(request): Extension<Parts>) -> String {
//!         let author = request.extensions.get::<AccessToken>().map(AccessToken::subject);
//!         format!("written by {author:?}")
//!     }
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ResourceServer::builder("https://mcp.example.com/mcp", "https://id.example.com/oauth")
//!     .required_scopes(["mcp:read"])
//!     .tool("write_note", ["mcp:write"])
//!     .build()?;
//! let mcp = StreamableHttpService::<_, LocalSessionManager>::new(|| Ok(Notes), Default::default(), Default::default());
//! let app = Router::new()
//!     .route_service("/mcp", mcp)
//!     .route_layer(server.layer())
//!     .merge(server.metadata_router());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! An axum handler takes the [`AccessToken`] as an argument, and can demand more with [`AccessToken::require`].
//!
//! A token that `gatelet test` made is known by its claim `gatelet_test`, and refused with a
//! warning in the log unless the issuer **and** the resource are loopback URLs: a server that was left pointing at a test
//! issuer lets nobody in.
//!
//! What it does not do: ask the authorization server whether a token was revoked. Keep token lifetimes short.

mod builder;
mod calls;
mod challenge;
mod claims;
mod cors;
mod credentials;
mod fetch;
mod jwks;
mod key_store;
mod layer;
mod login;
mod metadata;
mod server;
mod token;
mod verify;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use builder::{Builder, ConfigError};
pub use calls::RpcCall;
pub use challenge::InsufficientScope;
pub use jwks::Algorithm;
pub use layer::{ResourceLayer, ResourceService};
pub use server::ResourceServer;
pub use token::AccessToken;
pub use verify::TokenError;
