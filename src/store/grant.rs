//! Grants: one per completed authorization.

use super::audit::record;
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{
    ClientId, Grant, GrantId, RefreshState, Resource, RoleName, Scope, ServerSecretId, Standing, TenantId,
    Timestamp, UserId,
};

/// The condition that the grant `g` may be used: it is not revoked, and everyone whom it names still stands. Each
/// use asks anew, so that nothing depends on a revocation that came a moment too late.
macro_rules! alive {
    () => {
        "g.revoked_at IS NULL
        AND EXISTS (SELECT 1 FROM clients c WHERE c.id = g.client_id AND c.suspended_at IS NULL)
        AND EXISTS (SELECT 1 FROM users u WHERE u.id = g.user_id AND u.suspended_at IS NULL)
        AND EXISTS (SELECT 1 FROM memberships m JOIN tenants t ON t.id = m.tenant_id
            WHERE m.user_id = g.user_id AND m.tenant_id = g.tenant_id AND t.suspended_at IS NULL)"
    };
}
pub(super) use alive;

/// The columns that [`known_grant`] reads, of the table `grants` under the name `g`.
macro_rules! grant_columns {
    () => {
        concat!(
            "g.id AS grant_id, g.user_id, g.client_id, g.tenant_id, g.resources, g.scope, g.auth_time,
            g.issued_at AS granted_at, g.secret_id, g.refresh_generation, g.refresh_rotated_at, g.refresh_retries,
            g.refresh_idle_expires_at, g.refresh_expires_at, g.revoked_at,
            CAST(CASE WHEN ",
            super::grant::alive!(),
            " THEN 1 ELSE 0 END AS BIGINT) AS is_alive,
            COALESCE((SELECT m.roles FROM memberships m
                WHERE m.user_id = g.user_id AND m.tenant_id = g.tenant_id), '[]') AS roles"
        )
    };
}
pub(super) use grant_columns;

statements! {
    BY_ID = concat!("SELECT ", grant_columns!(), " FROM grants g WHERE g.id = $1");
    REVOKE = "UPDATE grants SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL";
}

/// A grant and whether it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownGrant {
    /// The grant.
    pub grant: Grant,
    /// Whether it is not revoked, its client, person and tenant are not suspended, and the person is still a member.
    pub is_alive: bool,
    /// The roles of its person in its tenant, as they are now.
    pub roles: Vec<RoleName>,
}

impl KnownGrant {
    /// The grant beside what it depends on at the moment `now`; `resource` is the one that is meant, if that is still served.
    pub fn standing<'a>(&'a self, resource: Option<&'a Resource>, now: Timestamp) -> Standing<'a> {
        Standing { grant: &self.grant, is_alive: self.is_alive, resource, roles: &self.roles, now }
    }
}

impl Store {
    /// A grant and whether it may be used.
    pub async fn grant(&self, id: &GrantId) -> Result<Option<KnownGrant>, StoreError> {
        self.backend.optional(BY_ID, args![id]).await?.as_ref().map(known_grant).transpose()
    }

    /// Revokes a grant, and with it everything issued under it, for the reason and at the moment of `audit`. Lost
    /// when it was revoked before.
    pub async fn revoke_grant(&self, id: &GrantId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                if tx.execute(REVOKE, args![id, audit.at(), audit.event.kind.as_str()]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}

/// The grant in a row that holds `grant_columns`.
pub(super) fn known_grant(row: &Row) -> Result<KnownGrant, StoreError> {
    let refresh = match row.optional_time("refresh_expires_at")? {
        Some(expires_at) => Some(RefreshState {
            generation: row.count("refresh_generation")?,
            rotated_at: row.time("refresh_rotated_at")?,
            retries: row.count("refresh_retries")?,
            idle_expires_at: row.time("refresh_idle_expires_at")?,
            expires_at,
        }),
        None => None,
    };
    let grant = Grant {
        id: row.parsed("grant_id", GrantId::parse)?,
        user: row.parsed("user_id", UserId::parse)?,
        client: row.parsed("client_id", ClientId::parse)?,
        tenant: row.parsed("tenant_id", TenantId::parse)?,
        resources: row.json("resources")?,
        general: row.parsed("scope", |scope| Scope::parse(scope).ok())?,
        auth_time: row.time("auth_time")?,
        issued_at: row.time("granted_at")?,
        secret: row.parsed("secret_id", ServerSecretId::parse)?,
        refresh,
        revoked_at: row.optional_time("revoked_at")?,
    };
    Ok(KnownGrant { grant, is_alive: row.is_true("is_alive")?, roles: row.list("roles", RoleName::parse)? })
}
