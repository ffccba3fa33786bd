use super::*;

fn each(of: &Lifetimes) -> [Duration; 16] {
    [
        of.access_token,
        of.code,
        of.refresh_idle,
        of.refresh_absolute,
        of.retry_window,
        of.interaction,
        of.browser_session_idle,
        of.browser_session_absolute,
        of.jwks_max_age,
        of.unused_client,
        of.audit,
        of.client_document_min,
        of.client_document_max,
        of.client_document_stale,
        of.key_active,
        of.key_lead,
    ]
}

#[test]
fn lifetimes_are_short_for_what_can_be_stolen() {
    // MCP Token Theft.
    // RFC 9700 §2.2.1 and §4.14.2; OAuth 2.1 §4.1.2 (10 minutes at most), OWASP ASVS 10.4.3 (1 minute)
    let in_seconds = each(&Lifetimes::default()).map(|lifetime| lifetime.as_secs());
    let (minute, hour, day) = (60, 3_600, 86_400);
    assert_eq!(
        in_seconds,
        [
            15 * minute,
            minute,
            30 * day,
            180 * day,
            minute,
            10 * minute,
            8 * hour,
            30 * day,
            5 * minute,
            7 * day,
            90 * day,
            5 * minute,
            day,
            7 * day,
            90 * day,
            day
        ]
    );
}

#[test]
fn who_may_learn_who_a_person_is_follows_from_the_ceiling() {
    // OpenID Connect Core §3.1.2.1
    let scope = crate::protocol::fixtures::scope;
    let mut policy = crate::protocol::fixtures::policy();
    let mut client = crate::protocol::fixtures::client(&[]);
    for (ceiling, own, asked, admitted) in [
        (None, None, "openid", true),
        (None, None, "profile email", false),
        (Some("read"), None, "openid", false),
        (Some("read openid"), None, "openid email", true),
        (Some("read"), Some("openid"), "openid", true),
        (Some("openid"), Some("read"), "openid", false),
    ] {
        (policy.registration_scopes, client.ceiling) = (ceiling.map(scope), own.map(scope));
        client.origin = ClientOrigin::Dynamic;
        assert_eq!(policy.admits_sign_in(&client, &scope(asked)), admitted, "{ceiling:?} {own:?} {asked}");
        client.origin = ClientOrigin::Config;
        assert_eq!(policy.admits_sign_in(&client, &scope(asked)), asked.contains("openid"));
    }
}

#[test]
fn what_is_named_is_what_a_stranger_may_ask_for() {
    // OpenID Connect Discovery §3: openid, and not all the others
    let scope = crate::protocol::fixtures::scope;
    let named = |ceiling: Option<&Scope>| Policy::nameable_scopes(&scope("read write"), ceiling);
    assert_eq!(named(None), scope("read write openid offline_access"));
    assert_eq!(named(Some(&scope("read email"))), scope("read offline_access"));
    assert_eq!(named(Some(&scope("read openid"))), scope("read openid offline_access"));
}

#[test]
fn a_list_of_hosts_admits_these_and_no_others() {
    let hosts = ClientDocuments::Hosts(vec!["client.example".to_owned()]);
    assert!(hosts.admits("client.example") && hosts.admits("Client.Example"));
    for other in ["example", "a.client.example", "client.example.", "client.example.evil.test", ""] {
        assert!(!hosts.admits(other), "{other}");
        assert!(ClientDocuments::Any.admits(other) && !ClientDocuments::Off.admits(other));
    }
}

#[test]
fn a_document_is_kept_for_as_long_as_its_host_says_within_bounds() {
    // Client ID Metadata Documents §4.4; MCP 2026-07-28: according to HTTP cache headers
    let kept =
        |said: Option<u64>| Lifetimes::default().client_document(said.map(Duration::from_secs)).as_secs();
    assert_eq!([None, Some(0), Some(299), Some(301)].map(kept), [300, 300, 300, 301]);
    assert_eq!([Some(86_399), Some(86_401), Some(u64::MAX)].map(kept), [86_399, 86_400, 86_400]);
}

#[test]
fn whose_clients_are_admitted_follows_from_whose_documents_are_taken() {
    let mut policy = crate::protocol::fixtures::policy();
    let mut client = crate::protocol::fixtures::client(&[]);
    client.id = super::super::ClientId::parse("https://client.example/c.json").unwrap();
    for (documents, admitted) in [
        (ClientDocuments::Any, true),
        (ClientDocuments::Hosts(vec!["client.example".to_owned()]), true),
        (ClientDocuments::Hosts(vec!["other.example".to_owned()]), false),
        (ClientDocuments::Off, false),
    ] {
        policy.client_documents = documents;
        client.origin = ClientOrigin::Document;
        assert_eq!(policy.admits(&client), admitted, "{:?}", policy.client_documents);
        client.origin = ClientOrigin::Config;
        assert!(policy.admits(&client), "the operator configured it");
    }
    client.origin = ClientOrigin::Document;
    client.id = super::super::ClientId::parse("no-url").unwrap();
    policy.client_documents = ClientDocuments::Any;
    assert!(!policy.admits(&client));
}

#[test]
fn nobody_can_configure_a_token_that_lives_for_ever() {
    let in_seconds = each(&Lifetimes::BOUNDS).map(|lifetime| lifetime.as_secs());
    let (minute, hour, day) = (60, 3_600, 86_400);
    assert_eq!(
        in_seconds,
        [
            hour,
            10 * minute,
            365 * day,
            365 * day,
            10 * minute,
            hour,
            30 * day,
            90 * day,
            hour,
            90 * day,
            3650 * day,
            hour,
            day,
            30 * day,
            3650 * day,
            30 * day
        ]
    );
    for (default, bound) in each(&Lifetimes::default()).iter().zip(each(&Lifetimes::BOUNDS)) {
        assert!(*default <= bound);
    }
}
