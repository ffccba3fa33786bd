//! How a specimen is made of a good token.

use serde_json::{Map, Value, json};

use crate::tokens::{IssueError, SigningKey, forge};

/// A good token before it is signed, and what the specimens need beside it.
#[derive(Clone, Debug)]
pub struct Template {
    /// The header; `kid` and `alg` are those of [`ZooKeys::signing`].
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The present by the issuer's clock, in seconds since 1970.
    pub now: i64,
    /// The client that an ID token would be for.
    pub client_id: String,
    /// The claims in which the issuer says the tenant.
    pub tenant_claims: Vec<String>,
    /// A tenant that the token is not for.
    pub other_tenant: String,
    /// The audience of another resource of the same issuer.
    pub other_audience: String,
}

/// The keys of the zoo.
#[derive(Clone, Copy, Debug)]
pub struct ZooKeys<'a> {
    /// The issuer's, which its JWKS publishes.
    pub signing: &'a SigningKey,
    /// An attacker's, of the same algorithm, which the JWKS does not have.
    pub foreign: &'a SigningKey,
}

/// One member that differs from the template's.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// A claim.
    Claim(&'static str, To),
    /// A member of the header.
    Header(&'static str, To),
    /// The tenant's claims, which say the other tenant of the template.
    Tenant,
}

/// What a member becomes.
#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    /// It is left out.
    Absent,
    /// This text.
    Text(&'static str),
    /// This text, if the template has nothing there.
    Default(&'static str),
    /// A list of this one text.
    List(&'static str),
    /// The truth.
    True,
    /// So many seconds after the present, or before it.
    In(i64),
    /// The same as a text of digits.
    InAsText(i64),
    /// The number zero.
    Zero,
    /// The template's text with this after it.
    Followed(&'static str),
    /// The template's words, each with this after it.
    EachFollowed(&'static str),
    /// The client of the template.
    Client,
    /// The other audience of the template.
    OtherAudience,
    /// A list of the other audience of the template and one more.
    OtherAudiences,
    /// The `kid` of the attacker's key.
    ForeignKid,
    /// The algorithm of the attacker's key.
    ForeignAlg,
    /// The attacker's public key.
    ForeignJwk,
    /// Another `jti`, made of the template's.
    AnotherJti,
}

impl Change {
    /// Makes the change.
    pub(super) fn apply(
        self,
        header: &mut Map<String, Value>,
        claims: &mut Map<String, Value>,
        template: &Template,
        keys: &ZooKeys<'_>,
    ) {
        let (members, name, to) = match self {
            Self::Claim(name, to) => (claims, name, to),
            Self::Header(name, to) => (header, name, to),
            Self::Tenant => {
                let other = || Value::from(template.other_tenant.clone());
                return claims.extend(template.tenant_claims.iter().map(|name| (name.clone(), other())));
            }
        };
        match to.value(members.get(name), template, keys) {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.remove(name),
        };
    }
}

impl To {
    fn value(self, old: Option<&Value>, template: &Template, keys: &ZooKeys<'_>) -> Option<Value> {
        let old_text = || old.and_then(Value::as_str).unwrap_or_default();
        Some(match self {
            Self::Absent => return None,
            Self::Text(text) => text.into(),
            Self::Default(text) => old.cloned().unwrap_or_else(|| text.into()),
            Self::List(text) => json!([text]),
            Self::True => true.into(),
            Self::In(seconds) => template.now.saturating_add(seconds).into(),
            Self::InAsText(seconds) => template.now.saturating_add(seconds).to_string().into(),
            Self::Zero => 0.into(),
            Self::EachFollowed(more) => {
                let words = old?.as_str()?.split(' ').map(|word| format!("{word}{more}"));
                words.collect::<Vec<_>>().join(" ").into()
            }
            Self::OtherAudiences => json!([template.other_audience, "https://attacker.example/mcp"]),
            Self::Followed(more) => format!("{}{more}", old_text()).into(),
            Self::Client => template.client_id.clone().into(),
            Self::OtherAudience => template.other_audience.clone().into(),
            Self::ForeignKid => keys.foreign.kid().into(),
            Self::ForeignAlg => json!(keys.foreign.alg()),
            Self::ForeignJwk => json!(keys.foreign.public_jwk()),
            Self::AnotherJti => forge::another_jti(old_text()).into(),
        })
    }
}

/// How a specimen is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    /// By the issuer's key.
    Well,
    /// By the issuer's key, with one bit turned over.
    Badly,
    /// By the attacker's key.
    ByForeignKey,
    /// By the issuer's key, with zeros in place of each byte.
    WithZeros,
    /// By HMAC with the PEM of the issuer's public key as the secret.
    ByPublicKey,
    /// By HMAC with this secret.
    BySecret(&'static str),
    /// Not at all: the third part is empty.
    Not,
    /// Not at all: there is no third part.
    Cut,
}

impl Signed {
    /// Puts the token together.
    pub(super) fn token(
        self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
        keys: &ZooKeys<'_>,
    ) -> Result<String, IssueError> {
        match self {
            Self::Well => forge::signed(header, claims, keys.signing),
            Self::Badly => forge::signed_badly(header, claims, keys.signing),
            Self::ByForeignKey => forge::signed(header, claims, keys.foreign),
            Self::ByPublicKey => forge::hmac_by_public_key(header, claims, keys.signing.public_jwk()),
            Self::WithZeros => forge::signed_with_zeros(header, claims, keys.signing),
            Self::BySecret(secret) => forge::hmac_by_secret(header, claims, secret.as_bytes()),
            Self::Not => forge::unsigned(header, claims),
            Self::Cut => forge::cut(header, claims),
        }
    }
}
