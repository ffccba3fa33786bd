//! One connection, from its first byte to its last.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tower::ServiceExt as _;

use super::CutHere;
use super::body::{Taken, Timely};
use super::house::House;
use super::pulse::{Heard, Pulse, Turn};

/// With what an HTTP/2 connection begins (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long to wait for more of what looks like the [`PREFACE`].
const PREFACE_PAUSE: Duration = Duration::from_millis(10);

/// How often an HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// What an HTTP/2 client may send without being asked for more: to one request, and to all of a connection.
const WINDOWS: (u32, u32) = (64 * 1024, 256 * 1024);

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) router: Router,
    pub(super) house: Arc<House>,
    /// Holds `true` once the server is to stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Everything that was to be said was said.
    Done,
    /// The client kept the server waiting for too long, or its place was needed.
    Cut,
}

impl Connection {
    /// Answers what it asks, until it ends. A peer that hangs up or sends nonsense is no event.
    pub(super) async fn serve(mut self) {
        let accepted = Instant::now();
        let is_http2 = tokio::select! {
            version = timeout_at(accepted + self.house.limits.head, is_http2(&self.stream)) => version,
            () = stopped(self.stop.clone()) => return,
            () = self.house.evicted() => return,
        };
        let Ok(Ok(is_http2)) = is_http2 else { return };
        let pulse = Arc::new(Pulse::new(accepted));
        let end = if is_http2 { self.http2(&pulse).await } else { self.http1(&pulse).await };
        if end == End::Done {
            let house = Arc::clone(&self.house);
            tokio::select! {
                () = self.linger() => {}
                () = house.evicted() => {}
            }
        }
    }

    async fn http1(&mut self, pulse: &Arc<Pulse>) -> End {
        let service = self.service(pulse);
        let io = TokioIo::new(Heard { stream: &mut self.stream, pulse });
        let connection = hyper::server::conn::http1::Builder::new()
            // Ours begins with the first byte, not with the end of the answer before.
            .header_read_timeout(None)
            .max_buf_size(self.house.limits.head_bytes as usize)
            .serve_connection(io, service_fn(service));
        attend(connection, |connection| connection.graceful_shutdown(), pulse, &self.house, self.stop.clone())
            .await
    }

    async fn http2(&mut self, pulse: &Arc<Pulse>) -> End {
        let service = self.service(pulse);
        let limits = &self.house.limits;
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.head_bytes)
            .max_pending_accept_reset_streams(limits.resets)
            .max_local_error_reset_streams(limits.resets)
            .initial_stream_window_size(WINDOWS.0)
            .initial_connection_window_size(WINDOWS.1)
            .max_send_buf_size(WINDOWS.0 as usize)
            .keep_alive_interval(PING.0)
            .keep_alive_timeout(PING.1)
            .serve_connection(TokioIo::new(&mut self.stream), service_fn(service));
        attend(connection, |connection| connection.graceful_shutdown(), pulse, &self.house, self.stop.clone())
            .await
    }

    /// What answers a request. An answer that comes before the body was read says that it is the last (RFC 9112 §9.6).
    fn service(
        &self,
        pulse: &Arc<Pulse>,
    ) -> impl Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + use<> {
        let (router, pulse, peer) = (self.router.clone(), Arc::clone(pulse), ConnectInfo(self.peer));
        let body_deadline = self.house.limits.body;
        move |request| {
            let turn = Turn::begin(&pulse);
            let deadline = Instant::now() + body_deadline;
            let version = request.version();
            let (head, body) = request.into_parts();
            let body = Timely::new(body, Arc::clone(&turn), deadline);
            let is_read = body.is_read();
            let mut request = Request::from_parts(head, Body::new(body));
            request.extensions_mut().insert(peer);
            let answer = router.clone().oneshot(request);
            Box::pin(async move {
                let mut answer = match answer.await {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                };
                if answer.extensions().get::<CutHere>().is_some() {
                    return Err(CutHere);
                }
                if version < Version::HTTP_2 && !is_read.load(Ordering::Relaxed) {
                    // Else the client might send its next request into a connection that is about to close.
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok(answer.map(|body| Taken::new(body, turn)))
            })
        }
    }

    /// Says that nothing more will come, and reads on for a while. A client that is still sending when the connection
    /// closes is told by its system that the connection broke, and never sees the answer (RFC 9112 §9.6).
    async fn linger(&mut self) {
        let _ = self.stream.shutdown().await;
        let limits = &self.house.limits;
        let stream = &mut self.stream;
        let discard = async {
            let (mut buffer, mut discarded) = ([0; 8 * 1024], 0);
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                discarded += length;
                if discarded > limits.linger_bytes {
                    return;
                }
            }
        };
        let _ = timeout(limits.linger, discard).await;
    }
}

/// What a client gets: an answer, or none.
type Answer = Result<Response<Taken>, CutHere>;

/// Whether a connection begins as HTTP/2 (by prior knowledge, RFC 9113 §3.3).
async fn is_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut seen = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut seen).await?;
        if length == PREFACE.len() || seen[..length] != PREFACE[..length] || length == 0 {
            return Ok(length > 0 && seen == *PREFACE);
        }
        // What was seen is there still, so that the next look does not wait for more.
        sleep(PREFACE_PAUSE).await;
    }
}

/// Done once the server is to stop.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

/// Lets a connection run for as long as its client does its part.
async fn attend<C: Future>(
    connection: C,
    ask_to_end: fn(Pin<&mut C>),
    pulse: &Pulse,
    house: &House,
    stop: watch::Receiver<bool>,
) -> End {
    let limits = &house.limits;
    let ripe = Instant::now() + limits.age;
    let mut connection = pin!(connection);
    let mut stopped = pin!(stopped(stop));
    let mut queued = None;
    let mut evicted = pin!(None);
    let mut look_again = pin!(sleep_until(Instant::now() + limits.head));
    let (mut is_asked, mut patience) = (false, None);
    poll_fn(|cx| {
        loop {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Done);
            }
            let (now, wait) = (Instant::now(), pulse.wait(limits));
            let is_late = wait.is_some_and(|wait| now >= wait.deadline);
            if !is_asked && (is_late || now >= ripe || stopped.as_mut().poll(cx).is_ready()) {
                is_asked = true;
                ask_to_end(connection.as_mut());
                continue;
            }
            if is_late && now >= *patience.get_or_insert(now + limits.linger) {
                return Poll::Ready(End::Cut);
            }
            // While it is our turn, the client is not the one to give up its place. Each wait has its own turn to.
            if queued != wait.map(|wait| wait.since) {
                queued = wait.map(|wait| wait.since);
                evicted.set(queued.map(|_| house.evicted()));
            }
            if evicted.as_mut().as_pin_mut().is_some_and(|evicted| evicted.poll(cx).is_ready()) {
                return Poll::Ready(End::Cut);
            }
            let deadline = if is_late { patience } else { wait.map(|wait| wait.deadline) };
            let look = deadline.unwrap_or(now + limits.idle);
            let look = if is_asked { look } else { look.min(ripe) };
            if look < look_again.deadline() || look_again.is_elapsed() {
                look_again.as_mut().reset(look);
            }
            if look_again.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}
