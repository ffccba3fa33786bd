//! Connections: slow, silent, crowded, smuggling.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use gatelet::serve::Limits;
use gatelet::testkit::TestServer;
use tokio::time::sleep;

use crate::cases;
use crate::wire::{Answer, Listening, Wire};
use crate::world::{Database, server};

cases![
    a_client_that_does_not_finish_its_head_is_cut,
    a_client_that_does_not_finish_its_body_is_told,
    a_connection_is_kept_for_a_while_and_not_for_ever,
    an_answer_may_take_us_longer_than_a_client_may_be_silent,
    a_client_that_does_not_take_its_answer_is_cut,
    who_has_been_silent_longest_makes_room,
    a_client_that_is_still_sending_sees_why_it_is_refused,
    what_is_no_request_is_refused_and_nothing_after_it_is_read,
    a_body_has_one_end,
    heads_are_bounded,
    pipelined_requests_are_answered_in_order,
    requests_in_flight_outlive_the_signal_to_stop,
];

const TICK: Duration = Duration::from_millis(20);
const JWKS: &str = "GET /oauth/jwks HTTP/1.1\r\nHost: localhost\r\n\r\n";
const SLOW: &str = "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Takes 900 ms to answer.
pub(crate) fn slow() -> Router {
    Router::new().route(
        "/slow",
        get(async || {
            sleep(millis(900)).await;
            "slow"
        }),
    )
}

/// Limits that a case can wait for.
pub(crate) fn short() -> Limits {
    Limits { head: millis(300), body: millis(300), idle: millis(600), ..Limits::default() }
}

async fn listening(database: Database, limits: Limits) -> (TestServer, Listening) {
    let server = server(database).await;
    let listening = Listening::start(&server, limits, slow()).await;
    (server, listening)
}

async fn a_client_that_does_not_finish_its_head_is_cut(database: Database) {
    let limits = Limits { idle: Duration::from_secs(60), ..short() };
    let (_server, listening) = listening(database, limits).await;
    let start = Instant::now();
    assert!(listening.wire().await.closes_silently().await);
    // Neither the one version nor the other is begun for long.
    for head in ["GET / HTTP/1.1\r\nX: ", "PRI * HTTP/2.0\r\n\r\nS", "P"] {
        let mut wire = listening.wire().await;
        wire.dribble(format!("{head}{}", "x".repeat(100)).as_bytes(), TICK).await;
        assert!(wire.closes_silently().await, "{head:?}");
    }
    let mut second = listening.wire().await;
    second.send(JWKS).await;
    assert_eq!(second.answer().await.status, 200);
    sleep(millis(400)).await;
    second.dribble(format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(100)).as_bytes(), TICK).await;
    assert!(second.closes_silently().await);
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
}

async fn a_client_that_does_not_finish_its_body_is_told(database: Database) {
    let (_server, listening) = listening(database, short()).await;
    for (path, kind) in [("/oauth/token", "application/json"), ("/login", "text/html")] {
        let mut wire = listening.wire().await;
        wire.send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        ))
        .await;
        wire.dribble(&[b'x'; 25], TICK).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.header("content-type").unwrap().starts_with(kind), "{answer:?}");
        assert_eq!(wire.rest().await, "");
    }
}

async fn a_connection_is_kept_for_a_while_and_not_for_ever(database: Database) {
    let (_server, listening) = listening(database, short()).await;
    let mut wire = listening.wire().await;
    for _ in 0..3 {
        wire.send(JWKS).await;
        assert_eq!(wire.answer().await.status, 200);
        assert!(wire.is_quiet_for(millis(400)).await, "longer than a head may take");
    }
    assert_eq!(wire.rest().await, "");
    let aged = Limits { age: millis(200), idle: Duration::from_secs(60), ..short() };
    let aged = Listening::start(&_server, aged, slow()).await;
    let mut wire = aged.wire().await;
    wire.send(SLOW).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "asked to end");
    assert_eq!(wire.rest().await, "");
}

async fn an_answer_may_take_us_longer_than_a_client_may_be_silent(database: Database) {
    let (_server, listening) = listening(database, Limits { idle: millis(200), ..short() }).await;
    let mut wire = listening.wire().await;
    wire.send(SLOW).await;
    assert_eq!(wire.answer().await.body, "slow");
}

async fn a_client_that_does_not_take_its_answer_is_cut(database: Database) {
    struct Large(Vec<u8>, #[expect(dead_code, reason = "it is counted")] Arc<()>);
    impl AsRef<[u8]> for Large {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let server = server(database).await;
    let held = Arc::new(());
    let holder = held.clone();
    let large = get(async move || Bytes::from_owner(Large(vec![0; 32 << 20], holder.clone())));
    let listening = Listening::start(&server, short(), Router::new().route("/large", large)).await;
    let mut wire = listening.wire().await;
    let before = Arc::strong_count(&held);
    wire.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let end = Instant::now() + Duration::from_secs(6);
    sleep(millis(300)).await;
    assert_eq!(Arc::strong_count(&held), before + 1, "it is being sent");
    while Arc::strong_count(&held) > before {
        assert!(Instant::now() < end, "it is held for ever");
        sleep(TICK).await;
    }
}

async fn who_has_been_silent_longest_makes_room(database: Database) {
    let long = Duration::from_secs(60);
    let limits = Limits { connections: 3, head: long, body: long, idle: long, ..Limits::default() };
    let (_server, listening) = listening(database, limits).await;
    let mut busy = listening.wire().await;
    busy.send(SLOW).await;
    let silent = listening.wire().await;
    sleep(TICK).await;
    let mut kept = listening.wire().await;
    kept.send(JWKS).await;
    assert_eq!(kept.answer().await.status, 200);
    // All three places are taken.
    let mut newcomer = listening.wire().await;
    newcomer.send(JWKS).await;
    assert_eq!(newcomer.answer().await.status, 200);
    assert!(silent.closes_silently().await);
    kept.send(JWKS).await;
    assert_eq!(kept.answer().await.status, 200, "it was not the longest");
    // The newcomer has been idle for longer now; and a body that does not come is silence too.
    let mut sender = listening.wire().await;
    sender
        .send(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        )
        .await;
    assert!(newcomer.closes_silently().await);
    // They stay: a place that one of them gave up by itself would be nobody's eviction.
    let mut crowd = Vec::new();
    for _ in 0..20 {
        let mut another = listening.wire().await;
        another.send(JWKS).await;
        assert_eq!(another.answer().await.status, 200, "a crowd of silent ones keeps nobody out");
        crowd.push(another);
    }
    assert!(kept.closes_silently().await && sender.closes_silently().await);
    assert_eq!(busy.answer().await.body, "slow", "who waits for us stays");
}

async fn a_client_that_is_still_sending_sees_why_it_is_refused(database: Database) {
    // RFC 9112 §9.6
    let (_server, listening) = listening(database, Limits::default()).await;
    const FORM: &str = "application/x-www-form-urlencoded";
    for (method, path, host, kind, status) in [
        ("PUT", "/oauth/token", "localhost", FORM, 405),
        ("PUT", "/login", "localhost", FORM, 405),
        ("POST", "/nothing", "localhost", FORM, 404),
        ("POST", "/oauth/token", "localhost", "text/plain", 415),
        ("POST", "/oauth/token", "localhost", FORM, 413),
        ("POST", "/oauth/register", "localhost", "application/json", 413),
        ("POST", "/login", "localhost", FORM, 413),
        ("POST", "/oauth/authorize", "localhost", "text/plain", 415),
        ("POST", "/login", "evil.example", FORM, 403),
        ("POST", "/oauth/token", "a@localhost", FORM, 400),
    ] {
        for is_announced in [true, false] {
            let length = if is_announced { "Content-Length: 900000" } else { "Transfer-Encoding: chunked" };
            let mut wire = listening.wire().await;
            wire.send(format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n{length}\r\n\r\n"
            ))
            .await;
            if !is_announced {
                wire.send(format!("{:x}\r\n", 900_000)).await;
            }
            for _ in 0..9 {
                assert!(wire.send(vec![b'x'; 100_000]).await, "{method} {path}");
            }
            let answer = wire.answer().await;
            assert_eq!(answer.status, status, "{method} {path} {length}");
            assert!(answer.head.to_lowercase().contains("\r\nconnection: close\r\n"), "{}", answer.head);
        }
    }
}

async fn what_is_no_request_is_refused_and_nothing_after_it_is_read(database: Database) {
    // RFC 9112 §3.2, §5.1, §5.2, §6.1, §6.3, §11.2; OWASP ASVS 4.2.1
    let (_server, listening) = listening(database, Limits::default()).await;
    let post = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\n";
    let get = "GET /oauth/jwks HTTP/1.1\r\n";
    for request in [
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3} TLS\r\n\r\n".to_owned(),
        "NONSENSE\r\n\r\n".to_owned(),
        "GET /oauth/jwks HTTP/3.0\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /oauth/jwks\0 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /oauth/ jwks HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        format!("{post}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        format!("{post}Content-Length: 3, 4\r\n\r\nabcd"),
        format!("{post}Content-Length: +3\r\n\r\nabc"),
        format!("{post}Content-Length: -1\r\n\r\n"),
        format!("{post}Content-Length: 99999999999999999999\r\n\r\n"),
        format!("{post}Content-Length : 3\r\n\r\nabc"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "POST /oauth/token HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            .to_owned(),
        format!("{get}Host: localhost\r\n X-Folded: b\r\n\r\n"),
        format!("{get}Host: localhost\r\nX: a\0b\r\n\r\n"),
        format!("{get}Host: localhost\r\nX: a\rb\r\n\r\n"),
        format!("{get}Host: localhost\r\nX\u{1}: a\r\n\r\n"),
        format!("{get}\r\n"),
        format!("{get}Host: localhost\r\nHost: localhost\r\n\r\n"),
        format!("{get}Host: localhost, localhost\r\n\r\n"),
        format!("{get}Host: alice@localhost\r\n\r\n"),
        format!("{get}Host: \r\n\r\n"),
        "GET http://alice@localhost/oauth/jwks HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
    ] {
        let mut wire = listening.wire().await;
        wire.send(format!("{request}{JWKS}")).await;
        let said = wire.rest().await;
        assert_eq!(Answer::of(&said).status, 400, "{request:?}: {said}");
        assert_eq!(said.matches("HTTP/1.").count(), 1, "{request:?}: {said}");
    }
    let mut absolute = listening.wire().await;
    absolute.send("GET http://evil.example/oauth/jwks HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(absolute.answer().await.status, 403, "RFC 9112 §3.2.2: the request line holds");
}

async fn a_body_has_one_end(database: Database) {
    // RFC 9112 §6.1, §6.3: what is in chunks has no other length; and nothing that could be read as a second request
    // is answered, whichever of the two lengths a proxy believed.
    let (_server, listening) = listening(database, Limits::default()).await;
    let chunked = "Transfer-Encoding: chunked";
    for lengths in [
        format!("Content-Length: 6\r\n{chunked}"),
        format!("{chunked}\r\nContent-Length: 6"),
        format!("{chunked}\r\nContent-Length: nonsense"),
    ] {
        let mut wire = listening.wire().await;
        wire.send(format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             {lengths}\r\n\r\n0\r\n\r\n{JWKS}"
        ))
        .await;
        let said = wire.rest().await;
        assert_eq!(Answer::of(&said).status, 401, "an empty form: {said}");
        assert_eq!(said.matches("HTTP/1.").count(), 1, "{said}");
    }
    for chunk in ["xyz\r\n", "5;\n\r\nab", "-1\r\n", "ffffffffffffffffff\r\n", "1\r\nabc\r\n0\r\n\r\n"] {
        let mut wire = listening.wire().await;
        wire.send(format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             {chunked}\r\n\r\n{chunk}{JWKS}"
        ))
        .await;
        let said = wire.rest().await;
        assert_eq!(Answer::of(&said).status, 400, "{chunk:?}: {said}");
        assert_eq!(said.matches("HTTP/1.").count(), 1, "{chunk:?}: {said}");
    }
}

async fn heads_are_bounded(database: Database) {
    // RFC 9110 §15.5.15, RFC 6585 §5
    let (_server, listening) = listening(database, Limits::default()).await;
    for (request, status) in [
        (format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(70_000)), 414),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(200_000)), 431),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(300)), 431),
    ] {
        let mut wire = listening.wire().await;
        wire.send(request).await;
        let said = wire.rest().await;
        assert_eq!(Answer::of(&said).status, status, "{said}");
    }
}

async fn pipelined_requests_are_answered_in_order(database: Database) {
    // RFC 9112 §9.3.2
    let (_server, listening) = listening(database, Limits::default()).await;
    let mut wire = listening.wire().await;
    wire.send(format!("{SLOW}{JWKS}GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n\0\0\0\r\n\r\n{JWKS}"))
        .await;
    assert_eq!(wire.answer().await.body, "slow");
    assert!(wire.answer().await.body.contains("\"keys\""));
    assert_eq!(wire.answer().await.status, 404);
    assert_eq!(wire.answer().await.status, 400);
    assert_eq!(wire.rest().await, "");
}

async fn requests_in_flight_outlive_the_signal_to_stop(database: Database) {
    let (_server, mut listening) = listening(database, Limits::default()).await;
    let mut busy: Wire = listening.wire().await;
    busy.send(SLOW).await;
    let silent = listening.wire().await;
    let mut kept = listening.wire().await;
    kept.send(JWKS).await;
    assert_eq!(kept.answer().await.status, 200);
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = format!("http://127.0.0.1:{}/slow", listening.port);
    let other = tokio::spawn(async move { http2.get(url).send().await.unwrap().text().await.unwrap() });
    sleep(millis(200)).await;
    listening.begin_to_stop();
    assert!(silent.closes_silently().await && kept.closes_silently().await);
    let answer = busy.answer().await;
    assert_eq!((answer.body.as_str(), answer.header("connection")), ("slow", Some("close")));
    assert_eq!(other.await.unwrap(), "slow");
    drop(busy);
    listening.ended().await;
}
