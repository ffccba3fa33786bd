//! Redirect URIs: which may be registered, and when a requested one is a registered one.
//!
//! There is one matcher. Registration, the authorization endpoint and the token endpoint all use it.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Private-use schemes without a period that released MCP clients register. OAuth 2.1 §2.3.1 would have
/// schemes in reverse-domain form (which are accepted too); refusing these would lock the clients out.
const PRIVATE_SCHEMES: &[&str] = &["cursor", "vscode", "vscode-insiders"];
const LOOPBACK_HOSTS: &[&str] = &["127.0.0.1", "[::1]", "localhost"];
const MAX_LENGTH: usize = 2048;

/// An address to which a browser may be sent with a code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Https { host: String },
    Loopback { host: &'static str, tail: usize },
    PrivateUse { scheme: String },
}

/// Why a text cannot be a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute URI of RFC 3986's characters, too long, or with a user name in it.
    #[error("a redirect URI is an absolute URI without user information, at most 2048 characters long")]
    Malformed,
    /// OAuth 2.1 §2.3: no fragment component.
    #[error("a redirect URI has no fragment")]
    Fragment,
    /// RFC 9700 §2.6: `http` only for loopback hosts.
    #[error("http is for 127.0.0.1, [::1] and localhost only; use https")]
    PlainHttp,
    /// A scheme that does not belong to an application (`javascript:`, `data:`, `file:` …).
    #[error("the scheme must be https, http on loopback, or an application's own in reverse-domain form")]
    Scheme,
}

impl RedirectUri {
    /// Accepts `https` URIs, `http` URIs on a loopback host (RFC 8252 §7.3) and private-use schemes
    /// (RFC 8252 §7.1) that are in reverse-domain form or belong to a known MCP client.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > MAX_LENGTH || !text.bytes().all(is_uri_byte) {
            return Err(RedirectUriError::Malformed);
        }
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::Malformed);
        }
        let kind = match url.scheme() {
            "https" => Kind::Https { host: https_host(text, &url)? },
            "http" => loopback(text).ok_or(RedirectUriError::PlainHttp)?,
            scheme if scheme.contains('.') || PRIVATE_SCHEMES.contains(&scheme) => {
                Kind::PrivateUse { scheme: scheme.to_owned() }
            }
            _ => return Err(RedirectUriError::Scheme),
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    /// The URI exactly as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `requested` may be used by a client that registered this URI: the same text (RFC 9700 §2.1), and
    /// on loopback the same but for the port (RFC 8252 §7.3; OAuth 2.1 §8.4.2), which native applications
    /// choose when they start. `127.0.0.1`, `[::1]` and `localhost` do not stand for one another.
    pub fn admits(&self, requested: &Self) -> bool {
        match (&self.kind, &requested.kind) {
            (
                Kind::Loopback { host, tail },
                Kind::Loopback { host: requested_host, tail: requested_tail },
            ) => host == requested_host && self.text[*tail..] == requested.text[*requested_tail..],
            _ => self.text == requested.text,
        }
    }

    /// Where the browser will be sent, in words for the consent page: a host with its port, or a scheme.
    pub fn display_host(&self) -> String {
        match &self.kind {
            Kind::Https { host } => host.clone(),
            Kind::Loopback { tail, .. } => self.text["http://".len()..*tail].to_owned(),
            Kind::PrivateUse { scheme } => format!("{scheme}:"),
        }
    }

    /// What identifies the receiver for a remembered consent: like [`Self::display_host`], without a loopback's port.
    pub fn consent_host(&self) -> String {
        match &self.kind {
            Kind::Loopback { host, .. } => (*host).to_owned(),
            _ => self.display_host(),
        }
    }

    /// Whether the browser is sent to a program on its own computer by `http`.
    pub fn is_loopback(&self) -> bool {
        matches!(self.kind, Kind::Loopback { .. })
    }

    /// Whether it is an https URI on the host (with the port, if one is not the default) `authority`.
    pub fn is_https_on(&self, authority: &str) -> bool {
        matches!(&self.kind, Kind::Https { host } if host == authority)
    }

    /// Whether it is an https URI of another computer than the one of the person: a host in the loopback range is whichever
    /// program listens there, with https as with http.
    pub fn is_https_elsewhere(&self) -> bool {
        let Ok(url) = Url::parse(&self.text) else { return false };
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => true,
        };
        matches!(self.kind, Kind::Https { .. }) && !is_here
    }

    /// Whether the browser hands the answer to an application by a scheme of its own.
    pub fn is_private_use(&self) -> bool {
        matches!(self.kind, Kind::PrivateUse { .. })
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.text
    }
}

/// The characters of RFC 3986 §2. A backslash, a space or a control character is read differently by different
/// parsers, so none of them gets in.
pub(super) fn is_uri_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b)
}

/// The authority as the browser will read it must be the authority as it is written.
fn https_host(text: &str, url: &Url) -> Result<String, RedirectUriError> {
    let rest = text.get("https://".len()..);
    let authority = rest.and_then(|rest| rest.split(['/', '?']).next()).ok_or(RedirectUriError::Malformed)?;
    let host = url.host_str().ok_or(RedirectUriError::Malformed)?;
    let read = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let written = authority.to_ascii_lowercase();
    if written.strip_suffix(":443").unwrap_or(&written) != read {
        return Err(RedirectUriError::Malformed);
    }
    Ok(read)
}

fn loopback(text: &str) -> Option<Kind> {
    let rest = text.strip_prefix("http://")?;
    let host = LOOPBACK_HOSTS.iter().copied().find(|host| rest.starts_with(host))?;
    let after_host = &rest[host.len()..];
    let tail = match after_host.strip_prefix(':') {
        Some(after_colon) => {
            let port = after_colon.split(['/', '?']).next().unwrap_or_default();
            port.parse::<u16>().ok()?;
            &after_colon[port.len()..]
        }
        None => after_host,
    };
    (tail.is_empty() || tail.starts_with(['/', '?']))
        .then(|| Kind::Loopback { host, tail: text.len() - tail.len() })
}

#[cfg(test)]
mod tests;
