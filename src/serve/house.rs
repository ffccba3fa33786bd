//! The places that a server has for connections.

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::Limits;

/// What the connections of a server share.
#[derive(Debug)]
pub(super) struct House {
    pub(super) limits: Limits,
    places: Arc<Semaphore>,
    /// Who waits for their client, longest first.
    waiting: Notify,
}

impl House {
    pub(super) fn new(limits: Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        Self { limits, places, waiting: Notify::new() }
    }

    /// A place for one more connection. When all are taken, the connection whose client has kept it waiting longest
    /// is told to leave; when none waits, this does until one ends.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        self.waiting.notify_one();
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        // Nobody may have heard the call, and whoever came next would take it for theirs.
        pin!(self.waiting.notified()).enable();
        place
    }

    /// Done when the place of a connection that waits for its client is needed by another.
    pub(super) async fn evicted(&self) {
        self.waiting.notified().await;
    }
}
