//! Tenants as administrators see and change them.

use super::admin::{Known, origin};
use super::admin_user::recorded;
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError, consent, suspend};
use crate::audit::AuditEvent;
use crate::protocol::{Tenant, TenantId};

statements! {
    BY_ID = "SELECT id, name, origin, created_at, suspended_at FROM tenants WHERE id = $1";
    PAGE = "SELECT id, name, origin, created_at, suspended_at FROM tenants WHERE id > $1 ORDER BY id LIMIT $2";
    ADD = "INSERT INTO tenants (id, name, origin, created_at) VALUES ($1, $2, 'admin', $3) ON CONFLICT (id) DO NOTHING";
    CHANGE = "UPDATE tenants SET name = $2 WHERE id = $1 AND origin = 'admin'";
    /// Not while a client's own tokens name it.
    DELETE = "DELETE FROM tenants WHERE id = $1 AND origin = 'admin'
        AND NOT EXISTS (SELECT 1 FROM clients c WHERE c.tenant_id = $1)";
    BOUND_CLIENT = "SELECT id FROM clients WHERE tenant_id = $1 ORDER BY id LIMIT 1";
}

impl Store {
    /// At most `limit` tenants by identifier, after the one with `after`.
    pub async fn known_tenants(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Known<Tenant>>, StoreError> {
        let args = args![after.unwrap_or_default(), i64::from(limit)];
        self.backend.all(PAGE, args).await?.iter().map(known).collect()
    }

    /// The tenant with an identifier, suspended or not.
    pub async fn known_tenant(&self, id: &TenantId) -> Result<Option<Known<Tenant>>, StoreError> {
        self.backend.optional(BY_ID, args![id]).await?.as_ref().map(known).transpose()
    }

    /// A client whose own tokens belong to a tenant, which keeps that from being deleted.
    pub async fn client_of_tenant(&self, id: &TenantId) -> Result<Option<String>, StoreError> {
        let row = self.backend.optional(BOUND_CLIENT, args![id]).await?;
        row.map(|row| row.text("id").map(str::to_owned)).transpose()
    }

    /// Adds a tenant. Lost when the identifier is taken.
    pub async fn add_tenant(&self, tenant: Tenant, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((tenant, self.noted(audit)), |tx, (tenant, audit)| {
            Box::pin(async move {
                let added = tx.execute(ADD, args![&tenant.id, &tenant.name, audit.at()]).await?;
                recorded(tx, added, audit).await
            })
        })
        .await
    }

    /// Gives a tenant another name. Lost when it is not there or belongs to configuration.
    pub async fn rename_tenant(&self, tenant: Tenant, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((tenant, self.noted(audit)), |tx, (tenant, audit)| {
            Box::pin(async move {
                let changed = tx.execute(CHANGE, args![&tenant.id, &tenant.name]).await?;
                recorded(tx, changed, audit).await
            })
        })
        .await
    }

    /// Deletes a tenant with its memberships and the consents given in it, and revokes the grants. Lost when it is not
    /// there, belongs to configuration, or a client's own tokens name it.
    pub async fn delete_tenant(&self, id: &TenantId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                let deleted = tx.execute(DELETE, args![id]).await?;
                suspend::revoke_grants_of_tenant(tx, id.as_str(), audit.at()).await?;
                tx.execute(consent::FORGET_IN_TENANT, args![id]).await?;
                recorded(tx, deleted, audit).await
            })
        })
        .await
    }
}

fn known(row: &Row) -> Result<Known<Tenant>, StoreError> {
    let thing = Tenant { id: row.parsed("id", TenantId::parse)?, name: row.text("name")?.to_owned() };
    Ok(Known {
        thing,
        origin: origin(row)?,
        created_at: Some(row.time("created_at")?),
        suspended_at: row.optional_time("suspended_at")?,
    })
}
