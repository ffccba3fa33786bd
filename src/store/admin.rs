//! What administrators look at and change, whichever kind of thing it is.

use super::StoreError;
use super::value::Row;
use crate::protocol::Timestamp;

/// To whom a tenant, role, person, resource or client belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Configuration, which alone changes it.
    Config,
    /// Administrators.
    Admin,
    /// Nobody: configuration declared it once.
    Withdrawn,
    /// Itself: a client that registered.
    Dynamic,
    /// The document at its identifier: a client.
    Document,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 5] = [Self::Config, Self::Admin, Self::Withdrawn, Self::Dynamic, Self::Document];

    /// Its stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Admin => "admin",
            Self::Withdrawn => "withdrawn",
            Self::Dynamic => "dynamic",
            Self::Document => "document",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text)
    }
}

/// A thing as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<T> {
    /// The thing.
    pub thing: T,
    /// To whom it belongs.
    pub origin: Origin,
    /// When it was first seen; roles do not tell.
    pub created_at: Option<Timestamp>,
    /// Since when it may not be used.
    pub suspended_at: Option<Timestamp>,
}

/// Sorts after every generated identifier, in any collation: a longer text of their last letter.
pub(super) const AFTER_EVERY_ID: &str = "zzzzzzzzzzzzzzzzzzzzzzzzzzz";

/// The column `origin`.
pub(super) fn origin(row: &Row) -> Result<Origin, StoreError> {
    row.parsed("origin", Origin::parse)
}

/// What became of a change that reads before it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a change that was refused must be told"]
pub enum Changed {
    /// It is done.
    Done,
    /// What would have come of it makes no sense, for the reason that is said.
    Refused(String),
    /// The thing is not there any more, or belongs to somebody else now.
    Lost,
}

impl Changed {
    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
}
