//! `prompt` and `max_age` (OpenID Connect Core §3.1.2.1).

use std::time::Duration;

use gatelet::testkit::Browser;

use crate::cases;
use crate::world::{Database, app, logged_in, server};

cases![
    a_demanded_login_is_demanded_once,
    another_account_may_be_chosen,
    silence_is_kept_when_it_is_demanded,
    a_login_may_be_too_old,
    first_party_clients_are_silent_unless_consent_is_demanded,
];

async fn a_demanded_login_is_demanded_once(database: Database) {
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
