//! Roles: what members of a tenant can be.

use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args};
use super::{Store, StoreError};
use crate::protocol::{Role, RoleName};

statements! {
    UPSERT = "INSERT INTO roles (name, description, origin) VALUES ($1, $2, 'config')
        ON CONFLICT (name) DO UPDATE SET description = excluded.description WHERE roles.origin = 'config'";
    DECLARED = "SELECT name FROM roles WHERE origin = 'config'";
    REMOVE = "DELETE FROM roles WHERE name = $1 AND origin = 'config'";
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

/// Removes declared roles that are declared no longer. Memberships may still name them; a name without meaning does
/// no harm.
pub(super) async fn remove_undeclared(tx: &mut Tx<'_>, declared: &[Role]) -> Result<(), StoreError> {
    for row in tx.all(DECLARED, &[]).await? {
        let name = row.text("name")?;
        if !declared.iter().any(|role| role.name.as_str() == name) {
            tx.execute(REMOVE, args![name]).await?;
        }
    }
    Ok(())
}
