//! Scopes that single tools need, and how the server says so (step-up authorization).

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::{Value, json};

use super::tokens::Known;
use crate::probe::answer::{Answer, Rpc};
use crate::probe::control::Issuer;
use crate::probe::door::Door;
use crate::probe::report::{Check, Rule, quoted};
use crate::probe::{Findings, ProbeError};

const STEP_UP: &str = "RFC 6750 §3.1, MCP 2026-07-28 authorization, Runtime Insufficient Scope Errors";

/// A tool that needs a scope beyond what every request needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolScope {
    /// Its name.
    pub name: String,
    /// The scope; several in one text, separated by spaces.
    pub scope: String,
    /// What it is called with: an object.
    pub arguments: Value,
}

impl FromStr for ToolScope {
    type Err = &'static str;

    /// `NAME=SCOPE`, or `NAME=SCOPE {"argument": …}`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rest) = text.split_once('=').ok_or("write NAME=SCOPE")?;
        let (scope, arguments) = match rest.split_once(" {") {
            Some((scope, rest)) => {
                let arguments = serde_json::from_str(&format!("{{{rest}"));
                (scope, arguments.map_err(|_| "what comes after the scope is no JSON object")?)
            }
            None => (rest, json!({})),
        };
        let scope = scope.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || scope.is_empty() {
            return Err("write NAME=SCOPE");
        }
        Ok(Self { name: name.to_owned(), scope, arguments })
    }
}

/// Calls each tool with a token that lacks its scope, and with one that has it.
pub(in crate::probe) async fn check(
    issuer: &Issuer,
    door: &Door,
    known: Known<'_>,
    tools: &[ToolScope],
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    for tool in tools {
        let base = base(known, tool);
        let without = issuer.token_of_scope(known.wanted, base.as_deref()).await?;
        let all = base.iter().map(String::as_str).chain([tool.scope.as_str()]).collect::<Vec<_>>().join(" ");
        let with = issuer.token_of_scope(known.wanted, Some(&all)).await?;
        let refused = door.call_tool(&without, &tool.name, &tool.arguments).await?;
        let allowed = door.call_tool(&with, &tool.name, &tool.arguments).await?;
        findings.add(lacking(tool, &refused));
        findings.add(having(tool, &allowed));
    }
    Ok(())
}

/// What every request needs, without what the tool needs.
fn base(known: Known<'_>, tool: &ToolScope) -> Option<String> {
    let of_tool = |scope: &str| tool.scope.split(' ').any(|needed| needed == scope);
    let scopes = known.wanted.scope.as_deref().unwrap_or_default().split_whitespace();
    let scopes: Vec<_> = scopes.filter(|scope| !of_tool(scope)).collect();
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

fn rule(tool: &ToolScope, what: &str, title: String, remedy: String) -> Rule {
    let id = Cow::Owned(format!("tool/{}/{what}", tool.name));
    Rule { id, title: Cow::Owned(title), section: Cow::Borrowed(STEP_UP), remedy: Cow::Owned(remedy) }
}

/// What the answer to a token without the scope means.
fn lacking(tool: &ToolScope, answer: &Answer) -> Check {
    let (name, scope) = (&tool.name, &tool.scope);
    let rule = rule(
        tool,
        "scope-missing",
        format!(
            "The tool {name} needs the scope {scope}: a token without it is answered 403 with `insufficient_scope`, \
                 which tells the client to ask the person for more."
        ),
        format!(
            "Look at the tool's name before the JSON-RPC message is handled, and answer 403 with `Bearer \
                 error=\"insufficient_scope\", scope=\"… {scope}\"`."
        ),
    );
    let told = answer.told();
    let challenge = answer.challenge.as_ref();
    let has = |name: &str| challenge.and_then(|challenge| challenge.get(name));
    match (answer.status, &answer.rpc) {
        _ if answer.is_busy() => rule.not_checked(answer.busy()),
        (200..300, Rpc::Result | Rpc::None) => rule.broken(format!("the tool ran: {told}")),
        (200..300, Rpc::Error(_) | Rpc::ToolError(_)) => rule.advised(format!(
            "refused where clients do not ask for more because of it, in the JSON-RPC answer: {told}"
        )),
        (403, _) if has("error") != Some("insufficient_scope") => {
            rule.advised("answered 403, and the challenge does not say insufficient_scope")
        }
        (403, _) => {
            let named: Vec<_> = has("scope").unwrap_or_default().split(' ').collect();
            let absent: Vec<_> = scope.split(' ').filter(|needed| !named.contains(needed)).collect();
            match absent.is_empty() {
                true => rule.kept(),
                false => rule.advised(format!("the challenge's scope lacks {}", quoted(&absent.join(" ")))),
            }
        }
        (401, _) => rule.advised(format!("refused with {told} instead of 403")),
        _ => rule.broken(format!("answered {told} instead of 403")),
    }
}

/// What the answer to a token with the scope means.
fn having(tool: &ToolScope, answer: &Answer) -> Check {
    let (name, scope) = (&tool.name, &tool.scope);
    let rule = rule(
        tool,
        "scope-given",
        format!("The tool {name} can be called with a token that has the scope {scope}."),
        format!("Ask for the scope {scope} and no other, compared as a whole (RFC 6749 §3.3)."),
    );
    match &answer.rpc {
        _ if answer.is_busy() => rule.not_checked(answer.busy()),
        _ if !answer.is_success() => rule.broken(format!("refused: {}", answer.told())),
        Rpc::Error(_) | Rpc::ToolError(_) => rule.not_checked(format!(
            "the tool was called and failed: {}; give it arguments with which it works: --tool '{name}={scope} {{…}}'",
            answer.told()
        )),
        Rpc::Result | Rpc::None => rule.kept(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::challenge::Challenge;
    use crate::probe::report::Outcome;

    fn tool() -> ToolScope {
        "write_note=mcp:write".parse().unwrap()
    }

    fn word(check: &Check) -> &'static str {
        match check.outcome {
            Outcome::Kept => "kept",
            Outcome::Broken(_) => "broken",
            Outcome::Advice(_) => "advice",
            Outcome::NotChecked(_) => "not checked",
        }
    }

    #[test]
    fn a_tool_is_written_as_its_name_its_scope_and_what_it_is_called_with() {
        let written = |text: &str| text.parse::<ToolScope>();
        assert_eq!(tool().arguments, json!({}));
        let noted = written(r#"write_note=mcp:read  mcp:write {"text": "a {b} = c"}"#).unwrap();
        assert_eq!((noted.name.as_str(), noted.scope.as_str()), ("write_note", "mcp:read mcp:write"));
        assert_eq!(noted.arguments, json!({ "text": "a {b} = c" }));
        for bad in ["write_note", "=mcp:write", "write_note=", "write_note= ", "write_note=mcp:write {text}"]
        {
            assert!(written(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_without_the_scope_is_sent_for_more() {
        // RFC 6750 §3.1; MCP 2026-07-28 authorization, Runtime Insufficient Scope Errors
        let stepped = |fields: &str| Answer {
            challenge: Challenge::bearer([format!("Bearer {fields}").as_str()]),
            ..Answer::of_status(403)
        };
        let answered = |status: u16, rpc: Rpc| Answer { rpc, ..Answer::of_status(status) };
        for (answer, expected) in [
            (stepped(r#"error="insufficient_scope", scope="mcp:read mcp:write""#), "kept"),
            (stepped(r#"error="insufficient_scope", scope="mcp:read mcp:write-more""#), "advice"),
            (stepped(r#"error="insufficient_scope""#), "advice"),
            (stepped(r#"scope="mcp:write""#), "advice"),
            (answered(401, Rpc::None), "advice"),
            (answered(200, Rpc::Result), "broken"),
            (answered(202, Rpc::None), "broken"),
            (answered(200, Rpc::Error("no".to_owned())), "advice"),
            (answered(200, Rpc::ToolError("no".to_owned())), "advice"),
            (answered(500, Rpc::None), "broken"),
            (answered(429, Rpc::None), "not checked"),
        ] {
            let check = lacking(&tool(), &answer);
            assert_eq!(word(&check), expected, "{answer:?}");
            assert_eq!(check.rule.id, "tool/write_note/scope-missing");
        }
    }

    #[test]
    fn a_token_with_the_scope_is_let_in() {
        // RFC 6750 §3.1
        let answered = |status: u16, rpc: Rpc| Answer { rpc, ..Answer::of_status(status) };
        for (answer, expected) in [
            (answered(200, Rpc::Result), "kept"),
            (answered(403, Rpc::None), "broken"),
            (answered(401, Rpc::None), "broken"),
            (answered(200, Rpc::ToolError("text: is missing".to_owned())), "not checked"),
            (answered(503, Rpc::None), "not checked"),
        ] {
            let check = having(&tool(), &answer);
            assert_eq!(word(&check), expected, "{answer:?}");
            assert_eq!(check.rule.id, "tool/write_note/scope-given");
        }
    }
}
