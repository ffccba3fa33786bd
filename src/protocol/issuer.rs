//! The issuer: one string, compared byte for byte wherever it appears.

use std::fmt;

use url::{Host, Url};

/// The identifier of this authorization server (RFC 8414 §2). It is never derived from a request and never
/// normalised: clients compare it as text in metadata, in the `iss` parameter (RFC 9207 §2.4) and in tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: String,
    origin: String,
    path: String,
    loopback: bool,
}

/// Why a text cannot be an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Not an absolute http or https URL.
    #[error("the issuer must be an absolute https URL")]
    Malformed,
    /// RFC 8414 §2: no query and no fragment.
    #[error("the issuer must have no query, no fragment and no user information")]
    ExtraParts,
    /// RFC 8414 §2 asks for https; on loopback http does no harm.
    #[error("the issuer must be https unless its host is localhost, 127.0.0.1 or [::1]")]
    PlainHttp,
    /// Written in a way that a URL parser changes, so that two readers would see two issuers.
    #[error("the issuer must be written in normal form: lower-case host, no default port, no dot segments")]
    NotNormal,
    /// Its path has other characters than letters, digits and `-._~`, an empty segment, or begins like the address of a
    /// page of ours.
    #[error(
        "the path of the issuer must be made of letters, digits and -._~, and not begin with the name of a page"
    )]
    Path,
}

impl Issuer {
    /// Accepts an https URL (http on loopback) that a URL parser leaves as it is, with or without a path and with or
    /// without a slash at its end.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::Malformed)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(IssuerError::Malformed);
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(IssuerError::ExtraParts);
        }
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(IssuerError::Malformed),
        };
        if url.scheme() == "http" && !loopback {
            return Err(IssuerError::PlainHttp);
        }
        let origin = url.origin().ascii_serialization();
        let path = text.strip_prefix(&origin).ok_or(IssuerError::NotNormal)?.to_owned();
        if path != url.path() && !(path.is_empty() && url.path() == "/") {
            return Err(IssuerError::NotNormal);
        }
        if !is_free(&path) {
            return Err(IssuerError::Path);
        }
        Ok(Self { text: text.to_owned(), origin, path, loopback })
    }

    /// The issuer, byte for byte.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path as it was written: empty, `/`, `/oauth`, `/oauth/` …
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path without a slash at its end: what well-known suffixes and endpoints are joined to (RFC 8414 §3.1).
    pub fn base_path(&self) -> &str {
        self.path.strip_suffix('/').unwrap_or(&self.path)
    }

    /// The URL of an endpoint under the issuer, such as `token`.
    pub fn endpoint(&self, name: &str) -> String {
        format!("{}{}/{name}", self.origin, self.base_path())
    }

    /// Whether browsers reach it by https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether it names the machine it is read on.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// First segments that belong to pages and to the demonstration server, now or by plan.
const TAKEN: &[&str] = &[
    "login",
    "logout",
    "consent",
    "device",
    "account",
    "admin",
    "assets",
    "demo",
    "healthz",
    "readyz",
    "metrics",
    ".well-known",
];

/// Whether endpoints can be mounted under `path`.
fn is_free(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(segments) = path.strip_prefix('/') else { return path.is_empty() };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    segments.split('/').all(|segment| !segment.is_empty() && segment.bytes().all(plain))
        && segments.split('/').next().is_some_and(|first| !TAKEN.contains(&first))
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_of_every_shape_keep_their_bytes() {
        for (text, origin, path, token) in [
            ("https://id.example", "https://id.example", "", "https://id.example/token"),
            ("https://id.example/", "https://id.example", "/", "https://id.example/token"),
            ("https://id.example/oauth", "https://id.example", "/oauth", "https://id.example/oauth/token"),
            ("https://id.example/oauth/", "https://id.example", "/oauth/", "https://id.example/oauth/token"),
            (
                "http://localhost:8710/oauth",
                "http://localhost:8710",
                "/oauth",
                "http://localhost:8710/oauth/token",
            ),
            ("http://[::1]:1/a/b", "http://[::1]:1", "/a/b", "http://[::1]:1/a/b/token"),
            ("http://127.0.0.1", "http://127.0.0.1", "", "http://127.0.0.1/token"),
        ] {
            let issuer = Issuer::parse(text).unwrap();
            assert_eq!(issuer.as_str(), text);
            assert_eq!(issuer.to_string(), text);
            assert_eq!((issuer.origin(), issuer.path()), (origin, path));
            assert_eq!(issuer.endpoint("token"), token);
            assert_eq!(issuer.is_https(), text.starts_with("https"));
            assert_eq!(issuer.is_loopback(), text.starts_with("http:"));
        }
    }

    #[test]
    fn no_endpoint_stands_where_a_page_does() {
        for page in [
            "login",
            "logout",
            "consent",
            "device",
            "account",
            "admin",
            "assets",
            "demo",
            "healthz",
            "readyz",
            "metrics",
            ".well-known",
        ] {
            for path in [page.to_owned(), format!("{page}/"), format!("{page}/oauth")] {
                let issuer = format!("https://id.example/{path}");
                assert_eq!(Issuer::parse(&issuer), Err(IssuerError::Path), "{issuer}");
            }
        }
        for path in ["oauth/login", "logins", "a-b._~9"] {
            assert!(Issuer::parse(&format!("https://id.example/{path}")).is_ok(), "{path}");
        }
    }

    #[test]
    fn what_readers_could_read_differently_is_refused() {
        use IssuerError::*;
        for (text, error) in [
            ("id.example", Malformed),
            ("ftp://id.example", Malformed),
            ("http://id.example", PlainHttp),
            ("http://localhost.example", PlainHttp),
            ("https://id.example?x", ExtraParts),
            ("https://id.example#x", ExtraParts),
            ("https://u@id.example", ExtraParts),
            ("https://u:p@id.example", ExtraParts),
            ("https://:p@id.example", ExtraParts),
            ("https://id.example?", ExtraParts),
            ("http://10.0.0.1", PlainHttp),
            ("http://[::2]", PlainHttp),
            ("http://notlocalhost", PlainHttp),
            (" https://id.example", NotNormal),
            ("https:id.example", NotNormal),
            ("https://id.example/a b", NotNormal),
            ("https://ID.example", NotNormal),
            ("https://id.example:443", NotNormal),
            ("https://id.example/a/../b", NotNormal),
            ("https://id.example/login", Path),
            ("https://id.example/.well-known/x", Path),
            ("https://id.example/:a", Path),
            ("https://id.example/a//b", Path),
            ("https://id.example//", Path),
            ("https://id.example/{a}", NotNormal),
            ("https://id.example/%7Ea", Path),
        ] {
            assert_eq!(Issuer::parse(text), Err(error), "{text}");
        }
        assert!(Issuer::parse("http://a.localhost:1").is_ok());
        assert!(Issuer::parse("http://127.0.0.1:1").is_ok());
    }
}
