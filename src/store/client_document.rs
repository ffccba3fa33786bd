//! Clients that are known by a document: what was read is kept in the table of clients, under the document's URL.

use super::audit::{Noted, record};
use super::backend::Tx;
use super::client::{insert, insert_sql};
use super::sql::statements;
use super::value::args;
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{Client, ClientId, ClientKeys, Timestamp};

/// How many documents are kept of clients that nobody let in. Whoever has an account can point at any number.
const MOST_UNUSED: i64 = 10_000;
/// The longest set of keys from an address, in bytes, that is kept for a client that nobody let in: no longer than a
/// document. Otherwise all of them together could fill the disk. A longer one is fetched again with the client's first
/// assertion, by which time somebody has let it in.
const LONGEST_KEYS_UNUSED: usize = 5 * 1024;

statements! {
    IS_TAKEN = "SELECT 1 AS found FROM clients WHERE id = $1";
    BEFORE = "SELECT document_digest, used_at FROM clients WHERE id = $1";
    /// What is suspended stays suspended, and what is not known by a document is not made so. Keys of the same address
    /// stay when none were found there now.
    PUT = concat!(insert_sql!(), " ON CONFLICT (id) DO UPDATE SET name = excluded.name, uri = excluded.uri,
            redirect_uris = excluded.redirect_uris, grant_types = excluded.grant_types,
            auth_methods = excluded.auth_methods, scope = excluded.scope,
            last_registered_at = excluded.last_registered_at,
            jwks = CASE WHEN excluded.jwks IS NULL AND clients.jwks_uri = excluded.jwks_uri
                THEN clients.jwks ELSE excluded.jwks END,
            jwks_uri = excluded.jwks_uri, jwks_tried_at = excluded.jwks_tried_at,
            document_digest = excluded.document_digest, document_fresh_until = excluded.document_fresh_until
        WHERE clients.origin = 'document'");
    /// The oldest beyond the number that is kept; a few at a time is enough, since one is added at a time. The outer
    /// condition is asked again when a grant is issued at the same time.
    DROP_OLDEST = "DELETE FROM clients WHERE origin = 'document' AND used_at IS NULL AND suspended_at IS NULL AND id IN
        (SELECT id FROM clients WHERE origin = 'document' AND used_at IS NULL AND suspended_at IS NULL
         ORDER BY last_registered_at DESC LIMIT 10 OFFSET $1)";
    /// For whom has still the same address. A set that is not short ($5) is kept for a client that somebody let in or that
    /// an operator knows.
    PUT_KEYS = "UPDATE clients SET jwks_tried_at = $4, jwks = CASE
            WHEN CAST($5 AS BIGINT) = 1 OR used_at IS NOT NULL OR origin NOT IN ('dynamic', 'document')
            THEN COALESCE($3, jwks) ELSE jwks END
        WHERE id = $1 AND jwks_uri = $2";
}

impl Store {
    /// Whether there is a client with this identifier, one that may not act included.
    pub async fn is_client_known(&self, id: &ClientId) -> Result<bool, StoreError> {
        Ok(self.backend.optional(IS_TAKEN, args![id]).await?.is_some())
    }

    /// Keeps what a client's document says. The audit event is written when it says something new. Lost, with nothing
    /// written, when the identifier belongs to a client that became known in another way.
    pub async fn put_client_document(
        &self,
        client: Client,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (client, self.noted(audit));
        self.write_guarded(args, |tx, (client, audit)| Box::pin(put(tx, client, audit))).await
    }

    /// Keeps the keys that were found at `uri` now; when none were, only that they were looked for. So also when they are
    /// more than is kept for a client that nobody let in.
    pub async fn put_client_keys(
        &self,
        id: &ClientId,
        uri: &str,
        jwks: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let args = (id.clone(), uri.to_owned(), jwks.map(str::to_owned), now);
        self.write(args, |tx, (id, uri, jwks, now)| {
            Box::pin(async move {
                let is_short = jwks.as_deref().is_none_or(is_short);
                let args = args![id, uri, jwks.as_deref(), *now, i64::from(is_short)];
                tx.execute(PUT_KEYS, args).await.map(drop)
            })
        })
        .await
    }
}

fn is_short(jwks: &str) -> bool {
    jwks.len() <= LONGEST_KEYS_UNUSED
}

/// What is kept of a client that nobody let in: keys that are not are looked for at once when they are needed.
fn unused(client: &Client) -> Client {
    let mut kept = client.clone();
    if let Some(ClientKeys::Remote { jwks, tried_at, .. }) = &mut kept.keys
        && !jwks.as_deref().is_none_or(is_short)
    {
        (*jwks, *tried_at) = (None, None);
    }
    kept
}

async fn put(tx: &mut Tx<'_>, client: &Client, audit: &Noted) -> Result<Outcome, StoreError> {
    let before = tx.optional(BEFORE, args![&client.id]).await?;
    let is_used = match &before {
        Some(row) => row.optional_time("used_at")?.is_some(),
        None => false,
    };
    let kept = if is_used { client.clone() } else { unused(client) };
    if insert(tx, PUT, &kept, None).await? == 0 {
        return Ok(Outcome::Lost);
    }
    let is_known = match &before {
        Some(row) => row.optional_text("document_digest")? == client.document_digest(),
        None => {
            tx.execute(DROP_OLDEST, args![MOST_UNUSED]).await?;
            false
        }
    };
    if !is_known {
        record(tx, audit).await?;
    }
    Ok(Outcome::Won(()))
}
