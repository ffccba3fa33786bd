//! HTTP/2 without TLS, by prior knowledge: that it works, and what a hostile client gets (RUSTSEC-2024-0003,
//! RUSTSEC-2024-0332, CVE-2023-44487).

use std::time::{Duration, Instant};

use gatelet::serve::Limits;
use reqwest::Version;

use crate::cases;
use crate::connections::{short, slow};
use crate::wire::{Listening, Wire};
use crate::world::{Database, ROBOT_SECRET, server};

cases![
    http2_is_spoken_by_prior_knowledge,
    a_connection_that_asks_nothing_is_closed,
    an_answer_that_is_not_taken_is_not_kept,
    streams_that_are_reset_at_once_end_the_connection,
    a_head_without_an_end_ends_the_connection,
    more_streams_than_allowed_are_refused,
    a_request_names_one_host_in_http2_too,
];

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header block (RFC 7541 §6.2.2): the index of a name in the static table, or a name, and its value.
fn literal(index: u8, name: &str, value: &str) -> Vec<u8> {
    let mut block = vec![index];
    for text in [name, value].into_iter().filter(|text| !text.is_empty()) {
        block.push(u8::try_from(text.len()).unwrap());
        block.extend(text.as_bytes());
    }
    block
}

/// `GET http://localhost/path`.
fn get(path: &str) -> Vec<u8> {
    let (method, scheme) = (0x82, 0x86);
    let mut block = vec![method, scheme];
    block.extend(literal(4, "", path));
    block.extend(literal(1, "", "localhost"));
    block
}

fn request(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &get(path))
}

/// A connection that has begun with these settings.
async fn begun(listening: &Listening, settings: &[u8]) -> Wire {
    let mut wire = listening.wire().await;
    wire.send([PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()).await;
    wire
}

/// The error with which the server goes away; nothing when it closes without a word.
async fn goodbye(wire: &mut Wire) -> Option<u32> {
    let mut last = None;
    while let Some((kind, _, _, payload)) = wire.frame().await {
        if kind == GOAWAY {
            last = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
    }
    last
}

async fn http2_is_spoken_by_prior_knowledge(database: Database) {
    // RFC 9113 §3.3
    let server = server(database).await;
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let keys = http2.get(server.endpoint("jwks")).send().await.unwrap();
    assert_eq!((keys.version(), keys.status().as_u16()), (Version::HTTP_2, 200));
    let post = |body: Vec<u8>| {
        let request = http2.post(server.endpoint("token")).basic_auth("robot", Some(ROBOT_SECRET));
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send()
    };
    assert_eq!(post(b"grant_type=client_credentials".to_vec()).await.unwrap().status(), 200);
    assert_eq!(post(vec![b'x'; 900_000]).await.unwrap().status(), 413);
    let many = (0..20).map(|_| http2.get(server.endpoint("jwks")).send());
    for keys in many {
        assert_eq!(keys.await.unwrap().status(), 200);
    }
}

async fn a_connection_that_asks_nothing_is_closed(database: Database) {
    let server = server(database).await;
    let listening = Listening::start(&server, short(), slow()).await;
    let mut silent = begun(&listening, &[]).await;
    assert_eq!(goodbye(&mut silent).await, Some(0));
    let mut idle = begun(&listening, &[]).await;
    idle.send(request(1, "/slow")).await;
    let mut answered = false;
    while let Some((kind, ..)) = idle.frame().await {
        assert!(kind != GOAWAY || answered, "it is our turn");
        answered |= kind == DATA;
    }
    assert!(answered);
}

async fn an_answer_that_is_not_taken_is_not_kept(database: Database) {
    let server = server(database).await;
    let listening = Listening::start(&server, short(), slow()).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of nothing: no body can be sent (RFC 9113 §6.9.2).
    let mut wire = begun(&listening, &[0, 4, 0, 0, 0, 0]).await;
    wire.send(request(1, "/oauth/jwks")).await;
    let mut kinds = Vec::new();
    while let Some((kind, ..)) = wire.frame().await {
        kinds.push(kind);
    }
    assert!(kinds.contains(&HEADERS) && !kinds.contains(&DATA) && kinds.contains(&GOAWAY), "{kinds:?}");
}

async fn streams_that_are_reset_at_once_end_the_connection(database: Database) {
    let server = server(database).await;
    let listening = Listening::start(&server, Limits::default(), slow()).await;
    let mut wire = begun(&listening, &[]).await;
    let cancel = 8_u32.to_be_bytes();
    let flood: Vec<u8> = (0..2000)
        .flat_map(|n| [request(2 * n + 1, "/slow"), frame(RST_STREAM, 0, 2 * n + 1, &cancel)].concat())
        .collect();
    wire.send(&flood).await;
    assert_eq!(goodbye(&mut wire).await, Some(ENHANCE_YOUR_CALM));
    assert_eq!(server.get(&server.url("/healthz")).await.status, 200);
}

async fn a_head_without_an_end_ends_the_connection(database: Database) {
    let server = server(database).await;
    let listening = Listening::start(&server, Limits::default(), slow()).await;
    let header = literal(0, "x", &"y".repeat(120)).repeat(130);
    // As CONTINUATION frames that never end.
    let mut wire = begun(&listening, &[]).await;
    wire.send(frame(HEADERS, END_STREAM, 1, &get("/"))).await;
    assert!(is_cut(&mut wire, &frame(CONTINUATION, 0, 1, &header)).await);
    // And as empty ones.
    let mut wire = begun(&listening, &[]).await;
    wire.send(frame(HEADERS, END_STREAM, 1, &get("/"))).await;
    assert!(is_cut(&mut wire, &frame(CONTINUATION, 0, 1, &[]).repeat(100)).await);
}

/// Sends the same again and again: whether the server stops taking it. What counts is time and not how much is sent,
/// since the system takes some of it whatever the server does.
async fn is_cut(wire: &mut Wire, bytes: &[u8]) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        if !wire.send(bytes).await {
            return true;
        }
    }
    false
}

async fn more_streams_than_allowed_are_refused(database: Database) {
    // RFC 9113 §5.1.2
    let server = server(database).await;
    let limits = Limits { streams: 4, ..Limits::default() };
    let listening = Listening::start(&server, limits, slow()).await;
    let mut wire = begun(&listening, &[]).await;
    let all: Vec<u8> = (0..10).flat_map(|n| request(2 * n + 1, "/slow")).collect();
    wire.send(&all).await;
    let (mut answered, mut refused) = (0, 0);
    while answered + refused < 10 {
        let (kind, _, _, payload) = wire.frame().await.expect("a frame");
        match kind {
            HEADERS => answered += 1,
            RST_STREAM => {
                assert_eq!(payload, REFUSED_STREAM.to_be_bytes());
                refused += 1;
            }
            GOAWAY => panic!("{payload:?}"),
            _ => {}
        }
    }
    assert_eq!((answered, refused), (4, 6));
}

async fn a_request_names_one_host_in_http2_too(database: Database) {
    // RFC 9113 §8.3.1
    let server = server(database).await;
    let listening = Listening::start(&server, short(), slow()).await;
    let mut wire = begun(&listening, &[]).await;
    let statuses = [("localhost", 8_u8), ("evil.example", 12)];
    for ((host, status), stream) in statuses.into_iter().zip([1, 3]) {
        let block = [get("/oauth/jwks"), literal(0, "host", host)].concat();
        wire.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)).await;
        let answered = loop {
            let (kind, _, of, payload) = wire.frame().await.expect("a frame");
            if kind == HEADERS && of == stream {
                break payload[0];
            }
        };
        // RFC 7541, appendix A: 8 is `:status: 200`, 12 is `:status: 400`.
        assert_eq!(answered & 0x7f, status, "{host}");
    }
}
