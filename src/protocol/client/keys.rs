//! The public keys of clients.

use url::{Host, Url};

use crate::protocol::Timestamp;

/// The public keys of a client that signs (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKeys {
    /// By value.
    Inline {
        /// A JSON Web Key Set, as text.
        jwks: String,
    },
    /// At an address.
    Remote {
        /// `jwks_uri`.
        uri: String,
        /// The JSON Web Key Set that was last there, as text.
        jwks: Option<String>,
        /// When it was last looked for, found or not.
        tried_at: Option<Timestamp>,
    },
}

impl ClientKeys {
    /// Keys at an address: by https, or by http on loopback where `loopback` allows that. Where it leads is judged
    /// again when it is fetched.
    pub fn at(address: &str, loopback: bool) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_good = url.scheme() == "https" || (url.scheme() == "http" && is_loopback && loopback);
        is_good.then(|| Self::Remote { uri: address.to_owned(), jwks: None, tried_at: None })
    }

    /// The rule of [`ClientKeys::at`], for people.
    pub fn address_rule(loopback: bool) -> &'static str {
        if loopback { "must be an https URL, or http on loopback" } else { "must be an https URL" }
    }

    /// The JSON Web Key Set, if one is known.
    pub fn jwks(&self) -> Option<&str> {
        match self {
            Self::Inline { jwks } => Some(jwks),
            Self::Remote { jwks, .. } => jwks.as_deref(),
        }
    }
}
