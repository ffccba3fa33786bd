//! Client assertions: a JWT by which a client with keys says who it is (RFC 7523 §2.2 and §3, rfc7523bis, RFC 8725).
//!
//! What an assertion says is judged here. Whether the client's key signed it, and whether it was used before, are asked
//! elsewhere: nothing here is believed without both.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::client_metadata::digest;
use super::{ClientId, Policy, Timestamp};

/// `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest assertion that is looked at, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(60);
/// How long an assertion may be good for: it is remembered for as long.
const LONGEST: Duration = Duration::from_secs(3600);
/// A plain JWT, or one that says what it is for (rfc7523bis). Everything else is made for something else, and could
/// have been taken from there (RFC 8725 §3.11).
const TYPES: [&str; 2] = ["jwt", "client-authentication+jwt"];

/// A signature algorithm that an assertion may use. There is no symmetric one and no `none`: they cannot be asked for
/// by mistake (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl AssertionAlgorithm {
    /// Every algorithm, in the order in which metadata lists them.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// Its registered name (RFC 7518 §3.1, RFC 8037 §3.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads a registered name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// Why an assertion proves nothing; for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Not a JWS in compact form, too long, or a member of the wrong type.
    #[error("the assertion is malformed")]
    Malformed,
    /// A token for something else.
    #[error("the assertion has the typ of another kind of token")]
    Type,
    /// None of [`AssertionAlgorithm::ALL`].
    #[error("the assertion uses an algorithm that is not accepted")]
    Algorithm,
    /// `crit` or `b64` (RFC 7515 §4.1.11, RFC 7797): no extension is understood.
    #[error("the assertion has a header that is not understood")]
    Extension,
    /// A claim that must be there is not.
    #[error("the assertion lacks {0}")]
    Missing(&'static str),
    /// `iss` and `sub` are both the client (RFC 7523 §3).
    #[error("the assertion is not the client's own")]
    Subject,
    /// `aud` is neither the issuer nor the token endpoint, or names another beside it.
    #[error("the assertion is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the assertion has expired")]
    Expired,
    /// `exp` lies too far ahead.
    #[error("the assertion would be good for more than an hour")]
    TooLong,
    /// `nbf` or `iat` lies ahead.
    #[error("the assertion is not good yet")]
    NotYet,
}

/// An assertion as it was presented. Keys that it brings along (`jwk`, `jku`, `x5c`, `x5u`) are not looked at: they
/// prove nothing (RFC 8725 §3.10).
#[derive(Clone, PartialEq, Eq)]
pub struct ClientAssertion {
    algorithm: AssertionAlgorithm,
    kid: Option<String>,
    claims: Map<String, Value>,
    signed: String,
    signature: String,
}

impl std::fmt::Debug for ClientAssertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientAssertion").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl ClientAssertion {
    /// Takes an assertion apart.
    ///
    /// # Errors
    /// When it is none, or its header rules it out.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        if text.len() > MAX_LENGTH {
            return Err(AssertionError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(AssertionError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(AssertionError::Malformed)?;
        // A fourth part would leave a dot in the claims, which base64url does not have.
        let (header, claims) = (object(header)?, object(claims)?);
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(AssertionError::Extension);
        }
        if !header.get("typ").is_none_or(is_accepted_type) {
            return Err(AssertionError::Type);
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(AssertionAlgorithm::parse);
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(AssertionError::Malformed),
        };
        Ok(Self {
            algorithm: algorithm.ok_or(AssertionError::Algorithm)?,
            kid,
            claims,
            signed: signed.to_owned(),
            signature: signature.to_owned(),
        })
    }

    /// The client that it says it is, which is nothing but where to look for keys.
    pub fn named_client(&self) -> Option<ClientId> {
        self.claims.get("sub").and_then(Value::as_str).and_then(ClientId::parse)
    }

    /// How it is signed.
    pub fn algorithm(&self) -> AssertionAlgorithm {
        self.algorithm
    }

    /// Which of the client's keys it says has signed it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What is signed.
    pub fn signed(&self) -> &str {
        &self.signed
    }

    /// The signature, in base64url.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Judges what it says: the client's own word (`iss` and `sub`), to this server alone, for now, once. The answer
    /// says what to remember of it, and for how long, so that it is used once.
    ///
    /// `aud` is the issuer, as rfc7523bis has it, or the token endpoint, as RFC 7523 §3 has it and released clients
    /// send it: one string compared byte for byte, or that string alone in a list, which says the same (RFC 7519
    /// §4.1.3). With anything beside it, another server could present the assertion here.
    ///
    /// # Errors
    /// What is the matter with it.
    pub fn check(
        &self,
        client: &ClientId,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Spending, AssertionError> {
        for claim in ["iss", "sub"] {
            if self.text(claim)? != client.as_str() {
                return Err(AssertionError::Subject);
            }
        }
        let audience = self.audience()?;
        if audience != policy.issuer.as_str() && audience != policy.issuer.endpoint("token") {
            return Err(AssertionError::Audience);
        }
        let expires_at = self.moment("exp")?.ok_or(AssertionError::Missing("exp"))?;
        let good_until = expires_at.plus(LEEWAY);
        if good_until <= now {
            return Err(AssertionError::Expired);
        }
        if expires_at > now.plus(LONGEST).plus(LEEWAY) {
            return Err(AssertionError::TooLong);
        }
        for claim in ["nbf", "iat"] {
            if self.moment(claim)?.is_some_and(|from| from > now.plus(LEEWAY)) {
                return Err(AssertionError::NotYet);
            }
        }
        let jti = self.text("jti")?;
        Ok(Spending { id: digest(&json!([client.as_str(), jti])), good_until })
    }

    fn text(&self, claim: &'static str) -> Result<&str, AssertionError> {
        match self.claims.get(claim) {
            None => Err(AssertionError::Missing(claim)),
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(_) => Err(AssertionError::Malformed),
        }
    }

    fn audience(&self) -> Result<&str, AssertionError> {
        match self.claims.get("aud") {
            None => Err(AssertionError::Missing("aud")),
            Some(Value::String(only)) => Ok(only),
            Some(Value::Array(list)) => match list.as_slice() {
                [Value::String(only)] => Ok(only),
                _ => Err(AssertionError::Audience),
            },
            Some(_) => Err(AssertionError::Malformed),
        }
    }

    /// A number of seconds, whole or not (RFC 7519 §2, `NumericDate`).
    fn moment(&self, claim: &str) -> Result<Option<Timestamp>, AssertionError> {
        let Some(value) = self.claims.get(claim) else { return Ok(None) };
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64));
        seconds.map(|seconds| Some(Timestamp::from_seconds(seconds))).ok_or(AssertionError::Malformed)
    }
}

/// What is remembered of an assertion that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Digest of the client and the assertion's `jti`.
    pub id: String,
    /// Until when it would be good; the leeway for clocks counts.
    pub good_until: Timestamp,
}

/// RFC 7515 §4.1.9: media types compare without case, and "application/" may be left out.
fn is_accepted_type(value: &Value) -> bool {
    let typ = value.as_str().unwrap_or_default().to_ascii_lowercase();
    TYPES.contains(&typ.strip_prefix("application/").unwrap_or(&typ))
}

fn object(part: &str) -> Result<Map<String, Value>, AssertionError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| AssertionError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| AssertionError::Malformed)
}

#[cfg(test)]
mod tests;
