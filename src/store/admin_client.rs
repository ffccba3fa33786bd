//! Clients as administrators see and change them.

use super::admin::{Changed, Known, Origin};
use super::admin_user::recorded;
use super::audit::{Noted, record};
use super::backend::{Running, Tx, Verb};
use super::client::{client, client_columns, insert, insert_sql, put_secrets, update_sql};
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError, consent, suspend};
use crate::audit::AuditEvent;
use crate::protocol::{Client, ClientChange, ClientId, SecretHash, Timestamp};

/// A client with what only administrators see. One that was withdrawn was declared once.
macro_rules! known_columns {
    () => {
        concat!("c.origin AS stored_origin, c.suspended_at, c.used_at, ", client_columns!())
    };
}

statements! {
    BY_ID = concat!("SELECT ", known_columns!(), " FROM clients c WHERE c.id = $1");
    /// After an identifier, of one origin if it is named; when $3 is 1, only those that nobody ever let in.
    PAGE = concat!("SELECT ", known_columns!(), " FROM clients c WHERE c.id > $1
        AND (CAST($2 AS TEXT) IS NULL OR c.origin = $2)
        AND (CAST($3 AS BIGINT) = 0 OR (c.origin IN ('dynamic', 'document') AND c.used_at IS NULL))
        ORDER BY c.id LIMIT $4");
    ADD = concat!(insert_sql!(), " ON CONFLICT DO NOTHING");
    /// The `sub` of a client's own tokens must not be a person's (RFC 9700 §4.15).
    OF_A_PERSON = "SELECT id FROM users WHERE id = $1 UNION SELECT id FROM deleted_users WHERE id = $1";
    /// Whoever changes the client at the same time waits here, and then sees what came of it.
    HOLD = "UPDATE clients SET registered_at = registered_at WHERE id = $1 AND origin = 'admin'";
    CHANGE = concat!(insert_sql!(), update_sql!(), " WHERE clients.origin = 'admin'");
    DELETE = "DELETE FROM clients WHERE id = $1 AND origin IN ('admin', 'dynamic', 'document')";
    SECRETS = "SELECT position, created_at FROM client_secrets WHERE client_id = $1 ORDER BY position";
    MAKE_ROOM = "UPDATE client_secrets SET position = 1 WHERE client_id = $1 AND position = 0
        AND NOT EXISTS (SELECT 1 FROM client_secrets o WHERE o.client_id = $1 AND o.position = 1)";
    /// The newer of two; there is no place for a third.
    ADD_SECRET = "INSERT INTO client_secrets (client_id, position, hash, created_at)
        SELECT $1, CAST(0 AS BIGINT), $2, CAST($3 AS BIGINT)
        WHERE EXISTS (SELECT 1 FROM clients c WHERE c.id = $1 AND c.origin = 'admin')
        ON CONFLICT (client_id, position) DO NOTHING";
    /// Not the last one.
    DROP_SECRET = "DELETE FROM client_secrets WHERE client_id = $1 AND position = $2
        AND EXISTS (SELECT 1 FROM client_secrets o WHERE o.client_id = $1 AND o.position <> $2)
        AND EXISTS (SELECT 1 FROM clients c WHERE c.id = $1 AND c.origin = 'admin')";
    MOVE_UP = "UPDATE client_secrets SET position = 0 WHERE client_id = $1 AND position = 1
        AND NOT EXISTS (SELECT 1 FROM client_secrets o WHERE o.client_id = $1 AND o.position = 0)";
}

/// A client as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownClient {
    /// The client, and to whom it belongs.
    pub known: Known<Client>,
    /// When somebody first let it in, for one that registered itself or is known by a document.
    pub used_at: Option<Timestamp>,
}

/// Which clients to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientFilter {
    /// Those of this origin alone.
    pub origin: Option<Origin>,
    /// Those alone that registered themselves or are known by a document, and that nobody ever let in.
    pub unused: bool,
}

/// Which of a client's two secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichSecret {
    /// The newer.
    Newer,
    /// The one that it replaces.
    Older,
}

impl Store {
    /// At most `limit` clients by identifier, after the one with `after`; suspended ones too.
    pub async fn known_clients(
        &self,
        after: Option<&str>,
        filter: ClientFilter,
        limit: u32,
    ) -> Result<Vec<KnownClient>, StoreError> {
        let origin = filter.origin.map(Origin::as_str);
        let args = args![after.unwrap_or_default(), origin, i64::from(filter.unused), i64::from(limit)];
        self.backend.all(PAGE, args).await?.iter().map(known).collect()
    }

    /// The client with an identifier, suspended or not.
    pub async fn known_client(&self, id: &ClientId) -> Result<Option<KnownClient>, StoreError> {
        self.backend.optional(BY_ID, args![id]).await?.as_ref().map(known).transpose()
    }

    /// When a client's live secrets were made, the newer first.
    pub async fn client_secret_times(&self, id: &ClientId) -> Result<Vec<Timestamp>, StoreError> {
        self.backend.all(SECRETS, args![id]).await?.iter().map(|row| row.time("created_at")).collect()
    }

    /// Adds a client with its secrets. Lost when the identifier is taken, or is or was a person's.
    pub async fn add_client(&self, client: Client, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((client, self.noted(audit)), |tx, (client, audit)| {
            Box::pin(async move {
                if tx.optional(OF_A_PERSON, args![&client.id]).await?.is_some() {
                    return Ok(Outcome::Lost);
                }
                let added = insert(tx, ADD, client, None).await?;
                if added > 0 {
                    put_secrets(tx, client, audit.at()).await?;
                }
                recorded(tx, added, audit).await
            })
        })
        .await
    }

    /// Changes a client as it is at this moment, with its secrets: one that needs none any more loses them. Lost when it is not there or
    /// does not belong to administrators.
    pub async fn change_client(
        &self,
        id: &ClientId,
        change: ClientChange,
        audit: AuditEvent,
    ) -> Result<Changed, StoreError> {
        let args = (id.clone(), change, self.noted(audit));
        let run: for<'t> fn(&'t mut Tx<'_>, &'t (ClientId, ClientChange, Noted)) -> Running<'t, Changed> =
            |tx, (id, change, audit)| Box::pin(changed(tx, id, change, audit));
        self.backend.write(Verb { args, run, keep: Changed::is_done }).await
    }

    /// Deletes a client with its secrets and the consents to it, and revokes its grants. Lost when it is not there or
    /// belongs to configuration.
    pub async fn delete_client(&self, id: &ClientId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                let deleted = tx.execute(DELETE, args![id]).await?;
                suspend::revoke_grants_of_client(tx, id.as_str(), audit.at()).await?;
                tx.execute(consent::FORGET_OF_CLIENT, args![id]).await?;
                recorded(tx, deleted, audit).await
            })
        })
        .await
    }

    /// Gives a client a second secret, which stands before the one that it has. Lost when it has two already, is not there
    /// or does not belong to administrators.
    pub async fn add_client_secret(
        &self,
        id: &ClientId,
        hash: SecretHash,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), hash, self.noted(audit)), |tx, (id, hash, audit)| {
            Box::pin(async move {
                if tx.execute(HOLD, args![id]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                tx.execute(MAKE_ROOM, args![id]).await?;
                let added = tx.execute(ADD_SECRET, args![id, hash.as_str(), audit.at()]).await?;
                recorded(tx, added, audit).await
            })
        })
        .await
    }

    /// Takes one of a client's two secrets away. Lost when it has no two, is not there or does not belong to
    /// administrators.
    pub async fn drop_client_secret(
        &self,
        id: &ClientId,
        which: WhichSecret,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), which, self.noted(audit)), |tx, (id, which, audit)| {
            Box::pin(async move {
                // Of two that each drop one, neither would see what the other does.
                if tx.execute(HOLD, args![id]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                let position = i64::from(*which == WhichSecret::Older);
                let dropped = tx.execute(DROP_SECRET, args![id, position]).await?;
                tx.execute(MOVE_UP, args![id]).await?;
                recorded(tx, dropped, audit).await
            })
        })
        .await
    }
}

async fn changed(
    tx: &mut Tx<'_>,
    id: &ClientId,
    change: &ClientChange,
    audit: &Noted,
) -> Result<Changed, StoreError> {
    if tx.execute(HOLD, args![id]).await? == 0 {
        return Ok(Changed::Lost);
    }
    let Some(row) = tx.optional(BY_ID, args![id]).await? else { return Ok(Changed::Lost) };
    let mut client = client(&row)?;
    if let Err(why) = change.apply(&mut client) {
        return Ok(Changed::Refused(why));
    }
    let by_secret = client.auth_methods.iter().any(|method| method.is_by_secret());
    if by_secret && client.secret_hashes.is_empty() {
        return Ok(Changed::Refused("the client would have no secret".to_owned()));
    }
    insert(tx, CHANGE, &client, None).await?;
    put_secrets(tx, &client, audit.at()).await?;
    record(tx, audit).await?;
    Ok(Changed::Done)
}

fn known(row: &Row) -> Result<KnownClient, StoreError> {
    let client = client(row)?;
    let known = Known {
        origin: row.parsed("stored_origin", Origin::parse)?,
        created_at: Some(client.registered_at),
        suspended_at: row.optional_time("suspended_at")?,
        thing: client,
    };
    Ok(KnownClient { known, used_at: row.optional_time("used_at")? })
}
