//! Clients that register themselves (RFC 7591).

use std::time::Duration;

use super::audit::{Noted, record};
use super::backend::Tx;
use super::client::{client, client_columns, insert, insert_sql, put_secrets};
use super::sql::statements;
use super::value::args;
use super::{Store, StoreError, initial_access, issue};
use crate::audit::AuditEvent;
use crate::protocol::{Client, InitialAccessToken, Timestamp};

statements! {
    BY_FINGERPRINT = concat!("SELECT c.suspended_at, ", client_columns!(), " FROM clients c WHERE c.fingerprint = $1");
    IS_REGISTERED = "SELECT id FROM clients WHERE fingerprint = $1";
    /// Of identical registrations at once, one inserts. A later one renews the week that an unused client has, at
    /// most once a day, so that registering again rarely writes.
    REGISTER = concat!(insert_sql!(), " ON CONFLICT (fingerprint) DO UPDATE
        SET last_registered_at = excluded.last_registered_at
        WHERE clients.used_at IS NULL AND clients.suspended_at IS NULL
            AND clients.last_registered_at < excluded.last_registered_at - 86400");
    /// Counts in the index `clients_unused`, which holds nothing else, and no further than the limit.
    UNUSED = "SELECT COUNT(*) AS unused, MIN(last_registered_at) AS oldest FROM
        (SELECT last_registered_at FROM clients
         WHERE origin = 'dynamic' AND used_at IS NULL AND suspended_at IS NULL
         ORDER BY last_registered_at LIMIT $1) AS waiting";
    /// The outer condition is asked again when a grant is issued at the same time. A suspended client stays, so that
    /// it is still known when the same is registered again.
    pub(super) REMOVE_UNUSED = "DELETE FROM clients WHERE origin = 'dynamic' AND used_at IS NULL AND suspended_at IS NULL
        AND last_registered_at <= $1
        AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = clients.id)
        AND NOT EXISTS (SELECT 1 FROM consents k WHERE k.client_id = clients.id) AND id IN
        (SELECT id FROM clients WHERE origin = 'dynamic' AND used_at IS NULL AND suspended_at IS NULL
            AND last_registered_at <= $1 ORDER BY last_registered_at LIMIT $2)";
}

/// How long a client that has just registered is sure of its place: as long as a person has to let it in.
const SPARED: Duration = Duration::from_secs(600);
/// How many clients beyond the limit are removed at once, should the limit have been lowered.
const MOST_REMOVED: i64 = 1000;

/// By which right a client registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Everybody's.
    Open {
        /// A digest of what it registers, for a public client: products that register the same at every start share a
        /// row, which then nobody may manage. `None` is for a client that has a row of its own.
        fingerprint: Option<String>,
        /// How many clients may wait for their first grant; the oldest make room.
        most_unused: u32,
    },
    /// That of this token, which is spent once. The client neither takes a place among those that wait nor goes when
    /// nobody lets it in: the token's own limits are the operator's word on how many there may be.
    Token(Box<InitialAccessToken>),
}

/// What became of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationOutcome {
    /// The client, or the one that registered identically before.
    Registered(Box<Client>),
    /// The client that registered identically before was suspended.
    Suspended,
    /// The initial access token is not, or no longer, good.
    TokenSpent,
    /// Too many clients wait for their first grant, and all of them have registered just now.
    Full {
        /// When the oldest of them may make room.
        until: Timestamp,
    },
}

impl Store {
    /// Registers a client (RFC 7591 §3.1). One that registered identically before and shares its row is answered instead.
    pub async fn register_client(
        &self,
        client: Client,
        admission: Admission,
        audit: AuditEvent,
    ) -> Result<RegistrationOutcome, StoreError> {
        let args = (client, admission, self.noted(audit));
        self.write(args, |tx, (client, admission, audit)| {
            Box::pin(async move {
                match admission {
                    Admission::Token(token) => register_by_token(tx, client, token, audit).await,
                    Admission::Open { fingerprint, most_unused } => {
                        let fingerprint = fingerprint.as_deref();
                        if let Some(fingerprint) = fingerprint
                            && tx.optional(IS_REGISTERED, args![fingerprint]).await?.is_some()
                        {
                            // A place of its own: nobody has to make room for it.
                        } else if let Some(until) = make_room(tx, *most_unused, audit.at()).await? {
                            return Ok(RegistrationOutcome::Full { until });
                        }
                        register(tx, client, fingerprint, audit).await
                    }
                }
            })
        })
        .await
    }
}

async fn register_by_token(
    tx: &mut Tx<'_>,
    client: &Client,
    token: &InitialAccessToken,
    audit: &Noted,
) -> Result<RegistrationOutcome, StoreError> {
    if !initial_access::spend(tx, token, audit.at()).await? {
        return Ok(RegistrationOutcome::TokenSpent);
    }
    let outcome = register(tx, client, None, audit).await?;
    issue::mark_used(tx, &client.id, audit.at()).await?;
    Ok(outcome)
}

/// Makes room for one client more, if there is none; answers when there may be when there cannot be now. Writers of
/// PostgreSQL that come at once may exceed the limit by their number.
async fn make_room(tx: &mut Tx<'_>, most: u32, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let spared = now.minus(SPARED);
    for room_was_made in [false, true] {
        let counted = i64::from(most) + MOST_REMOVED;
        let Some(row) = tx.optional(UNUSED, args![counted]).await? else { return Ok(None) };
        let excess = row.number("unused")? - i64::from(most);
        if excess < 0 {
            return Ok(None);
        }
        let oldest = row.optional_time("oldest")?.unwrap_or(now);
        if room_was_made || oldest > spared {
            return Ok(Some(oldest.plus(SPARED)));
        }
        // Some more, so that this is not done for each client while many come.
        let removed = excess + 1 + i64::from(most) / 256;
        tx.execute(REMOVE_UNUSED, args![spared, removed]).await?;
    }
    Ok(None)
}

async fn register(
    tx: &mut Tx<'_>,
    candidate: &Client,
    fingerprint: Option<&str>,
    audit: &Noted,
) -> Result<RegistrationOutcome, StoreError> {
    insert(tx, REGISTER, candidate, fingerprint).await?;
    if let Some(fingerprint) = fingerprint {
        let row = tx.optional(BY_FINGERPRINT, args![fingerprint]).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("table clients"))?;
        if row.optional_time("suspended_at")?.is_some() {
            return Ok(RegistrationOutcome::Suspended);
        }
        let registered = client(&row)?;
        if registered.id != candidate.id {
            return Ok(RegistrationOutcome::Registered(Box::new(registered)));
        }
    }
    put_secrets(tx, candidate, candidate.registered_at).await?;
    record(tx, audit).await?;
    Ok(RegistrationOutcome::Registered(Box::new(candidate.clone())))
}
