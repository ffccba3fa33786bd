//! What every answer and every address has in common.

use gatelet::testkit::Browser;
use reqwest::header::HeaderMap;

use crate::cases;
use crate::world::{Database, app, consent_page, logged_in, server, world};

cases![
    a_server_answers_to_its_own_names_alone,
    every_answer_carries_the_headers_that_protect_it,
    health_is_told_in_a_word,
    a_method_that_is_not_known_is_refused,
    cookies_are_for_this_server_and_not_for_scripts,
];

async fn a_server_answers_to_its_own_names_alone(database: Database) {
    // DNS rebinding: a page of evil.example must not drive a server on this machine.
    let server = world(database).host("id.internal").start().await;
    let port = server.origin().rsplit_once(':').unwrap().1.to_owned();
    let ask = async |address: &str, host: &str| {
        let answer = server.http().get(server.url(address)).header("host", host).send().await.unwrap();
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap().to_owned())
    };
    for host in ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.evil.example"] {
        let host = host.replace(":80", &format!(":{port}"));
        for address in ["/login", "/", "/oauth/authorize", "/nothing"] {
            assert_eq!(ask(address, &host).await.0, 403, "{host} {address}");
        }
        for address in ["/oauth/jwks", "/.well-known/oauth-authorization-server"] {
            assert_eq!(ask(address, &host).await, (403, "application/json".to_owned()), "{host} {address}");
        }
    }
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "id.internal", "ID.internal"] {
        assert_eq!(ask("/login", &format!("{host}:{port}")).await.0, 200, "{host}");
    }
}

async fn every_answer_carries_the_headers_that_protect_it(database: Database) {
    // RFC 9700 §4.16, §4.2.4; OAuth 2.1 §7.11, §3.2.3; OWASP ASVS 3.4.1 to 3.4.8
    let server = server(database).await;
    let mut alice = logged_in(&server, "alice").await;
    let session = alice.cookie("gatelet-session").unwrap().to_owned();
    let request = app(&server).authorization(|request| request);
    let consent = consent_page(&mut alice, &request.url).await.url;
    let style = alice.get("/").await.page();
    let style = style.html.split('"').find(|text| text.ends_with(".css")).unwrap().to_owned();

    let own = ("cross-origin-resource-policy", "same-origin");
    let redirect = vec![NO_STORE, own];
    let asset = vec![("cache-control", "public, max-age=31536000, immutable"), own];
    for (method, address, status, expected) in [
        ("GET", "/", 200, page(STAYS)),
        ("GET", "/oauth", 200, page(STAYS)),
        ("GET", "/logout", 200, page(STAYS)),
        ("GET", "/login?continue=x", 400, page(STAYS)),
        ("GET", "/login", 303, redirect.clone()),
        ("GET", &consent, 200, page(LEADS)),
        ("GET", "/consent", 400, page(STAYS)),
        ("GET", "/oauth/authorize", 400, page(STAYS)),
        ("GET", &request.url, 303, redirect),
        ("GET", "/nothing", 404, page(STAYS)),
        ("PUT", "/login", 405, page(STAYS)),
        ("POST", "/login", 415, page(STAYS)),
        ("GET", &style, 200, asset),
        ("GET", "/healthz", 200, vec![own]),
        ("POST", "/oauth/token", 415, open("no-store")),
        ("GET", "/oauth/token", 405, open("no-store")),
        ("POST", "/oauth/register", 415, open("no-store")),
        ("GET", "/oauth/jwks", 200, open("public, max-age=300")),
        ("GET", "/.well-known/oauth-authorization-server", 200, open("public, max-age=300")),
        ("GET", "/.well-known/nothing", 404, open("no-store")),
    ] {
        let url = if address.starts_with('/') { server.url(address) } else { address.to_owned() };
        let port = server.origin().rsplit_once(':').unwrap().1;
        let request = server.http().request(method.parse().unwrap(), url);
        let answer =
            request.header("cookie", format!("gatelet-session-{port}={session}")).send().await.unwrap();
        let what = format!("{method} {address}");
        assert_eq!(answer.status(), status, "{what}");
        assert_headers(answer.headers(), &expected, &what);
    }
}

const NO_STORE: (&str, &str) = ("cache-control", "no-store");
/// What the policy of a page says about forms: they stay here, or nothing, since browsers hold it against the redirect
/// to a client too.
const STAYS: &str = "form-action 'self'";
const LEADS: &str = "frame-ancestors 'none'";

fn page(policy: &'static str) -> Vec<(&'static str, &'static str)> {
    let fixed = [
        NO_STORE,
        ("content-security-policy", policy),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ];
    // What a client has opened in a window of its own stays connected to it.
    let closed = (policy == STAYS).then_some(("cross-origin-opener-policy", "same-origin"));
    fixed.into_iter().chain(closed).collect()
}

fn open(cache: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("cache-control", cache),
        ("cross-origin-resource-policy", "cross-origin"),
        ("access-control-allow-origin", "*"),
    ]
}

/// That of the headers that protect an answer there are these and no others.
fn assert_headers(headers: &HeaderMap, expected: &[(&str, &str)], what: &str) {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("x-content-type-options"), Some("nosniff"), "{what}");
    assert_eq!(header("referrer-policy"), Some("same-origin"), "{what}");
    assert_eq!(header("x-request-id").map(str::len), Some(26), "{what}");
    for name in [
        "cache-control",
        "content-security-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "x-frame-options",
        "access-control-allow-origin",
        "strict-transport-security",
        "server",
        "x-powered-by",
    ] {
        let expected = expected.iter().find(|(of, _)| *of == name).map(|(_, value)| *value);
        let found = header(name);
        if name != "content-security-policy" || expected.is_none() {
            assert_eq!(found, expected, "{what}: {name}");
            continue;
        }
        let policy = found.unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains(LEADS), "{what}: {policy}");
        assert_eq!(policy.contains("form-action"), expected == Some(STAYS), "{what}: {policy}");
    }
}

async fn health_is_told_in_a_word(database: Database) {
    let server = server(database).await;
    assert_eq!(server.get(&server.url("/healthz")).await.body, "ok\n");
    assert_eq!(server.get(&server.url("/readyz")).await.body, "ready\n");
}

async fn a_method_that_is_not_known_is_refused(database: Database) {
    let server = server(database).await;
    for address in
        ["/login", "/consent", "/oauth/authorize", "/oauth/token", "/oauth/register", "/oauth/jwks"]
    {
        for method in ["PUT", "DELETE", "PATCH"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let answer = server.http().request(method, server.url(address)).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{address}");
        }
    }
}

async fn cookies_are_for_this_server_and_not_for_scripts(database: Database) {
    let server = server(database).await;
    let looked = server.get(&server.url("/login")).await;
    let cookie = looked.header("set-cookie");
    let port = server.origin().rsplit_once(':').unwrap().1;
    assert!(cookie.starts_with(&format!("gatelet-browser-{port}=")), "{cookie}");
    assert!(cookie.contains("; Path=/; ") && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    // What somebody else's server on this host has set is not ours.
    let browser: Browser = logged_in(&server, "alice").await;
    let session = browser.cookie("gatelet-session").unwrap();
    for cookie in [format!("gatelet-session-1={session}"), format!("gatelet-session-{port}={session}x")] {
        let home = server.http().get(server.url("/")).header("cookie", cookie).send().await.unwrap();
        assert!(!home.text().await.unwrap().contains("alice"));
    }
}
