//! The one source of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::protocol::Timestamp;

/// Tells the time: the system's, or one that a test sets and advances.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn fixed(start: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(start.seconds()))))
    }

    /// Moves a fixed clock forward for everyone who holds a clone of it; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(now) = &self.0 {
            now.fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// The present, in whole seconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
            Source::System => {
                let since =
                    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
            }
            Source::Fixed(now) => Timestamp::from_seconds(now.load(Ordering::SeqCst)),
        }
    }
}
