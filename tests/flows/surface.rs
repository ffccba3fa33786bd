//! What every answer and every address has in common.

use gatelet::testkit::Browser;

use crate::cases;
use crate::world::{Database, logged_in, server, world};

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
    // RFC 9700 §4.16, §4.2.4
    let server = server(database).await;
    for address in
        ["/", "/login", "/oauth/token", "/oauth/jwks", "/nothing", "/.well-known/nothing", "/healthz"]
    {
        let answer = server.get(&server.url(address)).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{address}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{address}");
        assert_eq!(answer.header("x-request-id").len(), 26, "{address}");
        if answer.header("content-type").starts_with("text/html") {
            assert_eq!(answer.header("x-frame-options"), "DENY", "{address}");
            assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{address}");
        }
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
