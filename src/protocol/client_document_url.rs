//! Which client identifiers are URLs of client id metadata documents (Client ID Metadata Documents §3).

use url::{Host, Url};

use super::ClientId;
use super::redirect_uri::is_uri_byte;

const MAX_LENGTH: usize = 2048;

/// The URL of a client id metadata document, which is its client's identifier.
///
/// Identifiers compare as strings, so only one spelling of a URL is one: the spelling to which a browser would bring
/// it. Upper case in the host, a default port, `.` and `..` segments (percent-encoded ones too), a backslash: whatever
/// a URL parser reads as something else than is written is no identifier, since two parties could see two clients in
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentUrl {
    text: String,
    host: String,
    authority: String,
}

impl DocumentUrl {
    /// Accepts `https` URLs with a path and without fragment and user information; a port and a query may be there.
    /// `loopback` says that this server runs on loopback itself: then a document may be there too, by `http`.
    pub fn parse(text: &str, loopback: bool) -> Option<Self> {
        if text.len() > MAX_LENGTH || !text.bytes().all(is_uri_byte) || text.contains('#') {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let is_served = match url.scheme() {
            "https" => true,
            "http" => loopback && is_loopback(&url.host()?),
            _ => false,
        };
        // An empty query is a way to write an identifier twice.
        let is_well_formed = url.username().is_empty() && url.password().is_none() && url.query() != Some("");
        if !is_served || !is_well_formed || url.as_str() != text {
            return None;
        }
        let host = url.host_str()?.to_owned();
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        Some(Self { text: text.to_owned(), host, authority })
    }

    /// The URL, which is the identifier.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its host without port, in lower case: whose word the document is.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its host, with the port if it has one.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether it is the identifier `id`: compared as strings.
    pub fn is(&self, id: &ClientId) -> bool {
        self.text == id.as_str()
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Id;
    use crate::protocol::fixtures::at;

    #[test]
    fn a_document_is_at_an_https_url_with_a_path() {
        // Client ID Metadata Documents §3
        for (text, host, authority) in [
            ("https://claude.ai/oauth/claude-code-client-metadata", "claude.ai", "claude.ai"),
            ("https://chatgpt.com/oauth/client.json", "chatgpt.com", "chatgpt.com"),
            ("https://app.example:8443/client.json", "app.example", "app.example:8443"),
            ("https://app.example/", "app.example", "app.example"),
            ("https://app.example/client.json?v=1", "app.example", "app.example"),
            ("https://app.example/a..b/.well-known/c", "app.example", "app.example"),
            ("https://app.example/%7Eme//c", "app.example", "app.example"),
        ] {
            for loopback in [true, false] {
                let url = DocumentUrl::parse(text, loopback).unwrap();
                assert_eq!((url.as_str(), url.host(), url.authority()), (text, host, authority));
                assert!(url.is(&ClientId::parse(text).unwrap()), "what it accepts fits an identifier");
                assert!(!url.is(&ClientId::parse("x").unwrap()));
            }
        }
    }

    #[test]
    fn what_is_not_written_as_it_is_read_is_no_identifier() {
        // Client ID Metadata Documents §3 and §4.1 (simple string comparison)
        let long = format!("https://app.example/{}", "a".repeat(2048 - "https://app.example/".len()));
        assert!(DocumentUrl::parse(&long, false).is_some());
        for text in [
            "",
            "client",
            "app.example/client.json",
            "https://app.example",
            "https:///client.json",
            "https:/app.example/client.json",
            "https:app.example/client.json",
            "HTTPS://app.example/client.json",
            "https://App.example/client.json",
            "https://app.example:443/client.json",
            "https://app.example:/client.json",
            "https://app.example/a/./client.json",
            "https://app.example/a/../client.json",
            "https://app.example/%2e%2E/client.json",
            "https://app.example/a/%2e",
            "https://app.example/client.json#",
            "https://app.example/client.json#x",
            "https://app.example/client.json?",
            "https://me@app.example/client.json",
            "https://me:secret@app.example/client.json",
            "https://:secret@app.example/client.json",
            "https://@app.example/client.json",
            "https://app.example\\client.json",
            "https://app.example/a b",
            "https://app.example/\tclient.json",
            " https://app.example/client.json",
            "https://app.example/client.json ",
            "https://app.example/cli\u{e9}nt.json",
            "https://\u{e9}.example/client.json",
            "https://%61pp.example/client.json",
            "https://0x7f.1/client.json",
            "http://app.example/client.json",
            "javascript:alert(1)",
            "data:application/json,x",
            "file:///client.json",
            "ftp://app.example/client.json",
            &format!("{long}a"),
        ] {
            for loopback in [true, false] {
                assert_eq!(DocumentUrl::parse(text, loopback), None, "{text}");
            }
        }
    }

    #[test]
    fn plain_http_is_for_loopback_and_for_a_server_there() {
        // Client ID Metadata Documents §6
        for text in ["http://localhost:8000/c.json", "http://127.0.0.1/c.json", "http://[::1]:1234/c.json"] {
            assert!(DocumentUrl::parse(text, true).is_some(), "{text}");
            assert_eq!(DocumentUrl::parse(text, false), None, "{text}");
        }
        for text in
            ["http://localhost.example/c.json", "http://10.0.0.1/c.json", "http://[2001:db8::1]/c.json"]
        {
            assert_eq!(DocumentUrl::parse(text, true), None, "{text}");
        }
    }

    #[test]
    fn no_generated_identifier_is_a_url() {
        // Client ID Metadata Documents §6: they must not begin with https://
        for seconds in [0, 1, 1_700_000_000, i64::MAX] {
            for chance in [[0; 10], [255; 10], *b"https://aa"] {
                let id = ClientId::from(Id::new(at(seconds), chance));
                assert!(
                    !id.as_str().contains(':') && DocumentUrl::parse(id.as_str(), true).is_none(),
                    "{id}"
                );
            }
        }
    }
}
