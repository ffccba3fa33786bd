//! Tenants and roles.

use super::{Admin, AdminError, Named};
use crate::audit::AuditKind;
use crate::protocol::{Role, RoleName, Tenant, TenantId};
use crate::store::Known;

fn tenant_named(id: &TenantId) -> Named<'_> {
    Named { what: "tenant", id: id.as_str() }
}

fn role_named(name: &RoleName) -> Named<'_> {
    Named { what: "role", id: name.as_str() }
}

impl Admin {
    /// At most `limit` tenants by identifier, after the one with `after`.
    ///
    /// # Errors
    /// Faults.
    pub async fn tenants(&self, after: Option<&str>, limit: u32) -> Result<Vec<Known<Tenant>>, AdminError> {
        Ok(self.engine.store.known_tenants(after, limit).await?)
    }

    /// The tenant with an identifier.
    ///
    /// # Errors
    /// There is none.
    pub async fn tenant(&self, id: &TenantId) -> Result<Known<Tenant>, AdminError> {
        self.engine.store.known_tenant(id).await?.ok_or_else(|| tenant_named(id).not_found())
    }

    /// Adds a tenant.
    ///
    /// # Errors
    /// There is one already.
    pub async fn add_tenant(&self, tenant: Tenant) -> Result<Known<Tenant>, AdminError> {
        let id = tenant.id.clone();
        let event = self.event(AuditKind::Added, "tenant").tenant(&id);
        let outcome = self.engine.store.add_tenant(tenant, event).await?;
        outcome.won().ok_or_else(|| tenant_named(&id).taken())?;
        self.tenant(&id).await
    }

    /// Gives a tenant another name.
    ///
    /// # Errors
    /// It is not there, or belongs to configuration.
    pub async fn rename_tenant(&self, tenant: Tenant) -> Result<Known<Tenant>, AdminError> {
        let id = tenant.id.clone();
        tenant_named(&id).changeable(self.tenant(&id).await?.origin)?;
        let event = self.event(AuditKind::Changed, "tenant").tenant(&id);
        let outcome = self.engine.store.rename_tenant(tenant, event).await?;
        tenant_named(&id).won(outcome)?;
        self.tenant(&id).await
    }

    /// Suspends a tenant; the grants in it are revoked.
    ///
    /// # Errors
    /// It is not there, or suspended already.
    pub async fn suspend_tenant(&self, id: &TenantId) -> Result<Known<Tenant>, AdminError> {
        self.tenant(id).await?;
        let event = self.event(AuditKind::Suspended, "tenant").tenant(id);
        let outcome = self.engine.store.suspend_tenant(id, event).await?;
        tenant_named(id).suspended(outcome)?;
        self.tenant(id).await
    }

    /// Lets a suspended tenant be used again; grants are not given back.
    ///
    /// # Errors
    /// It is not there, or not suspended.
    pub async fn resume_tenant(&self, id: &TenantId) -> Result<Known<Tenant>, AdminError> {
        let origin = self.tenant(id).await?.origin;
        let event = self.event(AuditKind::Resumed, "tenant").tenant(id);
        let outcome = self.engine.store.resume_tenant(id, event).await?;
        tenant_named(id).resumed(origin, outcome)?;
        self.tenant(id).await
    }

    /// Deletes a tenant: memberships and consents in it go, grants in it are revoked.
    ///
    /// # Errors
    /// It is not there, belongs to configuration, or a client's own tokens name it.
    pub async fn delete_tenant(&self, id: &TenantId) -> Result<(), AdminError> {
        tenant_named(id).changeable(self.tenant(id).await?.origin)?;
        if let Some(client) = self.engine.store.client_of_tenant(id).await? {
            return Err(AdminError::Refused(format!(
                "the tokens of the client {client:?} name the tenant {:?}; delete the client first",
                id.as_str()
            )));
        }
        let event = self.event(AuditKind::Deleted, "tenant").tenant(id);
        let outcome = self.engine.store.delete_tenant(id, event).await?;
        tenant_named(id).won(outcome)
    }

    /// Every role, by name.
    ///
    /// # Errors
    /// Faults.
    pub async fn roles(&self) -> Result<Vec<Known<Role>>, AdminError> {
        Ok(self.engine.store.known_roles().await?)
    }

    /// The role with a name.
    ///
    /// # Errors
    /// There is none.
    pub async fn role(&self, name: &RoleName) -> Result<Known<Role>, AdminError> {
        let roles = self.roles().await?;
        roles.into_iter().find(|role| role.thing.name == *name).ok_or_else(|| role_named(name).not_found())
    }

    /// Adds a role.
    ///
    /// # Errors
    /// There is one already.
    pub async fn add_role(&self, role: Role) -> Result<Known<Role>, AdminError> {
        let name = role.name.clone();
        let event = self.event(AuditKind::Added, &format!("role {name}"));
        let outcome = self.engine.store.add_role(role, event).await?;
        outcome.won().ok_or_else(|| role_named(&name).taken())?;
        self.role(&name).await
    }

    /// Describes a role anew.
    ///
    /// # Errors
    /// It is not there, or belongs to configuration.
    pub async fn describe_role(&self, role: Role) -> Result<Known<Role>, AdminError> {
        let name = role.name.clone();
        role_named(&name).changeable(self.role(&name).await?.origin)?;
        let event = self.event(AuditKind::Changed, &format!("role {name}"));
        let outcome = self.engine.store.describe_role(role, event).await?;
        role_named(&name).won(outcome)?;
        self.role(&name).await
    }

    /// Deletes a role and takes it from everybody who has it.
    ///
    /// # Errors
    /// It is not there, or belongs to configuration.
    pub async fn delete_role(&self, name: &RoleName) -> Result<(), AdminError> {
        role_named(name).changeable(self.role(name).await?.origin)?;
        let event = self.event(AuditKind::Deleted, &format!("role {name}"));
        let outcome = self.engine.store.delete_role(name, event).await?;
        role_named(name).won(outcome)
    }
}
