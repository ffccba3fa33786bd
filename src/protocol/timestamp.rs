//! Points in time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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

    /// Reads a point in time as people write it, such as `2027-01-31T00:00:00Z` (RFC 3339 §5.6).
    ///
    /// # Errors
    /// The rule, for people.
    pub fn parse_rfc3339(text: &str) -> Result<Self, &'static str> {
        let time = OffsetDateTime::parse(text, &Rfc3339);
        time.map(|time| Self(time.unix_timestamp())).map_err(|_| "write a moment as `2027-01-31T00:00:00Z`")
    }

    /// As people read it (RFC 3339 §5.6), in UTC; as a number of seconds where no such text can be.
    pub fn to_rfc3339(self) -> String {
        let time = OffsetDateTime::from_unix_timestamp(self.0).ok();
        time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| self.0.to_string())
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
    fn a_moment_is_read_as_it_is_written() {
        for (text, seconds, written) in [
            ("1970-01-01T00:01:00Z", 60, "1970-01-01T00:01:00Z"),
            ("2027-01-31T01:00:00+01:00", 1_801_353_600, "2027-01-31T00:00:00Z"),
        ] {
            let moment = Timestamp::parse_rfc3339(text).unwrap();
            assert_eq!((moment.seconds(), moment.to_rfc3339().as_str()), (seconds, written));
        }
        for text in ["", "tomorrow", "2027-01-31", "2027-01-31T00:00:00"] {
            assert!(Timestamp::parse_rfc3339(text).is_err(), "{text:?}");
        }
        assert_eq!(END.to_rfc3339(), i64::MAX.to_string());
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
