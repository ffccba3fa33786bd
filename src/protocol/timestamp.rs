//! Points in time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time as whole seconds since 1970-01-01T00:00:00Z: what JWTs carry (RFC 7519 §2, `NumericDate`)
/// and what the database stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This point moved into the future; stays at the end of time instead of overflowing.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX)))
    }

    /// This point moved into the past.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_secs()).unwrap_or(i64::MAX)))
    }

    /// Whole seconds from `earlier` to this point; zero if it lies later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Timestamp = Timestamp::from_seconds(i64::MAX);
    const START: Timestamp = Timestamp::from_seconds(i64::MIN);

    #[test]
    fn time_is_counted_in_whole_seconds_both_ways() {
        let (noon, minute) = (Timestamp::from_seconds(1000), Duration::from_secs(60));
        assert_eq!(noon.plus(minute).seconds(), 1060);
        assert_eq!(noon.minus(minute).seconds(), 940);
        assert_eq!(noon.plus(minute).since(noon), minute);
        assert_eq!(noon.since(noon.plus(minute)), Duration::ZERO, "what lies ahead is not past");
        assert_eq!(noon.plus(Duration::from_millis(1999)).seconds(), 1001);
    }

    #[test]
    fn time_ends_instead_of_starting_again() {
        assert_eq!(END.plus(Duration::from_secs(1)), END);
        assert_eq!(START.minus(Duration::from_secs(1)), START);
        assert_eq!(Timestamp::from_seconds(0).plus(Duration::MAX), END);
        assert_eq!(Timestamp::from_seconds(-1).minus(Duration::MAX), START);
        assert_eq!(END.since(START).as_secs(), i64::MAX as u64);
    }
}
