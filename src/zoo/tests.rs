use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::tokens::{Jti, SigningKey, TEST_KEYS};

const NOW: i64 = 1_800_000_000;

fn keys() -> (Arc<SigningKey>, Arc<SigningKey>) {
    (TEST_KEYS[0].signing_key(), TEST_KEYS[1].signing_key())
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn template(kid: &str) -> Template {
    Template {
        header: object(json!({"typ": "at+jwt", "alg": "RS256", "kid": kid})),
        claims: object(json!({
            "iss": "http://127.0.0.1:1/oauth", "sub": "ada", "aud": "http://127.0.0.1:8000/mcp",
            "client_id": "editor", "iat": NOW, "exp": NOW + 900, "jti": "AAAAAAAAAAAAAAAAAAAAAA",
            "scope": "mcp:read", "tenant": "acme", "gatelet_test": true,
        })),
        now: NOW,
        client_id: "editor".to_owned(),
        tenant_claims: vec!["tenant".to_owned()],
        other_tenant: "globex".to_owned(),
        other_audience: "https://other.example/mcp".to_owned(),
    }
}

fn part(token: &str, n: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap()
}

/// The members that one has and the other has not, or has otherwise.
fn differing(a: &Map<String, Value>, b: &Map<String, Value>) -> Vec<String> {
    let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
}

/// What differs from the valid token: members of the header, claims, and how it is signed.
const DIFFERENCES: &[(&str, &[&str], &[&str], Signed)] = &[
    ("valid", &[], &[], Signed::Well),
    ("expired", &[], &["exp", "iat"], Signed::Well),
    ("expired-in-1970", &[], &["exp"], Signed::Well),
    ("expired-as-text", &[], &["exp"], Signed::Well),
    ("not-yet-valid", &[], &["nbf"], Signed::Well),
    ("no-expiry", &[], &["exp"], Signed::Well),
    ("wrong-issuer", &[], &["iss"], Signed::Well),
    ("issuer-prefix", &[], &["iss"], Signed::Well),
    ("wrong-audience", &[], &["aud"], Signed::Well),
    ("audience-prefix", &[], &["aud"], Signed::Well),
    ("audience-list", &[], &["aud"], Signed::Well),
    ("audience-missing", &[], &["aud"], Signed::Well),
    ("unknown-key", &["kid"], &[], Signed::ByForeignKey),
    ("foreign-key-same-kid", &[], &[], Signed::ByForeignKey),
    ("kid-path", &["alg", "kid"], &[], Signed::BySecret("")),
    ("kid-sql", &["alg", "kid"], &[], Signed::BySecret("secret")),
    ("embedded-jwk", &["jwk", "kid"], &[], Signed::ByForeignKey),
    ("jku", &["jku", "kid"], &[], Signed::ByForeignKey),
    ("alg-none", &["alg"], &[], Signed::Not),
    ("alg-none-in-capitals", &["alg"], &[], Signed::Not),
    ("hs256-public-key", &["alg"], &[], Signed::ByPublicKey),
    ("bad-signature", &[], &[], Signed::Badly),
    ("signature-missing", &[], &[], Signed::Not),
    ("zero-signature", &[], &[], Signed::WithZeros),
    ("malformed", &[], &[], Signed::Cut),
    ("unknown-crit", &["crit", "urn:example:must-understand"], &[], Signed::Well),
    ("wrong-typ", &["typ"], &[], Signed::Well),
    ("id-token", &["typ"], &["aud", "client_id", "jti", "nonce", "scope"], Signed::Well),
    ("scope-stripped", &[], &["scope"], Signed::Well),
    ("scope-prefix", &[], &["scope"], Signed::Well),
    ("other-tenant", &[], &["tenant"], Signed::Well),
    ("revoked", &[], &["jti"], Signed::Well),
];

#[test]
fn each_specimen_differs_from_the_valid_one_in_just_what_it_says() {
    let (signing, foreign) = keys();
    let template = template(signing.kid());
    let zoo = ZooKeys { signing: &signing, foreign: &foreign };
    let names: Vec<_> = SPECIMENS.iter().map(|specimen| specimen.name).collect();
    assert_eq!(names, DIFFERENCES.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    for (name, header, claims, signed) in DIFFERENCES {
        let specimen = specimen(name).unwrap();
        let made = specimen.make(&template, &zoo).unwrap();
        assert_eq!(differing(&made.header, &template.header), *header, "{name}");
        assert_eq!(differing(&made.claims, &template.claims), *claims, "{name}");
        assert_eq!(specimen.signed, *signed, "{name}");
        assert_eq!(
            Value::Object(made.header),
            serde_json::from_slice::<Value>(&part(&made.token, 0)).unwrap()
        );
        assert_eq!(
            Value::Object(made.claims),
            serde_json::from_slice::<Value>(&part(&made.token, 1)).unwrap()
        );
    }
}

#[test]
fn times_are_counted_from_the_present_of_the_template() {
    let (signing, foreign) = keys();
    let template = template(signing.kid());
    let claims = |name| {
        specimen(name)
            .unwrap()
            .make(&template, &ZooKeys { signing: &signing, foreign: &foreign })
            .unwrap()
            .claims
    };
    assert_eq!(
        (&claims("expired")["exp"], &claims("expired")["iat"]),
        (&json!(NOW - 3600), &json!(NOW - 7200))
    );
    assert_eq!(claims("not-yet-valid")["nbf"], json!(NOW + 3600));
    assert_eq!(claims("expired-as-text")["exp"], json!((NOW - 3600).to_string()));
}

#[test]
fn each_scope_of_the_template_becomes_another_and_none_stays_none() {
    // RFC 6749 §3.3
    let (signing, foreign) = keys();
    let zoo = ZooKeys { signing: &signing, foreign: &foreign };
    let mut template = template(signing.kid());
    template.claims.insert("scope".to_owned(), json!("mcp:read notes"));
    let scope = |template: &Template| {
        specimen("scope-prefix").unwrap().make(template, &zoo).unwrap().claims.get("scope").cloned()
    };
    assert_eq!(scope(&template), Some(json!("mcp:read-other notes-other")));
    template.claims.remove("scope");
    assert_eq!(scope(&template), None);
}

#[test]
fn a_jku_that_the_template_has_is_left() {
    let (signing, foreign) = keys();
    let mut template = template(signing.kid());
    let zoo = ZooKeys { signing: &signing, foreign: &foreign };
    let jku = specimen("jku").unwrap();
    assert_eq!(jku.make(&template, &zoo).unwrap().header["jku"], "https://attacker.example/jwks.json");
    template.header.insert("jku".to_owned(), json!("http://127.0.0.1:9/jwks"));
    assert_eq!(jku.make(&template, &zoo).unwrap().header["jku"], "http://127.0.0.1:9/jwks");
}

#[test]
fn the_mark_of_test_mode_cannot_be_taken_away() {
    let (signing, foreign) = keys();
    for mark in [None, Some(json!(false))] {
        let mut template = template(signing.kid());
        template.claims.remove("gatelet_test");
        template.claims.extend(mark.map(|mark| ("gatelet_test".to_owned(), mark)));
        for specimen in SPECIMENS {
            let made = specimen.make(&template, &ZooKeys { signing: &signing, foreign: &foreign }).unwrap();
            assert_eq!(made.claims["gatelet_test"], true, "{}", specimen.name);
        }
    }
}

#[test]
fn the_revoked_token_is_another_than_the_valid_one() {
    let (signing, foreign) = keys();
    let template = template(signing.kid());
    let zoo = ZooKeys { signing: &signing, foreign: &foreign };
    let jti = |name| specimen(name).unwrap().make(&template, &zoo).unwrap().claims["jti"].clone();
    assert_ne!(jti("revoked"), jti("valid"));
    assert!(Jti::parse(jti("revoked").as_str().unwrap()).is_some());
}

#[test]
fn the_valid_specimen_comes_first_and_is_the_only_one() {
    // RFC 6750 §3.1: 401 with invalid_token, 403 with insufficient_scope.
    assert_eq!(SPECIMENS[0].name, "valid");
    let mut names = BTreeSet::new();
    for specimen in SPECIMENS {
        assert_eq!(specimen.valid, specimen.name == "valid");
        let answer = (specimen.status, specimen.error);
        let known = [(200, None), (401, Some("invalid_token")), (403, Some("insufficient_scope"))];
        assert!(known.contains(&answer) && (answer.0 == 200) == specimen.valid, "{answer:?}");
        assert!(names.insert(specimen.name));
        assert!(specimen.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        assert!(
            ["RFC ", "MCP "].iter().any(|text| specimen.section.starts_with(text)),
            "{}",
            specimen.section
        );
        for sentence in [specimen.why, specimen.remedy] {
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }
    let operators: Vec<_> = SPECIMENS.iter().filter_map(|s| Some((s.name, s.depends_on?))).collect();
    assert_eq!(operators, [("other-tenant", DependsOn::Tenant), ("revoked", DependsOn::Introspection)]);
}

#[test]
fn a_specimen_is_described_in_json_without_how_it_is_made() {
    let expired = serde_json::to_value(specimen("expired").unwrap()).unwrap();
    let members: Vec<_> = expired.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["error", "name", "remedy", "section", "status", "valid", "why"]);
    assert_eq!(serde_json::to_value(specimen("revoked").unwrap()).unwrap()["depends_on"], "introspection");
}
