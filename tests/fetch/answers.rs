//! What is taken of what a peer answers (Client ID Metadata Documents §4 and §6).

use std::time::{Duration, Instant};

use gatelet::fetch::{FetchError, FetchOptions, MAX_BODY, MAX_KEY_SET};
use libtest_mimic::Trial;

use crate::peer::{Manners, Peer, fetcher, json, loopback_options, ok, on_loopback, raw};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_document_comes_with_its_freshness_and_is_asked_for_plainly,
        redirects_are_not_followed,
        only_200_counts,
        only_json_counts,
        five_kibibytes_are_taken_and_not_a_byte_more,
        a_key_set_may_be_longer_than_a_document,
        an_endless_body_is_left,
        a_length_that_lies_gains_nothing,
        nothing_is_decompressed,
        who_is_slow_is_left_at_the_deadline,
        failures_are_not_remembered,
    ]
}

async fn outcome(answer: impl Into<Vec<u8>>) -> Result<Vec<u8>, FetchError> {
    let peer = Peer::start(Manners::answer(answer)).await;
    let fetched = on_loopback().json(&peer.url("/id.json")).await;
    assert_eq!(peer.connections(), 1);
    fetched.map(|fetched| fetched.body.to_vec())
}

async fn a_document_comes_with_its_freshness_and_is_asked_for_plainly() {
    let headers = ["Content-Type: application/json", "Cache-Control: max-age=600", "Set-Cookie: a=b"];
    let peer = Peer::start(Manners::answer(ok(&headers, b"{\"a\":1}")).keeping_alive()).await;
    let fetcher = on_loopback();
    for _ in 0..2 {
        let fetched = fetcher.json(&peer.url("/id.json?v=1")).await.unwrap();
        assert_eq!(&fetched.body[..], b"{\"a\":1}");
        assert_eq!(fetched.fresh_for, Some(Duration::from_secs(600)));
    }
    let expected = format!(
        "get /id.json?v=1 http/1.1\r\naccept: application/json\r\nuser-agent: gatelet/{}\r\nhost: {}\r\n\r\n",
        env!("CARGO_PKG_VERSION"),
        peer.address
    );
    // No cookie, no referrer, no accept-encoding, no credentials.
    let sorted = |request: &str| {
        let mut lines: Vec<_> = request.lines().map(str::to_owned).collect();
        lines[1..].sort();
        lines
    };
    for request in peer.requests() {
        assert_eq!(sorted(&request), sorted(&expected));
    }
    assert_eq!(peer.connections(), 2, "no connection serves twice");
}

async fn redirects_are_not_followed() {
    // Client ID Metadata Documents §4, OWASP ASVS 15.3.2
    let target = Peer::start(Manners::answer(json(b"{}"))).await;
    for status in [300, 301, 302, 303, 305, 307, 308] {
        let location = format!("Location: {}", target.url("/"));
        let headers = ["Content-Type: application/json", "Content-Length: 2", &location, "Refresh: 0"];
        let answer = raw(&format!("{status} Elsewhere"), &headers, b"{}");
        assert_eq!(outcome(answer).await, Err(FetchError::Status(status)));
    }
    assert_eq!(target.connections(), 0);
}

async fn only_200_counts() {
    // Client ID Metadata Documents §4
    for status in [201, 202, 203, 206, 400, 401, 404, 410, 429, 500, 503] {
        let headers = ["Content-Type: application/json", "Content-Length: 2"];
        let answer = raw(&format!("{status} So"), &headers, b"{}");
        assert_eq!(outcome(answer).await, Err(FetchError::Status(status)));
    }
    for status in [204, 304] {
        let answer = raw(&format!("{status} So"), &["Content-Type: application/json"], b"");
        assert_eq!(outcome(answer).await, Err(FetchError::Status(status)));
    }
}

async fn only_json_counts() {
    for good in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/client-metadata+json",
        "application/problem+json ;x=y",
    ] {
        assert_eq!(
            outcome(ok(&[&format!("Content-Type: {good}")], b"{}")).await,
            Ok(b"{}".to_vec()),
            "{good}"
        );
    }
    for bad in [
        "text/html",
        "text/json",
        "text/plain",
        "application/jsonp",
        "application/json-seq",
        "application/+json",
        "application/x+json+xml",
        "image/svg+xml",
        "image/x+json",
        "application/octet-stream",
        "json",
        "",
    ] {
        let answer = ok(&[&format!("Content-Type: {bad}")], b"{}");
        assert_eq!(outcome(answer).await, Err(FetchError::MediaType), "{bad}");
    }
    assert_eq!(outcome(ok(&[], b"{}")).await, Err(FetchError::MediaType));
}

async fn five_kibibytes_are_taken_and_not_a_byte_more() {
    // Client ID Metadata Documents §6
    assert_eq!(MAX_BODY, 5 * 1024);
    for (length, fits) in [(5120, true), (5121, false)] {
        let body = vec![b' '; length];
        let whole = outcome(json(&body)).await;
        let mut chunked = format!("{:x}\r\n", length - 20).into_bytes();
        chunked.extend_from_slice(&body[20..]);
        chunked.extend_from_slice(b"\r\n14\r\n                    \r\n0\r\n\r\n");
        let headers = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
        let chunked = outcome(raw("200 OK", &headers, &chunked)).await;
        let until_the_end = outcome(raw("200 OK", &["Content-Type: application/json"], &body)).await;
        let expected = if fits { Ok(body) } else { Err(FetchError::TooLarge(MAX_BODY)) };
        assert_eq!((&whole, &chunked, &until_the_end), (&expected, &expected, &expected), "{length}");
    }
}

async fn a_key_set_may_be_longer_than_a_document() {
    // RFC 7517 §4.7: keys come with their certificates.
    assert_eq!(MAX_KEY_SET, 64 * 1024);
    let get = async |length: usize| {
        let answer = ok(&["Content-Type: application/jwk-set+json"], &vec![b' '; length]);
        let peer = Peer::start(Manners::answer(answer)).await;
        on_loopback().key_set(&peer.url("/")).await.map(|fetched| fetched.body.len())
    };
    assert_eq!(get(MAX_KEY_SET).await, Ok(MAX_KEY_SET));
    assert_eq!(get(MAX_KEY_SET + 1).await, Err(FetchError::TooLarge(MAX_KEY_SET)));
}

async fn an_endless_body_is_left() {
    let headers = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
    let endless = move |_| {
        let chunk = [b"400\r\n".to_vec(), vec![b' '; 1024], b"\r\n".to_vec()].concat();
        std::iter::once(raw("200 OK", &headers, b"")).chain(std::iter::repeat_n(chunk, 100_000)).collect()
    };
    let peer = Peer::start(Manners::by_turns(endless)).await;
    assert_eq!(on_loopback().json(&peer.url("/")).await.unwrap_err(), FetchError::TooLarge(MAX_BODY));
}

async fn a_length_that_lies_gains_nothing() {
    let with = |length: &str, body: &[u8]| {
        raw("200 OK", &["Content-Type: application/json", &format!("Content-Length: {length}")], body)
    };
    // Says less than it sends: the rest is no part of the body.
    assert_eq!(outcome(with("2", &[b"{}".to_vec(), vec![b'x'; 9000]].concat())).await, Ok(b"{}".to_vec()));
    for answer in [
        // Says more than it sends.
        with("9", b"{}"),
        with("99999999999", b"{}"),
        with("-2", b"{}"),
        with("2\r\nContent-Length: 3", b"{}"),
        b"{}".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json".to_vec(),
    ] {
        assert!(matches!(outcome(answer).await, Err(FetchError::Http(_))));
    }
}

async fn nothing_is_decompressed() {
    // The first bytes of a gzip stream: whatever they are called, they are no less and no more than these bytes.
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for coding in ["gzip", "br", "zstd", "deflate", "identity, gzip"] {
        let headers = ["Content-Type: application/json", &format!("Content-Encoding: {coding}")];
        assert_eq!(outcome(ok(&headers, &gzip)).await, Err(FetchError::Encoded), "{coding}");
    }
    assert_eq!(outcome(json(&gzip)).await, Ok(gzip.to_vec()));
    let headers = ["Content-Type: application/json", "Content-Encoding: identity"];
    assert_eq!(outcome(ok(&headers, b"{}")).await, Ok(b"{}".to_vec()));
}

async fn who_is_slow_is_left_at_the_deadline() {
    let (deadline, pause) = (Duration::from_millis(300), Duration::from_millis(30));
    let answer = json(&[b' '; 100]);
    let body = answer.len() - 100;
    let options = || FetchOptions { deadline, ..loopback_options() };
    for manners in [
        // Each byte comes well within any time-out between bytes.
        Manners::dripping(answer.clone(), 0, pause),
        Manners::dripping(answer.clone(), body, pause),
        Manners::answer(answer.clone()).gated(std::sync::Arc::new(tokio::sync::Semaphore::new(0))),
    ] {
        let peer = Peer::start(manners).await;
        let began = Instant::now();
        assert_eq!(fetcher(options()).json(&peer.url("/")).await.unwrap_err(), FetchError::TimedOut);
        let took = began.elapsed();
        assert!(took >= deadline && took < deadline * 5, "{took:?}");
        assert_eq!(peer.connections(), 1);
    }
    // The same peers are heard out by who has the time.
    let peer = Peer::start(Manners::dripping(answer, body + 90, pause)).await;
    let options = FetchOptions { deadline: Duration::from_secs(20), ..loopback_options() };
    assert!(fetcher(options).json(&peer.url("/")).await.is_ok());
    assert_eq!(gatelet::fetch::DEADLINE, Duration::from_secs(5));
}

async fn failures_are_not_remembered() {
    // Client ID Metadata Documents §4.2: errors are not cached
    let script = |before| match before {
        0 => vec![raw("500 No", &["Content-Type: application/json", "Cache-Control: max-age=600"], b"")],
        _ => vec![json(b"{}")],
    };
    let peer = Peer::start(Manners::by_turns(script)).await;
    let fetcher = on_loopback();
    assert_eq!(fetcher.json(&peer.url("/")).await.unwrap_err(), FetchError::Status(500));
    assert_eq!(&fetcher.json(&peer.url("/")).await.unwrap().body[..], b"{}");
}
