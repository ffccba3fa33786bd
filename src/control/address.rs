//! Where the issuers of a test are, and to which of them a request goes.

/// The first segment of the path of every issuer but the one at the root.
const UNDER: &str = "/t/";

/// The name of the issuer at the root.
pub(super) const DEFAULT: &str = "default";

/// The path of an issuer's public URL.
pub(super) fn base_path(name: &str) -> String {
    if name == DEFAULT { String::new() } else { format!("{UNDER}{name}") }
}

/// The issuer that a path belongs to. Well-known documents have its path behind their own (RFC 8414 §3.1).
pub(super) fn issuer_of(path: &str) -> &str {
    let within =
        match path.strip_prefix("/.well-known/").and_then(|rest| rest.find('/').map(|at| &rest[at..])) {
            Some(rest) => rest,
            None => path,
        };
    let name = within.strip_prefix(UNDER).map(|rest| rest.split('/').next().unwrap_or_default());
    name.unwrap_or(DEFAULT)
}

/// What a path of an issuer is for: the name of an endpoint, or the path itself.
pub(super) fn endpoint_of(path: &str) -> &str {
    if let Some(document) = path.strip_prefix("/.well-known/") {
        return document_name(document.split('/').next().unwrap_or_default());
    }
    // Without the issuer's own name, which may be that of an endpoint.
    let own = path.strip_prefix(UNDER).and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap_or(path);
    if let Some((_, document)) = own.split_once("/.well-known/") {
        return document_name(document);
    }
    if own.contains("/register/") {
        return "register";
    }
    own.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path)
}

fn document_name(document: &str) -> &str {
    match document {
        "oauth-authorization-server" | "openid-configuration" => "metadata",
        "jwks.json" => "jwks",
        other => other,
    }
}

/// Whether a name can stand in a path: lower-case letters, digits and hyphens.
pub(super) fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 63 && name.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_one_issuer() {
        for (path, name) in [
            ("/oauth/token", DEFAULT),
            ("/t/one/oauth/token", "one"),
            ("/t/one", "one"),
            ("/.well-known/oauth-authorization-server", DEFAULT),
            ("/.well-known/oauth-authorization-server/oauth", DEFAULT),
            ("/.well-known/oauth-authorization-server/t/one/oauth", "one"),
            ("/t/one/oauth/.well-known/openid-configuration", "one"),
            ("/t/", ""),
        ] {
            assert_eq!(issuer_of(path), name, "{path}");
        }
    }

    #[test]
    fn an_endpoint_is_called_as_its_path_ends() {
        for (path, endpoint) in [
            ("/oauth/token", "token"),
            ("/t/one/oauth/authorize", "authorize"),
            ("/.well-known/oauth-authorization-server/t/one/oauth", "metadata"),
            ("/t/one/oauth/.well-known/openid-configuration", "metadata"),
            ("/t/one/oauth/.well-known/jwks.json", "jwks"),
            ("/t/one/oauth/jwks", "jwks"),
            ("/t/one/oauth/register/c-1", "register"),
            ("/t/one/login", "login"),
            ("/t/register/oauth/token", "token"),
            ("/", "/"),
        ] {
            assert_eq!(endpoint_of(path), endpoint, "{path}");
        }
    }
}
