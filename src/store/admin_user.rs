//! People as administrators see and change them. Those whom configuration declares belong to it: the guards leave them
//! alone.

use super::admin::{Known, origin};
use super::audit::{Noted, record};
use super::backend::Tx;
use super::sql::statements;
use super::user::{user, user_columns};
use super::value::{Row, args, json_list};
use super::{Outcome, Store, StoreError, attributes, consent, suspend};
use crate::audit::AuditEvent;
use crate::protocol::{AttributeChanges, Attributes, PasswordHash, RoleName, TenantId, User, UserId};

/// What administrators see of a person besides what everybody does.
macro_rules! columns {
    () => {
        concat!(
            "u.id AS user_id, u.origin, u.created_at, u.attributes,
            CAST(CASE WHEN u.password_hash IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_password,
            CAST(CASE WHEN u.password_declared_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS password_is_declared, ",
            user_columns!()
        )
    };
}

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM users u WHERE u.id = $1");
    BY_USERNAME = concat!("SELECT ", columns!(), " FROM users u WHERE u.username_folded = $1");
    /// In the order of identifiers, after one of them, of a tenant if one is named.
    PAGE = concat!("SELECT ", columns!(), " FROM users u WHERE u.id > $1
        AND (CAST($2 AS TEXT) IS NULL
            OR EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.tenant_id = $2))
        ORDER BY u.id LIMIT $3");
    /// Of the people of a page, which is a range of identifiers; those of suspended tenants too.
    MEMBERSHIPS = "SELECT user_id, tenant_id, roles, attributes FROM memberships WHERE user_id >= $1 AND user_id <= $2
        ORDER BY user_id, tenant_id";
    /// Neither an identifier that somebody had before, nor a client's: the `sub` of its own tokens (RFC 9700 §4.15).
    ADD = "INSERT INTO users (id, username, username_folded, name, email, password_hash, origin, created_at)
        SELECT $1, $2, $3, $4, $5, $6, 'admin', CAST($7 AS BIGINT)
        WHERE NOT EXISTS (SELECT 1 FROM deleted_users d WHERE d.id = $1)
        AND NOT EXISTS (SELECT 1 FROM clients c WHERE c.id = $1)
        ON CONFLICT DO NOTHING";
    JOIN = "INSERT INTO memberships (user_id, tenant_id, roles) SELECT $1, $2, $3
        WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.origin = 'admin')
        AND EXISTS (SELECT 1 FROM tenants t WHERE t.id = $2)
        ON CONFLICT (user_id, tenant_id) DO UPDATE SET roles = excluded.roles";
    LEAVE = "DELETE FROM memberships WHERE user_id = $1 AND tenant_id = $2
        AND EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.origin = 'admin')";
    /// What is not to be changed is NULL. A name or mail address of no letters is taken away.
    CHANGE = "UPDATE users SET username = COALESCE($2, username), username_folded = COALESCE($3, username_folded),
            name = NULLIF(COALESCE($4, name), ''), email = NULLIF(COALESCE($5, email), '')
        WHERE id = $1 AND origin = 'admin'
        AND NOT EXISTS (SELECT 1 FROM users o WHERE o.username_folded = $3 AND o.id <> $1)";
    SET_PASSWORD = "UPDATE users SET password_hash = $2
        WHERE id = $1 AND origin IN ('config', 'admin') AND password_declared_at IS NULL";
    DELETE = "DELETE FROM users WHERE id = $1 AND origin = 'admin'";
    NEVER_AGAIN = "INSERT INTO deleted_users (id, deleted_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    pub(super) WAS_DELETED = "SELECT id FROM deleted_users WHERE id = $1";
}

/// A person as administrators see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    /// The person, and to whom they belong.
    pub known: Known<User>,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether configuration gives it.
    pub password_is_declared: bool,
    /// Where they belong and as what, by tenant; suspended tenants too.
    pub memberships: Vec<(TenantId, Vec<RoleName>)>,
    /// What claims can be mapped from.
    pub attributes: Attributes,
    /// What claims can be mapped from in single tenants, where there is something.
    pub membership_attributes: Vec<(TenantId, Attributes)>,
}

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The person.
    pub user: User,
    /// What proves who they are; without it they cannot log in yet.
    pub password_hash: Option<PasswordHash>,
    /// Where they belong, and as what.
    pub memberships: Vec<(TenantId, Vec<RoleName>)>,
    /// What claims can be mapped from.
    pub attributes: Attributes,
}

/// What is to be changed of a person; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// What they type to log in.
    pub username: Option<String>,
    /// What they are called; empty takes it away.
    pub name: Option<String>,
    /// Their mail address; empty takes it away.
    pub email: Option<String>,
    /// What claims can be mapped from.
    pub attributes: AttributeChanges,
}

/// What a membership is to be.
#[derive(Clone, Debug, Default)]
pub struct MembershipChange {
    /// The roles that the person has, and no others.
    pub roles: Vec<RoleName>,
    /// What is to be changed of what claims can be mapped from.
    pub attributes: AttributeChanges,
}

impl Store {
    /// At most `limit` people in the order of their identifiers, after the one with `after`; of one tenant if named.
    pub async fn known_users(
        &self,
        after: Option<&str>,
        tenant: Option<&TenantId>,
        limit: u32,
    ) -> Result<Vec<KnownUser>, StoreError> {
        let args = args![after.unwrap_or_default(), tenant.map(TenantId::as_str), i64::from(limit)];
        let rows = self.backend.all(PAGE, args).await?;
        self.with_memberships(&rows).await
    }

    /// The person with an identifier.
    pub async fn known_user(&self, id: &UserId) -> Result<Option<KnownUser>, StoreError> {
        let rows = self.backend.all(BY_ID, args![id]).await?;
        Ok(self.with_memberships(&rows).await?.pop())
    }

    /// The person with a login name in the form of [`User::fold`].
    pub async fn known_user_by_username(&self, folded: &str) -> Result<Option<KnownUser>, StoreError> {
        let rows = self.backend.all(BY_USERNAME, args![folded]).await?;
        Ok(self.with_memberships(&rows).await?.pop())
    }

    /// Whether an identifier belonged to a person who was deleted, and so is nobody's for ever.
    pub async fn is_deleted_user(&self, id: &UserId) -> Result<bool, StoreError> {
        Ok(self.backend.optional(WAS_DELETED, args![id]).await?.is_some())
    }

    async fn with_memberships(&self, rows: &[Row]) -> Result<Vec<KnownUser>, StoreError> {
        let mut users = rows.iter().map(known_user).collect::<Result<Vec<_>, _>>()?;
        let (Some(first), Some(last)) = (users.first(), users.last()) else { return Ok(users) };
        let range = args![&first.known.thing.id, &last.known.thing.id];
        for row in self.backend.all(MEMBERSHIPS, range).await? {
            let id = row.text("user_id")?;
            if let Some(user) = users.iter_mut().find(|user| user.known.thing.id.as_str() == id) {
                let tenant = row.parsed("tenant_id", TenantId::parse)?;
                let attributes: Attributes = row.json("attributes")?;
                if !attributes.is_empty() {
                    user.membership_attributes.push((tenant.clone(), attributes));
                }
                user.memberships.push((tenant, row.list("roles", RoleName::parse)?));
            }
        }
        Ok(users)
    }

    /// Adds a person. Lost when the identifier or the login name is taken, the identifier was taken once, or there is no
    /// such tenant.
    pub async fn add_user(&self, user: NewUser, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((user, self.noted(audit)), |tx, (new, audit)| Box::pin(add(tx, new, audit))).await
    }

    /// Changes a person. Lost when they are not there, belong to configuration, or the login name is another's.
    pub async fn change_user(
        &self,
        id: &UserId,
        change: UserChange,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), change, self.noted(audit)), |tx, (id, change, audit)| {
            Box::pin(async move {
                let folded = change.username.as_deref().map(User::fold);
                let args = args![
                    id,
                    change.username.as_deref(),
                    folded.as_deref(),
                    change.name.as_deref(),
                    change.email.as_deref(),
                ];
                let changed = tx.execute(CHANGE, args).await?;
                if changed > 0 {
                    attributes::change_of_user(tx, id, &change.attributes).await?;
                }
                recorded(tx, changed, audit).await
            })
        })
        .await
    }

    /// Lets a person belong to a tenant with these roles and no others. Lost when there is no such person or tenant, or
    /// the person belongs to configuration.
    pub async fn put_membership(
        &self,
        id: &UserId,
        tenant: &TenantId,
        change: MembershipChange,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (id.clone(), tenant.clone(), change, self.noted(audit));
        self.write_guarded(args, |tx, (id, tenant, change, audit)| {
            Box::pin(async move {
                let joined = join(tx, id, tenant, &change.roles).await?;
                if joined > 0 {
                    attributes::change_of_membership(tx, id, tenant, &change.attributes).await?;
                }
                recorded(tx, joined, audit).await
            })
        })
        .await
    }

    /// Takes a person out of a tenant, and back what they let clients do there. Lost when they are not in it, or belong
    /// to configuration.
    pub async fn drop_membership(
        &self,
        id: &UserId,
        tenant: &TenantId,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (id.clone(), tenant.clone(), self.noted(audit));
        self.write_guarded(args, |tx, (id, tenant, audit)| {
            Box::pin(async move {
                let left = tx.execute(LEAVE, args![id, tenant]).await?;
                suspend::end_membership(tx, id.as_str(), tenant.as_str(), audit.at()).await?;
                recorded(tx, left, audit).await
            })
        })
        .await
    }

    /// Gives a person another password and ends what was reached with the one before (RFC 9700 §4.14.2): they are logged
    /// out everywhere, and their grants are revoked. Lost when they are not there, or configuration gives the password.
    pub async fn set_password(
        &self,
        id: &UserId,
        password: PasswordHash,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), password, self.noted(audit)), |tx, (id, password, audit)| {
            Box::pin(async move {
                let set = tx.execute(SET_PASSWORD, args![id, password.as_str()]).await?;
                suspend::end_everything_of_user(tx, id.as_str(), audit.event.kind, audit.at()).await?;
                recorded(tx, set, audit).await
            })
        })
        .await
    }

    /// Deletes a person with their sessions, consents and memberships, and revokes their grants. Nobody gets the
    /// identifier again. Lost when they are not there or belong to configuration.
    pub async fn delete_user(&self, id: &UserId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                let deleted = tx.execute(DELETE, args![id]).await?;
                tx.execute(NEVER_AGAIN, args![id, audit.at()]).await?;
                suspend::end_everything_of_user(tx, id.as_str(), audit.event.kind, audit.at()).await?;
                tx.execute(consent::FORGET_OF_USER, args![id]).await?;
                recorded(tx, deleted, audit).await
            })
        })
        .await
    }
}

/// Records what a guarded statement did, if it did anything. What else the verb wrote is taken back when it has lost.
pub(super) async fn recorded(tx: &mut Tx<'_>, changed: u64, audit: &Noted) -> Result<Outcome, StoreError> {
    if changed > 0 {
        record(tx, audit).await?;
    }
    Ok(Outcome::of(changed))
}

async fn add(tx: &mut Tx<'_>, new: &NewUser, audit: &Noted) -> Result<Outcome, StoreError> {
    let NewUser { user, password_hash, memberships, attributes } = new;
    let folded = User::fold(&user.username);
    let args = args![
        &user.id,
        &user.username,
        &folded,
        user.name.as_deref(),
        user.email.as_deref(),
        password_hash.as_ref().map(PasswordHash::as_str),
        audit.at(),
    ];
    let added = tx.execute(ADD, args).await?;
    for (tenant, roles) in memberships {
        if added == 0 || join(tx, &user.id, tenant, roles).await? == 0 {
            return Ok(Outcome::Lost);
        }
    }
    attributes::put_of_user(tx, &user.id, attributes).await?;
    recorded(tx, added, audit).await
}

async fn join(
    tx: &mut Tx<'_>,
    id: &UserId,
    tenant: &TenantId,
    roles: &[RoleName],
) -> Result<u64, StoreError> {
    let roles = json_list(roles.iter().map(RoleName::as_str));
    tx.execute(JOIN, args![id, tenant, &roles]).await
}

fn known_user(row: &Row) -> Result<KnownUser, StoreError> {
    let user = user(row)?;
    Ok(KnownUser {
        known: Known {
            origin: origin(row)?,
            created_at: Some(row.time("created_at")?),
            suspended_at: user.suspended_at,
            thing: user,
        },
        has_password: row.is_true("has_password")?,
        password_is_declared: row.is_true("password_is_declared")?,
        memberships: Vec::new(),
        attributes: row.json("attributes")?,
        membership_attributes: Vec::new(),
    })
}

/// Whether an identifier belonged to a person who was deleted.
pub(super) async fn was_deleted(tx: &mut Tx<'_>, id: &UserId) -> Result<bool, StoreError> {
    Ok(tx.optional(WAS_DELETED, args![id]).await?.is_some())
}
