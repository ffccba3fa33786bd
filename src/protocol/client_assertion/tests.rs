use super::*;
use crate::protocol::fixtures::{at, policy};

const NOW: i64 = 1_000_000;
const ISSUER: &str = "https://id.example/oauth";
const TOKEN_ENDPOINT: &str = "https://id.example/oauth/token";

fn text(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(header), part(claims))
}

fn claims(change: Value) -> Value {
    let mut claims = json!({"iss": "c", "sub": "c", "aud": ISSUER, "exp": NOW + 300, "jti": "1"});
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn check(change: Value) -> Result<Spending, AssertionError> {
    let assertion = ClientAssertion::parse(&text(&json!({"alg": "RS256"}), &claims(change)))?;
    assertion.check(&ClientId::parse("c").unwrap(), &policy(), at(NOW))
}

fn header(header: Value) -> Result<ClientAssertion, AssertionError> {
    ClientAssertion::parse(&text(&header, &claims(json!({}))))
}

#[test]
fn a_good_assertion_is_spent_until_nobody_would_take_it_any_more() {
    // RFC 9700 §2.5; RFC 7523 §3
    let spending = check(json!({})).unwrap();
    assert_eq!((spending.good_until, spending.id.len()), (at(NOW + 300 + 60), 64));
    assert_eq!(check(json!({"exp": NOW + 10})).unwrap().id, spending.id, "the same jti is the same");
    assert_ne!(check(json!({"jti": "2"})).unwrap().id, spending.id);
    let other = json!({"iss": "d", "sub": "d"});
    let other = ClientAssertion::parse(&text(&json!({"alg": "RS256"}), &claims(other))).unwrap();
    let other = other.check(&ClientId::parse("d").unwrap(), &policy(), at(NOW)).unwrap();
    assert_ne!(other.id, spending.id, "another client's jti is another");
}

#[test]
fn an_assertion_is_the_clients_own_word() {
    // RFC 7523 §3, items 1 and 2
    use AssertionError::{Malformed, Missing, Subject};
    for claim in ["iss", "sub"] {
        assert_eq!(check(json!({claim: "d"})), Err(Subject));
        assert_eq!(check(json!({claim: null})), Err(Missing(if claim == "iss" { "iss" } else { "sub" })));
        assert_eq!(check(json!({claim: ""})), Err(Malformed));
        assert_eq!(check(json!({claim: ["c"]})), Err(Malformed));
    }
}

#[test]
fn an_assertion_is_for_this_server_alone() {
    // OAuth 2.1 §2.4.
    // rfc7523bis: the sole audience; RFC 7523 §3, item 3: the token endpoint
    use AssertionError::{Audience, Malformed, Missing};
    for good in [json!(ISSUER), json!(TOKEN_ENDPOINT), json!([ISSUER]), json!([TOKEN_ENDPOINT])] {
        assert!(check(json!({"aud": good})).is_ok(), "{good}");
    }
    for (aud, error) in [
        (json!(null), Missing("aud")),
        (json!(1), Malformed),
        (json!({}), Malformed),
        (json!([]), Audience),
        (json!([1]), Audience),
        (json!([ISSUER, TOKEN_ENDPOINT]), Audience),
        (json!([ISSUER, "https://other.example"]), Audience),
        (json!(""), Audience),
        (json!("https://id.example/oauth/"), Audience),
        (json!("https://ID.example/oauth"), Audience),
        (json!("https://id.example//oauth/token"), Audience),
        (json!("https://id.example/oauth/token/"), Audience),
        (json!("https://id.example/oauth/authorize"), Audience),
        (json!("https://id.example"), Audience),
    ] {
        assert_eq!(check(json!({"aud": aud})), Err(error), "{aud}");
    }
}

#[test]
fn an_assertion_is_good_now_and_not_for_long() {
    // RFC 7523 §3, items 4 to 6
    use AssertionError::{Expired, Malformed, Missing, NotYet, TooLong};
    let moment =
        |claim: &str, at: Value| check(json!({claim: at})).map(|spending| spending.good_until.seconds());
    for (exp, result) in [
        (json!(NOW - 59), Ok(NOW + 1)),
        (json!(NOW - 60), Err(Expired)),
        (json!(NOW - 59 + 1).clone(), Ok(NOW + 2)),
        (json!(NOW + 3660), Ok(NOW + 3720)),
        (json!(NOW + 3661), Err(TooLong)),
        (json!(i64::MAX), Err(TooLong)),
        (json!(1e300), Err(TooLong)),
        (json!(-1e300), Err(Expired)),
        (json!(NOW as f64 + 0.9), Ok(NOW + 60)),
        (json!(null), Err(Missing("exp"))),
        (json!("soon"), Err(Malformed)),
    ] {
        assert_eq!(moment("exp", exp.clone()), result, "{exp}");
    }
    for claim in ["iat", "nbf"] {
        for (value, result) in [
            (json!(0), Ok(NOW + 360)),
            (json!(NOW + 60), Ok(NOW + 360)),
            (json!(NOW + 61), Err(NotYet)),
            (json!("now"), Err(Malformed)),
        ] {
            assert_eq!(moment(claim, value.clone()), result, "{claim} {value}");
        }
    }
    assert_eq!(check(json!({"jti": null})), Err(Missing("jti")));
    assert_eq!(check(json!({"jti": ""})), Err(Malformed));
    assert_eq!(check(json!({"jti": 1})), Err(Malformed));
}

#[test]
fn a_header_rules_out_what_is_not_understood_or_made_for_something_else() {
    // RFC 8725 §3.1, §3.10, §3.11; RFC 7515 §4.1.11
    use AssertionError::{Algorithm, Extension, Malformed, Type};
    for typ in [
        "JWT",
        "jwt",
        "application/JWT",
        "client-authentication+jwt",
        "application/client-authentication+jwt",
    ] {
        assert!(header(json!({"alg": "ES256", "typ": typ})).is_ok(), "{typ}");
    }
    for (bad, error) in [
        (json!({"alg": "RS256", "typ": "at+jwt"}), Type),
        (json!({"alg": "RS256", "typ": "dpop+jwt"}), Type),
        (json!({"alg": "RS256", "typ": ""}), Type),
        (json!({"alg": "RS256", "typ": null}), Type),
        (json!({"alg": "none"}), Algorithm),
        (json!({"alg": "HS256"}), Algorithm),
        (json!({"alg": "RS512"}), Algorithm),
        (json!({"alg": "rs256"}), Algorithm),
        (json!({"alg": ["RS256"]}), Algorithm),
        (json!({}), Algorithm),
        (json!({"alg": "RS256", "crit": ["exp"]}), Extension),
        (json!({"alg": "RS256", "crit": []}), Extension),
        (json!({"alg": "RS256", "b64": false}), Extension),
        (json!({"alg": "RS256", "kid": 1}), Malformed),
    ] {
        assert_eq!(header(bad.clone()), Err(error), "{bad}");
    }
    let named =
        header(json!({"alg": "PS256", "kid": "k", "jwk": {"kty": "oct"}, "jku": "https://evil.example"}));
    let named = named.unwrap();
    assert_eq!((named.algorithm(), named.kid()), (AssertionAlgorithm::Ps256, Some("k")));
    assert_eq!(header(json!({"alg": "EdDSA"})).unwrap().kid(), None);
}

#[test]
fn what_is_no_compact_jws_is_no_assertion() {
    // RFC 8725bis §3.14
    let good = text(&json!({"alg": "RS256"}), &claims(json!({})));
    let parsed = ClientAssertion::parse(&good).unwrap();
    assert_eq!((parsed.signed(), parsed.signature()), good.rsplit_once('.').unwrap());
    assert_eq!(parsed.named_client(), ClientId::parse("c"));
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let long = |length: usize| {
        let padding = "a".repeat(length - good.len() - 1);
        format!("{head}.{body}.{signature}{padding}a")
    };
    assert!(ClientAssertion::parse(&long(MAX_LENGTH)).is_ok());
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{head}.{body}"),
        format!("{good}.x"),
        format!("{head}=.{body}.{signature}"),
        format!("{head}.{body}\n.{signature}"),
        format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode("1")),
        long(MAX_LENGTH + 1),
    ] {
        assert_eq!(ClientAssertion::parse(&bad), Err(AssertionError::Malformed), "{bad}");
    }
    let nameless = text(&json!({"alg": "RS256"}), &claims(json!({"sub": "a b"})));
    assert_eq!(ClientAssertion::parse(&nameless).unwrap().named_client(), None);
}

#[test]
fn nothing_of_an_assertion_is_printed() {
    let printed = format!("{:?}", header(json!({"alg": "RS256", "kid": "secret"})).unwrap());
    assert_eq!(printed, "ClientAssertion { algorithm: Rs256, .. }");
}
