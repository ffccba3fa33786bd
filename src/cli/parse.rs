//! Arguments that become types of `protocol`.

use crate::protocol::{RoleName, TenantId, User, UserId};

const NAME_RULE: &str = "must be 1 to 64 letters, digits, `-`, `_` and `.`";

pub(super) fn tenant(text: &str) -> Result<TenantId, &'static str> {
    TenantId::parse(text).ok_or(NAME_RULE)
}

pub(super) fn role(text: &str) -> Result<RoleName, &'static str> {
    RoleName::parse(text).ok_or(NAME_RULE)
}

pub(super) fn user_id(text: &str) -> Result<UserId, &'static str> {
    UserId::parse(text).ok_or(NAME_RULE)
}

/// `acme` or `acme=editor,viewer`.
pub(super) fn membership(text: &str) -> Result<(TenantId, Vec<RoleName>), &'static str> {
    let Some((of, roles)) = text.split_once('=') else { return Ok((tenant(text)?, Vec::new())) };
    Ok((tenant(of)?, roles.split(',').map(role).collect::<Result<_, _>>()?))
}

/// A mail address, or nothing to take one away.
pub(super) fn email_or_nothing(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Ok(String::new()) } else { User::parse_email(text) }
}
