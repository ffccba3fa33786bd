use std::collections::BTreeSet;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, EncodingKey, encode};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::tokens::sample::{claims, full_claims, one_character_changed};
use crate::tokens::test_keys::TEST_KEYS;

const ELLIPTIC: &str = include_str!("../testdata/p256.pem");

fn key(number: usize) -> Arc<SigningKey> {
    TEST_KEYS[number].signing_key()
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
    for (alg, algorithm) in [(SigningAlg::Rs256, Algorithm::RS256), (SigningAlg::Es256, Algorithm::ES256)] {
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
