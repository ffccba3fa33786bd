//! `prompt` and `max_age` (OpenID Connect Core §3.1.2.1).

use std::time::Duration;

use gatelet::testkit::{Browser, TestClient};
use serde_json::json;

use crate::cases;
use crate::world::{Database, app, consent_page, logged_in, server, web};

cases![
    a_demanded_login_is_demanded_once,
    another_account_may_be_chosen,
    silence_is_kept_when_it_is_demanded,
    a_login_may_be_too_old,
    the_person_is_the_one_whom_the_id_token_is_about,
    what_is_not_supported_is_refused_by_name,
    a_hint_fills_in_the_login_name_and_tells_nothing,
    first_party_clients_are_silent_unless_consent_is_demanded,
    an_operators_client_at_an_https_address_is_asked_about_once,
    a_self_registered_client_with_a_secret_is_asked_about_each_time,
];

async fn a_demanded_login_is_demanded_once(database: Database) {
    // OpenID Connect Core §3.1.2.1
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    for prompt in ["login", "select_account", "login consent"] {
        // A login of the same second would do: time is told in whole seconds.
        server.clock().advance(Duration::from_secs(1));
        let request = client.authorization(|request| request.scope("mcp:read").prompt(prompt));
        let page = browser.get(&request.url).await.page();
        assert!(page.has_form_with("password"), "{prompt}: {}", page.text());
        server.clock().advance(Duration::from_secs(10));
        let page = browser.log_in(&page, "alice").await.page();
        let callback = request.callback(&browser.consent(&page).allow().await.left());
        let answer = client.redeem(&callback).await.granted();
        let claims = server.verify(answer.access_token()).await;
        assert_eq!(claims["auth_time"], server.clock().now().seconds(), "{prompt}");
    }
}

async fn another_account_may_be_chosen(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| request.scope("mcp:read"));
    let page = browser.get(&request.url).await.page();
    let login = browser.get(page.link("Not you? Switch account")).await.page();
    let page = browser.log_in(&login, "bob").await.page();
    assert!(page.text().contains("bob"), "{}", page.text());
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    let answer = client.redeem(&callback).await.granted();
    assert_eq!(server.verify(answer.access_token()).await["sub"], "bob");
}

async fn silence_is_kept_when_it_is_demanded(database: Database) {
    // OpenID Connect Core §3.1.2.6
    let server = server(database).await;
    let client = app(&server);
    let silent = client.authorization(|request| request.scope("mcp:read").prompt("none"));
    let stranger = silent.callback(&Browser::new(&server).get(&silent.url).await.left());
    assert_eq!(stranger.error(), "login_required");
    let mut browser = logged_in(&server, "alice").await;
    let unasked = silent.callback(&browser.get(&silent.url).await.left());
    assert_eq!(unasked.error(), "consent_required");
    client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await.code();
    // RFC 8252 §8.6: a program on loopback cannot prove that it is the one that was allowed before.
    let remembered = silent.callback(&browser.get(&silent.url).await.left());
    assert_eq!(remembered.error(), "consent_required");
    let both = client.authorization(|request| request.prompt("none login"));
    assert_eq!(both.callback(&browser.get(&both.url).await.left()).error(), "invalid_request");
}

async fn a_login_may_be_too_old(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    server.clock().advance(Duration::from_secs(100));
    let young = client.authorization(|request| request.param("max_age", "100"));
    assert!(browser.get(&young.url).await.page().has_form_with("decision"));
    let old = client.authorization(|request| request.param("max_age", "99"));
    let page = browser.get(&old.url).await.page();
    assert!(page.has_form_with("password"));
    let silent = client.authorization(|request| request.param("max_age", "99").prompt("none"));
    assert_eq!(silent.callback(&browser.get(&silent.url).await.left()).error(), "login_required");
    let page = browser.log_in(&page, "alice").await.page();
    assert!(page.has_form_with("decision"), "the login that it demanded satisfies it: {}", page.text());
    let now = client.authorization(|request| request.param("max_age", "0"));
    let page = browser.get(&now.url).await.page();
    let page =
        if page.has_form_with("password") { browser.log_in(&page, "alice").await.page() } else { page };
    now.callback(&browser.consent(&page).allow().await.left()).code();
}

async fn the_person_is_the_one_whom_the_id_token_is_about(database: Database) {
    // OpenID Connect Core §3.1.2.1 (id_token_hint), §3.1.2.3, §3.1.2.6
    let server = server(database).await;
    let client = TestClient::new(&server, "own", "http://127.0.0.1/own");
    let mut alice = logged_in(&server, "alice").await;
    let callback = client.authorize(&mut alice, "alice", |request| request.scope("openid mcp:read")).await;
    let tokens = client.redeem(&callback).await.granted();
    let hinted = |hint: &str, prompt: &str| {
        let (hint, prompt) = (hint.to_owned(), prompt.to_owned());
        client.authorization(move |request| {
            request.scope("mcp:read").param("tenant", "acme").param("id_token_hint", &hint).prompt(&prompt)
        })
    };
    server.clock().advance(Duration::from_secs(3600));
    let silent = hinted(tokens.id_token(), "none");
    silent.callback(&alice.get(&silent.url).await.left()).code();
    let mut bob = logged_in(&server, "bob").await;
    assert_eq!(silent.callback(&bob.get(&silent.url).await.left()).error(), "login_required");
    server.clock().advance(Duration::from_secs(1));
    let spoken = hinted(tokens.id_token(), "");
    let page = bob.get(&spoken.url).await.page();
    assert!(page.has_form_with("password"), "the one who is meant may log in: {}", page.text());
    let wrong = spoken.callback(&bob.clone().log_in(&page, "bob").await.left());
    assert_eq!(wrong.error(), "login_required", "once");
    spoken.callback(&bob.log_in(&page, "alice").await.left()).code();
    // RFC 8725 §3.12: nothing else that this server signed is an id token, and another client's is not this one's.
    let app = crate::world::app(&server);
    let callback = app.authorize(&mut alice, "alice", |request| request.scope("openid")).await;
    let others = app.redeem(&callback).await.granted();
    for hint in [tokens.access_token(), others.id_token(), "nonsense"] {
        let silent = hinted(hint, "none");
        assert_eq!(silent.callback(&alice.get(&silent.url).await.left()).error(), "login_required");
        let spoken = hinted(hint, "");
        spoken.callback(&alice.get(&spoken.url).await.left()).code();
    }
}

async fn what_is_not_supported_is_refused_by_name(database: Database) {
    // OpenID Connect Core §3.1.2.6, §6, §7.2.1
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
        ("response_mode", "invalid_request"),
    ] {
        let request = client.authorization(|request| request.param(name, "x"));
        assert_eq!(request.callback(&browser.get(&request.url).await.left()).error(), error, "{name}");
    }
}

async fn a_hint_fills_in_the_login_name_and_tells_nothing(database: Database) {
    // OpenID Connect Core §3.1.2.1 (login_hint); OWASP ASVS 6.3.8
    let server = server(database).await;
    let client = app(&server);
    let mut pages = Vec::new();
    for name in ["alice", "nobody"] {
        let request = client.authorization(|request| request.param("login_hint", name).state("s"));
        let page = Browser::new(&server).get(&request.url).await.page();
        assert_eq!(page.form_with("password").value("username"), Some(name));
        pages.push(page.text().replace(name, ""));
    }
    assert_eq!(pages[0], pages[1], "whoever exists or not");
}

async fn first_party_clients_are_silent_unless_consent_is_demanded(database: Database) {
    let server = server(database).await;
    let client = gatelet::testkit::TestClient::new(&server, "own", "http://127.0.0.1/own");
    let mut browser = Browser::new(&server);
    let request = client.authorization(|request| request.scope("mcp:read"));
    let page = browser.get(&request.url).await.page();
    let callback = request.callback(&browser.log_in(&page, "alice").await.left());
    client.redeem(&callback).await.granted();
    let silent = client.authorization(|request| request.scope("mcp:read").prompt("none"));
    silent.callback(&browser.get(&silent.url).await.left()).code();
    let asked = client.authorization(|request| request.scope("mcp:read").prompt("consent"));
    assert!(browser.get(&asked.url).await.page().has_form_with("decision"));
    // RFC 8252 §8.6: any program can listen on another loopback port.
    let elsewhere = gatelet::testkit::TestClient::new(&server, "own", "http://127.0.0.1:1/own");
    let asked = elsewhere.authorization(|request| request.scope("mcp:read"));
    assert!(browser.get(&asked.url).await.page().has_form_with("decision"));
    // Somebody who could act in two tenants has to say in which, unless the request does.
    let mut bob = logged_in(&server, "bob").await;
    let request = client.authorization(|request| request.scope("mcp:read"));
    assert!(bob.get(&request.url).await.page().has_form_with("tenant"));
    let wish = client.authorization(|request| request.scope("mcp:read").param("tenant", "globex"));
    let callback = wish.callback(&bob.get(&wish.url).await.left());
    let answer = client.redeem(&callback).await.granted();
    assert_eq!(server.verify(answer.access_token()).await["tenant"], "globex");
}

async fn an_operators_client_at_an_https_address_is_asked_about_once(database: Database) {
    // RFC 6749 §10.2, RFC 8252 §8.6: nobody else can have use of an answer that goes there.
    let server = server(database).await;
    let client = web(&server);
    let mut browser = logged_in(&server, "alice").await;
    let ask = |scope: &'static str, prompt: &'static str| {
        client.authorization(move |request| match prompt {
            "" => request.scope(scope),
            prompt => request.scope(scope).prompt(prompt),
        })
    };
    let silent = ask("mcp:read", "none");
    assert_eq!(silent.callback(&browser.get(&silent.url).await.left()).error(), "consent_required");
    let first = ask("mcp:read", "");
    let page = consent_page(&mut browser, &first.url).await;
    first.callback(&browser.consent(&page).allow().await.left()).code();
    for again in [ask("mcp:read", ""), ask("mcp:read", "none")] {
        let callback = again.callback(&browser.get(&again.url).await.left());
        assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read");
    }
    consent_page(&mut browser, &ask("mcp:read", "consent").url).await;
    consent_page(&mut browser, &ask("mcp:read mcp:write", "").url).await;
    consent_page(&mut logged_in(&server, "bob").await, &first.url).await;
}

async fn a_self_registered_client_with_a_secret_is_asked_about_each_time(database: Database) {
    // RFC 6749 §10.2: nobody but itself has said that the address is its own.
    let server = server(database).await;
    let metadata = json!({ "redirect_uris": ["https://stranger.example/cb"], "client_name": "A stranger" });
    let registered = server.register(&metadata).await;
    let client = TestClient::new(&server, registered.text("client_id"), "https://stranger.example/cb")
        .secret(registered.text("client_secret"));
    let mut browser = logged_in(&server, "alice").await;
    client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await.code();
    let again = client.authorization(|request| request.scope("mcp:read"));
    consent_page(&mut browser, &again.url).await;
    let silent = client.authorization(|request| request.scope("mcp:read").prompt("none"));
    assert_eq!(silent.callback(&browser.get(&silent.url).await.left()).error(), "consent_required");
}
