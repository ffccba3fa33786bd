//! Whose a session is.
//!
//! A session id is no credential (MCP security best practices, "Session Hijacking"): a session serves only the person
//! and client that began it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::resource::AccessToken;

/// The owners of the live sessions, by session id.
#[derive(Debug, Default)]
pub(super) struct SessionOwners(Mutex<HashMap<String, Owner>>);

#[derive(Debug, PartialEq, Eq)]
struct Owner {
    subject: String,
    client_id: String,
}

impl Owner {
    fn of(token: &AccessToken) -> Self {
        Self { subject: token.subject().to_owned(), client_id: token.client_id().to_owned() }
    }
}

impl SessionOwners {
    /// Notes who began `session`, and forgets the sessions that are not `live` any more.
    pub(super) fn begin(&self, session: &str, token: &AccessToken, live: &HashSet<String>) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|known, _| live.contains(known));
        owners.insert(session.to_owned(), Owner::of(token));
    }

    /// Whether `session` was begun by the person and client of `token`.
    pub(super) fn owns(&self, session: &str, token: &AccessToken) -> bool {
        let owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owners.get(session).is_some_and(|owner| *owner == Owner::of(token))
    }
}
