//! The two bodies of a request, which say whose turn it is.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::pulse::Turn;

/// Why the body of a request was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the client took too long")]
    TooSlow,
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// The body of a request, which has to be there in time.
#[derive(Debug)]
pub(super) struct Timely {
    body: Incoming,
    turn: Arc<Turn>,
    deadline: Instant,
    /// Set once nothing more will come.
    is_read: Arc<AtomicBool>,
    /// Made when there is something to wait for: most bodies arrive with their head.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timely {
    pub(super) fn new(body: Incoming, turn: Arc<Turn>, deadline: Instant) -> Self {
        let is_read = Arc::new(AtomicBool::new(hyper::body::Body::is_end_stream(&body)));
        Self { body, turn, deadline, is_read, sleep: None }
    }

    /// Tells, at any time, whether the body was read to its end.
    pub(super) fn is_read(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_read)
    }
}

impl hyper::body::Body for Timely {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.turn.set(true);
            if frame.is_none() || self.body.is_end_stream() {
                self.is_read.store(true, Ordering::Relaxed);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)));
        }
        let deadline = self.deadline;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.as_mut().poll(cx).is_ready() {
            self.turn.set(true);
            return Poll::Ready(Some(Err(BodyError::TooSlow)));
        }
        self.turn.set(false);
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Timely {
    fn drop(&mut self) {
        // Whoever read it goes on without.
        self.turn.set(true);
    }
}

/// The body of an answer. Once a part of it is there, it is the client's turn to take it.
#[derive(Debug)]
pub(super) struct Taken {
    body: Body,
    turn: Arc<Turn>,
}

impl Taken {
    pub(super) fn new(body: Body, turn: Arc<Turn>) -> Self {
        // Nobody asks for it before the client has taken the head.
        turn.set(false);
        Self { body, turn }
    }
}

impl hyper::body::Body for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.turn.set(true);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.turn.set(false);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
