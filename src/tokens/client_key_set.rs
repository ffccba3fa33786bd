//! Whether a key set that an operator gives a client is one that the client can sign by (RFC 7517 §5).
//!
//! What strangers publish is taken as it comes, and keys that are of no use are passed over; here somebody can be told.

use std::collections::HashSet;

use serde_json::Value;

use super::assertion::usable;
use super::base64url;
use crate::protocol::client_assertion::AssertionAlgorithm;

/// The longest key set that is taken, in bytes: as long as one that is fetched.
const MAX_LENGTH: usize = 64 * 1024;
/// RFC 7518 §3.3.
const LEAST_RSA_BITS: usize = 2048;
/// What only the owner of a key has (RFC 7518 §6.2.2, §6.3.2).
const PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// What is the matter with a key set; keys are counted from one. Nothing of a key is repeated: it may be a private one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// More than 64 KiB.
    #[error("is longer than 64 KiB")]
    TooLong,
    /// Not JSON, or without a list `keys`.
    #[error("is no JSON Web Key Set: a JSON object with a list of `keys`")]
    NotASet,
    /// A key by itself.
    #[error("is a single key; write `{{\"keys\": [ … ]}}` around it")]
    SingleKey,
    /// A private part.
    #[error(
        "key {0} is private: whoever can read this could sign as the client; make a new pair, and give the public part"
    )]
    Private(usize),
    /// A shared secret.
    #[error("key {0} is symmetric; private_key_jwt is for pairs of keys")]
    Symmetric(usize),
    /// An RSA key of fewer bits than RFC 7518 §3.3 asks for.
    #[error("key {0} is an RSA key of fewer than 2048 bits")]
    Short(usize),
    /// Two keys of one name (RFC 7517 §4.5).
    #[error("key {0} has the `kid` of another; each stands once")]
    Twice(usize),
    /// No key that an assertion could be checked with.
    #[error("has no key that signs by {}", algorithms())]
    OfNoUse,
}

/// Checks a key set.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str) -> Result<(), KeySetError> {
    if text.len() > MAX_LENGTH {
        return Err(KeySetError::TooLong);
    }
    let set: Value = serde_json::from_str(text).map_err(|_| KeySetError::NotASet)?;
    let Some(keys) = set.get("keys").and_then(Value::as_array) else {
        return Err(if set.get("kty").is_some() { KeySetError::SingleKey } else { KeySetError::NotASet });
    };
    let mut names = HashSet::new();
    for (number, key) in (1..).zip(keys) {
        if PRIVATE.iter().any(|member| key.get(member).is_some()) {
            return Err(KeySetError::Private(number));
        }
        if key.get("k").is_some() || key.get("kty").and_then(Value::as_str) == Some("oct") {
            return Err(KeySetError::Symmetric(number));
        }
        if rsa_bits(key).is_some_and(|bits| bits < LEAST_RSA_BITS) {
            return Err(KeySetError::Short(number));
        }
        if key.get("kid").and_then(Value::as_str).is_some_and(|kid| !names.insert(kid)) {
            return Err(KeySetError::Twice(number));
        }
    }
    let signs =
        |key: &Value| AssertionAlgorithm::ALL.iter().any(|algorithm| usable(key, *algorithm).is_some());
    if keys.iter().any(signs) { Ok(()) } else { Err(KeySetError::OfNoUse) }
}

/// The length of an RSA key; nothing for another kind, or one that cannot be read.
fn rsa_bits(key: &Value) -> Option<usize> {
    let modulus = base64url::decode(key.get("n")?.as_str()?)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    Some((modulus.len() - first) * 8 - modulus[first].leading_zeros() as usize)
}

fn algorithms() -> String {
    AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tokens::test_keys::TEST_KEYS;

    fn checked(keys: &[Value]) -> Result<(), KeySetError> {
        check(&json!({ "keys": keys }).to_string())
    }

    #[test]
    fn a_key_set_that_a_client_can_sign_by_is_taken() {
        let key = |number: usize| serde_json::to_value(TEST_KEYS[number].signing_key().public_jwk()).unwrap();
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        for keys in [vec![key(0)], vec![key(0), key(1)], vec![ed.clone()], vec![json!({"kty": "new"}), ed]] {
            assert_eq!(checked(&keys), Ok(()), "{keys:?}");
        }
    }

    #[test]
    fn what_could_not_work_or_should_not_be_here_is_refused() {
        // RFC 7517 §4.5, §5; RFC 7518 §3.3
        use KeySetError::*;
        let key = serde_json::to_value(TEST_KEYS[0].signing_key().public_jwk()).unwrap();
        let with = |member: &str, value: Value| {
            let mut key = key.clone();
            key[member] = value;
            key
        };
        for (keys, error) in [
            (vec![], OfNoUse),
            (vec![json!(1)], OfNoUse),
            (vec![with("use", json!("enc"))], OfNoUse),
            (vec![json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"})], OfNoUse),
            (vec![with("d", json!("AQAB"))], Private(1)),
            (vec![key.clone(), with("qi", json!("AQAB"))], Private(2)),
            (vec![json!({"kty": "oct", "k": "AQAB"})], Symmetric(1)),
            (vec![with("n", json!(base64url::encode([0xff; 128])))], Short(1)),
            (vec![with("n", json!(base64url::encode([[0x7f; 256]].concat())))], Short(1)),
            (vec![key.clone(), key.clone()], Twice(2)),
        ] {
            assert_eq!(checked(&keys), Err(error), "{keys:?}");
        }
        for (text, error) in [("", NotASet), ("{}", NotASet), ("[]", NotASet), ("{\"keys\": {}}", NotASet)] {
            assert_eq!(check(text), Err(error), "{text}");
        }
        assert_eq!(check(&key.to_string()), Err(SingleKey));
        assert_eq!(check(&" ".repeat(MAX_LENGTH + 1)), Err(TooLong));
        let private = KeySetError::Private(1).to_string();
        assert!(private.contains("make a new pair"), "{private}");
    }
}
