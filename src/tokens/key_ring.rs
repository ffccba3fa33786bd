//! The key ring: the keys that sign, and all that verifiers may still meet.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::base64url;
use super::jwk::PublicJwk;
use super::key::{SigningFailed, SigningKey};
use crate::protocol::SigningAlg;

/// Why no token was made.
#[derive(Debug, Error)]
pub enum IssueError {
    /// The claims are no JSON.
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(#[from] serde_json::Error),
    /// The library did not sign.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
    /// The ring has no key of this algorithm to sign with.
    #[error("no {0} key at hand signs")]
    NoKey(SigningAlg),
}

/// What a signed text of ours is, by the `typ` of its header. All are signed with the same keys, so the type alone keeps
/// one from being taken for another (RFC 8725 §3.11): whoever accepts one kind refuses the others, and
/// [`KeyRing::authentic`] does so for what comes back to us. An ID token has the type that every relying party takes;
/// resource servers refuse it because an access token must say `at+jwt` (RFC 9068 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token, `at+jwt` (RFC 9068 §2.1).
    AccessToken,
    /// An ID token, `JWT` (OpenID Connect Core §2 asks for none).
    IdToken,
    /// A signed answer of the introspection endpoint, `token-introspection+jwt` (RFC 9701 §5).
    IntrospectionAnswer,
}

impl TokenKind {
    /// Whether somebody is let in for it; an answer is only believed.
    pub fn is_credential(self) -> bool {
        matches!(self, Self::AccessToken | Self::IdToken)
    }

    /// Its `typ`.
    pub fn typ(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::IdToken => "JWT",
            Self::IntrospectionAnswer => "token-introspection+jwt",
        }
    }
}

/// The signing keys at one moment, with everything about them that tokens and the JWKS need, worked out once. Immutable:
/// a rotation makes another. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyRing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    signing: Vec<Arc<SigningKey>>,
    published: Vec<PublicJwk>,
    jwks: Arc<[u8]>,
}

#[derive(Serialize)]
struct Jwks<'a> {
    keys: &'a [PublicJwk],
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: SigningAlg,
    kid: &'a str,
}

impl KeyRing {
    /// Takes the keys that sign, at most one of each algorithm, and the public parts of the others to publish: the next,
    /// and the retired whose last tokens have not expired. Of two with one `kid` the first counts.
    ///
    /// # Errors
    /// [`IssueError::Claims`] if the JWKS cannot be written, which cannot happen with keys of text members.
    pub fn new(
        mut signing: Vec<Arc<SigningKey>>,
        others: impl IntoIterator<Item = PublicJwk>,
    ) -> Result<Self, IssueError> {
        signing.sort_by_key(|key| key.alg());
        let mut published: Vec<PublicJwk> = Vec::new();
        for jwk in signing.iter().map(|key| key.public_jwk().clone()).chain(others) {
            if published.iter().all(|known| known.kid() != jwk.kid()) {
                published.push(jwk);
            }
        }
        let jwks: Arc<[u8]> = serde_json::to_vec(&Jwks { keys: &published })?.into();
        Ok(Self(Arc::new(Inner { signing, published, jwks })))
    }

    /// The keys that sign, at most one of each algorithm.
    pub fn signers(&self) -> &[Arc<SigningKey>] {
        &self.0.signing
    }

    /// The key that signs with an algorithm, if there is one.
    pub fn signer(&self, alg: SigningAlg) -> Option<&Arc<SigningKey>> {
        self.0.signing.iter().find(|key| key.alg() == alg)
    }

    /// All public keys, the one that signs with RS256 first: some verifiers take the first that they can read.
    pub fn published(&self) -> &[PublicJwk] {
        &self.0.published
    }

    /// The JWK set (RFC 7517 §5) as the JSON to answer with.
    pub fn jwks(&self) -> Arc<[u8]> {
        Arc::clone(&self.0.jwks)
    }

    /// Signs claims in JWS compact form (RFC 7515 §7.1). Takes about 0.2 ms with RS256, nearly all of it RSA. `kind`
    /// says what the result is and nothing else: what it has to say is the caller's to know.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn sign(
        &self,
        kind: TokenKind,
        alg: SigningAlg,
        claims: &impl Serialize,
    ) -> Result<String, IssueError> {
        let key = self.signer(alg).ok_or(IssueError::NoKey(alg))?;
        compact(&Header { typ: kind.typ(), alg, kid: key.kid() }, claims, key)
    }

    /// The claims of a text of this kind that a key of this ring signed; `None` for any other text. Says nothing about
    /// issuer, audience, time or revocation, which are the caller's to judge.
    pub fn authentic(&self, kind: TokenKind, token: &str) -> Option<Map<String, Value>> {
        let header = decode_header(token).ok()?;
        // The library checks neither. RFC 8725 §3.11 wants the type, RFC 7515 §4.1.11 an unknown `crit` refused.
        if header.typ.as_deref() != Some(kind.typ()) || header.crit.is_some() {
            return None;
        }
        let kid = header.kid?;
        let jwk = self.0.published.iter().find(|jwk| jwk.kid() == kid)?;
        // The key says which algorithm counts, never the token (RFC 8725 §3.1).
        let mut validation = Validation::new(match jwk.alg() {
            SigningAlg::Rs256 => Algorithm::RS256,
            SigningAlg::Es256 => Algorithm::ES256,
        });
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let decoded = decode::<Map<String, Value>>(token, &jwk.decoding_key()?, &validation);
        decoded.ok().map(|token| token.claims)
    }

    /// [`Self::authentic`] for access tokens.
    pub fn authentic_access_token(&self, token: &str) -> Option<Map<String, Value>> {
        self.authentic(TokenKind::AccessToken, token)
    }
}

fn compact(header: &impl Serialize, claims: &impl Serialize, key: &SigningKey) -> Result<String, IssueError> {
    let mut token = signing_input(header, claims)?;
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    base64url::encode_onto(&mut token, &signature);
    Ok(token)
}

/// What is signed (RFC 7515 §5.1), with room for a signature.
pub(super) fn signing_input(
    header: &impl Serialize,
    claims: &impl Serialize,
) -> Result<String, serde_json::Error> {
    let (header, payload) = (serde_json::to_vec(header)?, serde_json::to_vec(claims)?);
    let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 700);
    base64url::encode_onto(&mut token, &header);
    token.push('.');
    base64url::encode_onto(&mut token, &payload);
    Ok(token)
}

#[cfg(test)]
mod tests;
