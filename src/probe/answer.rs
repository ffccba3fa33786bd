//! What the server under test answers.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use serde_json::Value;

use super::challenge::Challenge;
use super::http;
use super::report::quoted;

/// The header by which servers of revisions before 2026-07-28 know a session.
pub(super) const SESSION: &str = "mcp-session-id";

/// What `initialize` was answered: what the requests after it have to name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// The session, where the server keeps any.
    pub(super) id: Option<String>,
    /// The revision that the server chose.
    pub(super) revision: Option<String>,
}

/// What the server answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The `Bearer` challenge.
    pub(super) challenge: Option<Challenge>,
    /// What was begun, if it is the answer to `initialize`.
    pub(super) session: Session,
    /// The JSON-RPC answer.
    pub(super) rpc: Rpc,
    /// Where it sends the caller instead.
    pub(super) location: Option<String>,
}

/// What the body of an answer is to JSON-RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rpc {
    /// A result.
    Result,
    /// The result of a tool that failed (`isError`), and what it said.
    ToolError(String),
    /// An error, and its message.
    Error(String),
    /// No answer.
    None,
}

impl Answer {
    /// One that says nothing but its status.
    #[cfg(test)]
    pub(super) fn of_status(status: u16) -> Self {
        Self { status, challenge: None, session: Session::default(), rpc: Rpc::None, location: None }
    }

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

    /// Why a busy server's answer says nothing.
    pub(super) fn busy(&self) -> String {
        format!("the server was busy: {}", self.told())
    }

    /// Whether the request was done: the caller was let in, and got a result.
    pub(super) fn is_result(&self) -> bool {
        self.is_success() && self.rpc == Rpc::Result
    }

    /// The answer in words.
    pub(super) fn told(&self) -> String {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut told = format!("{} {}", self.status, reason.unwrap_or_default()).trim_end().to_owned();
        match &self.rpc {
            Rpc::Error(error) => told += &format!(" with the JSON-RPC error {}", quoted(error)),
            Rpc::ToolError(error) => told += &format!(" with the tool's error {}", quoted(error)),
            Rpc::Result | Rpc::None => {}
        }
        if let Some(location) = &self.location {
            told += &format!(" to {}", quoted(location));
        }
        let description = self.challenge.as_ref().and_then(|challenge| challenge.get("error_description"));
        if let Some(description) = description.filter(|_| !self.is_success()) {
            told += &format!(", and the challenge says {}", quoted(description));
        }
        told
    }
}

/// Reads what was answered; of a stream of events no more than the answer.
pub(super) async fn read(response: reqwest::Response) -> Answer {
    let headers = response.headers();
    let fields = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let challenge = Challenge::bearer(fields);
    let id = text(headers, SESSION);
    let status = response.status().as_u16();
    let location = text(headers, LOCATION.as_str()).filter(|_| response.status().is_redirection());
    let body = http::body(response, |body| rpc_message(body).is_some()).await;
    let message = rpc_message(&body);
    let revision = message.as_ref().and_then(|message| message.pointer("/result/protocolVersion")?.as_str());
    let session = Session { id, revision: revision.map(str::to_owned) };
    Answer { status, challenge, session, rpc: message.as_ref().map_or(Rpc::None, rpc), location }
}

fn rpc(message: &Value) -> Rpc {
    if let Some(error) = message.get("error") {
        let text = error.get("message").and_then(Value::as_str);
        return Rpc::Error(text.map_or_else(|| error.to_string(), str::to_owned));
    }
    match message.pointer("/result/isError") {
        Some(Value::Bool(true)) => {
            let text = message.pointer("/result/content/0/text").and_then(Value::as_str);
            Rpc::ToolError(text.unwrap_or_default().to_owned())
        }
        _ => Rpc::Result,
    }
}

/// A header's value, if it is text.
pub(super) fn text(headers: &HeaderMap<HeaderValue>, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The JSON-RPC answer in a body: all of it, or the data of an event.
fn rpc_message(body: &[u8]) -> Option<Value> {
    // An error that is a text is OAuth's.
    let is_answer =
        |value: &Value| value.get("result").is_some() || value.get("error").is_some_and(Value::is_object);
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
        assert_eq!(rpc_message(br#"{"error":"invalid_token","error_description":"x"}"#), None);
    }

    #[test]
    fn an_answer_is_told_in_words() {
        let mut answer = Answer::of_status(200);
        assert_eq!(answer.told(), "200 OK");
        answer.rpc = Rpc::Error("a\nb".to_owned());
        assert_eq!(answer.told(), r#"200 OK with the JSON-RPC error "a\nb""#);
        answer.rpc = Rpc::ToolError("no".to_owned());
        assert_eq!(answer.told(), r#"200 OK with the tool's error "no""#);
        let moved = Answer { location: Some("/mcp/".to_owned()), ..Answer::of_status(307) };
        assert_eq!(moved.told(), r#"307 Temporary Redirect to "/mcp/""#);
        let challenge = Challenge::bearer([r#"Bearer error_description="wrong audience""#]);
        let refused = Answer { challenge, ..Answer::of_status(401) };
        assert_eq!(refused.told(), r#"401 Unauthorized, and the challenge says "wrong audience""#);
    }

    #[test]
    fn a_tool_that_failed_is_no_result() {
        let rpc = |body: &str| rpc(&rpc_message(body.as_bytes()).unwrap());
        assert_eq!(rpc(r#"{"result":{"content":[]}}"#), Rpc::Result);
        let failed = r#"{"result":{"isError":true,"content":[{"type":"text","text":"no"}]}}"#;
        assert_eq!(rpc(failed), Rpc::ToolError("no".to_owned()));
        assert_eq!(rpc(r#"{"error":{"code":1}}"#), Rpc::Error(r#"{"code":1}"#.to_owned()));
    }
}
