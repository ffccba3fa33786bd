//! Roles: what members of a tenant can be.

use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args, json_list};
use super::{Store, StoreError};
use crate::protocol::{Role, RoleName};

statements! {
    UPSERT = "INSERT INTO roles (name, description, origin) VALUES ($1, $2, 'config')
        ON CONFLICT (name) DO UPDATE SET description = excluded.description WHERE roles.origin = 'config'";
    DECLARED = "SELECT name FROM roles WHERE origin = 'config'";
    REMOVE = "DELETE FROM roles WHERE name = $1 AND origin = 'config'";
    /// Reads the whole table: a role is removed rarely.
    MEMBERSHIPS = "SELECT user_id, tenant_id, roles FROM memberships";
    SET_ROLES = "UPDATE memberships SET roles = $3 WHERE user_id = $1 AND tenant_id = $2";
    ALL = "SELECT name, description FROM roles ORDER BY name";
}

impl Store {
    /// Every role, by name.
    pub async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        self.backend.all(ALL, &[]).await?.iter().map(role).collect()
    }
}

fn role(row: &Row) -> Result<Role, StoreError> {
    Ok(Role { name: row.parsed("name", RoleName::parse)?, description: row.text("description")?.to_owned() })
}

/// Writes a declared role; see `reconcile`.
pub(super) async fn upsert(tx: &mut Tx<'_>, role: &Role) -> Result<(), StoreError> {
    if tx.execute(UPSERT, args![&role.name, &role.description]).await? == 0 {
        return Err(StoreError::TakenByAnother { what: "role", id: role.name.to_string() });
    }
    Ok(())
}

/// Takes a role from everybody who has it: resources give scopes to roles by their names, whether such a role is there
/// or not.
pub(super) async fn take_from_everybody(tx: &mut Tx<'_>, name: &RoleName) -> Result<(), StoreError> {
    for row in tx.all(MEMBERSHIPS, &[]).await? {
        let mut roles = row.list("roles", RoleName::parse)?;
        let before = roles.len();
        roles.retain(|role| role != name);
        if roles.len() < before {
            let left = json_list(roles.iter().map(RoleName::as_str));
            tx.execute(SET_ROLES, args![row.text("user_id")?, row.text("tenant_id")?, &left]).await?;
        }
    }
    Ok(())
}

/// Removes declared roles that are declared no longer, and takes them from everybody.
pub(super) async fn remove_undeclared(tx: &mut Tx<'_>, declared: &[Role]) -> Result<(), StoreError> {
    for row in tx.all(DECLARED, &[]).await? {
        let name = row.parsed("name", RoleName::parse)?;
        if !declared.iter().any(|role| role.name == name) {
            tx.execute(REMOVE, args![&name]).await?;
            take_from_everybody(tx, &name).await?;
        }
    }
    Ok(())
}
