//! Being told to stop.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::network::{connect, head, rest, send};
use crate::program::{Dev, directory};
use crate::{NotRun, cases};

cases![
    it_listens_for_the_signal_before_it_says_that_it_is_ready,
    a_request_in_flight_is_answered,
    connections_without_a_request_do_not_delay_it,
    a_request_that_never_ends_is_cut,
    a_second_signal_ends_it_at_once,
];

/// The head of a request whose body is still to come, and that the server has begun to handle: it asks for the body.
fn begin(stream: &std::net::TcpStream, port: u16, length: usize, more: &str) {
    send(
        stream,
        &format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost:{port}\r\nExpect: 100-continue\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n{more}\r\n"
        ),
    );
    assert_eq!(head(stream), "HTTP/1.1 100 Continue");
}

fn it_listens_for_the_signal_before_it_says_that_it_is_ready() -> Result<(), NotRun> {
    let here = directory("at-once");
    for _ in 0..5 {
        Dev::start(&here, "data").stop();
    }
    Ok(())
}

fn a_request_in_flight_is_answered() -> Result<(), NotRun> {
    let mut dev = Dev::start(&directory("in-flight"), "data");
    let credentials = STANDARD.encode(dev.said("machine ").replace(' ', ":"));
    let body = "grant_type=client_credentials";
    let stream = connect(dev.port());
    begin(&stream, dev.port(), body.len(), &format!("Authorization: Basic {credentials}\r\n"));
    dev.terminate();
    assert_eq!(dev.ends_within(Duration::from_millis(500)), None, "it waits for the request");
    send(&stream, body);
    let answer = rest(&stream);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("access_token"), "{answer}");
    let status = dev.ends_within(Duration::from_secs(3));
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    Ok(())
}

fn connections_without_a_request_do_not_delay_it() -> Result<(), NotRun> {
    let mut dev = Dev::start(&directory("idle"), "data");
    let silent = connect(dev.port());
    let idle = connect(dev.port());
    send(&idle, &format!("GET /oauth/jwks HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", dev.port()));
    assert!(head(&idle).starts_with("HTTP/1.1 200 "));
    dev.terminate();
    let status = dev.ends_within(Duration::from_secs(3));
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    drop((silent, idle));
    Ok(())
}

fn a_request_that_never_ends_is_cut() -> Result<(), NotRun> {
    let mut dev = Dev::start(&directory("endless"), "data");
    let stream = connect(dev.port());
    begin(&stream, dev.port(), 1000, "");
    dev.terminate();
    let status = dev.ends_within(Duration::from_secs(15));
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    Ok(())
}

fn a_second_signal_ends_it_at_once() -> Result<(), NotRun> {
    let mut dev = Dev::start(&directory("twice"), "data");
    let stream = connect(dev.port());
    begin(&stream, dev.port(), 1000, "");
    dev.terminate();
    assert_eq!(dev.ends_within(Duration::from_millis(300)), None, "it waits for the request");
    dev.terminate();
    let status = dev.ends_within(Duration::from_secs(1));
    assert_eq!(status.and_then(|status| status.code()), Some(130));
    Ok(())
}
