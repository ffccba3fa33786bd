//! Arguments that become types of `protocol`.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::app::admin::{AuditKind, Origin};
use crate::config;
use crate::protocol::{
    Attribute, AttributeName, ClaimMapping, ClaimName, ClaimSource, Client, ClientAuthMethod, ClientId,
    GrantId, GrantType, InitialAccessToken, MachineScopes, ResourceScope, ResourceUri, RoleName, Scope,
    ScopeRules, ScopeToken, SigningAlg, TenantId, Timestamp, User, UserId,
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
    Client::parse_id(text)
}

pub(super) fn grant(text: &str) -> Result<GrantId, &'static str> {
    GrantId::parse(text).ok_or("must be the 26 letters and digits of a grant's identifier")
}

pub(super) fn origin(text: &str) -> Result<Origin, &'static str> {
    Origin::parse(text).ok_or("must be config, admin, dynamic, document or withdrawn")
}

/// What is said, or nothing to take away what there is.
#[derive(Clone, Debug)]
pub struct OrNothing<T>(pub Option<T>);

/// Reads what `parse` reads, or nothing.
pub(super) fn or_nothing<T, E: ToString>(
    parse: impl Fn(&str) -> Result<T, E> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<OrNothing<T>, String> + Clone + Send + Sync + 'static {
    move |text| {
        let said = if text.is_empty() { None } else { Some(parse(text).map_err(|error| error.to_string())?) };
        Ok(OrNothing(said))
    }
}

/// The list that arguments mean, if there are any: an empty one empties it.
pub(super) fn listed<T: Clone>(arguments: &[OrNothing<T>]) -> Option<Vec<T>> {
    (!arguments.is_empty()).then(|| arguments.iter().filter_map(|said| said.0.clone()).collect())
}

pub(super) fn grant_type() -> impl TypedValueParser<Value = GrantType> {
    let known = PossibleValuesParser::new(GrantType::ALL.map(GrantType::as_str));
    known.try_map(|text| GrantType::parse(&text).ok_or("is no grant type"))
}

pub(super) fn auth_method() -> impl TypedValueParser<Value = ClientAuthMethod> {
    let known = PossibleValuesParser::new(ClientAuthMethod::ALL.map(ClientAuthMethod::as_str));
    known.try_map(|text| ClientAuthMethod::parse(&text).ok_or("is no method"))
}

pub(super) fn signing_alg() -> impl TypedValueParser<Value = SigningAlg> {
    let known = PossibleValuesParser::new(SigningAlg::ALL.map(SigningAlg::as_str));
    known.try_map(|text| SigningAlg::parse(&text).ok_or("is no algorithm"))
}

/// `https://mcp.example.com/mcp notes:read notes:write`; without scopes it is a token without scopes.
pub(super) fn machine_scopes(text: &str) -> Result<MachineScopes, String> {
    let (uri, scopes) = text.split_once(' ').unwrap_or((text, ""));
    let resource = ResourceUri::parse(uri).map_err(|error| error.to_string())?;
    let scopes = Scope::parse(scopes.trim()).map_err(|error| error.to_string())?;
    Ok(MachineScopes { resource, scopes })
}

const ATTRIBUTE_RULE: &str = "write NAME=TEXT, NAME:=[\"TEXT\",…] for a list, or NAME= to take it away";

/// `tier=gold`, `groups:=["staff","on-call"]`, or `tier=` to take it away.
pub(super) fn attribute(text: &str) -> Result<(AttributeName, Option<Attribute>), String> {
    let (name, value) = text.split_once('=').ok_or(ATTRIBUTE_RULE)?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let texts: Vec<String> = serde_json::from_str(value).map_err(|_| ATTRIBUTE_RULE)?;
            if texts.iter().any(|text| text.is_empty() || text.contains('\0')) {
                return Err(ATTRIBUTE_RULE.to_owned());
            }
            (name, Some(Attribute::Many(texts)))
        }
        None => {
            (name, Some(value).filter(|text| !text.is_empty()).map(|text| Attribute::One(text.to_owned())))
        }
    };
    Ok((AttributeName::parse(name).ok_or(NAME_RULE)?, value))
}

/// `department=user.attributes.department`.
pub(super) fn claim(text: &str) -> Result<ClaimMapping, String> {
    let (name, from) = text.split_once('=').ok_or("write NAME=SOURCE")?;
    let name = ClaimName::parse(name).ok_or_else(|| format!("the name {}", ClaimName::RULE))?;
    let from = ClaimSource::parse(from).ok_or_else(|| format!("the source {}", ClaimSource::RULE))?;
    Ok(ClaimMapping { name, from })
}

/// `notes:write consent=always max_age=5m access_token_ttl=2m`.
pub(super) fn scope_rules(text: &str) -> Result<ScopeRules, String> {
    let mut words = text.split_whitespace();
    let token = ScopeToken::parse(words.next().unwrap_or_default()).map_err(|error| error.to_string())?;
    let mut rules = ScopeRules { token, asks_each_time: None, max_age: None, access_token_ttl: None };
    for word in words {
        match word.split_once('=') {
            Some(("consent", "always")) => rules.asks_each_time = Some(true),
            Some(("consent", "remembered")) => rules.asks_each_time = Some(false),
            Some(("max_age", age)) => rules.max_age = Some(duration(age)?),
            Some(("access_token_ttl", ttl)) => rules.access_token_ttl = Some(duration(ttl)?),
            _ => {
                return Err(
                    "the rules are consent=always|remembered, max_age=… and access_token_ttl=…".to_owned()
                );
            }
        }
    }
    Ok(rules)
}

/// The kinds of facts, which help, completions and the refusal of others name.
pub(super) fn audit_kind() -> impl TypedValueParser<Value = AuditKind> {
    let known = PossibleValuesParser::new(AuditKind::ALL.map(AuditKind::as_str));
    known.try_map(|text| AuditKind::parse(&text).ok_or("is no kind of fact"))
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
    let token = ResourceScope::parse_token(name)?;
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
    fn an_attribute_is_a_text_a_list_or_nothing() {
        let value = |text| attribute(text).unwrap().1;
        assert_eq!(value("tier=a=b"), Some(Attribute::One("a=b".to_owned())));
        assert_eq!(value("tier="), None);
        assert_eq!(value(r#"groups:=["a"]"#), Some(Attribute::Many(vec!["a".to_owned()])));
        for text in
            ["tier", "a b=c", "=c", "groups:=a", "groups:=", r#"groups:=[""]"#, r#"groups:=["\u0000"]"#]
        {
            assert!(attribute(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_machine_may_do_at_a_resource_is_its_uri_and_scopes() {
        let single = machine_scopes("https://m.example/a=b  read write").unwrap();
        assert_eq!(
            (single.resource.as_str(), single.scopes.to_string().as_str()),
            ("https://m.example/a=b", "read write")
        );
        assert!(machine_scopes("https://m.example").unwrap().scopes.is_empty());
        for text in ["", "read", "https://m.example \"x\""] {
            assert!(machine_scopes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_rules_of_a_scope_are_named() {
        let rules = scope_rules("write max_age=5m consent=always").unwrap();
        assert_eq!((rules.asks_each_time, rules.max_age), (Some(true), Some(Duration::from_secs(300))));
        assert_eq!(rules.access_token_ttl, None);
        for text in ["", "write consent=never", "write max_age", "write max_age=x", "write age=5m"] {
            assert!(scope_rules(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_claim_is_a_name_and_where_it_comes_from() {
        assert_eq!(claim("a=user.email").unwrap().from, ClaimSource::Email);
        for text in ["a", "sub=user.email", "a=user.shoe_size", "=user.email"] {
            assert!(claim(text).is_err(), "{text}");
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
