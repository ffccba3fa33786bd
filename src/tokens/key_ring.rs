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
    let (header, payload) = (serde_json::to_vec(header)?, serde_json::to_vec(claims)?);
    let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 700);
    base64url::encode_onto(&mut token, &header);
    token.push('.');
    base64url::encode_onto(&mut token, &payload);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    base64url::encode_onto(&mut token, &signature);
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, EncodingKey, encode};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::tokens::sample::{claims, full_claims, one_character_changed};
    use crate::tokens::test_keys::TEST_KEYS;

    const ELLIPTIC: &str = include_str!("testdata/p256.pem");

    fn key(number: usize) -> Arc<SigningKey> {
        Arc::new(TEST_KEYS[number].signing_key())
    }

    fn elliptic() -> Arc<SigningKey> {
        Arc::new(SigningKey::import_pem(ELLIPTIC, None).unwrap())
    }

    /// Signs with the first test key and with an elliptic one, and publishes the second test key too.
    fn ring() -> KeyRing {
        KeyRing::new(vec![elliptic(), key(0)], [key(1).public_jwk().clone()]).unwrap()
    }

    fn signed(ring: &KeyRing, alg: SigningAlg) -> String {
        ring.sign(TokenKind::AccessToken, alg, &full_claims()).unwrap()
    }

    #[test]
    fn a_resource_server_verifies_an_access_token_with_the_jwks() {
        // RFC 9068 §2.1, §4
        for (alg, algorithm) in [(SigningAlg::Rs256, Algorithm::RS256), (SigningAlg::Es256, Algorithm::ES256)]
        {
            let token = signed(&ring(), alg);
            let header = decode_header(&token).unwrap();
            assert_eq!(header.typ.as_deref(), Some("at+jwt"));
            assert_eq!(header.alg, algorithm);
            let set: JwkSet = serde_json::from_slice(&ring().jwks()).unwrap();
            let jwk = set.find(&header.kid.unwrap()).unwrap();
            let mut validation = Validation::new(algorithm);
            validation.set_audience(&["https://mcp.example/mcp"]);
            validation.set_issuer(&["http://localhost:8710/oauth"]);
            let decoded = decode::<Value>(&token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap();
            assert_eq!(decoded.claims, serde_json::to_value(full_claims()).unwrap());
        }
    }

    #[test]
    fn the_jwks_lists_the_rs256_key_that_signs_first_and_public_members_only() {
        // RFC 7517 §4.5: each key has a kid
        let jwks: Value = serde_json::from_slice(&ring().jwks()).unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        let kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(kids, [key(0).kid(), elliptic().kid(), key(1).kid()]);
        for (key, alg) in keys.iter().zip(["RS256", "ES256", "RS256"]) {
            let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            members.sort_unstable();
            let (kty, expected): (_, &[&str]) = match alg {
                "RS256" => ("RSA", &["alg", "e", "kid", "kty", "n", "use"]),
                _ => ("EC", &["alg", "crv", "kid", "kty", "use", "x", "y"]),
            };
            assert_eq!(members, expected);
            assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&json!(kty), &json!("sig"), &json!(alg)));
        }
    }

    #[test]
    fn no_kid_is_published_twice() {
        let ring = KeyRing::new(vec![key(0)], [key(0).public_jwk().clone()]).unwrap();
        assert_eq!(ring.published().len(), 1);
    }

    #[test]
    fn nothing_is_signed_with_an_algorithm_that_has_no_key() {
        let ring = KeyRing::new(vec![key(0)], [elliptic().public_jwk().clone()]).unwrap();
        let refused = ring.sign(TokenKind::AccessToken, SigningAlg::Es256, &claims()).unwrap_err();
        assert!(matches!(refused, IssueError::NoKey(SigningAlg::Es256)));
    }

    #[test]
    fn tokens_of_the_key_before_are_authentic_while_it_is_published() {
        let before = KeyRing::new(vec![key(1)], []).unwrap();
        let token = signed(&before, SigningAlg::Rs256);
        assert_eq!(ring().authentic_access_token(&token).unwrap()["sub"], "ada");
        let after = KeyRing::new(vec![key(0)], []).unwrap();
        assert_eq!(after.authentic_access_token(&token), None);
    }

    #[test]
    fn each_kind_of_token_is_taken_for_itself_alone() {
        // RFC 8725 §3.11: explicit typing
        let kinds = [TokenKind::AccessToken, TokenKind::IdToken, TokenKind::IntrospectionAnswer];
        let types: BTreeSet<_> = kinds.iter().map(|kind| kind.typ()).collect();
        assert_eq!(types.len(), kinds.len());
        for kind in kinds {
            let token = ring().sign(kind, SigningAlg::Rs256, &claims()).unwrap();
            for other in kinds {
                assert_eq!(ring().authentic(other, &token).is_some(), other == kind, "{kind:?} as {other:?}");
            }
        }
    }

    #[test]
    fn a_token_is_authentic_by_the_algorithm_of_its_key_alone() {
        // RFC 8725 §3.1, §3.11; RFC 7515 §4.1.11
        let kid = TEST_KEYS[0].thumbprint;
        let signed = |header: &Value| compact(header, &claims(), &key(0)).unwrap();
        let good = json!({"typ": "at+jwt", "alg": "RS256", "kid": kid});
        assert!(ring().authentic_access_token(&signed(&good)).is_some());
        for header in [
            json!({"typ": "JWT", "alg": "RS256", "kid": kid}),
            json!({"alg": "RS256", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "RS256"}),
            json!({"typ": "at+jwt", "alg": "RS256", "kid": "another"}),
            json!({"typ": "at+jwt", "alg": "RS256", "kid": elliptic().kid()}),
            json!({"typ": "at+jwt", "alg": "PS256", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "ES256", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "none", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "RS256", "kid": kid, "crit": ["exp"]}),
        ] {
            assert_eq!(ring().authentic_access_token(&signed(&header)), None, "{header}");
        }
    }

    #[test]
    fn a_token_signed_with_the_public_key_as_a_shared_secret_is_not_authentic() {
        // RFC 8725 §2.1, §3.1
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(TEST_KEYS[0].thumbprint.to_owned());
        let pem = ring().published()[0].to_pem().unwrap();
        for known in [ring().published()[0].number().as_bytes(), pem.as_bytes()] {
            let token = encode(&header, &claims(), &EncodingKey::from_secret(known)).unwrap();
            assert_eq!(ring().authentic_access_token(&token), None);
        }
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
            for alg in SigningAlg::ALL {
                let token = signed(&ring, alg);
                prop_assert_eq!(ring.authentic_access_token(&change.apply(&token)), None);
            }
        }
    }
}
