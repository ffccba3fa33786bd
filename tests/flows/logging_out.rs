//! Logouts that a client begins (OpenID Connect RP-Initiated Logout §2, §3).

use std::time::Duration;

use gatelet::testkit::{Browser, Landing, Page, TestClient, TestServer, TokenResponse};
use url::form_urlencoded;

use crate::cases;
use crate::world::{Database, WEB_CALLBACK, WEB_SECRET, app, logged_in, web, world};

cases![
    a_client_that_the_person_signed_in_to_logs_them_out_and_gets_them_back,
    without_proof_the_person_is_asked,
    a_person_may_stay_logged_in,
    nobody_is_sent_where_their_client_has_not_registered,
    a_request_names_one_client,
    a_form_of_another_site_does_nothing_by_itself,
    a_browser_without_a_session_goes_back_at_once,
    what_was_granted_outlives_the_session,
    another_signed_text_is_no_hint,
];

const BYE: &str = "https://web.example/bye?from=gatelet";

async fn server(database: Database) -> TestServer {
    world(database).post_logout_redirect_uri("web", BYE).start().await
}

/// Tokens of a client that `username` signed in to, in `browser`.
async fn signed_in(client: &TestClient, browser: &mut Browser, username: &str) -> TokenResponse {
    let callback = client.authorize(browser, username, |request| request.scope("openid mcp:read")).await;
    client.redeem(&callback).await.granted()
}

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn logout(server: &TestServer, pairs: &[(&str, &str)]) -> String {
    format!("{}?{}", server.endpoint("end_session"), query(pairs))
}

async fn is_logged_in(browser: &mut Browser) -> bool {
    browser.get("/logout").await.page().has_form_with("csrf")
}

fn asked(landing: Landing) -> Page {
    let page = landing.page();
    assert_eq!(page.heading(), "Log out?", "{}", page.text());
    page
}

async fn a_client_that_the_person_signed_in_to_logs_them_out_and_gets_them_back(database: Database) {
    // OpenID Connect RP-Initiated Logout §2, §3
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let tokens = signed_in(&web(&server), &mut browser, "alice").await;
    // §2: an id token that has expired is as good a hint.
    server.clock().advance(Duration::from_secs(3600));
    let pairs = [
        ("id_token_hint", tokens.id_token()),
        ("post_logout_redirect_uri", BYE),
        ("state", "a b&c"),
        ("ui_locales", "de"),
    ];
    let mut other = logged_in(&server, "alice").await;
    assert_eq!(browser.get(&logout(&server, &pairs)).await.left(), format!("{BYE}&state=a%20b%26c"));
    assert!(!is_logged_in(&mut browser).await);
    assert!(is_logged_in(&mut other).await, "another browser is another session");
    let page = other.get(&logout(&server, &pairs[..1])).await.page();
    assert_eq!(page.heading(), "You are logged out", "without a way back");
}

async fn without_proof_the_person_is_asked(database: Database) {
    // OpenID Connect RP-Initiated Logout §2; OWASP ASVS 10.6.2
    let server = server(database).await;
    let mut bob = Browser::new(&server);
    let foreign = signed_in(&web(&server), &mut bob, "bob").await;
    let mut browser = logged_in(&server, "alice").await;
    let back = ("post_logout_redirect_uri", BYE);
    for pairs in [
        &[("client_id", "web"), back][..],
        &[("client_id", "web"), back, ("state", "s")],
        &[("id_token_hint", foreign.id_token()), back],
        &[("client_id", "web")],
        &[("id_token_hint", "nonsense")],
        &[],
    ] {
        let url = logout(&server, pairs);
        let page = asked(browser.get(&url).await);
        assert!(is_logged_in(&mut browser).await, "{url}: asking ends nothing");
        assert_eq!(page.text().contains("web.example"), pairs.contains(&back), "{}", page.text());
        let landing = browser.clone().submit(page.form_with("after")).await;
        match pairs.contains(&back) {
            true => assert!(landing.left().starts_with(BYE), "{url}"),
            false => assert_eq!(landing.page().heading(), "You are logged out", "{url}"),
        }
        assert!(!is_logged_in(&mut browser).await, "{url}");
        browser = logged_in(&server, "alice").await;
    }
}

async fn a_person_may_stay_logged_in(database: Database) {
    // OpenID Connect RP-Initiated Logout §2
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let page = asked(browser.get(&logout(&server, &[("client_id", "web")])).await);
    browser.get(page.link("Stay logged in")).await.page();
    assert!(is_logged_in(&mut browser).await);
    // The way back is sealed for this session: nobody else's form leads anywhere.
    let forged = page.form_with("after").fill("after", "https://evil.example/");
    assert_eq!(browser.submit(forged).await.page().heading(), "You are logged out");
}

async fn nobody_is_sent_where_their_client_has_not_registered(database: Database) {
    // OpenID Connect RP-Initiated Logout §3, §4; RFC 9700 §4.11
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let tokens = signed_in(&web(&server), &mut browser, "alice").await;
    let hint = ("id_token_hint", tokens.id_token());
    for uri in
        ["https://evil.example/", "https://web.example/bye", WEB_CALLBACK, "javascript:alert(1)", "//x"]
    {
        let back = ("post_logout_redirect_uri", uri);
        for pairs in
            [&[hint, back][..], &[("client_id", "web"), back], &[("client_id", "app"), back], &[back]]
        {
            let page = browser.get(&logout(&server, pairs)).await.page();
            assert_eq!(
                (page.status, page.heading()),
                (400, "The application’s request is not valid"),
                "{pairs:?}"
            );
            for fact in [
                "Parameterpost_logout_redirect_uri",
                "Reasonis not registered for this client",
                "SpecificationOpenID Connect RP-Initiated Logout 1.0 §3",
            ] {
                assert!(page.text().contains(fact), "{fact}: {}", page.text());
            }
        }
    }
    assert!(is_logged_in(&mut browser).await, "what is wrong ends nothing");
}

async fn a_request_names_one_client(database: Database) {
    // OpenID Connect RP-Initiated Logout §2
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let tokens = signed_in(&app(&server), &mut browser, "alice").await;
    let hint = ("id_token_hint", tokens.id_token());
    let page = browser.get(&logout(&server, &[hint, ("client_id", "web")])).await.page();
    assert_eq!(page.status, 400, "{}", page.text());
    assert!(page.text().contains("Parameterid_token_hint"), "{}", page.text());
    assert!(is_logged_in(&mut browser).await);
    let page = browser.get(&logout(&server, &[hint, ("client_id", "app")])).await.page();
    assert_eq!(page.heading(), "You are logged out");
}

async fn a_form_of_another_site_does_nothing_by_itself(database: Database) {
    // OWASP ASVS 10.6.2; OpenID Connect RP-Initiated Logout §2: GET and POST are supported
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let body = query(&[("client_id", "web"), ("post_logout_redirect_uri", BYE), ("x", "y")]);
    let request = server.http().post(server.endpoint("end_session")).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert!(answer.headers().get("set-cookie").is_none());
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with(&server.endpoint("end_session")), "{location}");
    asked(browser.get(&location).await);
    assert!(is_logged_in(&mut browser).await);
}

async fn a_browser_without_a_session_goes_back_at_once(database: Database) {
    // OpenID Connect RP-Initiated Logout §3
    let server = server(database).await;
    let pairs = [("client_id", "web"), ("post_logout_redirect_uri", BYE)];
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get(&logout(&server, &pairs)).await.left(), BYE);
    assert_eq!(browser.get(&logout(&server, &[])).await.page().heading(), "You are logged out");
}

async fn what_was_granted_outlives_the_session(database: Database) {
    // OpenID Connect RP-Initiated Logout §2: the session of the browser is what ends
    let server = server(database).await;
    let client = TestClient::new(&server, "web", WEB_CALLBACK).secret(WEB_SECRET);
    let mut browser = logged_in(&server, "alice").await;
    let tokens = signed_in(&client, &mut browser, "alice").await;
    browser.get(&logout(&server, &[("id_token_hint", tokens.id_token())])).await.page();
    assert!(!is_logged_in(&mut browser).await);
    let next = client.refresh(tokens.refresh_token()).await.granted();
    server.verify_id_token(next.id_token(), "web").await;
}

async fn another_signed_text_is_no_hint(database: Database) {
    // RFC 8725 §3.11, §3.12
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let tokens = signed_in(&web(&server), &mut browser, "alice").await;
    asked(browser.get(&logout(&server, &[("id_token_hint", tokens.access_token())])).await);
    assert!(is_logged_in(&mut browser).await);
}
