//! JWTs with any header and any claims: what an attacker would send. **Test mode only**: nothing but [`crate::zoo`]
//! uses this.
//!
//! What is issued in earnest goes through [`super::KeyRing`], which chooses header and key itself.

use aws_lc_rs::{digest, hmac};
use serde_json::{Map, Value};

use super::base64url;
use super::jwk::PublicJwk;
use super::key::{SigningFailed, SigningKey};
use super::key_ring::{IssueError, signing_input};

/// Signs whatever it is given: the header is not looked at, so it may name another key or algorithm than those used.
///
/// # Errors
/// [`IssueError::Claims`] or [`IssueError::Signing`].
pub fn signed(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &SigningKey,
) -> Result<String, IssueError> {
    let message = signing_input(header, claims)?;
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", base64url::encode(signature)))
}

/// As [`signed`], with one bit of the signature turned over.
///
/// # Errors
/// [`IssueError::Claims`] or [`IssueError::Signing`].
pub fn signed_badly(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &SigningKey,
) -> Result<String, IssueError> {
    let message = signing_input(header, claims)?;
    let mut signature = key.sign(message.as_bytes())?;
    let middle = signature.len() / 2;
    if let Some(byte) = signature.get_mut(middle) {
        *byte ^= 1;
    }
    Ok(format!("{message}.{}", base64url::encode(signature)))
}

/// As [`signed`], with zeros in place of the signature: as many as it has bytes (CVE-2022-21449 took those of ECDSA).
///
/// # Errors
/// [`IssueError::Claims`] or [`IssueError::Signing`].
pub fn signed_with_zeros(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &SigningKey,
) -> Result<String, IssueError> {
    let message = signing_input(header, claims)?;
    let signature = vec![0; key.sign(message.as_bytes())?.len()];
    Ok(format!("{message}.{}", base64url::encode(signature)))
}

/// An unsecured JWS: the signature is the empty string (RFC 7515 appendix A.5).
///
/// # Errors
/// [`IssueError::Claims`].
pub fn unsigned(header: &Map<String, Value>, claims: &Map<String, Value>) -> Result<String, IssueError> {
    Ok(signing_input(header, claims)? + ".")
}

/// Header and claims alone, without the part of the signature: no JWS at all (RFC 7515 §7.1).
///
/// # Errors
/// [`IssueError::Claims`].
pub fn cut(header: &Map<String, Value>, claims: &Map<String, Value>) -> Result<String, IssueError> {
    Ok(signing_input(header, claims)?)
}

/// HMAC with SHA-256 whose secret is the text of a *public* key in PEM (RFC 8725 §2.1).
///
/// # Errors
/// [`IssueError::Claims`], or [`IssueError::Signing`] if the public key cannot be written as PEM.
pub fn hmac_by_public_key(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &PublicJwk,
) -> Result<String, IssueError> {
    let pem = key.to_pem().ok_or(SigningFailed)?;
    hmac_by_secret(header, claims, pem.as_bytes())
}

/// HMAC with SHA-256 and a secret that an attacker knows.
///
/// # Errors
/// [`IssueError::Claims`].
pub fn hmac_by_secret(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    secret: &[u8],
) -> Result<String, IssueError> {
    let message = signing_input(header, claims)?;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    Ok(format!("{message}.{}", base64url::encode(tag)))
}

/// Another `jti` of the form that [`super::Jti`] accepts, always the same for the same one.
pub fn another_jti(jti: &str) -> String {
    let hash = digest::digest(&digest::SHA256, jti.as_bytes());
    base64url::encode(&hash.as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tokens::{Jti, KeyRing, TEST_KEYS, TokenKind};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn ring() -> KeyRing {
        KeyRing::new(vec![TEST_KEYS[0].signing_key()], []).unwrap()
    }

    fn part(token: &str, n: usize) -> Vec<u8> {
        base64url::decode(token.split('.').nth(n).unwrap()).unwrap()
    }

    #[test]
    fn a_forged_token_says_and_is_signed_as_it_was_told() {
        let key = TEST_KEYS[0].signing_key();
        let header = object(json!({"typ": "at+jwt", "alg": "RS256", "kid": key.kid(), "x": 1}));
        let claims = object(json!({"sub": "ada"}));
        let good = signed(&header, &claims, &key).unwrap();
        assert_eq!(
            part(&good, 0),
            br#"{"alg":"RS256","kid":"APHQW_f4LUvwCIZcJrUolhngW72yub-0rPnIYGAgdXw","typ":"at+jwt","x":1}"#
        );
        assert_eq!(part(&good, 1), br#"{"sub":"ada"}"#);
        assert!(ring().authentic(TokenKind::AccessToken, &good).is_some());
        let bad = signed_badly(&header, &claims, &key).unwrap();
        assert_eq!(part(&bad, 1), part(&good, 1));
        assert!(ring().authentic(TokenKind::AccessToken, &bad).is_none());
        let zeros = signed_with_zeros(&header, &claims, &key).unwrap();
        assert_eq!(part(&zeros, 2), vec![0; part(&good, 2).len()]);
        let (message, _) = good.rsplit_once('.').unwrap();
        assert_eq!(unsigned(&header, &claims).unwrap(), format!("{message}."));
        assert_eq!(cut(&header, &claims).unwrap(), message);
    }

    #[test]
    fn the_secret_of_the_hmac_is_the_pem_of_the_public_key() {
        let (header, claims) = (object(json!({"alg": "HS256"})), object(json!({})));
        let key = TEST_KEYS[0].signing_key();
        let token = hmac_by_public_key(&header, &claims, key.public_jwk()).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, include_bytes!("testdata/test-rs256-1.pub.pem"));
        hmac::verify(&secret, message.as_bytes(), &part(&token, 2)).unwrap();
    }

    #[test]
    fn another_jti_is_a_jti_without_a_grant() {
        let other = another_jti("x");
        assert_eq!((Jti::parse(&other).unwrap().grant(), another_jti("x")), (None, other.clone()));
        assert_ne!(another_jti("y"), other);
    }
}
