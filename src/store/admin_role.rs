//! Roles as administrators see and change them.

use super::admin::{Known, origin};
use super::admin_user::recorded;
use super::role::take_from_everybody;
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{Role, RoleName};

statements! {
    ALL = "SELECT name, description, origin FROM roles ORDER BY name";
    ADD = "INSERT INTO roles (name, description, origin) VALUES ($1, $2, 'admin') ON CONFLICT (name) DO NOTHING";
    CHANGE = "UPDATE roles SET description = $2 WHERE name = $1 AND origin = 'admin'";
    DELETE = "DELETE FROM roles WHERE name = $1 AND origin = 'admin'";
}

impl Store {
    /// Every role, by name.
    pub async fn known_roles(&self) -> Result<Vec<Known<Role>>, StoreError> {
        self.backend.all(ALL, &[]).await?.iter().map(known).collect()
    }

    /// Adds a role. Lost when the name is taken.
    pub async fn add_role(&self, role: Role, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((role, self.noted(audit)), |tx, (role, audit)| {
            Box::pin(async move {
                let added = tx.execute(ADD, args![&role.name, &role.description]).await?;
                recorded(tx, added, audit).await
            })
        })
        .await
    }

    /// Describes a role anew. Lost when it is not there or belongs to configuration.
    pub async fn describe_role(&self, role: Role, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((role, self.noted(audit)), |tx, (role, audit)| {
            Box::pin(async move {
                let changed = tx.execute(CHANGE, args![&role.name, &role.description]).await?;
                recorded(tx, changed, audit).await
            })
        })
        .await
    }

    /// Deletes a role and takes it from everybody who has it. Lost when it is not there or belongs to configuration.
    pub async fn delete_role(&self, name: &RoleName, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((name.clone(), self.noted(audit)), |tx, (name, audit)| {
            Box::pin(async move {
                let deleted = tx.execute(DELETE, args![name]).await?;
                take_from_everybody(tx, name).await?;
                recorded(tx, deleted, audit).await
            })
        })
        .await
    }
}

fn known(row: &Row) -> Result<Known<Role>, StoreError> {
    let description = row.text("description")?.to_owned();
    let thing = Role { name: row.parsed("name", RoleName::parse)?, description };
    Ok(Known { thing, origin: origin(row)?, created_at: None, suspended_at: None })
}
