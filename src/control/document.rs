//! Documents of clients, supplied offline: what an issuer fetches is what the test has put there.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::answer::Refused;
use super::issuer::TestIssuer;
use crate::fetch::{FetchError, Supplied};

/// What is found at a URL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentSpec {
    /// The URL.
    pub url: String,
    /// The document.
    pub document: Option<Value>,
    /// A status in place of the document, between 201 and 599.
    pub status: Option<u16>,
    /// How many seconds the document says that it stays fresh.
    pub fresh_for: Option<u64>,
}

impl DocumentSpec {
    /// A document that is found.
    pub fn found(url: &str, document: Value) -> Self {
        Self { url: url.to_owned(), document: Some(document), status: None, fresh_for: None }
    }

    /// A failure with this status.
    pub fn failing(url: &str, status: u16) -> Self {
        Self { url: url.to_owned(), document: None, status: Some(status), fresh_for: None }
    }
}

impl TestIssuer {
    /// Has a document be found at a URL, or a failure.
    ///
    /// # Errors
    /// The URL is none, the status is none of a failure, or both or none of document and status are given.
    pub fn supply(&self, spec: &DocumentSpec) -> Result<(), Refused> {
        check(&spec.url)?;
        let supplied = match (&spec.document, spec.status) {
            (Some(document), None) => Supplied::document(document.to_string()),
            (None, Some(status @ 201..=599)) => Supplied::failure(FetchError::Status(status)),
            (None, Some(_)) => return Err(Refused::invalid("status: is between 201 and 599")),
            _ => return Err(Refused::invalid("either document or status is given")),
        };
        let fresh_for = spec.fresh_for.map(Duration::from_secs);
        let supplied = fresh_for.map_or(supplied.clone(), |fresh_for| supplied.fresh_for(fresh_for));
        self.fetcher().supply(&spec.url, supplied);
        Ok(())
    }

    /// Has nothing be found at a URL any more.
    pub fn withdraw(&self, url: &str) {
        self.fetcher().withdraw(url);
    }
}

/// Refuses what nobody would fetch.
pub(super) fn check(url: &str) -> Result<(), Refused> {
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "https" | "http") => Ok(()),
        _ => Err(Refused::invalid(format!("url: {url:?} is no http or https URL"))),
    }
}
