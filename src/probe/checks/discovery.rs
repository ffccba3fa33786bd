//! How a client without a token finds the authorization server: the challenge and the protected resource metadata.

use serde_json::{Map, Value};
use url::Url;

use crate::probe::mcp::{Answer, McpServer};
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
    "RFC 9728 §5.1",
    "The challenge says in `resource_metadata` where the metadata are.",
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
    "RFC 9728 §3, MCP 2026-07-28 authorization, Overview",
    "The metadata can be found, at the well-known URI or where the challenge says.",
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

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What discovery found, for the checks after it.
#[derive(Clone, Debug, Default)]
pub(in crate::probe) struct Discovered {
    /// The scope of the challenge, or else the scopes of the metadata.
    pub(in crate::probe) scope: Option<String>,
    /// Whether that is the scope of the challenge, which every request needs.
    pub(in crate::probe) scope_is_demanded: bool,
}

/// Checks the answer to a request without a token, and the metadata.
pub(in crate::probe) async fn check(
    server: &McpServer,
    target: &str,
    issuer: &str,
    first: &Answer,
    findings: &mut Findings,
) -> Result<Discovered, ProbeError> {
    let pointer = challenge(first, findings);
    let well_known = well_known(target);
    let (document, there) = fetched(server, &well_known).await;
    let pointed = match &pointer {
        Some(url) if *url != well_known => fetched(server, url).await,
        Some(_) => (document.clone(), there.clone()),
        None => (None, String::new()),
    };
    findings.add(match (&document, &pointer) {
        (Some(_), _) => PATH.kept(),
        // RFC 9728 §5.1: the challenge may lead elsewhere.
        (None, Some(_)) if pointed.0.is_some() => PATH.advised(format!("{well_known}: {there}")),
        (None, _) => PATH.broken(format!("{well_known}: {there}")),
    });
    if let Some(url) = pointer.filter(|url| *url != well_known && pointed.0.is_none()) {
        findings.add(FOUND.broken(format!("resource_metadata leads to {}: {}", quoted(&url), pointed.1)));
    } else {
        findings.add(FOUND.broken_if(
            (document.is_none() && pointed.0.is_none()).then(|| "there are no metadata".to_owned()),
        ));
    }
    let Some(document) = pointed.0.or(document) else {
        for rule in [RESOURCE, ISSUER, METHODS, OFFLINE] {
            findings.add(rule.not_checked("there are no metadata"));
        }
        return Ok(discovered(first, None));
    };
    findings.extend(metadata(&document, target, issuer));
    Ok(discovered(first, Some(&document)))
}

/// Checks the challenge; where it says the metadata are.
fn challenge(first: &Answer, findings: &mut Findings) -> Option<String> {
    let status = (first.status != 401).then(|| format!("answered {}", first.told()));
    let is_challenged = status.is_none();
    findings.add(STATUS.broken_if(status));
    let Some(challenge) = &first.challenge else {
        findings.add(HEADER.broken(format!("{} without a Bearer challenge", first.told())));
        for rule in [POINTER, SILENT, SCOPE] {
            findings.add(rule.not_checked("there is no challenge"));
        }
        return None;
    };
    findings.add(HEADER.kept());
    let pointer = challenge.get("resource_metadata").map(str::to_owned);
    findings.add(match &pointer {
        Some(_) => POINTER.kept(),
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
    pointer
}

/// Checks what the document says.
fn metadata(document: &Map<String, Value>, target: &str, issuer: &str) -> Vec<Check> {
    let list = |name: &str| -> Option<Vec<&str>> {
        Some(document.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    };
    let resource = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    let servers = list("authorization_servers").unwrap_or_default();
    let methods = list("bearer_methods_supported");
    let methods_are_wrong = methods.as_ref().is_some_and(|methods| {
        !methods.is_empty() && (!methods.contains(&"header") || methods.contains(&"query"))
    });
    let scopes = list("scopes_supported").unwrap_or_default();
    let told = |list: &[&str]| quoted(&list.join(" "));
    vec![
        RESOURCE.broken_if((resource != target).then(|| format!("resource is {}", quoted(resource)))),
        ISSUER.broken_if(
            (!servers.contains(&issuer)).then(|| format!("authorization_servers has {}", told(&servers))),
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
        return Discovered { scope: Some(scope.to_owned()), scope_is_demanded: true };
    }
    let scopes = document.and_then(|document| document.get("scopes_supported")?.as_array());
    let scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
    let scopes: Vec<_> = scopes.filter(|scope| *scope != "offline_access").collect();
    Discovered { scope: (!scopes.is_empty()).then(|| scopes.join(" ")), scope_is_demanded: false }
}

/// Where RFC 9728 §3.1 says: the well-known string between host and path.
fn well_known(target: &str) -> String {
    let Ok(mut url) = Url::parse(target) else { return String::new() };
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{WELL_KNOWN}{path}"));
    url.into()
}

/// The object at `url`, or why there is none.
async fn fetched(server: &McpServer, url: &str) -> (Option<Map<String, Value>>, String) {
    match server.get(url).await {
        Ok((200, kind, body)) => match serde_json::from_slice::<Map<String, Value>>(&body) {
            Ok(document) if kind.starts_with("application/json") => (Some(document), String::new()),
            Ok(_) => (None, format!("the type is {}, not application/json", quoted(&kind))),
            Err(_) => (None, "no JSON object".to_owned()),
        },
        Ok((status, ..)) => (None, format!("answered {status}")),
        Err(error) => (None, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_well_known_string_goes_between_host_and_path() {
        // RFC 9728 §3.1
        for (url, expected) in [
            ("https://mcp.example/mcp", "https://mcp.example/.well-known/oauth-protected-resource/mcp"),
            (
                "https://mcp.example:8443/a/b/",
                "https://mcp.example:8443/.well-known/oauth-protected-resource/a/b",
            ),
            ("https://mcp.example", "https://mcp.example/.well-known/oauth-protected-resource"),
            ("https://mcp.example/m?k=1", "https://mcp.example/.well-known/oauth-protected-resource/m?k=1"),
        ] {
            assert_eq!(well_known(url), expected);
        }
    }

    #[test]
    fn metadata_are_compared_byte_for_byte() {
        // RFC 9728 §3.3, RFC 8414 §3.3
        let good = json!({
            "resource": "http://127.0.0.1:8000/mcp", "authorization_servers": ["http://127.0.0.1:1/oauth"],
            "bearer_methods_supported": ["header"], "scopes_supported": ["mcp:read"],
        });
        let broken = |changes: &[(&str, Value)]| -> Vec<String> {
            let mut document = good.as_object().unwrap().clone();
            document.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            let checks = metadata(&document, "http://127.0.0.1:8000/mcp", "http://127.0.0.1:1/oauth");
            let not_kept = checks.into_iter().filter(|check| check.outcome.message().is_some());
            not_kept.map(|check| check.rule.id.into_owned()).collect()
        };
        assert!(broken(&[]).is_empty());
        assert!(broken(&[("bearer_methods_supported", json!([]))]).is_empty());
        for (name, value, id) in [
            ("resource", json!("http://127.0.0.1:8000/mcp/"), "metadata/resource"),
            ("resource", Value::Null, "metadata/resource"),
            ("authorization_servers", json!(["http://127.0.0.1:1/oauth/"]), "metadata/authorization-servers"),
            ("authorization_servers", json!([]), "metadata/authorization-servers"),
            ("bearer_methods_supported", json!(["header", "query"]), "metadata/bearer-methods"),
            ("bearer_methods_supported", json!(["body"]), "metadata/bearer-methods"),
            ("scopes_supported", json!(["offline_access"]), "metadata/offline-access"),
        ] {
            assert_eq!(broken(&[(name, value.clone())]), [id], "{value}");
        }
    }
}
