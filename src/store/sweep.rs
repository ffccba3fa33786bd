//! Taking out what has ended, in small batches: each is a verb of its own, so that requests get between.
//!
//! Every table that grows by what strangers and people do is here, or is bounded otherwise:
//!
//! | table | goes |
//! | --- | --- |
//! | `interactions`, `browser_sessions` | when they expire |
//! | `grants`, with their `authorization_codes` | some time after they were revoked or can no longer be refreshed |
//! | `clients` that registered themselves, with their `client_secrets` | when nobody let them in for a while, and earlier when too many wait ([`super::client_registration`]). One that was ever let in stays: it would never find out (RFC 7591 has no word for it) |
//! | `consents` | never: one for each person, client and resource, which only a person who is logged in makes |
//! | `clients` that were read from a document | when nobody let them in for a while |
//! | `client_assertions` | when they would not be good any more |
//! | `revoked_tokens` | when the tokens have expired by every clock |
//! | `login_failures` | an hour after the last |
//! | `audit_events` | after the time that the operator wants |
//!
//! The other tables hold what operators declare, and the server's own keys.

use std::time::Duration;

use super::sql::{Statement, statements};
use super::value::args;
use super::{Store, StoreError, client_registration};
use crate::protocol::{Id, Timestamp, lockout};

statements! {
    INTERACTIONS = "DELETE FROM interactions WHERE id IN
        (SELECT id FROM interactions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    SESSIONS = "DELETE FROM browser_sessions WHERE id IN
        (SELECT id FROM browser_sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    /// Their codes go with them.
    REVOKED_GRANTS = "DELETE FROM grants WHERE id IN
        (SELECT id FROM grants WHERE revoked_at IS NOT NULL AND revoked_at <= $1 ORDER BY revoked_at LIMIT $2)";
    EXPIRED_GRANTS = "DELETE FROM grants WHERE id IN
        (SELECT id FROM grants WHERE refresh_expires_at IS NOT NULL AND refresh_expires_at <= $1
         ORDER BY refresh_expires_at LIMIT $2)";
    GRANTS_WITHOUT_REFRESH = "DELETE FROM grants WHERE refresh_expires_at IS NULL AND id IN
        (SELECT id FROM grants WHERE refresh_expires_at IS NULL AND issued_at <= $1 ORDER BY issued_at LIMIT $2)";
    LOGIN_FAILURES = "DELETE FROM login_failures WHERE last_failed_at <= $1 AND name_hash IN
        (SELECT name_hash FROM login_failures WHERE last_failed_at <= $1 ORDER BY last_failed_at LIMIT $2)";
    /// As for [`client_registration::REMOVE_UNUSED`]: documents that were read, and nobody let the client in. A suspended one would come back
    /// at liberty, so its row stays.
    UNUSED_DOCUMENTS = "DELETE FROM clients WHERE origin = 'document' AND used_at IS NULL AND suspended_at IS NULL
        AND last_registered_at <= $1
        AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = clients.id) AND id IN
        (SELECT id FROM clients WHERE origin = 'document' AND used_at IS NULL AND suspended_at IS NULL
         AND last_registered_at <= $1 ORDER BY last_registered_at LIMIT $2)";
    CLIENT_ASSERTIONS = "DELETE FROM client_assertions WHERE id IN
        (SELECT id FROM client_assertions WHERE good_until <= $1 ORDER BY good_until LIMIT $2)";
    REVOKED_TOKENS = "DELETE FROM revoked_tokens WHERE jti IN
        (SELECT jti FROM revoked_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    AUDIT_EVENTS = "DELETE FROM audit_events WHERE id IN
        (SELECT id FROM audit_events WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// How far the clocks of two instances may differ: a token that one of them still takes for good must not be forgotten by
/// the other.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// How long things are kept after their end.
#[derive(Clone, Copy, Debug)]
pub struct SweepPolicy {
    /// How long a grant stays after it was revoked or its last refresh token expired, and one without refresh
    /// tokens after it was issued: at least the lifetime of an access token.
    pub dead_grant_kept: Duration,
    /// How long a client that registered itself and never got a grant stays.
    pub unused_client_kept: Duration,
    /// How long audit events are kept.
    pub audit_kept: Duration,
    /// How many rows of a kind go at once.
    pub batch: u32,
}

/// How many rows were swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Interactions.
    pub interactions: u64,
    /// Browser sessions.
    pub browser_sessions: u64,
    /// Grants, with their codes.
    pub grants: u64,
    /// Clients that never got a grant.
    pub clients: u64,
    /// Client assertions that were used and would not be good any more.
    pub client_assertions: u64,
    /// Revoked access tokens that have expired.
    pub revoked_tokens: u64,
    /// Audit events.
    pub audit_events: u64,
    /// Login names whose failures are forgotten.
    pub login_failures: u64,
}

impl Swept {
    /// Whether nothing was left to sweep.
    pub fn is_nothing(&self) -> bool {
        self.rows() == 0
    }

    /// How many rows there were of all kinds.
    pub fn rows(&self) -> u64 {
        self.kinds().iter().map(|(_, rows)| rows).sum()
    }

    /// How many rows there were of each kind, under the names of the members.
    pub fn kinds(&self) -> [(&'static str, u64); 8] {
        let Self {
            interactions,
            browser_sessions,
            grants,
            clients,
            client_assertions,
            revoked_tokens,
            audit_events,
            login_failures,
        } = *self;
        [
            ("interactions", interactions),
            ("browser_sessions", browser_sessions),
            ("grants", grants),
            ("clients", clients),
            ("client_assertions", client_assertions),
            ("revoked_tokens", revoked_tokens),
            ("audit_events", audit_events),
            ("login_failures", login_failures),
        ]
    }
}

impl Store {
    /// Deletes one batch of each kind of row that has ended; call again until [`Swept::is_nothing`].
    pub async fn sweep(&self, now: Timestamp, policy: SweepPolicy) -> Result<Swept, StoreError> {
        let batch = policy.batch;
        let dead = now.minus(policy.dead_grant_kept);
        let mut swept = Swept {
            interactions: self.sweep_before(INTERACTIONS, now, batch).await?,
            browser_sessions: self.sweep_before(SESSIONS, now, batch).await?,
            ..Swept::default()
        };
        for kind in [REVOKED_GRANTS, EXPIRED_GRANTS, GRANTS_WITHOUT_REFRESH] {
            swept.grants += self.sweep_before(kind, dead, batch).await?;
        }
        let unused = now.minus(policy.unused_client_kept);
        for kind in [client_registration::REMOVE_UNUSED, UNUSED_DOCUMENTS] {
            swept.clients += self.sweep_before(kind, unused, batch).await?;
        }
        swept.client_assertions = self.sweep_before(CLIENT_ASSERTIONS, now, batch).await?;
        let expired = now.minus(CLOCKS_DIFFER);
        swept.revoked_tokens = self.sweep_before(REVOKED_TOKENS, expired, batch).await?;
        let forgotten = now.minus(lockout::FORGOTTEN_AFTER);
        swept.login_failures = self.sweep_before(LOGIN_FAILURES, forgotten, batch).await?;
        let before = Id::new(now.minus(policy.audit_kept), [0; 10]);
        swept.audit_events = self
            .write((before, batch), |tx, (before, batch)| {
                Box::pin(async move { tx.execute(AUDIT_EVENTS, args![before, i64::from(*batch)]).await })
            })
            .await?;
        Ok(swept)
    }

    async fn sweep_before(&self, kind: Statement, end: Timestamp, batch: u32) -> Result<u64, StoreError> {
        self.write((kind, end, batch), |tx, (kind, end, batch)| {
            Box::pin(async move { tx.execute(*kind, args![*end, i64::from(*batch)]).await })
        })
        .await
    }
}
