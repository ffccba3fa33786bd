//! Clients that change or end their own registration (RFC 7592).

use super::audit::record;
use super::backend::Tx;
use super::client::{by_id, insert, insert_sql, put_secrets};
use super::sql::statements;
use super::value::args;
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::registration::Registration;
use crate::protocol::{Client, ClientId, SecretHash, Timestamp};

statements! {
    /// Who holds the token that is live now, for a client that may act. It changes nothing but holds the row, so that
    /// what is read of it next is what is replaced.
    CLAIM = "UPDATE clients SET management_hash = management_hash
        WHERE id = $1 AND management_hash = $2 AND suspended_at IS NULL";
    /// What a client says about itself; what an operator says about it is left alone.
    REPLACE = concat!(insert_sql!(), " ON CONFLICT (id) DO UPDATE SET name = excluded.name, uri = excluded.uri,
            about = excluded.about, redirect_uris = excluded.redirect_uris, grant_types = excluded.grant_types,
            auth_methods = excluded.auth_methods, scope = excluded.scope, machine_scopes = excluded.machine_scopes,
            jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, jwks_tried_at = excluded.jwks_tried_at,
            settings = excluded.settings");
    DELETE = "DELETE FROM clients WHERE id = $1 AND management_hash = $2 AND suspended_at IS NULL";
    REVOKE_GRANTS = "UPDATE grants SET revoked_at = $2, revoked_why = 'client_deleted'
        WHERE client_id = $1 AND revoked_at IS NULL";
    FORGET_CONSENTS = "DELETE FROM consents WHERE client_id = $1";
}

impl Store {
    /// Puts `registration` in the place of what the client said about itself before (RFC 7592 §2.2). Without a secret it
    /// gets `secret`, if it needs one, and the secrets of one that needs none are dropped. People who consented to a
    /// client that looks different now are asked anew. Lost when `management` is not, or no longer, what the client's
    /// registration access token hashes to.
    pub async fn replace_registration(
        &self,
        id: &ClientId,
        management: &SecretHash,
        replacement: (Registration, Option<SecretHash>),
        audit: AuditEvent,
    ) -> Result<Outcome<Client>, StoreError> {
        let args = (id.clone(), management.clone(), replacement, self.noted(audit));
        self.write_guarded(args, |tx, (id, management, (registration, secret), audit)| {
            Box::pin(async move {
                if tx.execute(CLAIM, args![id, management.as_str()]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                // Of a suspended tenant.
                let Some(before) = by_id(tx, id).await? else { return Ok(Outcome::Lost) };
                let mut after = before.clone();
                registration.apply_to(&mut after);
                if !registration.needs_secret() {
                    after.secret_hashes.clear();
                } else if after.secret_hashes.is_empty() {
                    after.secret_hashes.extend(secret.clone());
                }
                insert(tx, REPLACE, &after, None).await?;
                if after.secret_hashes != before.secret_hashes {
                    put_secrets(tx, &after, audit.at()).await?;
                }
                if after.consent_digest() != before.consent_digest() {
                    tx.execute(FORGET_CONSENTS, args![id]).await?;
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(after))
            })
        })
        .await
    }

    /// Deletes a client that asks for it (RFC 7592 §2.3), with all that was given to it. Lost as for
    /// [`replace_registration`](Self::replace_registration).
    pub async fn delete_own_client(
        &self,
        id: &ClientId,
        management: &SecretHash,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (id.clone(), management.clone(), self.noted(audit));
        self.write_guarded(args, |tx, (id, management, audit)| {
            Box::pin(async move {
                if tx.execute(DELETE, args![id, management.as_str()]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                end_everything_of_client(tx, id, audit.at()).await?;
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}

/// Revokes every grant of a client that is gone, and forgets who consented to it.
pub(super) async fn end_everything_of_client(
    tx: &mut Tx<'_>,
    id: &ClientId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(REVOKE_GRANTS, args![id, now]).await?;
    tx.execute(FORGET_CONSENTS, args![id]).await.map(drop)
}
