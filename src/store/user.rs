//! People and what they belong to.

use super::sql::statements;
use super::value::{Row, args};
use super::{Store, StoreError};
use crate::protocol::{Membership, PasswordHash, RoleName, Tenant, TenantId, User, UserId};

/// The columns that [`user`] reads, of the table `users` under the name `u`. The identifier is not among them:
/// it has another name where tables are joined.
macro_rules! user_columns {
    () => {
        "u.username, u.name, u.email, u.suspended_at"
    };
}
pub(super) use user_columns;

statements! {
    BY_USERNAME = concat!("SELECT u.id AS user_id, u.password_hash, ", user_columns!(),
        " FROM users u WHERE u.username_folded = $1");
    BY_ID = concat!("SELECT u.id AS user_id, u.password_hash, ", user_columns!(), " FROM users u WHERE u.id = $1");
    MEMBERSHIPS = "SELECT t.id, t.name, m.roles FROM memberships m JOIN tenants t ON t.id = m.tenant_id
        WHERE m.user_id = $1 AND t.suspended_at IS NULL ORDER BY t.id";
}

/// A person with what proves who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The person. A suspended one is found too, so that a login can be refused in the same time as any other:
    /// look at `suspended_at`.
    pub user: User,
    /// The hash of their password, if they have one.
    pub password_hash: Option<PasswordHash>,
}

impl Store {
    /// The account with a login name in the form of [`User::fold`].
    pub async fn account_by_username(&self, folded: &str) -> Result<Option<Account>, StoreError> {
        self.backend.optional(BY_USERNAME, args![folded]).await?.as_ref().map(account).transpose()
    }

    /// The account with an identifier.
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>, StoreError> {
        self.backend.optional(BY_ID, args![id]).await?.as_ref().map(account).transpose()
    }

    /// The tenants that a person belongs to and their roles there, by tenant id; suspended tenants are left out.
    pub async fn memberships(&self, id: &UserId) -> Result<Vec<Membership>, StoreError> {
        self.backend.all(MEMBERSHIPS, args![id]).await?.iter().map(membership).collect()
    }
}

fn account(row: &Row) -> Result<Account, StoreError> {
    let password_hash = row.optional_text("password_hash")?;
    Ok(Account {
        user: user(row)?,
        password_hash: password_hash.map(|hash| PasswordHash::from_stored(hash.to_owned())),
    })
}

/// The person in a row that holds `user_id` and the columns of `user_columns`.
pub(super) fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.parsed("user_id", UserId::parse)?,
        username: row.text("username")?.to_owned(),
        name: row.optional_text("name")?.map(str::to_owned),
        email: row.optional_text("email")?.map(str::to_owned),
        suspended_at: row.optional_time("suspended_at")?,
    })
}

fn membership(row: &Row) -> Result<Membership, StoreError> {
    let tenant = Tenant { id: row.parsed("id", TenantId::parse)?, name: row.text("name")?.to_owned() };
    Ok(Membership { tenant, roles: row.list("roles", RoleName::parse)? })
}
