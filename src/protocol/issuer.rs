//! The issuer: one string, compared byte for byte wherever it appears.

use std::fmt;

use super::public_url::{Parts, PublicUrl, UrlError};

/// The identifier of this authorization server (RFC 8414 §2). It is never derived from a request and never
/// normalised: clients compare it as text in metadata, in the `iss` parameter (RFC 9207 §2.4) and in tokens.
///
/// It lies under the server's [`PublicUrl`], and every address of ours follows from the two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: String,
    path: String,
    public_url: PublicUrl,
}

/// Why a text cannot be an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// It is no URL that everybody reads in the same way.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Clients want every endpoint on the issuer's origin, and people's pages are on the public URL's.
    #[error("begins with {origin}, but public_url is {public_url}")]
    OtherOrigin {
        /// The issuer's origin.
        origin: String,
        /// Where the server is reached.
        public_url: String,
    },
    /// Where nothing that is meant for this server arrives.
    #[error("lies outside of public_url, {public_url}; write {public_url}/oauth, or move public_url")]
    Outside {
        /// Where the server is reached.
        public_url: String,
    },
    /// Its path begins like the address of a page of ours.
    #[error("{page} is the address of a page of this server; write {instead}, or another path")]
    Page {
        /// The address of the page.
        page: String,
        /// An issuer that would do.
        instead: String,
    },
}

impl Issuer {
    /// Accepts an https URL (http on loopback) that a URL parser leaves as it is, with or without a path and with or
    /// without a slash at its end. The server is reached at the root of its origin.
    ///
    /// # Errors
    /// What is wrong with it, and how to write it instead.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let parts = Parts::parse(text)?;
        let public_url = PublicUrl::root(&parts);
        Self::of_parts(text, parts, public_url)
    }

    /// The same for a server that is reached at `public_url`.
    ///
    /// # Errors
    /// As [`Issuer::parse`], and when it does not lie under `public_url`.
    pub fn within(public_url: &PublicUrl, text: &str) -> Result<Self, IssuerError> {
        Self::of_parts(text, Parts::parse(text)?, public_url.clone())
    }

    fn of_parts(text: &str, parts: Parts, public_url: PublicUrl) -> Result<Self, IssuerError> {
        if parts.origin != public_url.origin() {
            let public_url = public_url.to_string();
            return Err(IssuerError::OtherOrigin { origin: parts.origin, public_url });
        }
        let rest = parts.path.strip_prefix(public_url.path());
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return Err(IssuerError::Outside { public_url: public_url.to_string() });
        };
        if let Some(page) = TAKEN.iter().find(|page| rest.split('/').nth(1) == Some(page)) {
            let instead = public_url.page_url("/oauth");
            return Err(IssuerError::Page { page: public_url.page(&format!("/{page}")), instead });
        }
        Ok(Self { text: text.to_owned(), path: parts.path, public_url })
    }

    /// The issuer, byte for byte.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn origin(&self) -> &str {
        self.public_url.origin()
    }

    /// Where the server is reached: the pages for people are there.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
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
        format!("{}{}/{name}", self.origin(), self.base_path())
    }

    /// Whether browsers reach it by https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether it names the machine it is read on.
    pub fn is_loopback(&self) -> bool {
        self.public_url.is_loopback()
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
                let said = Issuer::parse(&issuer).unwrap_err().to_string();
                let expected = format!("/{page} is the address of a page of this server; write ");
                assert!(said.starts_with(&expected) && said.contains("https://id.example/oauth"), "{said}");
                let auth = PublicUrl::parse("https://id.example/auth").unwrap();
                let issuer = format!("https://id.example/auth/{path}");
                let said = Issuer::within(&auth, &issuer).unwrap_err().to_string();
                assert!(said.starts_with(&format!("/auth/{page} is the address")), "{said}");
            }
        }
        for path in ["oauth/login", "logins", "a-b._~9"] {
            assert!(Issuer::parse(&format!("https://id.example/{path}")).is_ok(), "{path}");
        }
    }

    #[test]
    fn what_readers_could_read_differently_is_refused() {
        // OAuth 2.1 §1.5; MCP Communication Security
        let is = |wanted: fn(&UrlError) -> bool, text: &str| {
            let error = Issuer::parse(text).unwrap_err();
            assert!(matches!(&error, IssuerError::Url(url) if wanted(url)), "{text}: {error:?}");
        };
        for text in ["id.example", "ftp://id.example", "https://", "/oauth", ""] {
            is(|error| matches!(error, UrlError::Malformed), text);
        }
        for text in [
            "http://id.example",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://192.168.1.5:8710/oauth",
            "http://[::2]",
            "http://notlocalhost",
            "http://host.docker.internal:8710/oauth",
        ] {
            is(|error| matches!(error, UrlError::PlainHttp), text);
        }
        for text in [
            "https://id.example?x",
            "https://id.example?",
            "https://id.example#x",
            "https://u@id.example",
            "https://u:p@id.example",
            "https://:p@id.example",
        ] {
            is(|error| matches!(error, UrlError::ExtraParts { .. }), text);
        }
        for text in [
            " https://id.example",
            "https:id.example",
            "https://ID.example",
            "https://id.example:443",
            "https://id.example/a/../b",
        ] {
            is(|error| matches!(error, UrlError::NotNormal { .. }), text);
        }
        for text in [
            "https://id.example/a b",
            "https://id.example/:a",
            "https://id.example/a//b",
            "https://id.example//",
            "https://id.example/{a}",
            "https://id.example/%7Ea",
        ] {
            is(|error| matches!(error, UrlError::Path), text);
        }
        assert!(Issuer::parse("http://a.localhost:1").is_ok());
        assert!(Issuer::parse("http://127.0.0.1:1").is_ok());
    }

    #[test]
    fn an_issuer_lies_under_the_public_url() {
        let auth = PublicUrl::parse("https://id.example/auth").unwrap();
        for text in ["", "/", "/oauth", "/oauth/", "/t/acme", "/logins"] {
            let text = format!("https://id.example/auth{text}");
            let issuer = Issuer::within(&auth, &text).unwrap();
            assert_eq!((issuer.as_str(), issuer.public_url()), (text.as_str(), &auth));
        }
        for (text, why) in [
            (
                "https://id.example",
                "lies outside of public_url, https://id.example/auth; write https://id.example/auth/oauth, or move public_url",
            ),
            (
                "https://id.example/oauth",
                "lies outside of public_url, https://id.example/auth; write https://id.example/auth/oauth, or move public_url",
            ),
            (
                "https://id.example/authority",
                "lies outside of public_url, https://id.example/auth; write https://id.example/auth/oauth, or move public_url",
            ),
            (
                "https://id.example:8443/auth/oauth",
                "begins with https://id.example:8443, but public_url is https://id.example/auth",
            ),
            (
                "https://id.example/auth/login",
                "/auth/login is the address of a page of this server; write https://id.example/auth/oauth, or another path",
            ),
        ] {
            assert_eq!(Issuer::within(&auth, text).unwrap_err().to_string(), why);
        }
    }
}
