//! What resources are called (RFC 8707 §2).

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::protocol::{ClientId, Issuer, is_loopback};

const MAX_LENGTH: usize = 2048;
/// How the names of clients' own audiences begin.
const OF_CLIENT: &str = "client://audience/";

/// A resource indicator: an absolute URI without fragment (RFC 8707 §2), kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceUri(String);

/// The text is not an absolute URI without fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a resource is an absolute URI without fragment, at most 2048 characters long")]
pub struct MalformedResource;

impl ResourceUri {
    /// Accepts an absolute URI with a host and without fragment or user information.
    pub fn parse(text: &str) -> Result<Self, MalformedResource> {
        let url = Url::parse(text).map_err(|_| MalformedResource)?;
        let well_formed = text.len() <= MAX_LENGTH
            && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'))
            && url.has_host()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        well_formed.then(|| Self(text.to_owned())).ok_or(MalformedResource)
    }

    /// The name of the server's own resource, the address of its userinfo endpoint.
    pub fn of_userinfo(issuer: &Issuer) -> Self {
        Self(issuer.endpoint("userinfo"))
    }

    /// The URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one resource have in common: scheme and host in lower case, no default port, and no
    /// slash at the end. Clients vary in exactly these (MCP 2026-07-28 authorization, canonical server URI).
    pub fn lookup_key(&self) -> String {
        let normal = Url::parse(&self.0).map_or_else(|_| self.0.clone(), String::from);
        match normal.strip_suffix('/') {
            Some(shorter) if !normal.contains('?') => shorter.to_owned(),
            _ => normal,
        }
    }

    /// The name under which a client's own audience is a resource: `client://audience/<id>`. `None` when the client's
    /// identifier is too long for one.
    pub fn of_client(id: &ClientId) -> Option<Self> {
        let id = utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC);
        Self::parse(&format!("{OF_CLIENT}{id}")).ok()
    }

    /// The client whose own audience this is, if it is one.
    pub fn client(&self) -> Option<ClientId> {
        let id = percent_decode_str(self.0.strip_prefix(OF_CLIENT)?).decode_utf8().ok()?;
        ClientId::parse(&id).filter(|id| Self::of_client(id).as_ref() == Some(self))
    }

    /// Whether the resource is served on the machine of the person who asks.
    pub fn is_loopback(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        url.host().is_some_and(|host| is_loopback(&host))
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ResourceUri {
    type Error = MalformedResource;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ResourceUri> for String {
    fn from(uri: ResourceUri) -> Self {
        uri.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::resource_uri;

    #[test]
    fn spellings_of_one_resource_share_a_key() {
        // MCP Canonical Server URI
        for (a, b) in [
            ("https://mcp.example.com/mcp", "https://MCP.example.com/mcp/"),
            ("https://mcp.example.com", "https://mcp.example.com/"),
            ("https://mcp.example.com:443/mcp", "HTTPS://mcp.example.com/mcp"),
        ] {
            assert_eq!(resource_uri(a).lookup_key(), resource_uri(b).lookup_key());
        }
        for (a, b) in [
            ("https://mcp.example.com/mcp", "https://mcp.example.com/MCP"),
            ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp?x"),
            ("https://mcp.example.com/mcp", "http://mcp.example.com/mcp"),
            ("https://mcp.example.com/a?x=/", "https://mcp.example.com/a?x="),
        ] {
            assert_ne!(resource_uri(a).lookup_key(), resource_uri(b).lookup_key());
        }
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        // RFC 8707 §2
        for text in [
            "/mcp",
            "mcp",
            "https://a.example/#x",
            "https://u@a.example/",
            "https://u:p@a.example",
            "https://:p@a.example",
            "mailto:x@y",
            "https://a.example/\"",
            "https://a.example/<",
            "https://a.example/>",
            "https://a.example/\\x",
            "https://a.example/ x",
            "https://a.example/é",
            "https://a.example/\n",
            "",
        ] {
            assert!(ResourceUri::parse(text).is_err(), "{text:?}");
        }
        let longest = format!("https://a.example/{}", "x".repeat(2048 - 18));
        assert!(ResourceUri::parse(&longest).is_ok());
        assert!(ResourceUri::parse(&format!("{longest}x")).is_err());
    }

    #[test]
    fn a_stored_resource_is_checked_like_a_sent_one_and_keeps_its_bytes() {
        let read = |json: &str| serde_json::from_str::<ResourceUri>(json).ok();
        let written = "https://MCP.example:443/mcp/";
        assert_eq!(read(&format!("\"{written}\"")), Some(resource_uri(written)));
        assert_eq!(read("\"mcp\""), None);
        assert_eq!(resource_uri(written).to_string(), written);
        assert_eq!(serde_json::to_string(&resource_uri(written)).unwrap(), format!("\"{written}\""));
    }

    #[test]
    fn loopback_is_told_from_look_alikes() {
        for text in [
            "http://localhost:3000/mcp",
            "http://127.0.0.1/",
            "http://127.9.9.9",
            "http://[::1]:1/",
            "http://a.localhost/",
        ] {
            assert!(resource_uri(text).is_loopback(), "{text}");
        }
        for text in ["http://localhost.example/", "http://10.0.0.1/", "http://notlocalhost/", "http://[::2]/"]
        {
            assert!(!resource_uri(text).is_loopback(), "{text}");
        }
    }
}
