//! The authorization endpoint: what becomes a page, what is sent to the client, and when.

use gatelet::testkit::{Browser, RequestParams, TestClient};

use crate::cases;
use crate::world::{
    APP_CALLBACK, Database, WEB_CALLBACK, Watch, app, assert_error_page, logged_in, self_registered, server,
    web,
};

cases![
    nothing_is_stored_for_a_stranger,
    an_unknown_client_or_redirect_uri_is_a_page,
    an_operators_client_is_told_of_errors_at_once,
    a_strangers_client_is_told_of_errors_after_somebody_has_logged_in,
    only_s256_is_taken_for_a_challenge,
    a_repeated_parameter_is_refused,
    looking_at_a_request_twice_is_no_more_than_once,
    a_request_may_be_posted,
    a_loopback_redirect_uri_may_have_any_port_and_nothing_else_may_differ,
    a_web_redirect_uri_is_compared_letter_by_letter,
];

async fn nothing_is_stored_for_a_stranger(database: Database) {
    let server = server(database).await;
    let stranger = self_registered(&server).await;
    let mut watch = Watch::on(&server).await;
    for client in [app(&server), web(&server), stranger] {
        let mut browser = Browser::new(&server);
        let request = client.authorization(|request| request.scope("mcp:read"));
        let page = browser.get(&request.url).await.page();
        assert!(page.url.contains("/login?continue="), "{}", page.url);
        assert_eq!(browser.cookie("gatelet-session"), None);
    }
    assert!(!watch.has_changed().await);
    // That the watch would have seen something.
    logged_in(&server, "alice").await;
    assert!(watch.has_changed().await);
}

async fn an_unknown_client_or_redirect_uri_is_a_page(database: Database) {
    // OAuth 2.1 §2.3.5; MCP Open Redirection.
    // RFC 6749 §4.1.2.1, RFC 9700 §4.11.2: nobody is redirected to what is not proven.
    let server = server(database).await;
    let unknown = "This server does not know the application";
    let not_registered = "The way back is not registered";
    let client = app(&server);
    for mut browser in [Browser::new(&server), logged_in(&server, "alice").await] {
        for id in ["nobody", "", "a\"<b>", &"x".repeat(3000)] {
            let request = client.authorization(|request| request.param("client_id", id));
            let page = browser.get(&request.url).await.page();
            assert_eq!(page.status, 400, "{id}");
            assert!(!page.html.contains("<b>"));
        }
        let request = client.authorization(|request| request.param("client_id", "nobody"));
        assert_error_page(browser.get(&request.url).await, 400, unknown);
        for uri in [
            "https://evil.example/cb",
            "http://127.0.0.1:4711/cb/",
            "http://127.0.0.1:4711/cb?x=1",
            "http://localhost:4711/cb",
            "http://127.0.0.1.evil.example/cb",
            "javascript:alert(1)",
            "nonsense",
        ] {
            let request = client.authorization(|request| request.param("redirect_uri", uri));
            assert_error_page(browser.get(&request.url).await, 400, not_registered);
        }
    }
}

async fn an_operators_client_is_told_of_errors_at_once(database: Database) {
    // MCP Authorization Response Validation.
    // RFC 6749 §4.1.2.1, RFC 8707 §2, OpenID Connect Core §3.1.2.6. `callback` compares state and iss.
    let server = server(database).await;
    type Change = fn(RequestParams) -> RequestParams;
    let mistakes: [(&str, Change); 11] = [
        ("unsupported_response_type", |request| request.param("response_type", "token")),
        ("invalid_request", |request| request.without("response_type")),
        ("invalid_request", |request| request.param("response_mode", "fragment")),
        ("invalid_request", |request| request.without("code_challenge")),
        ("invalid_scope", |request| request.scope("mcp:read \"quoted\"")),
        ("invalid_target", |request| request.resource("https://other.example/mcp")),
        ("invalid_target", |request| request.resource("no uri at all")),
        ("invalid_target", |request| {
            request.resource("https://mcp.example.com/mcp").also("resource", "https://other.example/mcp")
        }),
        ("invalid_request", |request| request.prompt("dance")),
        ("invalid_request", |request| request.param("max_age", "soon")),
        ("login_required", |request| request.prompt("none")),
    ];
    for client in [app(&server), web(&server)] {
        for (error, change) in mistakes {
            let request = client.authorization(change);
            let answer = request.callback(&Browser::new(&server).get(&request.url).await.left());
            assert_eq!(answer.error(), error, "{}", request.url);
        }
    }
}

async fn a_strangers_client_is_told_of_errors_after_somebody_has_logged_in(database: Database) {
    // OAuth 2.1 §7.13.2; RFC 9700 §4.11.2: an open redirector for whoever registers is none.
    let server = server(database).await;
    let client = self_registered(&server).await;
    let mut browser = Browser::new(&server);
    let request = client.authorization(|request| request.param("response_type", "token"));
    let page = browser.get(&request.url).await.page();
    assert!(page.has_form_with("password"));
    let answer = request.callback(&browser.log_in(&page, "alice").await.left());
    assert_eq!(answer.error(), "unsupported_response_type");
    let again = request.callback(&browser.get(&request.url).await.left());
    assert_eq!(again.error(), "unsupported_response_type");
    let silent = client.authorization(|request| request.prompt("none"));
    let page = Browser::new(&server).get(&silent.url).await.page();
    assert_eq!(page.status, 400, "nobody is logged in, and no page may ask: {}", page.text());
}

async fn only_s256_is_taken_for_a_challenge(database: Database) {
    // MCP 2025-03-26 Security Requirements; RFC 9700 §2.1.1; RFC 7636 §4.4.1; OAuth 2.1 §4.1.1, RFC 7636 §4.3
    let server = server(database).await;
    let client = app(&server);
    type Change = fn(RequestParams) -> RequestParams;
    let mistakes: [Change; 7] = [
        |request| request.param("code_challenge_method", "plain"),
        |request| request.without("code_challenge_method"),
        |request| request.param("code_challenge_method", "s256"),
        |request| request.without("code_challenge"),
        |request| request.param("code_challenge", ""),
        |request| request.param("code_challenge", "tooshort"),
        |request| request.param("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"),
    ];
    for change in mistakes {
        let request = client.authorization(change);
        let answer = request.callback(&Browser::new(&server).get(&request.url).await.left());
        assert_eq!(answer.error(), "invalid_request", "{}", request.url);
    }
}

async fn a_repeated_parameter_is_refused(database: Database) {
    // RFC 6749 §3.1
    let server = server(database).await;
    let client = app(&server);
    for name in ["scope", "response_type", "code_challenge", "code_challenge_method", "prompt"] {
        let request = client.authorization(|request| request.also(name, "a").also(name, "b"));
        let answer = request.callback(&Browser::new(&server).get(&request.url).await.left());
        assert_eq!(answer.error(), "invalid_request", "{name}");
    }
    for (name, value) in [("client_id", "app"), ("redirect_uri", APP_CALLBACK), ("state", "x")] {
        let request = client.authorization(|request| request.also(name, value));
        assert_eq!(Browser::new(&server).get(&request.url).await.page().status, 400, "{name}");
    }
}

async fn looking_at_a_request_twice_is_no_more_than_once(database: Database) {
    // RFC 9110 §9.2.1: link previews and impatient people ask twice.
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| request.scope("mcp:read"));
    for method in [reqwest::Method::HEAD, reqwest::Method::GET] {
        let looked = server.http().request(method, &request.url).send().await.unwrap();
        assert_eq!(looked.status(), 303);
    }
    let first = browser.get(&request.url).await.page();
    let second = browser.get(&request.url).await.page();
    let answer = request.callback(&browser.consent(&first).allow().await.left());
    let other = request.callback(&browser.consent(&second).allow().await.left());
    assert_ne!(answer.code(), other.code());
    client.redeem(&answer).await.granted();
    client.redeem(&other).await.granted();
}

async fn a_request_may_be_posted(database: Database) {
    // OAuth 2.1 §3.1; RFC 6749 §3.1
    let server = server(database).await;
    let request = app(&server).authorization(|request| request.scope("mcp:read"));
    let (url, query) = request.url.split_once('?').unwrap();
    let post = |body: String, media_type: &'static str| {
        server.http().post(url).header("content-type", media_type).body(body).send()
    };
    let answer = post(query.to_owned(), "application/x-www-form-urlencoded").await.unwrap();
    assert_eq!(answer.status(), 303);
    assert!(answer.headers()["location"].to_str().unwrap().starts_with("/login?continue="));
    assert_eq!(post("{}".to_owned(), "application/json").await.unwrap().status(), 415);
    let large = format!("{query}&x={}", "x".repeat(70_000));
    assert_eq!(post(large, "application/x-www-form-urlencoded").await.unwrap().status(), 413);
}

async fn a_loopback_redirect_uri_may_have_any_port_and_nothing_else_may_differ(database: Database) {
    // RFC 8252 §7.3, OAuth 2.1 §8.4.2
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    for port in ["", ":1", ":65535"] {
        let client = TestClient::new(&server, "app", &format!("http://127.0.0.1{port}/cb"));
        let callback = client.authorize(&mut browser, "alice", |request| request).await;
        client.redeem(&callback).await.granted();
    }
}

async fn a_web_redirect_uri_is_compared_letter_by_letter(database: Database) {
    // MCP 2025-06-18 Open Redirection; RFC 9700 §2.1
    let server = server(database).await;
    let client = web(&server);
    for uri in [
        "https://web.example:443/cb",
        "https://web.example:8443/cb",
        "https://WEB.example/cb",
        "https://web.example/cb/",
        "https://web.example/CB",
        "https://web.example/cb?",
        "https://web.example/x/../cb",
    ] {
        let request = client.authorization(|request| request.param("redirect_uri", uri));
        assert_eq!(Browser::new(&server).get(&request.url).await.page().status, 400, "{uri}");
    }
    // OAuth 2.1 §4.1.1: of the only one there is, nothing needs to be said.
    let request = client.authorization(|request| request.without("redirect_uri"));
    let mut browser = Browser::new(&server);
    let page = browser.get(&request.url).await.page();
    let page = browser.log_in(&page, "alice").await.page();
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    assert!(callback.url.starts_with(WEB_CALLBACK));
}
