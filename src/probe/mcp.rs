//! The MCP server under test, as a client reaches it (MCP 2026-07-28 Streamable HTTP).

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::ProbeError;
use super::answer::{Answer, SESSION, Session, read, text};
use super::http;

/// The revision that is offered to servers with `initialize`, which answer with one of theirs.
const OFFERED: &str = "2025-06-18";
/// The revision without sessions and without `initialize`.
const STATELESS: &str = "2026-07-28";
/// How often a request is sent again that came too soon for the server.
const AGAIN: u32 = 3;
/// The longest that a server's wish to be left alone (`Retry-After`) is heeded, each time.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// What is sent to find out whether a server lets a token in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Call<'a> {
    /// `initialize`, of the revisions before 2026-07-28.
    Initialize,
    /// `tools/list`, by those revisions: within a session.
    ListTools,
    /// `tools/list` with the metadata of 2026-07-28, which has no sessions.
    ListToolsStateless,
    /// `tools/call`, by those revisions.
    Tool(&'a str, &'a Value),
    /// `tools/call` with the metadata of 2026-07-28.
    ToolStateless(&'a str, &'a Value),
}

impl Call<'_> {
    /// The method.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::ListTools | Self::ListToolsStateless => "tools/list",
            Self::Tool(..) | Self::ToolStateless(..) => "tools/call",
        }
    }

    /// Whether it is of the revision without sessions.
    fn is_stateless(self) -> bool {
        matches!(self, Self::ListToolsStateless | Self::ToolStateless(..))
    }

    /// The tool that is called.
    fn tool(&self) -> Option<&str> {
        match self {
            Self::Tool(name, _) | Self::ToolStateless(name, _) => Some(name),
            _ => None,
        }
    }

    fn message(self) -> Value {
        let about = json!({ "name": "gatelet-probe", "version": env!("CARGO_PKG_VERSION") });
        let mut params = match self {
            Self::Initialize => {
                json!({ "protocolVersion": OFFERED, "capabilities": {}, "clientInfo": about })
            }
            Self::ListTools | Self::ListToolsStateless => json!({}),
            Self::Tool(name, arguments) | Self::ToolStateless(name, arguments) => {
                json!({ "name": name, "arguments": arguments })
            }
        };
        if self.is_stateless() {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": STATELESS,
                "io.modelcontextprotocol/clientInfo": about,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        json!({ "jsonrpc": "2.0", "id": 1, "method": self.method(), "params": params })
    }
}

/// How a token is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sent<'a> {
    /// Not at all.
    Without,
    /// In the `Authorization` header (RFC 6750 §2.1).
    InHeader(&'a str),
    /// The same, with the scheme in small letters (RFC 9110 §11.1).
    InHeaderSmall(&'a str),
    /// In the query (RFC 6750 §2.3).
    InQuery(&'a str),
}

/// The server under test.
#[derive(Clone, Debug)]
pub(super) struct McpServer {
    http: reqwest::Client,
    url: String,
}

impl McpServer {
    /// The server at this URL, which has to answer each request within `timeout`.
    pub(super) fn at(url: &str, timeout: Duration) -> Result<Self, ProbeError> {
        Ok(Self { http: http::client(timeout).map_err(ProbeError::Http)?, url: url.to_owned() })
    }

    /// Its URL.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a call; again, after a while, when the server says that it came too soon.
    pub(super) async fn call(
        &self,
        call: Call<'_>,
        sent: Sent<'_>,
        session: &Session,
    ) -> Result<Answer, ProbeError> {
        let mut times = 0;
        loop {
            let response = self.send(call, sent, session).await?;
            let rest = rest(&response).filter(|_| times < AGAIN);
            let Some(rest) = rest else { return Ok(read(response).await) };
            times += 1;
            sleep(rest).await;
        }
    }

    async fn send(
        &self,
        call: Call<'_>,
        sent: Sent<'_>,
        session: &Session,
    ) -> Result<reqwest::Response, ProbeError> {
        let url = match sent {
            Sent::InQuery(token) => format!("{}{}access_token={token}", self.url, self.joint()),
            _ => self.url.clone(),
        };
        let mut request = self.post(&url, &call.message());
        request = match sent {
            Sent::InHeader(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            Sent::InHeaderSmall(token) => request.header(AUTHORIZATION, format!("bearer {token}")),
            Sent::Without | Sent::InQuery(_) => request,
        };
        if call.is_stateless() {
            request = request.header("mcp-protocol-version", STATELESS).header("mcp-method", call.method());
            request = call.tool().into_iter().fold(request, |request, tool| request.header("mcp-name", tool));
        } else if call != Call::Initialize {
            request = in_session(request, session);
        }
        request.send().await.map_err(|error| self.unreachable(&error))
    }

    fn post(&self, url: &str, message: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .body(message.to_string())
    }

    /// Says that it is ready, which servers with sessions wait for before they list their tools.
    pub(super) async fn say_initialized(&self, token: &str, session: &Session) -> Result<(), ProbeError> {
        let message = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let request = self.post(&self.url, &message).header(AUTHORIZATION, format!("Bearer {token}"));
        in_session(request, session).send().await.map_err(|error| self.unreachable(&error))?;
        Ok(())
    }

    /// Reads a document without a token.
    pub(super) async fn get(&self, url: &str) -> Result<(u16, String, Vec<u8>), ProbeError> {
        let request = self.http.get(url).header(ACCEPT, "application/json");
        let response = request.send().await.map_err(|error| {
            let (url, why) = (url.to_owned(), http::told(&error));
            ProbeError::Unreachable { url, why }
        })?;
        let status = response.status().as_u16();
        let kind = text(response.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
        Ok((status, kind, http::body(response, |_| false).await))
    }

    fn joint(&self) -> char {
        if self.url.contains('?') { '&' } else { '?' }
    }

    fn unreachable(&self, error: &reqwest::Error) -> ProbeError {
        ProbeError::Unreachable { url: self.url.clone(), why: http::told(error) }
    }
}

/// Names the session, and the revision that the server chose for it (MCP 2025-06-18 Streamable HTTP, Protocol Version
/// Header): servers refuse one that they do not speak.
fn in_session(request: reqwest::RequestBuilder, session: &Session) -> reqwest::RequestBuilder {
    let revision = session.revision.as_deref().unwrap_or(OFFERED);
    let request = request.header("mcp-protocol-version", revision);
    match &session.id {
        Some(id) => request.header(SESSION, id),
        None => request,
    }
}

/// How long to leave the server alone that answers so (RFC 6585 §4), if it wants that.
fn rest(response: &reqwest::Response) -> Option<Duration> {
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let seconds = text(response.headers(), RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok());
    Some(seconds.map_or(Duration::from_secs(1), Duration::from_secs).min(LONGEST_REST))
}
