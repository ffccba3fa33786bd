//! People.

use super::{Admin, AdminError, Named};
use crate::audit::AuditKind;
use crate::protocol::{Attributes, PasswordHash, RoleName, SHORTEST_SECRET, TenantId, User, UserId};
use crate::store::{KnownUser, MembershipChange, NewUser, UserChange};

/// A person to be added.
#[derive(Clone, Debug)]
pub struct AddUser {
    /// What they type to log in.
    pub username: String,
    /// Their `sub`; drawn when absent.
    pub id: Option<UserId>,
    /// What they are called.
    pub name: Option<String>,
    /// Their mail address.
    pub email: Option<String>,
    /// Where they belong, and as what.
    pub memberships: Vec<(TenantId, Vec<RoleName>)>,
    /// What claims can be mapped from.
    pub attributes: Attributes,
}

fn named(id: &str) -> Named<'_> {
    Named { what: "user", id }
}

impl Admin {
    /// At most `limit` people by identifier, after the one with `after`; of one tenant if named.
    ///
    /// # Errors
    /// Faults.
    pub async fn users(
        &self,
        after: Option<&str>,
        tenant: Option<&TenantId>,
        limit: u32,
    ) -> Result<Vec<KnownUser>, AdminError> {
        Ok(self.engine.store.known_users(after, tenant, limit).await?)
    }

    /// The person with a login name, or with an identifier.
    ///
    /// # Errors
    /// Nobody has it, or it is one person's name and another's identifier; then `id:` before it says which is meant.
    pub async fn user(&self, name: &str) -> Result<KnownUser, AdminError> {
        let store = &self.engine.store;
        let by_id = async |text: &str| match UserId::parse(text) {
            Some(id) => store.known_user(&id).await,
            None => Ok(None),
        };
        if let Some(id) = name.strip_prefix("id:")
            && let Some(user) = by_id(id).await?
        {
            return Ok(user);
        }
        let by_name = store.known_user_by_username(&User::fold(name)).await?;
        match (by_name, by_id(name).await?) {
            (Some(a), Some(b)) if a.known.thing.id != b.known.thing.id => Err(AdminError::Refused(format!(
                "{name:?} is the login name of one person and the identifier of another; write id: and the identifier"
            ))),
            (Some(user), _) | (None, Some(user)) => Ok(user),
            (None, None) => Err(named(name).not_found()),
        }
    }

    /// The identifier that a login name or an identifier means, also that of a person who was deleted: the audit log
    /// still knows them.
    ///
    /// # Errors
    /// As for [`Admin::user`].
    pub async fn user_id(&self, name: &str) -> Result<UserId, AdminError> {
        match self.user(name).await {
            Err(not_found @ AdminError::NotFound { .. }) => {
                let Some(id) = UserId::parse(name) else { return Err(not_found) };
                if self.engine.store.is_deleted_user(&id).await? { Ok(id) } else { Err(not_found) }
            }
            user => Ok(user?.known.thing.id),
        }
    }

    /// Adds a person; without a password they cannot log in yet.
    ///
    /// # Errors
    /// The name or the identifier is taken, or was once; a tenant or a role is not there; the password is no good.
    pub async fn add_user(&self, add: AddUser, password: Option<&str>) -> Result<KnownUser, AdminError> {
        let store = &self.engine.store;
        if store.known_user_by_username(&User::fold(&add.username)).await?.is_some() {
            return Err(named(&add.username).taken());
        }
        if let Some(id) = &add.id {
            if store.known_user(id).await?.is_some() {
                return Err(named(id.as_str()).taken());
            }
            if store.is_deleted_user(id).await? {
                return Err(AdminError::Refused(format!(
                    "{:?} was the identifier of a person who was deleted; identifiers are never given again",
                    id.as_str()
                )));
            }
        }
        for (tenant, roles) in &add.memberships {
            self.require_tenant_and_roles(tenant, roles).await?;
        }
        let password_hash = self.hashed(password).await?;
        let id = add.id.unwrap_or_else(|| UserId::from(self.engine.fresh_id()));
        let AddUser { username, name, email, memberships, attributes, .. } = add;
        let user = User { id: id.clone(), username, name, email, suspended_at: None };
        let event = self.event(AuditKind::Added, "user").user(&id);
        let new = NewUser { user, password_hash, memberships, attributes };
        let outcome = store.add_user(new, event).await?;
        named(id.as_str()).won(outcome)?;
        self.user_with(&id).await
    }

    /// Changes a person; what is absent stays.
    ///
    /// # Errors
    /// They are not there or belong to configuration, or the new login name is another's.
    pub async fn change_user(&self, name: &str, change: UserChange) -> Result<KnownUser, AdminError> {
        let user = self.changeable_user(name).await?;
        let id = &user.known.thing.id;
        if let Some(username) = &change.username {
            let other = self.engine.store.known_user_by_username(&User::fold(username)).await?;
            if other.is_some_and(|other| other.known.thing.id != *id) {
                return Err(named(username).taken());
            }
        }
        let event = self.event(AuditKind::Changed, "user").user(id);
        let outcome = self.engine.store.change_user(id, change, event).await?;
        named(name).won(outcome)?;
        self.user_with(id).await
    }

    /// Lets a person belong to a tenant, with these roles and no others.
    ///
    /// # Errors
    /// They are not there or belong to configuration; the tenant or a role is not there.
    pub async fn put_membership(
        &self,
        name: &str,
        tenant: &TenantId,
        change: MembershipChange,
    ) -> Result<KnownUser, AdminError> {
        let user = self.changeable_user(name).await?;
        self.require_tenant_and_roles(tenant, &change.roles).await?;
        let id = &user.known.thing.id;
        let event = self.event(AuditKind::Changed, "membership").user(id).tenant(tenant);
        let outcome = self.engine.store.put_membership(id, tenant, change, event).await?;
        named(name).won(outcome)?;
        self.user_with(id).await
    }

    /// Takes a person out of a tenant; what they let clients do there is revoked.
    ///
    /// # Errors
    /// They are not there, not in it, or belong to configuration.
    pub async fn drop_membership(&self, name: &str, tenant: &TenantId) -> Result<KnownUser, AdminError> {
        let user = self.changeable_user(name).await?;
        if user.memberships.iter().all(|(of, _)| of != tenant) {
            return Err(AdminError::Refused(format!(
                "{name:?} does not belong to the tenant {:?}",
                tenant.as_str()
            )));
        }
        let id = &user.known.thing.id;
        let event = self.event(AuditKind::Changed, "membership").user(id).tenant(tenant);
        let outcome = self.engine.store.drop_membership(id, tenant, event).await?;
        named(name).won(outcome)?;
        self.user_with(id).await
    }

    /// Gives a person another password; they are logged out everywhere and their grants are revoked.
    ///
    /// # Errors
    /// They are not there, configuration gives the password, or it is no good.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<(), AdminError> {
        let user = self.user(name).await?;
        if user.password_is_declared {
            return Err(AdminError::Refused(format!(
                "the password of {name:?} is given by the configuration file (or fixed, in dev mode) and is changed there"
            )));
        }
        if let Some(hash) = self.hashed(Some(password)).await? {
            let id = &user.known.thing.id;
            let event = self.event(AuditKind::PasswordChanged, "").user(id);
            let outcome = self.engine.store.set_password(id, hash, event).await?;
            named(name).won(outcome)?;
        }
        Ok(())
    }

    /// Deletes a person; nobody gets their identifier again.
    ///
    /// # Errors
    /// They are not there or belong to configuration.
    pub async fn delete_user(&self, name: &str) -> Result<UserId, AdminError> {
        let id = self.changeable_user(name).await?.known.thing.id;
        let event = self.event(AuditKind::Deleted, "user").user(&id);
        let outcome = self.engine.store.delete_user(&id, event).await?;
        named(name).won(outcome)?;
        Ok(id)
    }

    /// Suspends a person: they are logged out everywhere, and their grants are revoked.
    ///
    /// # Errors
    /// They are not there, or suspended already.
    pub async fn suspend_user(&self, name: &str) -> Result<KnownUser, AdminError> {
        let id = self.user(name).await?.known.thing.id;
        let event = self.event(AuditKind::Suspended, "user").user(&id);
        let outcome = self.engine.store.suspend_user(&id, event).await?;
        named(name).suspended(outcome)?;
        self.user_with(&id).await
    }

    /// Lets a suspended person log in again; sessions and grants are not given back.
    ///
    /// # Errors
    /// They are not there, or not suspended.
    pub async fn resume_user(&self, name: &str) -> Result<KnownUser, AdminError> {
        let known = self.user(name).await?.known;
        let id = known.thing.id;
        let event = self.event(AuditKind::Resumed, "user").user(&id);
        let outcome = self.engine.store.resume_user(&id, event).await?;
        named(name).resumed(known.origin, outcome)?;
        self.user_with(&id).await
    }

    async fn user_with(&self, id: &UserId) -> Result<KnownUser, AdminError> {
        self.engine.store.known_user(id).await?.ok_or_else(|| named(id.as_str()).not_found())
    }

    async fn changeable_user(&self, name: &str) -> Result<KnownUser, AdminError> {
        let user = self.user(name).await?;
        named(name).changeable(user.known.origin)?;
        Ok(user)
    }

    async fn hashed(&self, password: Option<&str>) -> Result<Option<PasswordHash>, AdminError> {
        let Some(password) = password else { return Ok(None) };
        if password.chars().count() < SHORTEST_SECRET {
            return Err(AdminError::Invalid(format!("a password has at least {SHORTEST_SECRET} characters")));
        }
        Ok(Some(self.engine.passwords.hash(password).await?))
    }

    async fn require_tenant_and_roles(
        &self,
        tenant: &TenantId,
        roles: &[RoleName],
    ) -> Result<(), AdminError> {
        self.tenant(tenant).await?;
        for role in roles {
            self.role(role).await?;
        }
        Ok(())
    }
}
