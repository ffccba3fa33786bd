//! People whom configuration declares.

use super::audit::{Noted, record};
use super::backend::Tx;
use super::sql::statements;
use super::value::{args, json_list};
use super::{StoreError, admin_user, attributes, consent, suspend};
use crate::audit::AuditKind;
use crate::protocol::{Attributes, PasswordHash, RoleName, TenantId, Timestamp, User};

statements! {
    PASSWORD = "SELECT password_hash FROM users WHERE id = $1 AND password_hash IS NOT NULL";
    BY_USERNAME = "SELECT id FROM users WHERE username_folded = $1 AND id <> $2";
    /// A person who was withdrawn comes back; one whom an administrator has suspended stays suspended. A password
    /// that configuration does not give is left as it is.
    UPSERT = "INSERT INTO users (id, username, username_folded, name, email, password_hash, origin, created_at,
            password_declared_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'config', $7, $8)
        ON CONFLICT (id) DO UPDATE SET username = excluded.username, username_folded = excluded.username_folded,
            name = excluded.name, email = excluded.email,
            password_hash = COALESCE(excluded.password_hash, users.password_hash), origin = excluded.origin,
            password_declared_at = CASE WHEN excluded.password_declared_at IS NULL THEN NULL
                ELSE COALESCE(users.password_declared_at, excluded.password_declared_at) END,
            suspended_at = CASE WHEN users.origin = 'withdrawn' THEN NULL ELSE users.suspended_at END
        WHERE users.origin IN ('config', 'withdrawn')";
    PUT_MEMBERSHIP = "INSERT INTO memberships (user_id, tenant_id, roles) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, tenant_id) DO UPDATE SET roles = excluded.roles WHERE memberships.roles <> excluded.roles";
    MEMBER_OF = "SELECT tenant_id FROM memberships WHERE user_id = $1";
    DROP_MEMBERSHIP = "DELETE FROM memberships WHERE user_id = $1 AND tenant_id = $2";
    DECLARED = "SELECT id FROM users WHERE origin = 'config'";
    REMOVE = "DELETE FROM users WHERE id = $1 AND origin = 'config'
        AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.user_id = users.id)";
    /// Their login name becomes free for another; an identifier never does. No typed name folds to a text with a
    /// space at its end.
    WITHDRAW = "UPDATE users SET origin = 'withdrawn', username_folded = id || ' ',
            suspended_at = COALESCE(suspended_at, $2)
        WHERE id = $1 AND origin = 'config'";
}

/// A person as configuration declares them.
#[derive(Clone, Debug)]
pub struct DeclaredUser {
    /// The person. Whether they are suspended is not for configuration to say.
    pub user: User,
    /// Their password, unless it is set elsewhere.
    pub password_hash: Option<PasswordHash>,
    /// What configuration says about them, for claims to be mapped from.
    pub attributes: Attributes,
    /// Where they belong, and as what.
    pub memberships: Vec<DeclaredMembership>,
}

/// That a person belongs to a tenant.
#[derive(Clone, Debug)]
pub struct DeclaredMembership {
    /// The tenant.
    pub tenant: TenantId,
    /// Their roles there, the first of which is their `role`.
    pub roles: Vec<RoleName>,
    /// What configuration says about this membership.
    pub attributes: Attributes,
}

/// Writes a declared person and their memberships, which replace what they had; see `reconcile`. What they let
/// clients do in a tenant that they leave ends. A password that
/// replaces another ends what was reached with that (RFC 9700 §4.14.2), which `changed` then records.
pub(super) async fn upsert(
    tx: &mut Tx<'_>,
    declared: &DeclaredUser,
    changed: &Noted,
) -> Result<(), StoreError> {
    let now = changed.at();
    let user = &declared.user;
    let folded = User::fold(&user.username);
    if tx.optional(BY_USERNAME, args![&folded, &user.id]).await?.is_some() {
        return Err(StoreError::TakenByAnother { what: "username", id: user.username.clone() });
    }
    let password = declared.password_hash.as_ref().map(PasswordHash::as_str);
    let before = tx.optional(PASSWORD, args![&user.id]).await?;
    let since = password.map(|_| now);
    let args = args![
        &user.id,
        &user.username,
        &folded,
        user.name.as_deref(),
        user.email.as_deref(),
        password,
        now,
        since
    ];
    if admin_user::was_deleted(tx, &user.id).await? || tx.execute(UPSERT, args).await? == 0 {
        return Err(StoreError::TakenByAnother { what: "user", id: user.id.to_string() });
    }
    if let (Some(row), Some(password)) = (before, password)
        && row.text("password_hash")? != password
    {
        suspend::end_everything_of_user(tx, user.id.as_str(), changed.event.kind, now).await?;
        record(tx, changed).await?;
    }
    for row in tx.all(MEMBER_OF, args![&user.id]).await? {
        let tenant = row.text("tenant_id")?;
        if !declared.memberships.iter().any(|declared| declared.tenant.as_str() == tenant) {
            tx.execute(DROP_MEMBERSHIP, args![&user.id, tenant]).await?;
            suspend::end_membership(tx, user.id.as_str(), tenant, now).await?;
        }
    }
    attributes::put_of_user(tx, &user.id, &declared.attributes).await?;
    for DeclaredMembership { tenant, roles, attributes } in &declared.memberships {
        let roles = json_list(roles.iter().map(RoleName::as_str));
        tx.execute(PUT_MEMBERSHIP, args![&user.id, tenant, &roles]).await?;
        attributes::put_of_membership(tx, &user.id, tenant, attributes).await?;
    }
    Ok(())
}

/// Removes declared people who are declared no longer, with their sessions and consents; one to whom a grant refers is
/// withdrawn: suspended, and their grants revoked.
pub(super) async fn remove_undeclared(
    tx: &mut Tx<'_>,
    declared: &[DeclaredUser],
    now: Timestamp,
) -> Result<(), StoreError> {
    for row in tx.all(DECLARED, &[]).await? {
        let id = row.text("id")?;
        if declared.iter().any(|declared| declared.user.id.as_str() == id) {
            continue;
        }
        tx.execute(consent::FORGET_OF_USER, args![id]).await?;
        if tx.execute(REMOVE, args![id]).await? == 0 {
            tx.execute(WITHDRAW, args![id, now]).await?;
        }
        suspend::end_everything_of_user(tx, id, AuditKind::Suspended, now).await?;
    }
    Ok(())
}
