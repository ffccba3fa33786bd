//! The demonstration MCP server of dev mode, at `/demo/mcp`.
//!
//! It is what a stranger would write: an [rmcp](https://docs.rs/rmcp) server behind
//! [`ResourceLayer`](crate::resource::ResourceLayer), which finds the issuer's keys over HTTP as any resource server
//! does. It knows nothing else of Gatelet, so what works here works elsewhere.
//!
//! Any valid token may call `whoami`; `list_notes` and `read_note` need `mcp:read`, `write_note` needs `mcp:write`, and
//! `erase_notes` needs a login of the last five minutes besides (RFC 9470).

mod endpoint;
mod notes;
mod sessions;
mod tools;

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::Router;
use axum::routing::any;

use crate::clock::Clock;
use crate::resource::{ConfigError, ResourceServer};

/// Where the endpoint is, under the server's origin.
pub const PATH: &str = "/demo/mcp";

/// The scope that reading needs, and that the first challenge names.
pub const READ: &str = "mcp:read";

/// The scope that writing needs besides.
pub const WRITE: &str = "mcp:write";

/// How long ago the person may have logged in who erases everything.
const ERASE_MAX_AGE: Duration = Duration::from_secs(300);

/// Largest request, in bytes; a note with its JSON fits.
const MAX_BODY: usize = 64 * 1024;

/// The MCP server at [`PATH`] and its protected resource metadata, to be merged into a router at the root.
///
/// `base_url` is the origin under which clients reach it, such as `http://localhost:8710`; `base_url` + [`PATH`] is
/// the audience that tokens need. `issuer` is the authorization server, asked for its keys at the first call.
///
/// # Errors
///
/// [`ConfigError`] if `base_url` is no origin or `issuer` no URL.
pub fn router(base_url: &str, issuer: &str, clock: Clock) -> Result<Router, ConfigError> {
    let resource = format!("{}{PATH}", base_url.trim_end_matches('/'));
    let server = ResourceServer::builder(&resource, issuer)
        .name("Gatelet demonstration notes")
        .scopes_supported([READ, WRITE])
        .initial_scopes([READ])
        .tool("whoami", [""; 0])
        .tool("list_notes", [READ])
        .tool("read_note", [READ])
        .tool("write_note", [WRITE])
        .tool("erase_notes", [WRITE])
        .tool_max_age("erase_notes", ERASE_MAX_AGE)
        .clock(clock.clone())
        .max_body(MAX_BODY)
        .browser_clients()
        .build()?;
    let endpoint = endpoint::Endpoint::new(&resource, clock);
    Ok(Router::new()
        .route(PATH, any(endpoint::serve))
        .with_state(endpoint)
        .route_layer(server.layer())
        .merge(server.metadata_router_without_root()))
}
