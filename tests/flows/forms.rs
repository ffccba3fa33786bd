//! Forms: whose they are, and who may send them.

use std::time::Duration;

use gatelet::testkit::{Browser, Form, TestServer};
use reqwest::Response;

use crate::cases;
use crate::world::{Database, app, consent_page, logged_in, server};

cases![
    a_form_that_another_origin_sent_is_refused,
    a_client_may_send_its_request_by_a_form_of_its_own,
    a_form_of_another_browser_is_refused,
    a_session_that_was_planted_is_not_the_one_that_is_logged_in,
    a_login_page_that_was_planted_logs_nobody_in,
];

/// Sends a form with these cookies and headers, as a browser would that follows nothing.
async fn send(
    server: &TestServer,
    address: &str,
    fields: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Response {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = server.http().post(server.url(address)).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

/// The `Cookie` header of a browser.
fn cookies(server: &TestServer, browser: &Browser) -> String {
    let port = server.origin().rsplit_once(':').unwrap().1;
    let pairs = ["session", "browser"].into_iter().filter_map(|word| {
        let value = browser.cookie(&format!("gatelet-{word}"))?;
        Some(format!("gatelet-{word}-{port}={value}"))
    });
    pairs.collect::<Vec<_>>().join("; ")
}

fn value<'a>(form: &'a Form, name: &str) -> &'a str {
    form.value(name).unwrap()
}

async fn a_form_that_another_origin_sent_is_refused(database: Database) {
    // OWASP ASVS 3.5.1, 3.5.3: a defence beside the token in each form, which is right in all of these.
    let server = server(database).await;
    let port = server.origin().rsplit_once(':').unwrap().1.to_owned();
    let (own, neighbour) = (server.origin().to_owned(), "http://127.0.0.1:1".to_owned());
    let host = format!("localhost:{port}");
    let called = format!("http://{host}");
    let mut browser = logged_in(&server, "alice").await;
    let csrf = value(&browser.get("/logout").await.page().form_with("csrf"), "csrf").to_owned();
    let cookies = cookies(&server, &browser);
    let statuses = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[("cookie", cookies.as_str())]].concat();
        let mut statuses = Vec::new();
        for (address, fields) in [
            ("/login", &[("username", "x")][..]),
            ("/consent", &[("csrf", csrf.as_str())]),
            ("/logout", &[("csrf", "wrong")]),
        ] {
            let answer = send(&server, address, fields, &headers).await;
            let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            statuses.push((status, text.contains("This form did not come from this server")));
        }
        statuses
    };
    // What each is answered that comes from here: no token, no such interaction, a wrong token.
    let from_here = [(403, true), (400, false), (403, true)];
    let from_elsewhere = [(403, true); 3];
    for headers in [
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("origin", own.as_str())],
        &[("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
        &[("origin", called.as_str()), ("host", host.as_str())],
    ] {
        assert_eq!(statuses(headers).await, from_here, "{headers:?}");
    }
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        &[("sec-fetch-site", "")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", neighbour.as_str())],
        &[("origin", called.as_str())],
    ] {
        assert_eq!(statuses(headers).await, from_elsewhere, "{headers:?}");
    }
    let still = browser.get("/").await.page();
    assert!(still.text().contains("alice"), "nothing of it logged her out");
}

async fn a_client_may_send_its_request_by_a_form_of_its_own(database: Database) {
    // OAuth 2.1 §3.1
    let server = server(database).await;
    let request = url::Url::parse(&app(&server).authorization(|request| request).url).unwrap();
    let fields: Vec<(String, String)> = request.query_pairs().into_owned().collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    let headers = [("origin", "https://client.example"), ("sec-fetch-site", "cross-site")];
    let answer = send(&server, "/oauth/authorize", &fields, &headers).await;
    assert_eq!(answer.status(), 303);
    assert!(answer.headers()["location"].to_str().unwrap().starts_with("/login?continue="));
}

async fn a_form_of_another_browser_is_refused(database: Database) {
    // OWASP ASVS 3.5.1: the token of a form is good in one browser, and for one session.
    let server = server(database).await;
    let request = app(&server).authorization(|request| request);
    let (mut alice, mut bob) = (logged_in(&server, "alice").await, logged_in(&server, "bob").await);
    let page = consent_page(&mut alice, &request.url).await.form_with("decision");
    let logout = alice.get("/logout").await.page().form_with("csrf");
    let bobs = bob.get("/logout").await.page().form_with("csrf");
    let (mut stranger, mut other) = (Browser::new(&server), Browser::new(&server));
    let login = stranger.get("/login").await.page().form_with("password");
    let others = other.get("/login").await.page().form_with("password");
    for (browser, address, interaction, own, csrf) in [
        (&alice, "/consent", value(&page, "interaction"), value(&page, "csrf"), value(&bobs, "csrf")),
        (&alice, "/logout", "", value(&logout, "csrf"), value(&bobs, "csrf")),
        (&stranger, "/login", "", value(&login, "csrf"), value(&others, "csrf")),
        (&stranger, "/login", "", value(&login, "csrf"), value(&logout, "csrf")),
    ] {
        let cookies = cookies(&server, browser);
        for csrf in [csrf, "", &own[1..], &format!("{own}x"), &own.to_uppercase()] {
            let fields = [
                ("csrf", csrf),
                ("decision", "allow"),
                ("interaction", interaction),
                ("username", "alice"),
                ("password", "wonderland"),
                ("continue", value(&login, "continue")),
            ];
            let answer = send(&server, address, &fields, &[("cookie", &cookies)]).await;
            assert_eq!(answer.status(), 403, "{address} {csrf}");
            assert!(!answer.headers().contains_key("set-cookie"), "{address} {csrf}");
        }
    }
}

async fn a_session_that_was_planted_is_not_the_one_that_is_logged_in(database: Database) {
    // OWASP ASVS 7.2.4: whoever could set a cookie in a browser knows nothing of the session that begins there.
    let server = server(database).await;
    let mut mallory = logged_in(&server, "bob").await;
    let request = app(&server).authorization(|request| request.prompt("login"));
    server.clock().advance(Duration::from_secs(1));
    // The victim's browser has mallory's cookies.
    let mut victim = mallory.clone();
    let page = victim.get(&request.url).await.page();
    victim.log_in(&page, "alice").await.page();
    assert!(victim.get("/").await.page().text().contains("alice"));
    assert_ne!(victim.cookie("gatelet-session"), mallory.cookie("gatelet-session"));
    assert!(!mallory.get("/").await.page().text().contains("alice"));
}

async fn a_login_page_that_was_planted_logs_nobody_in(database: Database) {
    // Login CSRF: all of an attacker's login form, sent by a browser that is not the attacker's.
    let server = server(database).await;
    let mut attacker = Browser::new(&server);
    let page = attacker.get(&app(&server).authorization(|request| request).url).await.page();
    let form = page.form_with("password");
    let fields = [
        ("csrf", value(&form, "csrf")),
        ("continue", value(&form, "continue")),
        ("username", "bob"),
        ("password", "wonderland"),
    ];
    let mut victim = Browser::new(&server);
    victim.get("/login").await.page();
    for cookies in [String::new(), cookies(&server, &victim)] {
        let answer = send(&server, "/login", &fields, &[("cookie", &cookies)]).await;
        assert_eq!(answer.status(), 403, "{cookies:?}");
        assert!(!answer.headers().contains_key("set-cookie"));
    }
    let own = send(&server, "/login", &fields, &[("cookie", &cookies(&server, &attacker))]).await;
    assert_eq!(own.status(), 303, "it was a whole one");
}
