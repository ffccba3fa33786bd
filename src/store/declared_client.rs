//! Clients that configuration declares.

use super::backend::Tx;
use super::client::{insert, insert_sql, put_secrets, update_sql};
use super::sql::statements;
use super::value::args;
use super::{StoreError, consent, suspend};
use crate::protocol::{Client, Timestamp};

statements! {
    /// What configuration declares replaces what it declared before, and what a document says: whoever pointed here at
    /// that document does not keep the operator from naming its client. Keys that were found at the same address stay. A client that was withdrawn comes back; one
    /// that an administrator has suspended stays suspended.
    UPSERT = concat!(insert_sql!(), update_sql!(), "
        WHERE clients.origin IN ('config', 'withdrawn', 'document')");
    DECLARED = "SELECT id FROM clients WHERE origin = 'config'";
    REMOVE = "DELETE FROM clients WHERE id = $1 AND origin = 'config'
        AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = clients.id)";
    WITHDRAW = "UPDATE clients SET origin = 'withdrawn', suspended_at = COALESCE(suspended_at, $2)
        WHERE id = $1 AND origin = 'config'";
}

/// Writes a declared client; see `reconcile`.
pub(super) async fn upsert(tx: &mut Tx<'_>, client: &Client) -> Result<(), StoreError> {
    if insert(tx, UPSERT, client, None).await? == 0 {
        return Err(StoreError::TakenByAnother { what: "client", id: client.id.to_string() });
    }
    put_secrets(tx, client, client.registered_at).await
}

/// Removes declared clients that are declared no longer, with the consents to them; one that a grant refers to is
/// withdrawn: suspended, and its grants revoked.
pub(super) async fn remove_undeclared(
    tx: &mut Tx<'_>,
    declared: &[Client],
    now: Timestamp,
) -> Result<(), StoreError> {
    for row in tx.all(DECLARED, &[]).await? {
        let id = row.text("id")?;
        if declared.iter().any(|client| client.id.as_str() == id) {
            continue;
        }
        tx.execute(consent::FORGET_OF_CLIENT, args![id]).await?;
        if tx.execute(REMOVE, args![id]).await? == 0 {
            tx.execute(WITHDRAW, args![id, now]).await?;
            suspend::revoke_grants_of_client(tx, id, now).await?;
        }
    }
    Ok(())
}
