//! Remembered decisions.

use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args};
use super::{Store, StoreError};
use crate::protocol::{ClientId, Consent, ResourceUri, Scope, TenantId, UserId};

statements! {
    FIND = "SELECT user_id, client_id, tenant_id, resource, scope, refused, redirect_host, document_digest, given_at
        FROM consents WHERE user_id = $1 AND client_id = $2 ORDER BY tenant_id, resource";
    REMEMBER = "INSERT INTO consents (user_id, client_id, tenant_id, resource, scope, redirect_host, given_at,
            document_digest, refused)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (user_id, client_id, tenant_id, resource) DO UPDATE
        SET scope = excluded.scope, redirect_host = excluded.redirect_host, given_at = excluded.given_at,
            document_digest = excluded.document_digest, refused = excluded.refused";
    pub(super) FORGET_OF_USER = "DELETE FROM consents WHERE user_id = $1";
    pub(super) FORGET_OF_USER_IN = "DELETE FROM consents WHERE user_id = $1 AND tenant_id = $2";
    pub(super) FORGET_OF_CLIENT = "DELETE FROM consents WHERE client_id = $1";
    pub(super) FORGET_IN_TENANT = "DELETE FROM consents WHERE tenant_id = $1";
    pub(super) FORGET_AT_RESOURCE = "DELETE FROM consents WHERE resource = $1";
}

impl Store {
    /// What a person decided about a client, tenant by tenant and resource by resource.
    pub async fn consents(&self, user: &UserId, client: &ClientId) -> Result<Vec<Consent>, StoreError> {
        self.backend.all(FIND, args![user, client]).await?.iter().map(consent).collect()
    }
}

/// Remembers a decision in place of an earlier one.
pub(super) async fn remember(tx: &mut Tx<'_>, consent: &Consent) -> Result<(), StoreError> {
    let (scope, refused) = (consent.scope.to_string(), consent.refused.to_string());
    let args = args![
        &consent.user,
        &consent.client,
        &consent.tenant,
        consent.resource.as_str(),
        &scope,
        &consent.redirect_host,
        consent.given_at,
        consent.document_digest.as_deref(),
        &refused,
    ];
    tx.execute(REMEMBER, args).await.map(drop)
}

fn consent(row: &Row) -> Result<Consent, StoreError> {
    Ok(Consent {
        user: row.parsed("user_id", UserId::parse)?,
        client: row.parsed("client_id", ClientId::parse)?,
        tenant: row.parsed("tenant_id", TenantId::parse)?,
        resource: row.parsed("resource", |uri| ResourceUri::parse(uri).ok())?,
        scope: row.parsed("scope", |scope| Scope::parse(scope).ok())?,
        refused: row.parsed("refused", |scope| Scope::parse(scope).ok())?,
        redirect_host: row.text("redirect_host")?.to_owned(),
        document_digest: row.optional_text("document_digest")?.map(str::to_owned),
        given_at: row.time("given_at")?,
    })
}
