//! HTTP as bytes: these cases look at connections, which a client library would hide.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// A connection whose reads do not wait for ever.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Everything until the server closes.
pub(crate) fn rest(mut stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The head of an answer, up to and without its empty line.
pub(crate) fn head(mut stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.extend(byte);
    }
    String::from_utf8(bytes).unwrap().trim_end().to_owned()
}

pub(crate) fn send(mut stream: &TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}

/// The status and the body of a `GET`.
pub(crate) fn get(port: u16, path: &str) -> (u16, String) {
    let stream = connect(port);
    send(&stream, &format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"));
    status_and_body(&stream)
}

fn status_and_body(stream: &TcpStream) -> (u16, String) {
    let answer = rest(stream);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The status and the body of a `POST` with a body of this media type, and further headers, a line each.
pub(crate) fn post(port: u16, path: &str, (kind, body): (&str, &str), headers: &str) -> (u16, String) {
    let stream = connect(port);
    send(
        &stream,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{headers}\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    status_and_body(&stream)
}

/// The JSON that a `GET` answers with 200.
pub(crate) fn json(port: u16, path: &str) -> serde_json::Value {
    let (status, body) = get(port, path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}
