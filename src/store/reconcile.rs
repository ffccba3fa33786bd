//! Bringing what configuration declares into the database.

use super::audit::Noted;
use super::backend::Tx;
use super::{
    DeclaredUser, Store, StoreError, declared_client, declared_user, initial_access, resource, role, tenant,
};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::{Client, InitialAccessToken, Resource, Role, Tenant, Timestamp};

/// Everything that configuration declares.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Roles.
    pub roles: Vec<Role>,
    /// People, with their passwords and memberships.
    pub users: Vec<DeclaredUser>,
    /// MCP servers.
    pub resources: Vec<Resource>,
    /// Clients, with their hashed secrets. Their origin is configuration whatever they say.
    pub clients: Vec<Client>,
    /// Initial access tokens.
    pub registration_tokens: Vec<InitialAccessToken>,
}

impl Store {
    /// Makes the database agree with configuration, in one transaction: writes what is declared, removes what was
    /// declared once and is no longer, with the grants and consents that depend on it. What a grant still names is not
    /// removed but withdrawn (suspended), and comes back when it is declared again, but nothing that was granted does. What administrators added or clients registered is
    /// never touched; a declaration under a name that one of these has is [`StoreError::TakenByAnother`]. The same
    /// declarations again change nothing. Who is given another password is logged out everywhere, and their grants are
    /// revoked: whoever knew the old one may have let a client of their own in.
    pub async fn reconcile(&self, declarations: Declarations, now: Timestamp) -> Result<(), StoreError> {
        let changed = |declared: &DeclaredUser| {
            self.noted(AuditEvent::new(now, AuditKind::PasswordChanged).user(&declared.user.id))
        };
        let changed: Vec<Noted> = declarations.users.iter().map(changed).collect();
        self.write((declarations, changed, now), |tx, (declarations, changed, now)| {
            Box::pin(reconcile(tx, declarations, changed, *now))
        })
        .await
    }
}

/// Removals come first, so that a login name or an alias can move from one declaration to another.
async fn reconcile(
    tx: &mut Tx<'_>,
    declared: &Declarations,
    changed: &[Noted],
    now: Timestamp,
) -> Result<(), StoreError> {
    declared_client::remove_undeclared(tx, &declared.clients, now).await?;
    initial_access::remove_undeclared(tx, &declared.registration_tokens).await?;
    resource::remove_undeclared(tx, &declared.resources, now).await?;
    declared_user::remove_undeclared(tx, &declared.users, now).await?;
    role::remove_undeclared(tx, &declared.roles).await?;
    tenant::remove_undeclared(tx, &declared.tenants, now).await?;

    for declaration in &declared.tenants {
        tenant::upsert(tx, declaration, now).await?;
    }
    for declaration in &declared.roles {
        role::upsert(tx, declaration).await?;
    }
    for (declaration, changed) in declared.users.iter().zip(changed) {
        declared_user::upsert(tx, declaration, changed).await?;
    }
    for declaration in &declared.resources {
        resource::upsert(tx, declaration, now).await?;
    }
    for declaration in &declared.clients {
        declared_client::upsert(tx, declaration).await?;
    }
    for declaration in &declared.registration_tokens {
        initial_access::upsert(tx, declaration).await?;
    }
    Ok(())
}
