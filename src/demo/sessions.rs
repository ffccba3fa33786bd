//! Whose a session is.
//!
//! A session id is no credential (MCP security best practices, "Session Hijacking"): a session serves only the person
//! and client that began it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::resource::AccessToken;

/// The owners of the live sessions, by session id.
#[derive(Debug, Default)]
pub(super) struct SessionOwners(Mutex<HashMap<String, Owner>>);

/// The person and client that a session belongs to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owner {
    subject: String,
    client_id: String,
}

impl Owner {
    pub(super) fn of(token: &AccessToken) -> Self {
        Self { subject: token.subject().to_owned(), client_id: token.client_id().to_owned() }
    }
}

impl SessionOwners {
    /// Notes who began `session`, and forgets the sessions that have ended.
    pub(super) fn begin(&self, session: &str, owner: Owner, is_live: impl Fn(&str) -> bool) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|known, _| is_live(known));
        owners.insert(session.to_owned(), owner);
    }

    /// Whether `session` was begun by `caller`.
    pub(super) fn owns(&self, session: &str, caller: &Owner) -> bool {
        let owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owners.get(session).is_some_and(|owner| owner == caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(subject: &str, client_id: &str) -> Owner {
        Owner { subject: subject.to_owned(), client_id: client_id.to_owned() }
    }

    #[test]
    fn a_session_has_one_owner_while_it_lives() {
        let owners = SessionOwners::default();
        owners.begin("one", owner("ada", "editor"), |id| id == "one");
        assert!(owners.owns("one", &owner("ada", "editor")));
        assert!(!owners.owns("one", &owner("ada", "other")));
        assert!(!owners.owns("one", &owner("bob", "editor")));
        assert!(!owners.owns("two", &owner("ada", "editor")));
        owners.begin("two", owner("bob", "editor"), |id| id == "two");
        assert!(owners.owns("two", &owner("bob", "editor")));
        assert!(!owners.owns("one", &owner("ada", "editor")), "forgotten when it ended");
    }
}
