//! The login page.

use std::time::Duration;

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::protocol::UserId;
use gatelet::store::Outcome;
use gatelet::testkit::{Browser, Landing, TestUser};

use crate::cases;
use crate::world::{Database, app, assert_error_page, logged_in, server, world};

cases![
    a_wrong_name_and_a_wrong_password_read_the_same,
    every_login_starts_a_session_of_its_own,
    a_session_ends_with_logout_and_with_time,
    a_forged_form_is_refused,
    a_login_page_belongs_to_the_browser_that_asked_for_it,
    a_login_page_expires,
    names_are_folded_and_passwords_are_not,
    a_login_without_a_request_leads_home,
    one_click_login_is_not_for_everybody,
    two_tabs_of_one_browser_log_in_one_after_the_other,
    a_suspended_person_is_logged_out_and_stays_out,
    a_long_request_survives_the_login,
];

const EXPIRED: &str = "This page has expired";
const FORGED: &str = "This form did not come from this server";

async fn a_wrong_name_and_a_wrong_password_read_the_same(database: Database) {
    // OWASP ASVS 6.3.8
    let server = server(database).await;
    let request = app(&server).authorization(|request| request);
    let mut texts = Vec::new();
    for login in [("alice", "wrong"), ("nobody", "wrong"), ("alice", ""), ("", "wonderland"), ("bob", "x")] {
        let mut browser = Browser::new(&server);
        let page = browser.get(&request.url).await.page();
        let again = browser.log_in(&page, login).await.page();
        assert_eq!(again.form_with("password").value("username"), Some(login.0));
        assert_eq!(again.form_with("password").value("password"), Some(""));
        assert_eq!(browser.cookie("gatelet-session"), None);
        texts.push((again.status, again.title().to_owned(), again.text().to_owned()));
        // And then the right one, on the same page.
        assert!(browser.log_in(&again, "alice").await.page().has_form_with("decision"));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
}

async fn every_login_starts_a_session_of_its_own(database: Database) {
    // RFC 9700 §4.16, OWASP ASVS 7.2.4: a session that was there before is not taken over.
    let server = server(database).await;
    let mut seen = Vec::new();
    let mut browser = Browser::new(&server);
    for _ in 0..3 {
        server.clock().advance(Duration::from_secs(1));
        let page = app(&server).authorization(|request| request.prompt("login"));
        let page = browser.get(&page.url).await.page();
        browser.log_in(&page, "alice").await.page();
        seen.push(browser.cookie("gatelet-session").expect("a session").to_owned());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

async fn a_session_ends_with_logout_and_with_time(database: Database) {
    // Design: 8 h unused, 30 d at most.
    let server = server(database).await;
    let request = app(&server).authorization(|request| request);
    let is_asked_to_log_in = |landing: Landing| landing.page().has_form_with("password");

    let mut browser = logged_in(&server, "alice").await;
    let stolen = browser.clone();
    let logout = browser.get("/logout").await.page();
    browser.submit(logout.form_with("csrf")).await.page();
    assert_eq!(browser.cookie("gatelet-session"), None);
    assert!(is_asked_to_log_in(browser.get(&request.url).await));
    assert!(
        is_asked_to_log_in(stolen.clone().get(&request.url).await),
        "the session has ended, not the cookie"
    );

    let mut idle = logged_in(&server, "alice").await;
    server.clock().advance(Duration::from_secs(8 * 3600 - 1));
    assert!(!is_asked_to_log_in(idle.get(&request.url).await));
    server.clock().advance(Duration::from_secs(8 * 3600 - 1));
    assert!(!is_asked_to_log_in(idle.get(&request.url).await), "it was used meanwhile");
    server.clock().advance(Duration::from_secs(8 * 3600 + 1));
    assert!(is_asked_to_log_in(idle.get(&request.url).await));
}

async fn a_forged_form_is_refused(database: Database) {
    // OWASP ASVS 3.5.1: neither login nor logout can be done in somebody's name by another site.
    let server = server(database).await;
    let mut browser = Browser::new(&server);
    let page = browser.get("/login").await.page();
    let form = page.form_with("password").fill("username", "alice").fill("password", "wonderland");
    for csrf in ["", "0", &"x".repeat(43)] {
        assert_error_page(browser.submit(form.clone().fill("csrf", csrf)).await, 403, FORGED);
    }
    let mut without_cookie = browser.clone();
    without_cookie.forget_cookies("");
    assert_error_page(without_cookie.submit(form).await, 403, FORGED);
    let mut alice = logged_in(&server, "alice").await;
    let logout = alice.get("/logout").await.page().form_with("csrf").fill("csrf", "forged");
    assert_error_page(alice.submit(logout).await, 403, FORGED);
    assert!(alice.cookie("gatelet-session").is_some());
}

async fn a_login_page_belongs_to_the_browser_that_asked_for_it(database: Database) {
    // Login CSRF: a victim must not be made to log in to an attacker's request.
    let server = server(database).await;
    let request = app(&server).authorization(|request| request);
    let (mut attacker, mut victim) = (Browser::new(&server), Browser::new(&server));
    let attackers = attacker.get(&request.url).await.page();
    assert_error_page(victim.get(&attackers.url).await, 400, EXPIRED);
    let own = victim.get("/login").await.page();
    let sealed = attackers.form_with("password").value("continue").unwrap().to_owned();
    let mixed = own.form_with("password").fill("username", "alice").fill("password", "wonderland");
    assert_error_page(victim.submit(mixed.fill("continue", &sealed)).await, 400, EXPIRED);
    assert_eq!(victim.cookie("gatelet-session"), None);
}

async fn a_login_page_expires(database: Database) {
    let server = server(database).await;
    let request = app(&server).authorization(|request| request);
    let mut browser = Browser::new(&server);
    let page = browser.get(&request.url).await.page();
    server.clock().advance(Duration::from_secs(599));
    assert!(browser.get(&page.url).await.page().has_form_with("password"));
    server.clock().advance(Duration::from_secs(1));
    assert_error_page(browser.get(&page.url).await, 400, EXPIRED);
    assert_error_page(browser.log_in(&page, "alice").await, 400, EXPIRED);
    for nonsense in ["", "x", &"A".repeat(5000)] {
        let form = browser.get("/login").await.page().form_with("password").fill("continue", nonsense);
        let landing = browser.submit(form.fill("username", "alice").fill("password", "wonderland")).await;
        assert_error_page(landing, 400, EXPIRED);
    }
}

async fn names_are_folded_and_passwords_are_not(database: Database) {
    let builder = world(database).user(TestUser::new("carol").member_of("acme", []).password("Pass word ä"));
    let server = builder.start().await;
    for (login, is_right) in [
        ((" Carol ", "Pass word ä"), true),
        (("carol", "pass word ä"), false),
        (("carol", "Pass word ä "), false),
        (("carol", "Pass word a\u{308}"), false),
        (("carol", &"x".repeat(2000)), false),
    ] {
        let mut browser = Browser::new(&server);
        let page = browser.get("/login").await.page();
        browser.log_in(&page, login).await.page();
        assert_eq!(browser.cookie("gatelet-session").is_some(), is_right, "{login:?}");
    }
}

async fn a_login_without_a_request_leads_home(database: Database) {
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let home = browser.get("/").await.page();
    assert!(home.text().contains("alice"), "{}", home.text());
    assert_eq!(browser.get("/login").await.page().url, server.url("/"));
}

async fn one_click_login_is_not_for_everybody(database: Database) {
    // The field of dev mode's buttons, sent to a server that has none.
    let server = server(database).await;
    let mut browser = Browser::new(&server);
    let page = browser.get("/login").await.page();
    assert!(!page.has_form_with("quick"));
    let form = page.form_with("password").fill("username", "alice").forge("quick", "alice");
    assert!(browser.submit(form).await.page().has_form_with("password"));
    assert_eq!(browser.cookie("gatelet-session"), None);
}

async fn two_tabs_of_one_browser_log_in_one_after_the_other(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut browser = Browser::new(&server);
    let (first, second) = (client.authorization(|request| request), client.authorization(|request| request));
    let page = browser.get(&first.url).await.page();
    let other = browser.get(&second.url).await.page();
    let consent = browser.log_in(&page, "alice").await.page();
    first.callback(&browser.consent(&consent).allow().await.left()).code();
    let consent = browser.log_in(&other, "alice").await.page();
    second.callback(&browser.consent(&consent).allow().await.left()).code();
}

async fn a_suspended_person_is_logged_out_and_stays_out(database: Database) {
    let server = server(database).await;
    let request = app(&server).authorization(|request| request);
    let mut browser = logged_in(&server, "alice").await;
    let consent = browser.get(&request.url).await.page();
    let audit = AuditEvent::new(server.clock().now(), AuditKind::Suspended);
    let store = server.app().engine().store.clone();
    let won = store.suspend_user(&UserId::parse("alice").unwrap(), audit).await.unwrap();
    assert_eq!(won, Outcome::Won(()));
    assert_error_page(browser.consent(&consent).allow().await, 400, "You are no longer logged in");
    let page = browser.get(&request.url).await.page();
    let again = browser.log_in(&page, "alice").await.page();
    assert!(again.has_form_with("password"), "the same words as for a wrong password: {}", again.text());
}

async fn a_long_request_survives_the_login(database: Database) {
    // It travels sealed in an address, and in a form.
    let server = server(database).await;
    let client = app(&server);
    let state = "%2B\u{1f41a}".repeat(600);
    let callback =
        client.authorize(&mut Browser::new(&server), "alice", |request| request.state(&state)).await;
    client.redeem(&callback).await.granted();
}
