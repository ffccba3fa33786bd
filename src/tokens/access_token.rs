//! Access tokens: JWTs by the profile of RFC 9068.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::base64url;
use crate::protocol::{ClaimName, ClientId, GrantId, Id, Scope, Timestamp};
use crate::random::Random;

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
    /// Claims that the configuration names: the tenant, the roles and what is mapped. Null ones are omitted.
    pub mapped: BTreeMap<ClaimName, Value>,
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
        for (name, value) in self.mapped.iter().filter(|(_, value)| !value.is_null()) {
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
    fn a_mapped_claim_is_never_null() {
        let mut full = full_claims();
        full.mapped.insert(ClaimName::parse("nothing").unwrap(), Value::Null);
        let text = serde_json::to_string(&full).unwrap();
        assert!(!text.contains("nothing") && !text.contains("null"), "{text}");
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
