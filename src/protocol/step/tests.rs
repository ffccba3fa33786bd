use std::time::Duration;

use super::*;
use crate::protocol::case::{Case, by_document, first_party};
use crate::protocol::fixtures::{self, at, membership, scope};
use crate::protocol::{ClientOrigin, KnownScopes, ResourceScope};

#[test]
fn a_stranger_logs_in_unless_no_page_may_be_shown() {
    let mut case = Case { logged_in_at: None, ..Case::default() };
    assert_eq!(case.step(), Step::Login);
    case.query = "&prompt=none";
    assert_eq!(case.rejection(), ErrorCode::LoginRequired);
}

#[test]
fn a_demanded_login_is_demanded_once() {
    // OpenID Connect Core §3.1.2.1
    for (query, logged_in_at, asks_again) in [
        ("&prompt=login", 999, true),
        ("&prompt=login", 1000, false),
        ("&max_age=100", 899, true),
        ("&max_age=100", 900, false),
        ("&max_age=0", 999, true),
        ("&max_age=0", 1001, false),
        ("", 1, false),
    ] {
        let case = Case { query, logged_in_at: Some(at(logged_in_at)), ..Case::default() };
        assert_eq!(case.step() == Step::Login, asks_again, "{query} {logged_in_at}");
    }
}

#[test]
fn the_person_is_the_one_whom_the_client_means() {
    // OpenID Connect Core §3.1.2.1, id_token_hint; §3.1.2.6
    let (alice, bob) = (fixtures::grant().user, UserId::parse("bob").unwrap());
    let mut case = Case { client: first_party(), ..Case::default() };
    for (expected, prompt, logged_in_at, outcome) in [
        (Expected::Person(alice.clone()), "", 500, Ok(false)),
        (Expected::Person(alice), "&prompt=none", 500, Ok(false)),
        (Expected::Person(bob.clone()), "", 500, Ok(true)),
        (Expected::Person(bob.clone()), "", 1000, Err(ErrorCode::LoginRequired)),
        (Expected::Person(bob), "&prompt=none", 500, Err(ErrorCode::LoginRequired)),
        (Expected::Unknown, "", 500, Ok(false)),
        (Expected::Unknown, "&prompt=none", 500, Err(ErrorCode::LoginRequired)),
    ] {
        (case.expected, case.logged_in_at) = (expected.clone(), Some(at(logged_in_at)));
        case.query = if prompt.is_empty() { "&scope=read" } else { "&scope=read&prompt=none" };
        match outcome {
            Ok(logs_in) => assert_eq!(case.step() == Step::Login, logs_in, "{expected:?} {prompt}"),
            Err(code) => assert_eq!(case.rejection(), code, "{expected:?} {prompt}"),
        }
    }
}

#[test]
fn a_client_says_once_for_all_how_long_ago_a_login_may_be() {
    // OpenID Connect Registration §2: max_age in a request stands above default_max_age
    for (query, logged_in_at, asks_again) in
        [("", 899, true), ("", 900, false), ("&max_age=200", 899, false), ("&max_age=50", 900, true)]
    {
        let mut case = Case { query, logged_in_at: Some(at(logged_in_at)), ..Case::default() };
        case.client.default_max_age = Some(Duration::from_secs(100));
        assert_eq!(case.step() == Step::Login, asks_again, "{query} {logged_in_at}");
    }
}

#[test]
fn only_the_operators_own_clients_skip_the_page() {
    let mut case = Case { client: first_party(), ..Case::default() };
    let Step::Issue(agreement) = case.step() else { panic!("asked") };
    assert_eq!((agreement.tenant.as_str(), agreement.scope()), ("acme", scope("read write")));
    case.query = "&prompt=consent";
    assert!(matches!(case.step(), Step::Consent(_)));
    case.query = "";
    case.memberships.push(membership("globex", &[]));
    assert!(matches!(case.step(), Step::Consent(_)), "several tenants and no wish");
    case.query = "&tenant=globex";
    let Step::Issue(agreement) = case.step() else { panic!("asked") };
    assert_eq!(agreement.tenant.as_str(), "globex");
}

#[test]
fn a_client_that_proves_to_be_the_one_that_was_allowed_before_is_not_asked_about_again() {
    // RFC 8252 §8.6; OAuth 2.1 §7.9
    use ClientAuthMethod::{None as Public, PrivateKeyJwt};
    for (redirect_uri, methods, is_skipped) in [
        ("https://app.example/cb", &[Public][..], true),
        ("https://app.example/cb", &[Public, PrivateKeyJwt], true),
        ("https://app.example:8443/cb", &[Public], false),
        ("https://other.example/cb", &[Public], false),
        ("https://other.example/cb", &[Public, PrivateKeyJwt], false),
        ("https://other.example/cb", &[PrivateKeyJwt], true),
        ("http://127.0.0.1/cb", &[PrivateKeyJwt], true),
        ("http://127.0.0.1/cb", &[Public, PrivateKeyJwt], false),
        ("app.example:/cb", &[Public], false),
    ] {
        let case = by_document(redirect_uri, methods);
        assert_eq!(matches!(case.step(), Step::Issue(_)), is_skipped, "{redirect_uri} {methods:?}");
    }
}

#[test]
fn a_client_is_proven_by_an_address_that_the_operator_vouches_for_or_by_its_key() {
    // RFC 6749 §10.2, RFC 8252 §8.6
    use ClientAuthMethod::{ClientSecretBasic as Secret, None as Public, PrivateKeyJwt};
    use ClientOrigin::{Admin, Config, Dynamic};
    for (origin, redirect_uri, method, is_skipped) in [
        (Config, "https://app.example/cb", Secret, true),
        (Config, "https://app.example/cb", Public, true),
        (Admin, "https://app.example/cb", Secret, true),
        (Config, "http://127.0.0.1/cb", Secret, false),
        (Config, "https://localhost/cb", Secret, false),
        (Config, "app.example:/cb", Secret, false),
        (Config, "http://127.0.0.1/cb", PrivateKeyJwt, true),
        (Dynamic, "https://app.example/cb", Secret, false),
        (Dynamic, "https://app.example/cb", Public, false),
        (Dynamic, "https://app.example/cb", PrivateKeyJwt, true),
    ] {
        let mut case = by_document(redirect_uri, &[method]);
        (case.client.origin, case.client.document) = (origin, None);
        let given = case.consents[0].clone();
        case.consents = vec![Consent { document_digest: None, ..given }];
        assert_eq!(matches!(case.step(), Step::Issue(_)), is_skipped, "{origin:?} {redirect_uri} {method:?}");
        case.query = "&scope=read&prompt=none";
        assert_eq!(matches!(case.step(), Step::Issue(_)), is_skipped, "{origin:?} {redirect_uri} {method:?}");
        case.consents.clear();
        assert_eq!(case.rejection(), ErrorCode::ConsentRequired, "the first time, everybody is asked about");
    }
}

#[test]
fn a_proven_client_is_asked_about_when_anything_is_new() {
    let home = || by_document("https://app.example/cb", &[ClientAuthMethod::None]);
    let asked = |change: fn(&mut Case)| {
        let mut case = home();
        change(&mut case);
        matches!(case.step(), Step::Consent(_))
    };
    assert!(!asked(|_| {}));
    assert!(!asked(|case| case.query = "&scope=read"), "less than was allowed");
    assert!(!asked(|case| case.query = "&scope=read&prompt=none"));
    assert!(asked(|case| case.query = "&scope=read&prompt=consent"));
    assert!(asked(|case| case.consents.clear()));
    assert!(asked(|case| case.consents[0].scope = scope("read")));
    assert!(asked(|case| case.consents[0].redirect_host = "other.example".to_owned()));
    assert!(asked(|case| case.consents[0].document_digest = Some("two".to_owned())));
    assert!(asked(|case| case.consents[0].document_digest = None));
    assert!(asked(|case| case.memberships.push(membership("globex", &[]))), "there is a tenant to choose");
    assert!(asked(|case| case.client.document = None), "nobody vouches for a client that registered itself");
}

#[test]
fn a_client_that_is_not_asked_about_needs_no_page() {
    // OpenID Connect Core §3.1.2.1, prompt=none
    let case = Case { client: first_party(), query: "&scope=read&prompt=none", ..Case::default() };
    assert!(matches!(case.step(), Step::Issue(_)));
}

#[test]
fn a_scope_may_want_to_be_asked_about_each_time() {
    let mut case = Case { client: first_party(), query: "&scope=write", ..Case::default() };
    assert!(matches!(case.step(), Step::Issue(_)));
    rule(&mut case, "write", |scope| scope.asks_each_time = true);
    assert!(matches!(case.step(), Step::Consent(_)));
    case.query = "&scope=read";
    assert!(matches!(case.step(), Step::Issue(_)), "it is not asked for");
    case.query = "&scope=write&prompt=none";
    assert_eq!(case.rejection(), ErrorCode::ConsentRequired);
    let mut proven = by_document("https://app.example/cb", &[ClientAuthMethod::None]);
    assert!(matches!(proven.step(), Step::Issue(_)));
    rule(&mut proven, "write", |scope| scope.asks_each_time = true);
    assert!(matches!(proven.step(), Step::Consent(_)));
}

#[test]
fn a_scope_may_want_a_fresh_login_and_is_given_one_once() {
    // RFC 9470 §4; the request began at 1000
    for (logged_in_at, asks_again) in [(939, true), (940, false), (1001, false)] {
        let mut case = Case { logged_in_at: Some(at(logged_in_at)), ..Case::default() };
        rule(&mut case, "write", |scope| scope.max_age = Some(Duration::from_secs(60)));
        assert_eq!(case.step() == Step::Login, asks_again, "{logged_in_at}");
        case.query = "&scope=read";
        assert!(matches!(case.step(), Step::Consent(_)), "it is not asked for");
        case.query = "&scope=write&prompt=none";
        let code = if asks_again { ErrorCode::LoginRequired } else { ErrorCode::ConsentRequired };
        assert_eq!(case.rejection(), code);
    }
}

#[test]
fn a_login_of_a_class_that_there_is_not_is_refused() {
    // RFC 9470 §5
    for (query, is_met) in [
        ("&acr_values=urn:gatelet:acr:password", true),
        ("&acr_values=phr+urn:gatelet:acr:password", true),
        ("&acr_values=", true),
        ("&acr_values=phr+phrh", false),
    ] {
        let case = Case { query, ..Case::default() };
        match case.step() {
            Step::Reject(error) => {
                assert_eq!(error.code(), ErrorCode::UnmetAuthenticationRequirements);
                assert!(!is_met, "{query}");
            }
            step => assert!(is_met, "{query}: {step:?}"),
        }
    }
}

fn rule(case: &mut Case, name: &str, set: impl FnOnce(&mut ResourceScope)) {
    let KnownScopes::Listed(scopes) = &mut case.resources[0].scopes else { panic!("listed") };
    set(scopes.iter_mut().find(|scope| scope.token.as_str() == name).unwrap());
}
