//! Arguments that become types of `protocol`.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::app::admin::{AuditKind, Origin};
use crate::config;
use crate::protocol::{
    ClientAuthMethod, ClientId, GrantId, GrantType, InitialAccessToken, ResourceScope, RoleName, ScopeToken,
    TenantId, Timestamp, User, UserId,
};

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

pub(super) fn client(text: &str) -> Result<ClientId, &'static str> {
    ClientId::parse(text).ok_or("must be at most 2048 printable ASCII characters without spaces")
}

pub(super) fn grant(text: &str) -> Result<GrantId, &'static str> {
    GrantId::parse(text).ok_or("must be the 26 letters and digits of a grant's identifier")
}

pub(super) fn origin(text: &str) -> Result<Origin, &'static str> {
    Origin::parse(text).ok_or("must be config, admin, dynamic, document or withdrawn")
}

pub(super) fn grant_type(text: &str) -> Result<GrantType, String> {
    GrantType::parse(text).ok_or_else(|| one_of(GrantType::ALL.iter().map(|grant| grant.as_str())))
}

pub(super) fn auth_method(text: &str) -> Result<ClientAuthMethod, String> {
    ClientAuthMethod::parse(text)
        .ok_or_else(|| one_of(ClientAuthMethod::ALL.iter().map(|method| method.as_str())))
}

/// The kinds of facts, which help, completions and the refusal of others name.
pub(super) fn audit_kind() -> impl TypedValueParser<Value = AuditKind> {
    let known = PossibleValuesParser::new(AuditKind::ALL.map(AuditKind::as_str));
    known.try_map(|text| AuditKind::parse(&text).ok_or("is no kind of fact"))
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("must be one of {}", words.collect::<Vec<_>>().join(", "))
}

pub(super) fn home_page(text: &str) -> Result<String, &'static str> {
    match text.split_once("://") {
        Some(("https" | "http", rest)) if !rest.is_empty() && !text.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("must be an https URL"),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    config::parse_duration(text).map_err(|error| error.to_string())
}

/// `notes:write[editor,admin]=Change your notes`; roles and words can be left out.
pub(super) fn resource_scope(text: &str) -> Result<ResourceScope, String> {
    let (name, words) = text.split_once('=').map_or((text, None), |(name, words)| (name, Some(words)));
    let (name, roles) = match name.split_once('[') {
        Some((name, roles)) => (name, roles.strip_suffix(']').ok_or("the roles must end with a ]")?),
        None => (name, ""),
    };
    let token = ScopeToken::parse(name).map_err(|error| error.to_string())?;
    let roles = roles.split(',').filter(|text| !text.is_empty()).map(role);
    Ok(ResourceScope {
        description: words.unwrap_or(name).to_owned(),
        roles: roles.collect::<Result<_, _>>()?,
        ..ResourceScope::new(token)
    })
}

/// How many clients may register with a token.
pub(super) fn uses(text: &str) -> Result<u32, &'static str> {
    InitialAccessToken::parse_uses(text.parse().unwrap_or_default())
}

/// A moment, or how long ago it was.
#[derive(Clone, Copy, Debug)]
pub enum Since {
    /// A moment.
    Moment(Timestamp),
    /// So long before now.
    Ago(Duration),
}

impl Since {
    /// The moment.
    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Moment(at) => at,
            Self::Ago(ago) => now.minus(ago),
        }
    }
}

pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Ok(at) = Timestamp::parse_rfc3339(text) {
        return Ok(Since::Moment(at));
    }
    let ago = config::parse_duration(text);
    ago.map(Since::Ago).map_err(|_| "write 2026-11-21T05:00:00Z, or how long ago: 90s, 2h, 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_is_a_tenant_and_perhaps_roles() {
        let (tenant, roles) = membership("acme=editor,viewer").unwrap();
        assert_eq!((tenant.as_str(), roles.len()), ("acme", 2));
        assert!(membership("acme").unwrap().1.is_empty());
        for text in ["", "acme=", "=editor", "acme=editor,", "a b"] {
            assert!(membership(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_scope_is_a_name_and_perhaps_roles_and_words() {
        let scope = resource_scope("notes:write[editor,admin]=Change = yours").unwrap();
        assert_eq!((scope.token.as_str(), scope.roles.len()), ("notes:write", 2));
        assert_eq!(scope.description, "Change = yours");
        assert_eq!(resource_scope("read").unwrap().description, "read");
        for text in ["", "a b=x", "read[editor=x", "read[no role]=x"] {
            assert!(resource_scope(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn since_is_a_moment_or_how_long_ago() {
        let now = Timestamp::from_seconds(1_000_000);
        assert_eq!(since("1970-01-01T00:01:00Z").unwrap().before(now).seconds(), 60);
        assert_eq!(since("2h").unwrap().before(now).seconds(), 1_000_000 - 7200);
        assert!(since("yesterday").is_err());
    }
}
