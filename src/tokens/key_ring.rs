//! The key ring: the key that signs, and all that verifiers may still meet.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::access_token::{ACCESS_TOKEN_TYP, AccessTokenClaims};
use super::base64url;
use super::id_token::{ID_TOKEN_TYP, IdTokenClaims};
use super::jwk::PublicJwk;
use super::key::{SigningFailed, SigningKey};

/// Why no token was made.
#[derive(Debug, Error)]
pub enum IssueError {
    /// The claims are no JSON.
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(#[from] serde_json::Error),
    /// The library did not sign.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

/// The active signing key with everything about it that tokens and the JWKS need, worked out once. Immutable: a
/// rotation makes another. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyRing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    active: SigningKey,
    /// The base64url of the access token's header, then a dot.
    access_token_header: String,
    id_token_header: String,
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
    alg: &'a str,
    kid: &'a str,
}

impl KeyRing {
    /// Takes the key that signs and the public parts of the others to publish: the next, and the retired whose last
    /// tokens have not expired. One with the active key's `kid` is ignored.
    ///
    /// # Errors
    /// [`IssueError::Claims`] if the JWKS cannot be written, which cannot happen with keys of text members.
    pub fn new(active: SigningKey, others: impl IntoIterator<Item = PublicJwk>) -> Result<Self, IssueError> {
        let mut published = vec![active.public_jwk().clone()];
        for jwk in others {
            if published.iter().all(|known| known.kid() != jwk.kid()) {
                published.push(jwk);
            }
        }
        Ok(Self(Arc::new(Inner {
            access_token_header: header(ACCESS_TOKEN_TYP, active.kid())?,
            id_token_header: header(ID_TOKEN_TYP, active.kid())?,
            jwks: serde_json::to_vec(&Jwks { keys: &published })?.into(),
            published,
            active,
        })))
    }

    /// The key that signs.
    pub fn active(&self) -> &SigningKey {
        &self.0.active
    }

    /// All public keys, the active one first: some verifiers take the first that they can read.
    pub fn published(&self) -> &[PublicJwk] {
        &self.0.published
    }

    /// The JWK set (RFC 7517 §5) as the JSON to answer with.
    pub fn jwks(&self) -> Arc<[u8]> {
        Arc::clone(&self.0.jwks)
    }

    /// Signs an access token in JWS compact form (RFC 7515 §7.1). Takes about 0.2 ms, nearly all of it RSA.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn sign_access_token(&self, claims: &AccessTokenClaims) -> Result<String, IssueError> {
        compact(&self.0.access_token_header, claims, &self.0.active)
    }

    /// Signs an id token in the same way.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn sign_id_token(&self, claims: &IdTokenClaims) -> Result<String, IssueError> {
        compact(&self.0.id_token_header, claims, &self.0.active)
    }

    /// The claims of an access token that a key of this ring signed; `None` for any other text. Says nothing about
    /// issuer, audience, time or revocation, which are the caller's to judge.
    pub fn authentic_access_token(&self, token: &str) -> Option<Map<String, Value>> {
        self.authentic(token, ACCESS_TOKEN_TYP)
    }

    /// The same for an id token.
    pub fn authentic_id_token(&self, token: &str) -> Option<Map<String, Value>> {
        self.authentic(token, ID_TOKEN_TYP)
    }

    fn authentic(&self, token: &str, typ: &str) -> Option<Map<String, Value>> {
        let header = decode_header(token).ok()?;
        // The library checks neither. RFC 8725 §3.11 wants the type, RFC 7515 §4.1.11 an unknown `crit` refused.
        if header.typ.as_deref() != Some(typ) || header.crit.is_some() {
            return None;
        }
        let kid = header.kid?;
        let (n, e) = self.0.published.iter().find(|jwk| jwk.kid() == kid)?.components();
        let key = DecodingKey::from_rsa_components(n, e).ok()?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        decode::<Map<String, Value>>(token, &key, &validation).ok().map(|token| token.claims)
    }
}

/// The base64url of a JOSE header, then a dot.
fn header(typ: &str, kid: &str) -> Result<String, IssueError> {
    let json = serde_json::to_vec(&Header { typ, alg: "RS256", kid })?;
    Ok(base64url::encode(json) + ".")
}

fn compact(header: &str, claims: &impl Serialize, key: &SigningKey) -> Result<String, IssueError> {
    let payload = serde_json::to_vec(claims)?;
    let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 700);
    token.push_str(header);
    base64url::encode_onto(&mut token, &payload);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    base64url::encode_onto(&mut token, &signature);
    Ok(token)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{EncodingKey, encode};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::tokens::sample::{claims, full_claims, one_character_changed};
    use crate::tokens::test_keys::TEST_KEYS;

    fn ring() -> KeyRing {
        KeyRing::new(TEST_KEYS[0].signing_key(), [TEST_KEYS[1].signing_key().public_jwk().clone()]).unwrap()
    }

    #[test]
    fn a_resource_server_verifies_an_access_token_with_the_jwks() {
        let token = ring().sign_access_token(&full_claims()).unwrap();
        let header = decode_header(&token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(header.alg, Algorithm::RS256);
        let set: JwkSet = serde_json::from_slice(&ring().jwks()).unwrap();
        let jwk = set.find(&header.kid.unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["https://mcp.example/mcp"]);
        validation.set_issuer(&["http://localhost:8710/oauth"]);
        let decoded = decode::<Value>(&token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap();
        assert_eq!(decoded.claims, serde_json::to_value(full_claims()).unwrap());
    }

    #[test]
    fn the_jwks_lists_the_active_key_first_and_public_members_only() {
        let jwks: Value = serde_json::from_slice(&ring().jwks()).unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        let kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(kids, TEST_KEYS.map(|key| key.thumbprint));
        for key in keys {
            let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            members.sort_unstable();
            assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
            assert_eq!(
                (&key["kty"], &key["use"], &key["alg"]),
                (&json!("RSA"), &json!("sig"), &json!("RS256"))
            );
        }
    }

    #[test]
    fn no_kid_is_published_twice() {
        let own = TEST_KEYS[0].signing_key();
        let ring = KeyRing::new(TEST_KEYS[0].signing_key(), [own.public_jwk().clone()]).unwrap();
        assert_eq!(ring.published().len(), 1);
    }

    #[test]
    fn tokens_of_the_key_before_are_authentic_while_it_is_published() {
        let before = KeyRing::new(TEST_KEYS[1].signing_key(), []).unwrap();
        let token = before.sign_access_token(&claims()).unwrap();
        assert_eq!(ring().authentic_access_token(&token).unwrap()["sub"], "ada");
        let after = KeyRing::new(TEST_KEYS[0].signing_key(), []).unwrap();
        assert_eq!(after.authentic_access_token(&token), None);
    }

    #[test]
    fn a_token_of_another_kind_is_not_authentic() {
        let key = TEST_KEYS[0].signing_key();
        let kid = TEST_KEYS[0].thumbprint;
        let signed = |header: Value| {
            let header = base64url::encode(header.to_string()) + ".";
            compact(&header, &claims(), &key).unwrap()
        };
        let good = json!({"typ": "at+jwt", "alg": "RS256", "kid": kid});
        assert!(ring().authentic_access_token(&signed(good)).is_some());
        for header in [
            json!({"typ": "JWT", "alg": "RS256", "kid": kid}),
            json!({"alg": "RS256", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "RS256"}),
            json!({"typ": "at+jwt", "alg": "RS256", "kid": "another"}),
            json!({"typ": "at+jwt", "alg": "PS256", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "none", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "RS256", "kid": kid, "crit": ["exp"]}),
        ] {
            assert_eq!(ring().authentic_access_token(&signed(header.clone())), None, "{header}");
        }
    }

    #[test]
    fn a_token_signed_with_the_public_key_as_a_shared_secret_is_not_authentic() {
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(TEST_KEYS[0].thumbprint.to_owned());
        let shared = EncodingKey::from_secret(ring().published()[0].components().0.as_bytes());
        let token = encode(&header, &claims(), &shared).unwrap();
        assert_eq!(ring().authentic_access_token(&token), None);
    }

    #[test]
    fn debug_shows_no_private_key() {
        let shown = format!("{:?}", ring());
        assert!(shown.contains("SigningKey(") && !shown.contains("PRIVATE") && !shown.contains("pair"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn one_changed_character_of_a_token_is_not_authentic(change in one_character_changed()) {
            let ring = ring();
            let token = ring.sign_access_token(&full_claims()).unwrap();
            prop_assert_eq!(ring.authentic_access_token(&change.apply(&token)), None);
        }
    }
}
