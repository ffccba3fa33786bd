//! Whether one of a client's keys signed an assertion (RFC 7523 §3, RFC 7517, RFC 8725 §3.1).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::protocol::client_assertion::{AssertionAlgorithm, ClientAssertion};

/// Keys of one client that are tried: enough to rotate, and few enough to try them all.
const MAX_KEYS: usize = 10;

/// Whether a key of `jwks`, a JSON Web Key Set as text, signed `assertion`: the one that it names by `kid`, else any of
/// its kind. Keys that are not for signatures, that are symmetric or that come with their private part are passed
/// over, and the library takes no RSA key of fewer than 2048 bits.
pub fn is_signed(assertion: &ClientAssertion, jwks: &str) -> bool {
    let set: Value = serde_json::from_str(jwks).unwrap_or_default();
    let listed = set.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let algorithm = assertion.algorithm();
    let meant = listed.iter().filter(|key| is_meant(key, assertion.kid()));
    meant.filter_map(|key| usable(key, algorithm)).take(MAX_KEYS).any(|key| {
        let (signed, signature) = (assertion.signed().as_bytes(), assertion.signature());
        jsonwebtoken::crypto::verify(signature, signed, &key, jose(algorithm)).unwrap_or(false)
    })
}

/// `kid` is compared and nothing else is done with it: it is a stranger's text (RFC 8725 §3.10).
fn is_meant(key: &Value, kid: Option<&str>) -> bool {
    kid.is_none() || key.get("kid").and_then(Value::as_str) == kid
}

/// The key, if it may be used with `algorithm`: by its kind, its use, and its own `alg` if it has one.
pub(super) fn usable(value: &Value, algorithm: AssertionAlgorithm) -> Option<DecodingKey> {
    // Whoever reads the set could sign with it.
    if value.get("d").is_some() || value.get("k").is_some() {
        return None;
    }
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let (is_kind, name) = match (&jwk.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), AssertionAlgorithm::Rs256) => (true, KeyAlgorithm::RS256),
        (AlgorithmParameters::RSA(_), AssertionAlgorithm::Ps256) => (true, KeyAlgorithm::PS256),
        (AlgorithmParameters::EllipticCurve(key), AssertionAlgorithm::Es256) => {
            (key.curve == EllipticCurve::P256, KeyAlgorithm::ES256)
        }
        (AlgorithmParameters::OctetKeyPair(key), AssertionAlgorithm::EdDsa) => {
            (key.curve == EllipticCurve::Ed25519, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let is_for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let is_for_algorithm = jwk.common.key_algorithm.is_none_or(|own| own == name);
    (is_kind && is_for_signatures && is_for_algorithm).then(|| DecodingKey::from_jwk(&jwk).ok())?
}

fn jose(algorithm: AssertionAlgorithm) -> Algorithm {
    match algorithm {
        AssertionAlgorithm::Rs256 => Algorithm::RS256,
        AssertionAlgorithm::Ps256 => Algorithm::PS256,
        AssertionAlgorithm::Es256 => Algorithm::ES256,
        AssertionAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RSA_PSS_SHA256, RsaKeyPair,
    };
    use rsa::pkcs1::DecodeRsaPublicKey;
    use serde_json::json;

    use super::*;
    use crate::tokens::base64url::encode;
    use crate::tokens::jwk::PublicJwk;
    use crate::tokens::test_keys::TEST_KEYS;

    /// Modulus, what is signed, and the signature.
    const SHORT: (&str, &str, &str) = (
        "0ApiaN9SU9i9jUc-BIcGUVrjTg5tiJropYLtoy0j6_XAWDyJIdF5krcAg5wWLCfqHY0WhaWcUA6tLHq_fBhuxH1eUI-rdJs9MEPT\
             TOoa9ac7KCCxa1o0_F_150jgBcvJpA4PJXm_nBTxuCBQHxUm6xF_Enh93ZUA-TJN11zGTw8",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjIn0",
        "h5rOFzI1-DxjdXtZE3lu8yzOiftRB5M6YDqL6QyqBTdJRZyFA7ACzvMg9X08nkAerHrRONaK2J2Z2bfhB70FbnlZC89b7vULwlD-\
             0VZgTfVqzA1yE8Y4eUW5grYhXPc8AVPvBT0HNti49wABO2S-jDbSEiInRkZlBSDx-ZXbomc",
    );

    /// An assertion whose first two parts are signed by `sign`.
    fn assertion(header: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> ClientAssertion {
        let signed = format!("{}.{}", encode(header.to_string()), encode(r#"{"sub":"c"}"#));
        let signature = encode(sign(signed.as_bytes()));
        ClientAssertion::parse(&format!("{signed}.{signature}")).unwrap()
    }

    fn test_key(number: usize) -> Value {
        serde_json::to_value(TEST_KEYS[number].signing_key().public_jwk()).unwrap()
    }

    fn rs256(header: &Value) -> ClientAssertion {
        assertion(header, |message| TEST_KEYS[0].signing_key().sign(message).unwrap())
    }

    fn is_signed_by(assertion: &ClientAssertion, keys: &[Value]) -> bool {
        is_signed(assertion, &json!({"keys": keys}).to_string())
    }

    fn with(mut key: Value, member: &str, value: Value) -> Value {
        key[member] = value;
        key
    }

    fn without(mut key: Value, member: &str) -> Value {
        key.as_object_mut().unwrap().remove(member);
        key
    }

    #[test]
    fn the_key_that_is_named_decides_and_without_a_name_any_may() {
        let (ours, other) = (test_key(0), test_key(1));
        let kid = ours["kid"].clone();
        let (named, unnamed) = (rs256(&json!({"alg": "RS256", "kid": kid})), rs256(&json!({"alg": "RS256"})));
        assert!(is_signed_by(&named, &[other.clone(), ours.clone()]));
        assert!(is_signed_by(&unnamed, &[other.clone(), ours.clone()]));
        for assertion in [&named, &unnamed] {
            assert!(!is_signed_by(assertion, std::slice::from_ref(&other)));
            assert!(!is_signed_by(assertion, &[]));
            for nonsense in ["", "[]", "{}", "{\"keys\": 1}", "null"] {
                assert!(!is_signed(assertion, nonsense));
            }
        }
        // The right key under another name, and another key under the right one.
        assert!(!is_signed_by(&named, &[with(ours.clone(), "kid", json!("other"))]));
        assert!(!is_signed_by(&named, &[without(ours.clone(), "kid")]));
        assert!(!is_signed_by(&named, &[with(other, "kid", kid.clone())]));
        assert!(is_signed_by(&named, &[with(test_key(1), "kid", kid), ours]), "a name can be there twice");
    }

    #[test]
    fn a_key_is_used_for_what_it_is_for() {
        // RFC 8725 §3.1, RFC 7517 §4.2 and §4.4
        let (key, assertion) = (test_key(0), rs256(&json!({"alg": "RS256"})));
        for good in
            [without(key.clone(), "use"), without(key.clone(), "alg"), with(key.clone(), "x5t", json!("x"))]
        {
            assert!(is_signed_by(&assertion, &[good]));
        }
        for (member, value) in [
            ("use", json!("enc")),
            ("alg", json!("PS256")),
            ("alg", json!("RS512")),
            ("kty", json!("EC")),
            ("kty", json!("oct")),
            ("d", json!("AQAB")),
            ("k", json!("AQAB")),
            ("n", json!("AQAB")),
            ("n", json!("!")),
        ] {
            assert!(
                !is_signed_by(&assertion, &[with(key.clone(), member, value.clone())]),
                "{member} {value}"
            );
        }
    }

    #[test]
    fn a_changed_assertion_is_not_signed() {
        let good = rs256(&json!({"alg": "RS256"}));
        let signature = encode(TEST_KEYS[0].signing_key().sign(good.signed().as_bytes()).unwrap());
        let header = encode(json!({"alg": "RS256"}).to_string());
        for forged in [
            format!("{header}.{}.{signature}", encode(r#"{"sub":"d"}"#)),
            format!("{}.{}.{signature}", encode(r#"{"alg":"RS256","kid":"x"}"#), encode(r#"{"sub":"c"}"#)),
            format!("{}.{}", good.signed(), encode("x")),
            format!("{}.", good.signed()),
            format!("{}.{signature}=", good.signed()),
            // Another algorithm for the same bytes.
            format!("{}.{}.{signature}", encode(r#"{"alg":"PS256"}"#), encode(r#"{"sub":"c"}"#)),
        ] {
            let assertion = ClientAssertion::parse(&forged).unwrap();
            assert!(!is_signed_by(&assertion, &[without(test_key(0), "alg")]), "{forged}");
        }
    }

    #[test]
    fn every_algorithm_verifies_with_a_key_of_its_kind_and_no_other() {
        let random = SystemRandom::new();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let ed = Ed25519KeyPair::generate().unwrap();
        let rsa_sign = |padding: &'static dyn aws_lc_rs::signature::RsaEncoding, message: &[u8]| {
            let mut signature = vec![0; rsa.public_modulus_len()];
            rsa.sign(padding, &random, message, &mut signature).unwrap();
            signature
        };
        let assertions = [
            assertion(&json!({"alg": "RS256"}), |message| rsa_sign(&RSA_PKCS1_SHA256, message)),
            assertion(&json!({"alg": "PS256"}), |message| rsa_sign(&RSA_PSS_SHA256, message)),
            assertion(&json!({"alg": "ES256"}), |message| {
                ec.sign(&random, message).unwrap().as_ref().to_vec()
            }),
            assertion(&json!({"alg": "EdDSA"}), |message| ed.sign(message).as_ref().to_vec()),
        ];
        let public = rsa::RsaPublicKey::from_pkcs1_der(rsa.public_key().as_ref()).unwrap();
        let rsa_key = serde_json::to_value(PublicJwk::rs256(&public, None)).unwrap();
        let point = ec.public_key().as_ref();
        let ec_key =
            json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])});
        let ed_key = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(ed.public_key().as_ref())});
        let keys = [without(rsa_key, "alg"), ec_key.clone(), ed_key.clone()];
        for (assertion, fitting) in assertions.iter().zip([0, 0, 1, 2]) {
            for (number, key) in keys.iter().enumerate() {
                let verified = is_signed_by(assertion, std::slice::from_ref(key));
                assert_eq!(verified, number == fitting, "{assertion:?} {key}");
            }
        }
        assert!(!is_signed_by(&assertions[2], &[with(ec_key, "crv", json!("P-384"))]));
        assert!(!is_signed_by(&assertions[3], &[with(ed_key, "crv", json!("X25519"))]));
    }

    #[test]
    fn ten_keys_are_tried_and_one_that_is_named_is_found_among_any_number() {
        let kid = test_key(0)["kid"].clone();
        let (named, unnamed) = (rs256(&json!({"alg": "RS256", "kid": kid})), rs256(&json!({"alg": "RS256"})));
        let at = |place: usize, others: Value| {
            std::iter::repeat_n(others, place).chain([test_key(0)]).collect::<Vec<_>>()
        };
        assert!(is_signed_by(&unnamed, &at(9, test_key(1))));
        assert!(!is_signed_by(&unnamed, &at(10, test_key(1))));
        assert!(is_signed_by(&named, &at(50, test_key(1))));
        let of_no_use = with(test_key(1), "use", json!("enc"));
        assert!(is_signed_by(&unnamed, &at(50, of_no_use)), "what cannot be tried takes no turn");
    }

    #[test]
    fn a_short_rsa_key_is_no_key() {
        // RFC 7518 §3.3: 2048 bits at least. A key of 1024 bits and its true signature over the assertion below.
        let (n, signed, signature) = SHORT;
        let assertion = ClientAssertion::parse(&format!("{signed}.{signature}")).unwrap();
        let key = json!({"kty": "RSA", "n": n, "e": "AQAB"});
        assert!(!is_signed_by(&assertion, &[key]));
    }
}
