//! The one source of time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::protocol::Timestamp;

/// Tells the time: the system's, or one that a test holds in its hands.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Held(Arc<Mutex<Hands>>),
}

/// Where the hands of a test's clock are, in seconds.
#[derive(Clone, Copy, Debug)]
enum Hands {
    Still { at: i64 },
    Moving { ahead: i64 },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `start` until it is told otherwise.
    pub fn fixed(start: Timestamp) -> Self {
        Self(Source::Held(Arc::new(Mutex::new(Hands::Still { at: start.seconds() }))))
    }

    /// A clock that shows `start` now and goes on like the machine's until it is told otherwise.
    pub fn running_from(start: Timestamp) -> Self {
        let ahead = start.seconds().saturating_sub(system_seconds());
        Self(Source::Held(Arc::new(Mutex::new(Hands::Moving { ahead }))))
    }

    /// Moves a test's clock forward for everyone who holds a clone of it; the system's clock is left alone, here and by
    /// all that follows.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.change(|hands| match hands {
            Hands::Still { at } => *at = at.saturating_add(by),
            Hands::Moving { ahead } => *ahead = ahead.saturating_add(by),
        });
    }

    /// Puts a test's clock to `now`, forward or back; it stands still or goes on as before.
    pub fn set(&self, now: Timestamp) {
        self.change(|hands| match hands {
            Hands::Still { at } => *at = now.seconds(),
            Hands::Moving { ahead } => *ahead = now.seconds().saturating_sub(system_seconds()),
        });
    }

    /// Stops a test's clock where it is.
    pub fn freeze(&self) {
        self.change(|hands| *hands = Hands::Still { at: hands.now() });
    }

    /// Lets a test's clock go on from where it is.
    pub fn thaw(&self) {
        self.change(|hands| *hands = Hands::Moving { ahead: hands.now().saturating_sub(system_seconds()) });
    }

    /// Whether it stands still.
    pub fn is_frozen(&self) -> bool {
        match &self.0 {
            Source::System => false,
            Source::Held(hands) => matches!(*lock(hands), Hands::Still { .. }),
        }
    }

    /// The present, in whole seconds.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_seconds(match &self.0 {
            Source::System => system_seconds(),
            Source::Held(hands) => lock(hands).now(),
        })
    }

    fn change(&self, change: impl FnOnce(&mut Hands)) {
        if let Source::Held(hands) = &self.0 {
            change(&mut lock(hands));
        }
    }
}

impl Hands {
    fn now(self) -> i64 {
        match self {
            Self::Still { at } => at,
            Self::Moving { ahead } => system_seconds().saturating_add(ahead),
        }
    }
}

fn lock(hands: &Mutex<Hands>) -> MutexGuard<'_, Hands> {
    hands.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
fn system_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_clock_that_stands_still_is_moved_by_hand_for_everybody() {
        let clock = Clock::fixed(at(100));
        let same = clock.clone();
        clock.advance(Duration::from_secs(5));
        assert_eq!((same.now(), same.is_frozen()), (at(105), true));
        clock.set(at(7));
        assert_eq!(same.now(), at(7));
    }

    #[test]
    fn a_clock_can_be_stopped_and_let_go_where_it_is() {
        let clock = Clock::running_from(at(1_000_000));
        assert!(!clock.is_frozen() && clock.now().since(at(1_000_000)) < Duration::from_secs(60));
        clock.set(at(5_000));
        clock.freeze();
        let stopped = clock.now();
        assert!(clock.is_frozen() && stopped.since(at(5_000)) < Duration::from_secs(60));
        clock.thaw();
        assert!(!clock.is_frozen() && clock.now().since(stopped) < Duration::from_secs(60));
    }

    #[test]
    fn nobody_moves_the_clock_of_the_machine() {
        let clock = Clock::system();
        clock.set(at(5));
        clock.freeze();
        clock.advance(Duration::from_secs(1_000_000));
        assert!(!clock.is_frozen());
        assert!(clock.now().seconds().abs_diff(system_seconds()) < 60);
    }
}
