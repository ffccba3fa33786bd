//! The MCP server under test, as a client reaches it (MCP 2026-07-28 Streamable HTTP).

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use super::ProbeError;
use super::challenge::Challenge;
use super::http;
use super::report::quoted;

/// The header by which servers of revisions before 2026-07-28 know a session.
const SESSION: &str = "mcp-session-id";

/// What is sent to find out whether a server lets a token in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `initialize`, of the revisions before 2026-07-28.
    Initialize,
    /// `tools/list`, by those revisions: within a session.
    ListTools,
    /// `tools/list` with the metadata of 2026-07-28, which has no sessions.
    ListToolsStateless,
}

impl Call {
    /// The method.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::ListTools | Self::ListToolsStateless => "tools/list",
        }
    }

    fn revision(self) -> &'static str {
        match self {
            Self::Initialize | Self::ListTools => "2025-06-18",
            Self::ListToolsStateless => "2026-07-28",
        }
    }

    fn message(self) -> Value {
        let about = json!({ "name": "gatelet-probe", "version": env!("CARGO_PKG_VERSION") });
        let revision = self.revision();
        let params = match self {
            Self::Initialize => {
                json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": about })
            }
            Self::ListTools => json!({}),
            Self::ListToolsStateless => json!({ "_meta": {
                "io.modelcontextprotocol/protocolVersion": revision,
                "io.modelcontextprotocol/clientInfo": about,
                "io.modelcontextprotocol/clientCapabilities": {},
            }}),
        };
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

/// What the server answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The `Bearer` challenge.
    pub(super) challenge: Option<Challenge>,
    /// The session that was begun.
    pub(super) session: Option<String>,
    /// The JSON-RPC error, where that is what the answer is.
    pub(super) rpc_error: Option<String>,
}

impl Answer {
    /// Whether the caller was let in.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the caller was turned away for who they are.
    pub(super) fn is_refusal(&self) -> bool {
        self.status == 401 || self.status == 403
    }

    /// Whether it says nothing about the caller: too many requests, or unavailable.
    pub(super) fn is_busy(&self) -> bool {
        self.status == 429 || self.status == 503
    }

    /// The answer in words.
    pub(super) fn told(&self) -> String {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let status = format!("{} {}", self.status, reason.unwrap_or_default());
        match &self.rpc_error {
            Some(error) => format!("{} with the JSON-RPC error {}", status.trim_end(), quoted(error)),
            None => status.trim_end().to_owned(),
        }
    }
}

/// The server under test.
#[derive(Clone, Debug)]
pub(super) struct McpServer {
    http: reqwest::Client,
    url: String,
}

impl McpServer {
    /// The server at this URL.
    pub(super) fn at(url: &str) -> Result<Self, ProbeError> {
        Ok(Self { http: http::client().map_err(ProbeError::Http)?, url: url.to_owned() })
    }

    /// Sends a call.
    pub(super) async fn call(
        &self,
        call: Call,
        sent: Sent<'_>,
        session: Option<&str>,
    ) -> Result<Answer, ProbeError> {
        let mut request = self
            .http
            .post(match sent {
                Sent::InQuery(token) => format!("{}{}access_token={token}", self.url, self.joint()),
                _ => self.url.clone(),
            })
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .body(call.message().to_string());
        request = match sent {
            Sent::InHeader(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            Sent::InHeaderSmall(token) => request.header(AUTHORIZATION, format!("bearer {token}")),
            Sent::Without | Sent::InQuery(_) => request,
        };
        if call != Call::Initialize {
            request = request.header("mcp-protocol-version", call.revision());
        }
        if call == Call::ListToolsStateless {
            request = request.header("mcp-method", call.method());
        }
        if let Some(session) = session {
            request = request.header(SESSION, session);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        Ok(read(response).await)
    }

    /// Says that it is ready, which servers with sessions wait for before they list their tools.
    pub(super) async fn say_initialized(&self, token: &str, session: &str) -> Result<(), ProbeError> {
        let request = self
            .http
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header("mcp-protocol-version", Call::ListTools.revision())
            .header(SESSION, session)
            .body(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        request.send().await.map_err(|error| self.unreachable(&error))?;
        Ok(())
    }

    /// Reads a document without a token.
    pub(super) async fn get(&self, url: &str) -> Result<(u16, String, Vec<u8>), ProbeError> {
        let request = self.http.get(url).header(ACCEPT, "application/json");
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
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

async fn read(response: reqwest::Response) -> Answer {
    let headers = response.headers();
    let fields = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let challenge = Challenge::bearer(fields);
    let session = text(headers, SESSION);
    let status = response.status().as_u16();
    let body = http::body(response, |body| rpc_message(body).is_some()).await;
    let rpc_error = rpc_message(&body).and_then(|message| {
        let error = message.get("error")?;
        Some(error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned))
    });
    Answer { status, challenge, session, rpc_error }
}

fn text(headers: &HeaderMap<HeaderValue>, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The JSON-RPC answer in a body: all of it, or the data of an event.
fn rpc_message(body: &[u8]) -> Option<Value> {
    let is_answer = |value: &Value| value.get("result").is_some() || value.get("error").is_some();
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return Some(value).filter(is_answer);
    }
    let text = String::from_utf8_lossy(body);
    let mut events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    events.find_map(|data| serde_json::from_str::<Value>(data.trim()).ok().filter(is_answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_found_in_json_and_in_a_stream_of_events() {
        let error = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"no"}}"#;
        let stream = b"event: message\nid: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\ndata: {\"id\":1,\"result\":{}}\n\n";
        assert_eq!(rpc_message(error).unwrap()["error"]["message"], "no");
        assert!(rpc_message(stream).unwrap().get("result").is_some());
        assert_eq!(rpc_message(&stream[..60]), None, "the answer has not come yet");
        assert_eq!(rpc_message(b"<html>"), None);
        assert_eq!(rpc_message(br#"{"error_description":"x"}"#), None);
    }

    #[test]
    fn an_answer_is_told_in_words() {
        let mut answer = Answer { status: 200, challenge: None, session: None, rpc_error: None };
        assert_eq!(answer.told(), "200 OK");
        answer.rpc_error = Some("a\nb".to_owned());
        assert_eq!(answer.told(), r#"200 OK with the JSON-RPC error "a\nb""#);
    }
}
