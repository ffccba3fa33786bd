//! Whose turn it is on a connection: only a client that keeps the server waiting runs into a deadline.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Limits;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many requests it is our turn to go on with.
    ours: usize,
    /// Since when that has been none.
    waiting_since: Instant,
    /// Since when the head of a request has been arriving.
    head_since: Option<Instant>,
}

/// The time in which it is the client's turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) since: Instant,
    pub(super) deadline: Instant,
}

impl Pulse {
    /// A connection that was accepted at `accepted`, and whose first request is expected.
    pub(super) fn new(accepted: Instant) -> Self {
        Self(Mutex::new(State { ours: 0, waiting_since: accepted, head_since: Some(accepted) }))
    }

    /// What the client is waited for; `None` while it is our turn.
    pub(super) fn wait(&self, limits: &Limits) -> Option<Wait> {
        let state = self.state();
        if state.ours > 0 {
            return None;
        }
        let since = state.waiting_since;
        let head = state.head_since.map(|since| since + limits.head);
        Some(Wait { since, deadline: head.map_or(since + limits.idle, |head| head.min(since + limits.idle)) })
    }

    fn heard(&self) {
        let mut state = self.state();
        if state.ours == 0 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of one request in the [`Pulse`] of its connection; it ends with the request.
#[derive(Debug)]
pub(super) struct Turn {
    pulse: Arc<Pulse>,
    is_ours: AtomicBool,
}

impl Turn {
    /// A request has arrived.
    pub(super) fn begin(pulse: &Arc<Pulse>) -> Arc<Self> {
        let mut state = pulse.state();
        state.ours += 1;
        state.head_since = None;
        drop(state);
        Arc::new(Self { pulse: Arc::clone(pulse), is_ours: AtomicBool::new(true) })
    }

    /// It is our turn to go on, or the client's.
    pub(super) fn set(&self, is_ours: bool) {
        if self.is_ours.swap(is_ours, Ordering::Relaxed) == is_ours {
            return;
        }
        let mut state = self.pulse.state();
        if is_ours {
            state.ours += 1;
        } else {
            state.ours -= 1;
            state.waiting_since = Instant::now();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// A stream that tells its [`Pulse`] when bytes arrive.
#[derive(Debug)]
pub(super) struct Heard<'a> {
    pub(super) stream: &'a mut TcpStream,
    pub(super) pulse: &'a Pulse,
}

impl AsyncRead for Heard<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut *self.stream).poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.pulse.heard();
        }
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for Heard<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
