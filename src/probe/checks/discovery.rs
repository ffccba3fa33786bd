//! How a client without a token finds the authorization server: the challenge and the protected resource metadata.

use serde_json::{Map, Value};
use url::Url;

use super::place::{Place, origin};
use crate::probe::answer::Answer;
use crate::probe::mcp::McpServer;
use crate::probe::report::{Check, Rule, quoted};
use crate::probe::{Findings, ProbeError};

const STATUS: Rule = Rule::new(
    "challenge/status",
    "RFC 6750 §3, MCP 2026-07-28 authorization, Error Handling",
    "A request without a token is answered 401.",
    "Check the token before anything else, and answer 401 where there is none.",
);
const HEADER: Rule = Rule::new(
    "challenge/header",
    "RFC 6750 §3",
    "A 401 has a `WWW-Authenticate` header with the scheme `Bearer`: by it a client knows that a token is missing.",
    "Send `WWW-Authenticate: Bearer resource_metadata=\"…\"` with every 401.",
);
const POINTER: Rule = Rule::new(
    "challenge/resource-metadata",
    "RFC 9728 §5.1, MCP 2026-07-28 authorization, Protected Resource Metadata Discovery Requirements",
    "The challenge says in `resource_metadata` where the metadata are, or they are where clients look by themselves.",
    "Put the URL of the protected resource metadata into the challenge's `resource_metadata`.",
);
const SILENT: Rule = Rule::new(
    "challenge/no-error",
    "RFC 6750 §3.1",
    "A challenge to a request without a token has no error code: nothing was wrong with a token.",
    "Leave `error` out where no token was sent.",
);
const SCOPE: Rule = Rule::new(
    "challenge/scope",
    "MCP 2026-07-28 authorization, Scope Selection Strategy",
    "The challenge names the scope that a client should ask for.",
    "Put the scope that is needed at first into the challenge's `scope`.",
);
const PATH: Rule = Rule::new(
    "metadata/well-known",
    "RFC 9728 §3.1",
    "The metadata are at the well-known URI with the server's path after it.",
    "Serve the document at `/.well-known/oauth-protected-resource` followed by the path of the server's URL.",
);
const FOUND: Rule = Rule::new(
    "metadata/found",
    "RFC 9728 §3, MCP 2026-07-28 authorization, Protected Resource Metadata Discovery Requirements",
    "The metadata can be found, where the challenge says or at a well-known URI.",
    "Serve the protected resource metadata as JSON, to everybody, without a token.",
);
const RESOURCE: Rule = Rule::new(
    "metadata/resource",
    "RFC 9728 §3.3",
    "`resource` is the URL that the client uses, byte for byte; clients refuse another.",
    "Write the server's public URL into `resource` just as clients are given it, trailing slash included.",
);
const ISSUER: Rule = Rule::new(
    "metadata/authorization-servers",
    "RFC 9728 §2, RFC 8414 §3.3",
    "`authorization_servers` has the issuer, byte for byte.",
    "Write the issuer into `authorization_servers` just as its own metadata spell it.",
);
const METHODS: Rule = Rule::new(
    "metadata/bearer-methods",
    "RFC 9728 §2, MCP 2026-07-28 authorization, Token Requirements",
    "`bearer_methods_supported`, where it is there, has `header` and not `query`.",
    "Let `bearer_methods_supported` be [\"header\"].",
);
const OFFLINE: Rule = Rule::new(
    "metadata/offline-access",
    "MCP 2026-07-28 authorization, Refresh Tokens",
    "`scopes_supported` does not have `offline_access`, which no resource needs.",
    "Leave `offline_access` out of `scopes_supported`.",
);

/// What discovery found, for the checks after it.
#[derive(Clone, Debug, Default)]
pub(in crate::probe) struct Discovered {
    /// What the server calls itself, where clients take that.
    pub(in crate::probe) resource: Option<String>,
    /// The scope of the challenge, or else the scopes of the metadata.
    pub(in crate::probe) scope: Option<String>,
    /// Whether that is the scope of the challenge, which every request needs.
    pub(in crate::probe) scope_is_demanded: bool,
}

/// A document, or why there is none.
type Found = Result<Map<String, Value>, String>;

/// Checks the answer to a request without a token, and the metadata.
pub(in crate::probe) async fn check(
    server: &McpServer,
    place: &Place<'_>,
    first: &Answer,
    findings: &mut Findings,
) -> Result<Discovered, ProbeError> {
    let with_path = place.with_path();
    let mut by_path: Found = Err(String::new());
    for url in &with_path {
        by_path = fetched(server, url).await.map_err(|why| format!("{url}: {why}"));
        if by_path.is_ok() {
            break;
        }
    }
    let pointer = first.challenge.as_ref().and_then(|challenge| challenge.get("resource_metadata"));
    let pointed = match pointer.map(|url| place.reached(url)) {
        Some(url) => Some(fetched(server, &url).await),
        None => None,
    };
    let has_pointed = matches!(pointed, Some(Ok(_)));
    let is_lost = by_path.is_err() && !has_pointed;
    let at_root = if is_lost { fetched(server, &place.at_root()).await } else { Err(String::new()) };
    challenge(first, by_path.is_ok() || at_root.is_ok(), findings);
    findings.add(match &by_path {
        Ok(_) => PATH.kept(),
        // The challenge may lead elsewhere (RFC 9728 §5.1), and MCP lets them be at the root.
        Err(why) if has_pointed || at_root.is_ok() => PATH.advised(why),
        Err(why) => PATH.broken(why),
    });
    findings.add(match (pointer, &pointed) {
        (Some(url), Some(Err(why))) => {
            FOUND.broken(format!("resource_metadata leads to {}: {why}", quoted(url)))
        }
        _ => FOUND.broken_if((is_lost && at_root.is_err()).then(|| "there are no metadata".to_owned())),
    });
    let is_at_root = at_root.is_ok();
    let Some(document) = pointed.and_then(Result::ok).or(by_path.ok()).or(at_root.ok()) else {
        for rule in [RESOURCE, ISSUER, METHODS, OFFLINE] {
            findings.add(rule.not_checked("there are no metadata"));
        }
        return Ok(discovered(first, None));
    };
    let (name, resource) = named(&document, place, is_at_root);
    findings.add(name);
    findings.extend(metadata(&document, place.issuer));
    Ok(Discovered { resource, ..discovered(first, Some(&document)) })
}

/// Checks the challenge. `by_itself`: whether a client finds the metadata without it.
fn challenge(first: &Answer, by_itself: bool, findings: &mut Findings) {
    let status = (first.status != 401).then(|| format!("answered {}", first.told()));
    let is_challenged = status.is_none();
    findings.add(STATUS.broken_if(status));
    let Some(challenge) = &first.challenge else {
        findings.add(HEADER.broken(format!("{} without a Bearer challenge", first.told())));
        for rule in [POINTER, SILENT, SCOPE] {
            findings.add(rule.not_checked("there is no challenge"));
        }
        return;
    };
    findings.add(HEADER.kept());
    findings.add(match challenge.get("resource_metadata") {
        Some(_) => POINTER.kept(),
        None if by_itself => POINTER.advised("the challenge has no resource_metadata"),
        None => POINTER.broken("the challenge has no resource_metadata"),
    });
    findings.add(match challenge.get("error") {
        Some(error) if is_challenged => SILENT.advised(format!("the challenge says error={}", quoted(error))),
        _ => SILENT.kept(),
    });
    findings.add(match challenge.get("scope") {
        Some(_) => SCOPE.kept(),
        None => SCOPE.advised("the challenge names no scope"),
    });
}

/// Checks `resource`; and what it is, if a token for that has to be accepted.
fn named(document: &Map<String, Value>, place: &Place<'_>, is_at_root: bool) -> (Check, Option<String>) {
    let resource = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    let is_same = |other: &str| match (Url::parse(resource), Url::parse(other)) {
        (Ok(resource), Ok(other)) => resource == other,
        _ => false,
    };
    let told = format!("resource is {}, not {}", quoted(resource), quoted(place.resource));
    // RFC 9728 §3.3: what the well-known URI was made of, here the origin.
    let is_origin = is_at_root && origin(place.resource).is_some_and(|origin| is_same(&origin));
    let check = match resource {
        exact if exact == place.resource => RESOURCE.kept(),
        _ if is_origin => RESOURCE.kept(),
        // As URLs they are the same (RFC 3986 §6.2.3), and who gave the probe this one may have meant the other.
        _ if is_same(place.resource) => RESOURCE.advised(told),
        _ => return (RESOURCE.broken(told), None),
    };
    (check, Some(resource.to_owned()))
}

/// Checks what else the document says.
fn metadata(document: &Map<String, Value>, issuer: &str) -> Vec<Check> {
    let list = |name: &str| -> Option<Vec<&str>> {
        Some(document.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    };
    let servers = list("authorization_servers").unwrap_or_default();
    let methods = list("bearer_methods_supported");
    // An empty list says that there is no way at all (RFC 9728 §2).
    let methods_are_wrong =
        methods.as_ref().is_some_and(|methods| !methods.contains(&"header") || methods.contains(&"query"));
    let scopes = list("scopes_supported").unwrap_or_default();
    let told = |list: &[&str]| quoted(&list.join(" "));
    vec![
        ISSUER.broken_if(
            (!servers.contains(&issuer))
                .then(|| format!("authorization_servers has {}, not {}", told(&servers), quoted(issuer))),
        ),
        METHODS.broken_if(
            methods_are_wrong
                .then(|| format!("bearer_methods_supported has {}", told(&methods.unwrap_or_default()))),
        ),
        match scopes.contains(&"offline_access") {
            true => OFFLINE.advised("scopes_supported has offline_access"),
            false => OFFLINE.kept(),
        },
    ]
}

/// The scope that the server says it needs.
fn discovered(first: &Answer, document: Option<&Map<String, Value>>) -> Discovered {
    let of_challenge = first.challenge.as_ref().and_then(|challenge| challenge.get("scope"));
    if let Some(scope) = of_challenge.filter(|scope| !scope.trim().is_empty()) {
        return Discovered { resource: None, scope: Some(scope.to_owned()), scope_is_demanded: true };
    }
    let scopes = document.and_then(|document| document.get("scopes_supported")?.as_array());
    let scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
    let scopes: Vec<_> = scopes.filter(|scope| *scope != "offline_access").collect();
    let scope = (!scopes.is_empty()).then(|| scopes.join(" "));
    Discovered { resource: None, scope, scope_is_demanded: false }
}

/// The object at `url`, or why there is none.
async fn fetched(server: &McpServer, url: &str) -> Found {
    match server.get(url).await {
        Ok((200, kind, body)) => match serde_json::from_slice::<Map<String, Value>>(&body) {
            Ok(document) if kind.to_ascii_lowercase().starts_with("application/json") => Ok(document),
            Ok(_) => Err(format!("the type is {}, not application/json", quoted(&kind))),
            Err(_) => Err("no JSON object".to_owned()),
        },
        Ok((status, ..)) => Err(format!("answered {status}")),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::probe::challenge::Challenge;

    fn place<'a>(target: &'a str, resource: &'a str) -> Place<'a> {
        Place { target, resource, issuer: "http://127.0.0.1:1/oauth" }
    }

    #[test]
    fn the_server_is_called_what_clients_call_it() {
        // RFC 9728 §3.3, RFC 3986 §6.2.3
        let named = |resource: Value, target: &str, is_at_root: bool| {
            let document = json!({ "resource": resource });
            let document = document.as_object().unwrap();
            let (check, audience) = named(document, &place(target, target), is_at_root);
            (check.outcome.message().is_none(), check.outcome.is_finding(), audience)
        };
        let (mcp, root) = ("http://127.0.0.1:8000/mcp", "http://127.0.0.1:8000");
        assert_eq!(named(json!(mcp), mcp, false), (true, false, Some(mcp.to_owned())));
        for wrong in [
            json!("http://127.0.0.1:8000/mcp/"),
            json!("http://127.0.0.1:8000/MCP"),
            json!(root),
            json!(null),
        ] {
            assert_eq!(named(wrong.clone(), mcp, false), (false, true, None), "{wrong}");
        }
        // A root with and without a slash is one URL; the token is for what the server says.
        let slash = format!("{root}/");
        assert_eq!(named(json!(slash), root, false), (false, false, Some(slash.clone())));
        // The document at the root is about the whole origin.
        assert_eq!(named(json!(root), mcp, true), (true, false, Some(root.to_owned())));
    }

    #[test]
    fn metadata_are_compared_byte_for_byte() {
        // RFC 9728 §2, RFC 8414 §3.3
        let good = json!({
            "authorization_servers": ["http://127.0.0.1:1/oauth"],
            "bearer_methods_supported": ["header"], "scopes_supported": ["mcp:read"],
        });
        let broken = |changes: &[(&str, Value)]| -> Vec<String> {
            let mut document = good.as_object().unwrap().clone();
            document.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            let checks = metadata(&document, "http://127.0.0.1:1/oauth");
            let not_kept = checks.into_iter().filter(|check| check.outcome.message().is_some());
            not_kept.map(|check| check.rule.id.into_owned()).collect()
        };
        assert!(broken(&[]).is_empty());
        for (name, value, id) in [
            ("authorization_servers", json!(["http://127.0.0.1:1/oauth/"]), "metadata/authorization-servers"),
            ("authorization_servers", json!([]), "metadata/authorization-servers"),
            ("bearer_methods_supported", json!(["header", "query"]), "metadata/bearer-methods"),
            ("bearer_methods_supported", json!(["body"]), "metadata/bearer-methods"),
            ("bearer_methods_supported", json!([]), "metadata/bearer-methods"),
            ("scopes_supported", json!(["offline_access"]), "metadata/offline-access"),
        ] {
            assert_eq!(broken(&[(name, value.clone())]), [id], "{value}");
        }
    }

    #[test]
    fn a_challenge_without_a_pointer_is_wrong_only_where_clients_find_no_metadata() {
        // MCP 2026-07-28 authorization, Protected Resource Metadata Discovery Requirements: one of both
        let first =
            Answer { challenge: Challenge::bearer([r#"Bearer scope="a""#]), ..Answer::of_status(401) };
        for by_itself in [true, false] {
            let mut findings = Findings::default();
            challenge(&first, by_itself, &mut findings);
            let pointer = findings.0.iter().find(|check| check.rule == POINTER).unwrap();
            assert_eq!(pointer.outcome.is_finding(), !by_itself);
            assert!(pointer.outcome.message().is_some());
        }
    }
}
