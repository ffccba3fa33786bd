//! HTTP as bytes: what a client library would hide, or refuse to send.

use std::time::Duration;

use axum::Router;
use gatelet::serve::{Limits, serve_within};
use gatelet::testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything takes here; a case that waits for longer is stuck.
const PATIENCE: Duration = Duration::from_secs(8);

/// The routes of a server, listening once more within other limits.
pub(crate) struct Listening {
    pub(crate) port: u16,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Listening {
    pub(crate) async fn start(server: &TestServer, limits: Limits, beside: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = server.app().router(beside);
        let task = tokio::spawn(serve_within(limits, vec![listener], router, async {
            let _ = stopped.await;
        }));
        Self { port, stop: Some(stop), task }
    }

    pub(crate) async fn wire(&self) -> Wire {
        Wire::connect(self.port).await
    }

    pub(crate) fn begin_to_stop(&mut self) {
        self.stop.take();
    }

    pub(crate) async fn ended(mut self) {
        self.stop.take();
        timeout(PATIENCE, self.task).await.expect("it stops in time").unwrap();
    }
}

/// A connection.
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) async fn connect(port: u16) -> Self {
        Self(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    /// Sends all of it, or what the server takes before it closes.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        timeout(PATIENCE, self.0.write_all(bytes.as_ref())).await.expect("it is taken in time").is_ok()
    }

    /// Sends bytes one by one with a pause after each, until the server does not take them any more.
    pub(crate) async fn dribble(&mut self, bytes: &[u8], pause: Duration) {
        for byte in bytes {
            if !self.send([*byte]).await {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// One answer: its status, its head, and its body, which must have a length.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.expect("an answer in time");
            bytes.push(byte.unwrap_or_else(|error| panic!("{error}, after {}", text(&bytes))));
        }
        let mut answer = Answer::of(&text(&bytes));
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        timeout(PATIENCE, self.0.read_exact(&mut body)).await.expect("a body in time").unwrap();
        answer.body = text(&body);
        answer
    }

    /// Everything until the server closes; a reset is none of the ways to do that.
    pub(crate) async fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        let end = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("it is closed in time");
        end.unwrap_or_else(|error| panic!("{error}, after {}", text(&bytes)));
        text(&bytes)
    }

    /// Says that nothing more will come, and hears what the server has to say to that.
    pub(crate) async fn finish(mut self) -> String {
        self.0.shutdown().await.unwrap();
        self.rest().await
    }

    /// Whether the server closes, one way or the other, without another word.
    pub(crate) async fn closes_silently(mut self) -> bool {
        timeout(PATIENCE, self.0.read_u8()).await.expect("it is closed in time").is_err()
    }

    /// Whether nothing comes, not even the end.
    pub(crate) async fn is_quiet_for(&mut self, time: Duration) -> bool {
        timeout(time, self.0.peek(&mut [0])).await.is_err()
    }

    /// The next frame of HTTP/2 (RFC 9113 §4.1): type, flags, stream, payload; nothing when the server has closed.
    pub(crate) async fn frame(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        timeout(PATIENCE, self.0.read_exact(&mut head)).await.expect("a frame in time").ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An answer of HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Reads the first answer in a text.
    pub(crate) fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}
