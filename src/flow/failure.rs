//! Faults that are not the peer's.

use crate::store::StoreError;
use crate::tokens::{IssueError, KeyError, PasswordError};

/// Something of ours did not work. The peer learns which of the two kinds it was and nothing else; the log learns it all.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A part that is needed is too busy or does not answer; trying again later may help.
    #[error("unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A fault.
    #[error("fault: {0}")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// What should be impossible: a row that refers to another which is not there, for one.
    pub(super) fn impossible(what: &'static str) -> Self {
        Self::Fault(what.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable => Self::Unavailable(error.into()),
            other => Self::Fault(other.into()),
        }
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            // The key that signs was sealed under another key-encryption key than this instance has, which the log tells.
            IssueError::NoKey(_) => Self::Unavailable(error.into()),
            other => Self::Fault(other.into()),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<PasswordError> for Failure {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Unavailable(error.into()),
            other => Self::Fault(other.into()),
        }
    }
}
