//! Checking an access token (RFC 9068 §4, RFC 8725, RFC 7515 §4.1.11).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims::{ClaimNames, Claims};
use super::jwks::Algorithm;
use super::key_store::{KeyError, KeyStore};
use crate::clock::Clock;
use crate::protocol::TEST_MARK;

/// Longest token that is looked at, in bytes; header limits of HTTP servers are of this order.
const MAX_TOKEN: usize = 16 * 1024;

/// How far in the future a token may claim to be issued: machines' clocks differ.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Why a token is not accepted. The text of the variant is the `error_description` that the client receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT in compact form, too long, or a claim of the wrong type.
    #[error("the access token is malformed")]
    Malformed,
    /// `typ` is not `at+jwt`: an ID token, perhaps (RFC 9068 §4).
    #[error("the token is of another type than at+jwt: not an access token (RFC 9068)")]
    WrongType,
    /// `alg` is none of those allowed.
    #[error("the access token is signed with an algorithm that is not accepted here")]
    WrongAlgorithm,
    /// `crit` names an extension (RFC 7515 §4.1.11); none is understood.
    #[error("the access token has a critical header that is not understood here")]
    UnknownCriticalHeader,
    /// A required claim is absent.
    #[error("the access token lacks the claim {0}")]
    MissingClaim(&'static str),
    /// `iss` is not the configured issuer, byte for byte.
    #[error("the access token is from another issuer")]
    WrongIssuer,
    /// `aud` does not contain this resource.
    #[error("the access token is for another audience")]
    WrongAudience,
    /// The token is for another tenant than the configured one.
    #[error("the access token is for another tenant")]
    WrongTenant,
    /// `exp` has passed.
    #[error("the access token has expired")]
    Expired,
    /// `nbf` or `iat` lie in the future.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// A server in test mode signed it, which gives everybody any token, and this resource server or its issuer is
    /// not on loopback.
    #[error("the access token was made for tests (gatelet in test mode), which is good on loopback alone")]
    MadeForTests,
    /// The issuer publishes no such key.
    #[error("the access token is signed with a key that the issuer does not publish")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature of the access token is not valid")]
    BadSignature,
}

/// A token is bad, or cannot be judged at the moment.
#[derive(Debug)]
pub(super) enum VerifyError {
    Bad(TokenError),
    KeysUnavailable { retry_after: u64 },
}

impl From<TokenError> for VerifyError {
    fn from(error: TokenError) -> Self {
        Self::Bad(error)
    }
}

/// Everything that a token is measured against.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) tenant: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) leeway: Duration,
    pub(super) clock: Clock,
    pub(super) names: ClaimNames,
    pub(super) keys: Arc<KeyStore>,
    /// Whether tokens of a server in test mode are taken: on loopback.
    pub(super) takes_test_tokens: bool,
}

impl Verifier {
    /// The claims of a good token.
    ///
    /// The signature comes last: every check before it is cheap, none is believed without it, and a token that is
    /// foreign or old anyway makes us neither compute nor fetch.
    pub(super) async fn verify(&self, token: &str) -> Result<Claims, VerifyError> {
        let parts = Compact::split(token)?;
        let algorithm = self.check_header(&parts.header)?;
        let claims = Claims::parse(object(parts.payload)?, &self.names)?;
        self.check_claims(&claims)?;
        let kid = match parts.header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.as_str()),
            Some(_) => return Err(TokenError::Malformed.into()),
        };
        let key = self.keys.find(kid, algorithm).await.map_err(|error| match error {
            KeyError::Unknown => VerifyError::Bad(TokenError::UnknownKey),
            KeyError::Unavailable { retry_after } => VerifyError::KeysUnavailable { retry_after },
        })?;
        if !key.verifies(parts.signed.as_bytes(), parts.signature, algorithm) {
            return Err(TokenError::BadSignature.into());
        }
        self.check_mark(&claims)?;
        Ok(claims)
    }

    fn check_header(&self, header: &Map<String, Value>) -> Result<Algorithm, TokenError> {
        let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default();
        // RFC 7515 §4.1.9: media types compare without case, and "application/" may be left out.
        if !["at+jwt", "application/at+jwt"].iter().any(|accepted| typ.eq_ignore_ascii_case(accepted)) {
            return Err(TokenError::WrongType);
        }
        if header.contains_key("crit") {
            return Err(TokenError::UnknownCriticalHeader);
        }
        let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        Algorithm::from_name(name)
            .filter(|algorithm| self.algorithms.contains(algorithm))
            .ok_or(TokenError::WrongAlgorithm)
    }

    /// Of a token whose signature is good, so that only what the configured issuer did reaches the log.
    fn check_mark(&self, claims: &Claims) -> Result<(), TokenError> {
        if self.takes_test_tokens || !claims.all.contains_key(TEST_MARK) {
            return Ok(());
        }
        tracing::warn!(
            issuer = self.issuer, jti = ?claims.jti,
            "refused a token made for tests: the issuer is gatelet in test mode, which gives anybody any token. Such \
             tokens are taken only where the issuer and this server's own URI are on loopback; configure the real issuer"
        );
        Err(TokenError::MadeForTests)
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), TokenError> {
        let now = self.clock.now();
        if claims.issuer != self.issuer {
            return Err(TokenError::WrongIssuer);
        }
        if !claims.audience.contains(&self.audience) {
            return Err(TokenError::WrongAudience);
        }
        if now >= claims.expires_at.plus(self.leeway) {
            return Err(TokenError::Expired);
        }
        let too_early = claims.not_before.is_some_and(|from| from > now.plus(self.leeway));
        if too_early || claims.issued_at > now.plus(self.leeway.max(CLOCK_SKEW)) {
            return Err(TokenError::NotYetValid);
        }
        if self.tenant.is_some() && claims.tenant != self.tenant {
            return Err(TokenError::WrongTenant);
        }
        Ok(())
    }
}

/// A JWS in compact form, taken apart (RFC 7515 §7.1).
struct Compact<'a> {
    header: Map<String, Value>,
    payload: &'a str,
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        // A fourth part would leave a dot in the payload, which base64url does not have.
        Ok(Self { header: object(header)?, payload, signed, signature })
    }
}

fn object(part: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}
