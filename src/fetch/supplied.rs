//! Documents from a map, for tests that must not depend on a network.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::target::Target;
use super::{FetchError, Fetched};

/// What is answered for a URL.
#[derive(Clone, Debug)]
pub struct Supplied(Result<Fetched, FetchError>);

impl Supplied {
    /// A document that says nothing about how long it stays fresh.
    pub fn document(body: impl Into<Bytes>) -> Self {
        Self(Ok(Fetched { body: body.into(), fresh_for: None }))
    }

    /// The same document, fresh for so long.
    #[must_use]
    pub fn fresh_for(self, fresh_for: Duration) -> Self {
        Self(self.0.map(|fetched| Fetched { fresh_for: Some(fresh_for), ..fetched }))
    }

    /// A fetch that fails so.
    pub fn failure(error: FetchError) -> Self {
        Self(Err(error))
    }
}

/// Answers from a map, and remembers what it was asked.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    documents: HashMap<String, Supplied>,
    asked: Vec<String>,
}

impl Shelf {
    pub(super) fn new(documents: HashMap<String, Supplied>) -> Self {
        Self(Mutex::new(Contents { documents, asked: Vec::new() }))
    }

    pub(super) fn supply(&self, url: &str, supplied: Supplied) {
        self.lock().documents.insert(url.to_owned(), supplied);
    }

    pub(super) fn withdraw(&self, url: &str) {
        self.lock().documents.remove(url);
    }

    pub(super) fn documents(&self) -> HashMap<String, Supplied> {
        self.lock().documents.clone()
    }

    pub(super) fn supply_only(&self, documents: HashMap<String, Supplied>) {
        self.lock().documents = documents;
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// The document of a URL that could be fetched from, loopback included, within the size that could be fetched.
    pub(super) fn json(&self, url: &str, longest: usize) -> Result<Fetched, FetchError> {
        Target::parse(url, true)?;
        let mut contents = self.lock();
        contents.asked.push(url.to_owned());
        let supplied =
            contents.documents.get(url).cloned().map_or(Err(FetchError::Status(404)), |found| found.0)?;
        if supplied.body.len() > longest { Err(FetchError::TooLarge(longest)) } else { Ok(supplied) }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
