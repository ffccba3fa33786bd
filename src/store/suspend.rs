//! Suspending, and what else ends: whose time is over loses, in the same transaction, what was given to them.

use super::audit::{Noted, record};
use super::backend::Tx;
use super::sql::{Statement, statements};
use super::value::{args, json};
use super::{Outcome, Store, StoreError, consent};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::{ClientId, TenantId, Timestamp, UserId};

statements! {
    SUSPEND_USER = "UPDATE users SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NULL";
    SUSPEND_CLIENT = "UPDATE clients SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NULL";
    SUSPEND_TENANT = "UPDATE tenants SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NULL";
    /// What was withdrawn comes back when it is declared again, and not before.
    RESUME_USER = "UPDATE users SET suspended_at = NULL
        WHERE id = $1 AND suspended_at IS NOT NULL AND origin <> 'withdrawn'";
    RESUME_CLIENT = "UPDATE clients SET suspended_at = NULL
        WHERE id = $1 AND suspended_at IS NOT NULL AND origin <> 'withdrawn'";
    RESUME_TENANT = "UPDATE tenants SET suspended_at = NULL
        WHERE id = $1 AND suspended_at IS NOT NULL AND origin <> 'withdrawn'";
    REVOKE_OF_USER = "UPDATE grants SET revoked_at = $2, revoked_why = $3
        WHERE user_id = $1 AND revoked_at IS NULL";
    REVOKE_OF_CLIENT = "UPDATE grants SET revoked_at = $2, revoked_why = 'suspended'
        WHERE client_id = $1 AND revoked_at IS NULL";
    /// Reads the whole table: suspending a tenant is rare, and an index would cost every grant.
    REVOKE_OF_TENANT = "UPDATE grants SET revoked_at = $2, revoked_why = 'suspended'
        WHERE tenant_id = $1 AND revoked_at IS NULL";
    REVOKE_OF_MEMBER = "UPDATE grants SET revoked_at = $3, revoked_why = 'changed'
        WHERE user_id = $1 AND tenant_id = $2 AND revoked_at IS NULL";
    /// Reads the whole table. The parameter is how the column `resources` names the resource.
    REVOKE_AT_RESOURCE = "UPDATE grants SET revoked_at = $2, revoked_why = 'deleted'
        WHERE revoked_at IS NULL AND replace(resources, $1, '') <> resources";
    END_SESSIONS = "DELETE FROM browser_sessions WHERE user_id = $1";
}

impl Store {
    /// Suspends a person at the moment of `audit`, logs them out everywhere and revokes their grants. Lost when
    /// there is no such person or they are suspended already.
    pub async fn suspend_user(&self, id: &UserId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                if !suspend(tx, SUSPEND_USER, id.as_str(), audit).await? {
                    return Ok(Outcome::Lost);
                }
                end_everything_of_user(tx, id.as_str(), audit.event.kind, audit.at()).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Suspends a client at the moment of `audit` and revokes its grants. Lost when there is no such client or it
    /// is suspended already.
    pub async fn suspend_client(&self, id: &ClientId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                if !suspend(tx, SUSPEND_CLIENT, id.as_str(), audit).await? {
                    return Ok(Outcome::Lost);
                }
                revoke_grants_of_client(tx, id.as_str(), audit.at()).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Suspends a tenant at the moment of `audit` and revokes the grants in it. Lost when there is no such tenant
    /// or it is suspended already.
    pub async fn suspend_tenant(&self, id: &TenantId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                if !suspend(tx, SUSPEND_TENANT, id.as_str(), audit).await? {
                    return Ok(Outcome::Lost);
                }
                revoke_grants_of_tenant(tx, id.as_str(), audit.at()).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}

/// Resuming gives nothing back that suspending took: who is resumed logs in, and clients ask, anew.
impl Store {
    /// Lets a suspended person log in again. Lost when there is no such person, or they are not suspended.
    pub async fn resume_user(&self, id: &UserId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.resume(RESUME_USER, id.to_string(), audit).await
    }

    /// Lets a suspended client act again. Lost when there is no such client, or it is not suspended.
    pub async fn resume_client(&self, id: &ClientId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.resume(RESUME_CLIENT, id.to_string(), audit).await
    }

    /// Lets a suspended tenant be used again. Lost when there is no such tenant, or it is not suspended.
    pub async fn resume_tenant(&self, id: &TenantId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.resume(RESUME_TENANT, id.to_string(), audit).await
    }

    async fn resume(
        &self,
        statement: Statement,
        id: String,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((statement, id, self.noted(audit)), |tx, (statement, id, audit)| {
            Box::pin(async move {
                let resumed = tx.execute(*statement, args![id.as_str()]).await?;
                if resumed > 0 {
                    record(tx, audit).await?;
                }
                Ok(Outcome::of(resumed))
            })
        })
        .await
    }
}

async fn suspend(tx: &mut Tx<'_>, statement: Statement, id: &str, audit: &Noted) -> Result<bool, StoreError> {
    let suspended = tx.execute(statement, args![id, audit.at()]).await? > 0;
    if suspended {
        record(tx, audit).await?;
    }
    Ok(suspended)
}

/// Logs a person out everywhere and revokes their grants.
pub(super) async fn end_everything_of_user(
    tx: &mut Tx<'_>,
    id: &str,
    why: AuditKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(END_SESSIONS, args![id]).await?;
    tx.execute(REVOKE_OF_USER, args![id, now, why.as_str()]).await.map(drop)
}

/// Revokes every grant of a client.
pub(super) async fn revoke_grants_of_client(
    tx: &mut Tx<'_>,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(REVOKE_OF_CLIENT, args![id, now]).await.map(drop)
}

/// Revokes every grant in a tenant.
pub(super) async fn revoke_grants_of_tenant(
    tx: &mut Tx<'_>,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(REVOKE_OF_TENANT, args![id, now]).await.map(drop)
}

/// Takes back what a person let clients do in a tenant to which they belong no longer: should they come back, nothing of
/// it does.
pub(super) async fn end_membership(
    tx: &mut Tx<'_>,
    user: &str,
    tenant: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(REVOKE_OF_MEMBER, args![user, tenant, now]).await?;
    tx.execute(consent::FORGET_OF_USER_IN, args![user, tenant]).await.map(drop)
}

/// Takes back what was granted at a resource that is gone. A grant for others besides goes with it: its client asks anew.
pub(super) async fn end_everything_at(tx: &mut Tx<'_>, uri: &str, now: Timestamp) -> Result<(), StoreError> {
    let named = format!(r#""resource":{}"#, json(&uri)?);
    tx.execute(REVOKE_AT_RESOURCE, args![&named, now]).await?;
    tx.execute(consent::FORGET_AT_RESOURCE, args![uri]).await.map(drop)
}
