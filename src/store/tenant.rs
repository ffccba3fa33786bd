//! Tenants.

use super::backend::Tx;
use super::sql::statements;
use super::value::args;
use super::{StoreError, consent, suspend};
use crate::protocol::{Tenant, Timestamp};

statements! {
    /// A tenant that was withdrawn comes back; one that an administrator has suspended stays suspended.
    UPSERT = "INSERT INTO tenants (id, name, origin, created_at) VALUES ($1, $2, 'config', $3)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, origin = excluded.origin,
            suspended_at = CASE WHEN tenants.origin = 'withdrawn' THEN NULL ELSE tenants.suspended_at END
        WHERE tenants.origin IN ('config', 'withdrawn')";
    DECLARED = "SELECT id FROM tenants WHERE origin = 'config'";
    REMOVE = "DELETE FROM tenants WHERE id = $1 AND origin = 'config'
        AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.tenant_id = tenants.id)
        AND NOT EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.tenant_id = tenants.id AND u.origin <> 'config')";
    WITHDRAW = "UPDATE tenants SET origin = 'withdrawn', suspended_at = COALESCE(suspended_at, $2)
        WHERE id = $1 AND origin = 'config'";
}

/// Writes a declared tenant; see `reconcile`.
pub(super) async fn upsert(tx: &mut Tx<'_>, tenant: &Tenant, now: Timestamp) -> Result<(), StoreError> {
    if tx.execute(UPSERT, args![&tenant.id, &tenant.name, now]).await? == 0 {
        return Err(StoreError::TakenByAnother { what: "tenant", id: tenant.id.to_string() });
    }
    Ok(())
}

/// Removes declared tenants that are declared no longer, with the consents given in them; one that something refers to
/// is withdrawn: suspended, and its grants revoked.
pub(super) async fn remove_undeclared(
    tx: &mut Tx<'_>,
    declared: &[Tenant],
    now: Timestamp,
) -> Result<(), StoreError> {
    for row in tx.all(DECLARED, &[]).await? {
        let id = row.text("id")?;
        if declared.iter().any(|tenant| tenant.id.as_str() == id) {
            continue;
        }
        tx.execute(consent::FORGET_IN_TENANT, args![id]).await?;
        if tx.execute(REMOVE, args![id]).await? == 0 {
            tx.execute(WITHDRAW, args![id, now]).await?;
            suspend::revoke_grants_of_tenant(tx, id, now).await?;
        }
    }
    Ok(())
}
