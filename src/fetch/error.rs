//! Why nothing was fetched.

use std::net::IpAddr;

/// Why a document was not fetched. What these say is for the log; whoever chose the address hears
/// [`FetchError::TOLD`], whatever it was: the differences would make a port scanner of this server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nothing is fetched from such a URL.
    #[error("not a URL to fetch from: {0}")]
    Url(&'static str),
    /// It leads to an address that is set aside for something else than the Internet (RFC 6890).
    #[error("leads to {address}, which is special ({range})")]
    SpecialAddress {
        /// The address.
        address: IpAddr,
        /// What it is set aside for.
        range: &'static str,
    },
    /// The name has no address.
    #[error("the name cannot be resolved: {0}")]
    Unresolved(String),
    /// No connection, no trust in its certificate, or no HTTP.
    #[error("{0}")]
    Http(String),
    /// Another status than 200; a redirect is not followed.
    #[error("status {0}")]
    Status(u16),
    /// Not JSON by its media type.
    #[error("not of type application/json or application/*+json")]
    MediaType,
    /// It is compressed, which was not asked for.
    #[error("has a content coding")]
    Encoded,
    /// Longer than so many bytes.
    #[error("longer than {0} bytes")]
    TooLarge(usize),
    /// It took longer than it may.
    #[error("not there in time")]
    TimedOut,
    /// We have asked that host often enough for now.
    #[error("over the budget of the host")]
    Budget,
    /// We are fetching as much at once as we do.
    #[error("too many fetches at once")]
    Busy,
    /// The task that fetched is gone.
    #[error("the fetch was broken off")]
    BrokenOff,
}

impl FetchError {
    /// What people and clients are told, whatever the reason.
    pub const TOLD: &'static str = "the document could not be fetched";

    /// Whether we were the ones who did not want to, so that the same request may succeed in a while without
    /// anybody mending anything.
    pub fn is_our_limit(&self) -> bool {
        matches!(self, Self::Budget | Self::Busy)
    }

    /// The failure of a request: ours where the resolver said why, else what the libraries say, in printable
    /// characters (a certificate may hold anything) and without the URL.
    pub(super) fn of_request(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut words = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            if let Some(ours) = inner.downcast_ref::<Self>() {
                return ours.clone();
            }
            words.push_str(": ");
            words.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self::Http(printable(&words))
    }
}

/// The longest reason that goes to the log, in characters.
const LONGEST: usize = 300;

pub(super) fn printable(words: &str) -> String {
    words.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(LONGEST).collect()
}

/// Why there is nothing to fetch with.
#[derive(Debug, thiserror::Error)]
pub enum FetchSetupError {
    /// The file with further certificate authorities cannot be used.
    #[error("fetch.ca_file: {path}: {why}")]
    CaFile {
        /// The file.
        path: String,
        /// What is the matter with it.
        why: String,
    },
    /// TLS cannot be set up.
    #[error("outgoing TLS cannot be set up: {0}")]
    Tls(String),
}
