//! The tools. Which scopes they need is declared in [`super::router`] and enforced before a call arrives here.

use std::sync::Arc;

use axum::http::request::Parts;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ErrorData, Json, ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::{Deserialize, Serialize};

use super::notes::Notes;
use crate::clock::Clock;
use crate::resource::AccessToken;

/// The demonstration server, one per session or request; the notes are shared.
#[derive(Clone, Debug)]
pub(super) struct Demo {
    pub(super) notes: Arc<Notes>,
    pub(super) clock: Clock,
}

/// What the access token says about the caller.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Whoami {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    roles: Vec<String>,
    scopes: Vec<String>,
    issuer: String,
    jti: String,
    /// Seconds until the token expires.
    expires_in: i64,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Titles {
    titles: Vec<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Title {
    title: String,
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Note {
    /// At most 100 bytes; a note of the same title is replaced.
    title: String,
    /// At most 4000 bytes.
    text: String,
}

#[tool_router]
impl Demo {
    #[tool(description = "Tell who is calling, according to the access token")]
    fn whoami(&self, Extension(parts): Extension<Parts>) -> Result<Json<Whoami>, ErrorData> {
        let token = caller(&parts, "whoami")?;
        let username = ["preferred_username", "username"]
            .iter()
            .find_map(|name| token.claims().get(*name)?.as_str().map(str::to_owned));
        Ok(Json(Whoami {
            sub: token.subject().to_owned(),
            username,
            client_id: token.client_id().to_owned(),
            tenant: token.tenant().map(str::to_owned),
            roles: token.roles().to_vec(),
            scopes: token.scopes().to_vec(),
            issuer: token.issuer().to_owned(),
            jti: token.jti().to_owned(),
            expires_in: token.expires_at().seconds() - self.clock.now().seconds(),
        }))
    }

    #[tool(description = "List the titles of your tenant's notes (needs mcp:read)")]
    fn list_notes(&self, Extension(parts): Extension<Parts>) -> Result<Json<Titles>, ErrorData> {
        let token = caller(&parts, "list_notes")?;
        Ok(Json(Titles { titles: self.notes.titles(token.tenant()) }))
    }

    #[tool(description = "Read one of your tenant's notes (needs mcp:read)")]
    fn read_note(
        &self,
        Parameters(Title { title }): Parameters<Title>,
        Extension(parts): Extension<Parts>,
    ) -> Result<Json<Note>, String> {
        let token = caller(&parts, "read_note").map_err(|error| error.message.to_string())?;
        let text = self.notes.read(token.tenant(), &title).ok_or("there is no note of this title")?;
        Ok(Json(Note { title, text }))
    }

    #[tool(description = "Write a note for your tenant (needs mcp:write)")]
    fn write_note(
        &self,
        Parameters(Note { title, text }): Parameters<Note>,
        Extension(parts): Extension<Parts>,
    ) -> Result<String, String> {
        let token = caller(&parts, "write_note").map_err(|error| error.message.to_string())?;
        self.notes.write(token.tenant(), title, text)?;
        Ok("written".to_owned())
    }

    #[tool(
        description = "Erase all of your tenant's notes (needs mcp:write and a login of the last 5 minutes)"
    )]
    fn erase_notes(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        let token = caller(&parts, "erase_notes").map_err(|error| error.message.to_string())?;
        Ok(format!("erased {}", self.notes.erase(token.tenant())))
    }
}

#[tool_handler]
impl ServerHandler for Demo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("gatelet-demo", env!("CARGO_PKG_VERSION")))
            .with_instructions("Notes of your tenant. Call whoami to see what your access token says.")
    }
}

/// The token of the request that carries this call (in a session, every call brings its own), and a line in the log
/// that can be matched with the authorization server's.
fn caller<'a>(parts: &'a Parts, tool: &'static str) -> Result<&'a AccessToken, ErrorData> {
    let token = parts
        .extensions
        .get::<AccessToken>()
        .ok_or_else(|| ErrorData::internal_error("the call arrived without an access token", None))?;
    tracing::info!(
        tool,
        jti = token.jti(),
        sub = token.subject(),
        client_id = token.client_id(),
        tenant = token.tenant(),
        "demo tool called"
    );
    Ok(token)
}
