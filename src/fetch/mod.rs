//! The one way in which this server fetches from an address that a stranger chose (Client ID Metadata Documents §4 and
//! §6, MCP security best practices on server-side request forgery, OWASP ASVS 1.3.6 and 15.3.2).
//!
//! https only, no redirects, no special addresses, little and soon: a URL is judged as a parser understands it, every
//! address that its name leads to is judged before one of them is dialled, and the dialled one is among the judged.
//! Only a server that runs on loopback itself may fetch from there.

mod address;
mod budget;
mod error;
mod flights;
mod freshness;
mod network;
mod resolver;
mod supplied;
mod target;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Clock;

pub use error::{FetchError, FetchSetupError};
pub use resolver::Resolver;
pub use supplied::Supplied;

use network::Network;
use supplied::Shelf;

/// Longest document, in bytes (Client ID Metadata Documents §6 recommends 5 kilobytes).
pub const MAX_BODY: usize = 5 * 1024;
/// Longest set of a client's keys, in bytes. The limit on documents is not for what they point to, and keys that come
/// with their certificates (RFC 7517 §4.7) are long.
pub const MAX_KEY_SET: usize = 64 * 1024;
/// Longest time for one fetch, from waiting for its turn to the last byte.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Fetches documents. Cheap to clone; clones share their limits.
#[derive(Clone, Debug)]
pub struct Fetcher(Source);

#[derive(Clone, Debug)]
enum Source {
    Network(Arc<Network>),
    Shelf(Arc<Shelf>),
}

/// How a [`Fetcher`] fetches.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// Whether this server itself runs on loopback: then, and only then, it fetches from there too, by http or https.
    pub loopback: bool,
    /// A PEM file with certificate authorities to trust besides the machine's. (Those are what the environment
    /// variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name, where they are set.)
    pub ca_file: Option<PathBuf>,
    /// Looks names up.
    pub resolver: Resolver,
    /// Tells when a host may be asked again.
    pub clock: Clock,
    /// Longest time for one fetch.
    pub deadline: Duration,
}

impl FetchOptions {
    /// A server on the Internet: the system's resolver, the machine's certificate authorities, [`DEADLINE`].
    pub fn new(clock: Clock) -> Self {
        Self { loopback: false, ca_file: None, resolver: Resolver::system(), clock, deadline: DEADLINE }
    }
}

/// A document as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes: said to be JSON, and not read.
    pub body: Bytes,
    /// How long it stays fresh, if it says so; zero where it must not be kept. Bounds are the caller's.
    pub fresh_for: Option<Duration>,
}

impl Fetcher {
    /// Fetches over the network.
    ///
    /// # Errors
    /// When the file of certificate authorities cannot be used.
    pub fn new(options: FetchOptions) -> Result<Self, FetchSetupError> {
        Ok(Self(Source::Network(Arc::new(Network::new(options)?))))
    }

    /// Answers with these documents, by URL, and dials nothing: for tests.
    pub fn supplied(documents: HashMap<String, Supplied>) -> Self {
        Self(Source::Shelf(Arc::new(Shelf::new(documents))))
    }

    /// The JSON document at `url`: status 200, of a JSON media type, not compressed, at most [`MAX_BODY`] long and
    /// there within the deadline. Failures are logged here, and nothing is remembered of them.
    ///
    /// # Errors
    /// Why there is none, for the log; others are told [`FetchError::TOLD`].
    pub async fn json(&self, url: &str) -> Result<Fetched, FetchError> {
        self.json_within(url, MAX_BODY).await
    }

    /// The key set at `url`: as [`Fetcher::json`], and at most [`MAX_KEY_SET`] long.
    ///
    /// # Errors
    /// As [`Fetcher::json`].
    pub async fn key_set(&self, url: &str) -> Result<Fetched, FetchError> {
        self.json_within(url, MAX_KEY_SET).await
    }

    async fn json_within(&self, url: &str, longest: usize) -> Result<Fetched, FetchError> {
        match &self.0 {
            Source::Network(network) => network.json(url, longest).await,
            Source::Shelf(shelf) => shelf.json(url, longest),
        }
    }

    /// Puts a document where a [`Fetcher::supplied`] one finds it; one that fetches over the network is left alone.
    pub fn supply(&self, url: &str, supplied: Supplied) {
        if let Source::Shelf(shelf) = &self.0 {
            shelf.supply(url, supplied);
        }
    }

    /// Takes a supplied document away again.
    pub fn withdraw(&self, url: &str) {
        if let Source::Shelf(shelf) = &self.0 {
            shelf.withdraw(url);
        }
    }

    /// The documents of a [`Fetcher::supplied`] one, by URL.
    pub fn supplied_documents(&self) -> HashMap<String, Supplied> {
        match &self.0 {
            Source::Network(_) => HashMap::new(),
            Source::Shelf(shelf) => shelf.documents(),
        }
    }

    /// Has a [`Fetcher::supplied`] one find these documents and no others.
    pub fn supply_only(&self, documents: HashMap<String, Supplied>) {
        if let Source::Shelf(shelf) = &self.0 {
            shelf.supply_only(documents);
        }
    }

    /// The URLs that a [`Fetcher::supplied`] one was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        match &self.0 {
            Source::Network(_) => Vec::new(),
            Source::Shelf(shelf) => shelf.asked(),
        }
    }
}
