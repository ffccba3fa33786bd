//! Access tokens: JWTs by the profile of RFC 9068.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::base64url;
use crate::protocol::{ClientId, GrantId, Id, RoleName, Scope, TenantId, Timestamp};
use crate::random::Random;

/// Claims whose meaning is fixed (RFC 7519 §4.1, RFC 8693 §4, RFC 9068 §2.2, RFC 9449 §6): no configuration may give
/// them another.
const FIXED_CLAIMS: [&str; 18] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "cnf",
    "act",
    "may_act",
    "events",
    "typ",
];

/// The name of a claim that a configuration chose: not one of those whose meaning is fixed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimName(String);

impl ClaimName {
    /// Accepts a name of 1 to 128 printable ASCII characters that no standard claim of an access token bears.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed =
            (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
        (well_formed && !FIXED_CLAIMS.contains(&text)).then(|| Self(text.to_owned()))
    }

    /// `tenant`, unless configured otherwise.
    pub fn tenant() -> Self {
        Self("tenant".to_owned())
    }

    /// `roles`, unless configured otherwise (RFC 9068 §2.2.3.1).
    pub fn roles() -> Self {
        Self("roles".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A token's id: `<grant id>.<random>`, so that revocation and introspection find the grant without a row per token;
/// a token without a grant (client credentials) has the random part alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jti(String);

impl Jti {
    const RANDOM_LEN: usize = 22;

    /// A fresh id for a token of a grant.
    pub fn for_grant(grant: &GrantId, random: &Random) -> Self {
        Self(format!("{grant}.{}", Self::without_grant(random).0))
    }

    /// A fresh id for a token that no grant stands behind.
    pub fn without_grant(random: &Random) -> Self {
        Self(base64url::encode(random.bytes::<16>()))
    }

    /// Accepts what the two constructors make.
    pub fn parse(text: &str) -> Option<Self> {
        let (grant, random) = text.split_once('.').map_or((None, text), |(grant, rest)| (Some(grant), rest));
        let well_formed = random.len() == Self::RANDOM_LEN
            && base64url::decode(random).is_some()
            && grant.is_none_or(|grant| GrantId::parse(grant).is_some());
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The grant that the token was issued under.
    pub fn grant(&self) -> Option<GrantId> {
        GrantId::parse(self.0.get(..Id::LENGTH).filter(|_| self.0.contains('.'))?)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an access token says (RFC 9068 §2.2). What is absent is omitted, never null.
#[derive(Clone, Debug)]
pub struct AccessTokenClaims {
    /// `iss`: the issuer, byte for byte as configured.
    pub issuer: String,
    /// `sub`: the user, or the client that acts for itself (RFC 9068 §2.2).
    pub subject: String,
    /// `aud`: the one resource server that may accept the token; a plain string, since some accept no list.
    pub audience: String,
    /// `client_id`.
    pub client_id: ClientId,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `jti`.
    pub jti: Jti,
    /// `scope`; omitted when empty.
    pub scope: Scope,
    /// `auth_time`: when the user logged in (RFC 9068 §2.2.1).
    pub auth_time: Option<Timestamp>,
    /// `acr`: how the user logged in (RFC 9068 §2.2.1).
    pub acr: Option<String>,
    /// The tenant that the token is good for, under the claim's configured name.
    pub tenant: Option<(ClaimName, TenantId)>,
    /// The user's roles in that tenant, under the claim's configured name; omitted when empty.
    pub roles: (ClaimName, Vec<RoleName>),
    /// Claims that the resource's configuration maps. Null ones are omitted, and so are those that bear the name of
    /// the tenant's or the roles' claim.
    pub mapped: BTreeMap<ClaimName, Value>,
}

impl AccessTokenClaims {
    fn mapped_claims(&self) -> impl Iterator<Item = (&ClaimName, &Value)> {
        self.mapped.iter().filter(|(name, value)| {
            let taken = self.tenant.as_ref().is_some_and(|(tenant, _)| tenant == *name);
            !value.is_null() && !taken && self.roles.0 != **name
        })
    }
}

impl Serialize for AccessTokenClaims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("iss", &self.issuer)?;
        map.serialize_entry("sub", &self.subject)?;
        map.serialize_entry("aud", &self.audience)?;
        map.serialize_entry("client_id", &self.client_id)?;
        map.serialize_entry("iat", &self.issued_at)?;
        map.serialize_entry("exp", &self.expires_at)?;
        map.serialize_entry("jti", self.jti.as_str())?;
        if !self.scope.is_empty() {
            map.serialize_entry("scope", &self.scope)?;
        }
        if let Some(auth_time) = &self.auth_time {
            map.serialize_entry("auth_time", auth_time)?;
        }
        if let Some(acr) = &self.acr {
            map.serialize_entry("acr", acr)?;
        }
        if let Some((name, tenant)) = &self.tenant {
            map.serialize_entry(name.as_str(), tenant)?;
        }
        let (name, roles) = &self.roles;
        if !roles.is_empty() {
            map.serialize_entry(name.as_str(), roles)?;
        }
        for (name, value) in self.mapped_claims() {
            map.serialize_entry(name.as_str(), value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tokens::sample::{claims, full_claims};

    #[test]
    fn a_full_token_says_everything_under_its_registered_name() {
        assert_eq!(
            serde_json::to_value(full_claims()).unwrap(),
            json!({
                "iss": "http://localhost:8710/oauth",
                "sub": "ada",
                "aud": "https://mcp.example/mcp",
                "client_id": "editor",
                "iat": 1_800_000_000,
                "exp": 1_800_000_900,
                "jti": full_claims().jti.as_str(),
                "scope": "notes:read notes:write",
                "auth_time": 1_799_999_000,
                "acr": "pwd",
                "org": "acme",
                "roles": ["editor", "viewer"],
                "plan": "gold",
            })
        );
    }

    #[test]
    fn what_is_absent_is_omitted() {
        let claims = serde_json::to_value(claims()).unwrap();
        let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "client_id", "exp", "iat", "iss", "jti", "sub"]);
    }

    #[test]
    fn a_mapped_claim_overrides_nothing() {
        let mut full = full_claims();
        for name in ["org", "roles", "null"] {
            let value = if name == "null" { Value::Null } else { json!("forged") };
            full.mapped.insert(ClaimName::parse(name).unwrap(), value);
        }
        let text = serde_json::to_string(&full).unwrap();
        assert!(!text.contains("forged") && !text.contains("null"), "{text}");
    }

    #[test]
    fn claims_of_fixed_meaning_and_odd_names_cannot_be_configured() {
        for name in ["iss", "sub", "aud", "exp", "client_id", "scope", "cnf", "", "a b", "é", "a\"", "a\0"] {
            assert_eq!(ClaimName::parse(name), None, "{name}");
        }
        for name in ["tenant", "groups", "https://example.com/roles"] {
            assert_eq!(ClaimName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_jti_names_its_grant() {
        let random = Random::seeded(1);
        let grant = GrantId::new(Timestamp::from_seconds(1), [1; 10]);
        let (with, without) = (Jti::for_grant(&grant, &random), Jti::without_grant(&random));
        assert_eq!((with.grant(), without.grant()), (Some(grant.clone()), None));
        for jti in [&with, &without] {
            assert_eq!(Jti::parse(jti.as_str()).as_ref(), Some(jti));
        }
        let longer = format!("{with}A", with = with.as_str());
        for text in ["", ".", &longer, &format!("x.{}", without.as_str()), &format!("{grant}.")] {
            assert_eq!(Jti::parse(text), None, "{text}");
        }
    }
}
