//! Which scopes an MCP call needs, read from its JSON-RPC body.
//!
//! An MCP client steps up (asks the person for more) only when the POST itself is answered `403 insufficient_scope`
//! (MCP 2026-07-28 authorization, "Scope Challenge Handling"); an error inside the JSON-RPC answer comes too late. So
//! the scopes of a tool must be known before the MCP server runs.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::challenge::union;
use super::login::LoginDemand;

/// What a single JSON-RPC message of a POST calls. [`ResourceLayer`](super::ResourceLayer) puts it into the request's
/// extensions when tools or methods with scopes are declared; good for logs. Batches have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcCall {
    /// The JSON-RPC method, such as `tools/call`.
    pub method: String,
    /// The tool's name, for `tools/call`.
    pub tool: Option<String>,
}

/// Scopes by tool and by method, and what tools want of the login.
#[derive(Clone, Debug, Default)]
pub(super) struct CallScopes {
    pub(super) tools: HashMap<String, Vec<String>>,
    pub(super) other_tools: Vec<String>,
    pub(super) methods: HashMap<String, Vec<String>>,
    pub(super) logins: HashMap<String, LoginDemand>,
}

/// The body is not JSON-RPC that everyone would read alike.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// A message as far as we need it. Deriving makes a repeated member an error: a body that we read one way and the
/// MCP server another would slip past the scopes.
#[derive(Deserialize)]
struct Message {
    method: Option<String>,
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Params {
    name: Option<Value>,
}

impl CallScopes {
    pub(super) fn is_empty(&self) -> bool {
        self.tools.is_empty()
            && self.methods.is_empty()
            && self.other_tools.is_empty()
            && self.logins.is_empty()
    }

    /// Every scope named anywhere.
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.tools.values().chain(self.methods.values()).chain([&self.other_tools]).flatten()
    }

    /// What each of `calls` wants of the login. Each is judged by itself: what two of them want may not be had at once.
    pub(super) fn logins(&self, calls: &[RpcCall]) -> impl Iterator<Item = &LoginDemand> {
        calls.iter().filter_map(|call| self.logins.get(call.tool.as_ref()?))
    }

    /// The scopes that `calls` need together.
    pub(super) fn needed(&self, calls: &[RpcCall]) -> Vec<String> {
        let mut scopes = Vec::new();
        for call in calls {
            let by_method = self.methods.get(&call.method);
            let by_tool = call.tool.as_ref().map(|tool| self.tools.get(tool).unwrap_or(&self.other_tools));
            union(&mut scopes, by_method.into_iter().chain(by_tool).flatten().map(String::as_str));
        }
        scopes
    }
}

/// The calls in a body: one, or those of a batch (JSON-RPC 2.0 §6). Answers to the server's own requests are none.
pub(super) fn read(body: &[u8]) -> Result<Vec<RpcCall>, Unreadable> {
    let is_batch = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let messages: Vec<Message> = if is_batch {
        serde_json::from_slice(body).map_err(|_| Unreadable)?
    } else {
        vec![serde_json::from_slice(body).map_err(|_| Unreadable)?]
    };
    messages.into_iter().filter_map(|message| call(message).transpose()).collect()
}

fn call(message: Message) -> Result<Option<RpcCall>, Unreadable> {
    let Some(method) = message.method else { return Ok(None) };
    if method != "tools/call" {
        return Ok(Some(RpcCall { method, tool: None }));
    }
    match message.params.and_then(|params| params.name) {
        Some(Value::String(tool)) => Ok(Some(RpcCall { method, tool: Some(tool) })),
        _ => Err(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes() -> CallScopes {
        CallScopes {
            tools: HashMap::from([
                ("whoami".to_owned(), vec![]),
                ("write_note".to_owned(), vec!["mcp:write".to_owned()]),
            ]),
            other_tools: vec!["mcp:admin".to_owned()],
            methods: HashMap::from([("resources/read".to_owned(), vec!["mcp:read".to_owned()])]),
            logins: HashMap::new(),
        }
    }

    fn needed(body: &str) -> Result<String, Unreadable> {
        read(body.as_bytes()).map(|calls| scopes().needed(&calls).join(" "))
    }

    #[test]
    fn scopes_follow_from_the_tool_or_method_called() {
        let cases = [
            (r#"{"method":"tools/call","params":{"name":"whoami"}}"#, ""),
            (r#"{"params":{"arguments":{},"name":"write_note"},"method":"tools/call"}"#, "mcp:write"),
            (r#"{"method":"tools\/call","params":{"name":"write\u005fnote"}}"#, "mcp:write"),
            (r#"{"method":"tools/call","params":{"name":"Write_Note"}}"#, "mcp:admin"),
            (r#"{"method":"tools/list","params":{"name":"write_note"}}"#, ""),
            (r#"{"method":"resources/read","params":{"uri":"x"}}"#, "mcp:read"),
            (r#"{"id":1,"result":{"method":"tools/call"}}"#, ""),
            (
                r#" [{"method":"tools/call","params":{"name":"write_note"}},{"method":"resources/read"}]"#,
                "mcp:write mcp:read",
            ),
            ("[]", ""),
        ];
        for (body, scopes) in cases {
            assert_eq!(needed(body).as_deref(), Ok(scopes), "{body}");
        }
    }

    #[test]
    fn a_body_that_servers_could_read_differently_is_refused() {
        for body in [
            "",
            "hello",
            r#"{"method":"tools/call"}"#,
            r#"{"method":"tools/call","params":{"name":["write_note"]}}"#,
            r#"{"method":"tools/list","method":"tools/call","params":{"name":"write_note"}}"#,
            r#"{"method":"tools/call","params":{"name":"whoami","name":"write_note"}}"#,
            r#"{"method":"tools/call","params":{"name":"whoami"},"params":{"name":"write_note"}}"#,
            r#"{"method":"tools/call","params":{"name":"whoami"}} {"method":"tools/call"}"#,
            "\u{feff}{}",
        ] {
            assert_eq!(needed(body), Err(Unreadable), "{body}");
        }
    }
}
