//! How often something may be done: a token bucket, as a decision without a clock.

use std::time::Duration;

use super::Timestamp;

/// So many at once, and then as many again, spread evenly over a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    per: Duration,
}

/// How much of a [`Rate`] has been used: the moment, in milliseconds, at which all of it will have come back. One that
/// was never used and one that has come back whole are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used(i64);

/// Refused: it can be tried again after this time, in whole seconds and at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How long to wait.
    pub retry_after: Duration,
}

impl TooMany {
    /// Refused until `at`.
    pub fn until(at: Timestamp, now: Timestamp) -> Self {
        Self { retry_after: at.since(now).max(Duration::from_secs(1)) }
    }
}

impl Rate {
    /// `count` at once, and as many again within `per`. At least one, and no more than one in a millisecond.
    pub const fn new(count: u32, per: Duration) -> Self {
        Self { count: if count == 0 { 1 } else { count }, per }
    }

    /// Whether one more is admitted.
    ///
    /// # Errors
    /// When the bucket is empty: how long until there is one again.
    pub fn check(self, used: Used, now: Timestamp) -> Result<(), TooMany> {
        let now = milliseconds(now);
        // A clock that was set back does not lock anybody out for longer than the bucket takes to fill.
        let back_at = used.0.min(now.saturating_add(self.whole()));
        let missing =
            back_at.saturating_add(self.interval()).saturating_sub(now).saturating_sub(self.whole());
        if missing <= 0 {
            return Ok(());
        }
        let missing = u64::try_from(missing).unwrap_or(u64::MAX);
        Err(TooMany { retry_after: Duration::from_secs(missing.div_ceil(1000)) })
    }

    /// What has been used after one more. What is one too many costs no more than the bucket holds.
    pub fn after_one_more(self, used: Used, now: Timestamp) -> Used {
        let now = milliseconds(now);
        let whole = now.saturating_add(self.whole());
        Used(used.0.max(now).saturating_add(self.interval()).min(whole))
    }

    /// The time in which one comes back, in milliseconds.
    fn interval(self) -> i64 {
        i64::try_from(self.per.as_millis())
            .unwrap_or(i64::MAX)
            .checked_div(i64::from(self.count))
            .unwrap_or(1)
            .max(1)
    }

    /// The time in which all come back, in milliseconds.
    fn whole(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.count))
    }
}

impl Used {
    /// Whether all has come back, so that there is nothing to remember.
    pub fn is_nothing(self, now: Timestamp) -> bool {
        self.0 <= milliseconds(now)
    }
}

fn milliseconds(at: Timestamp) -> i64 {
    at.seconds().saturating_mul(1000)
}

/// How often a peer may do what costs us something. A peer is a TCP peer's address, or that which a trusted proxy names;
/// of IPv6 addresses the first 64 bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Registrations from one address.
    pub registrations: Rate,
    /// Registrations in all.
    pub registrations_in_all: Rate,
    /// Wrong user names or passwords from one address.
    pub wrong_logins: Rate,
    /// Wrong secrets of one client from one address.
    pub wrong_secrets: Rate,
}

const MINUTE: Duration = Duration::from_secs(60);
const TEN_SECONDS: Duration = Duration::from_secs(10);

impl Default for Rates {
    fn default() -> Self {
        Self {
            registrations: Rate::new(100, MINUTE),
            registrations_in_all: Rate::new(1000, MINUTE),
            wrong_logins: Rate::new(50, MINUTE),
            wrong_secrets: Rate::new(20, MINUTE),
        }
    }
}

impl Rates {
    /// For servers that only this machine reaches: an integration test may register a thousand clients in a row.
    pub fn on_loopback() -> Self {
        let many = Rate::new(2000, TEN_SECONDS);
        Self { registrations: many, registrations_in_all: many, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate::new(5, Duration::from_secs(10));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// How many are admitted at once.
    fn admitted(rate: Rate, used: &mut Used, now: Timestamp) -> u32 {
        let mut count = 0;
        while rate.check(*used, now).is_ok() && count < 10_000 {
            *used = rate.after_one_more(*used, now);
            count += 1;
        }
        count
    }

    #[test]
    fn so_many_at_once_and_then_as_they_come_back() {
        let mut used = Used::default();
        assert_eq!(admitted(RATE, &mut used, at(1000)), 5);
        let refused = RATE.check(used, at(1000)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(2));
        assert_eq!(RATE.check(used, at(1001)).unwrap_err().retry_after, Duration::from_secs(1));
        assert_eq!(admitted(RATE, &mut used, at(1002)), 1);
        assert_eq!(admitted(RATE, &mut used, at(1006)), 2);
        assert!(!used.is_nothing(at(1015)) && used.is_nothing(at(1016)));
        assert_eq!(admitted(RATE, &mut used, at(9999)), 5, "never more than fits");
    }

    #[test]
    fn what_is_one_too_many_costs_no_more_than_the_bucket_holds() {
        // Failures are counted after the fact, so more of them may come at once.
        let mut used = Used::default();
        for _ in 0..1000 {
            used = RATE.after_one_more(used, at(0));
        }
        assert_eq!(RATE.check(used, at(0)).unwrap_err().retry_after, Duration::from_secs(2));
        assert!(RATE.check(used, at(2)).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut used = Used::default();
        assert_eq!(admitted(RATE, &mut used, at(1_000_000)), 5);
        assert!(RATE.check(used, at(10)).unwrap_err().retry_after <= Duration::from_secs(10));
        used = RATE.after_one_more(used, at(10));
        assert!(RATE.check(used, at(20)).is_ok());
    }

    #[test]
    fn odd_rates_are_rates() {
        for rate in [
            Rate::new(0, Duration::ZERO),
            Rate::new(u32::MAX, Duration::from_secs(1)),
            Rate::new(1, Duration::MAX),
        ] {
            let used = rate.after_one_more(Used::default(), at(0));
            let _ = rate.check(used, at(i64::MAX));
            assert!(rate.check(Used::default(), at(0)).is_ok(), "{rate:?}");
        }
    }

    proptest! {
        #[test]
        fn who_waits_as_told_is_admitted(count in 1u32..1000, per in 1u64..5000, tries in prop::collection::vec(0i64..50, 1..60)) {
            let rate = Rate::new(count, Duration::from_secs(per));
            let (mut used, mut now) = (Used::default(), at(0));
            for pause in tries {
                now = at(now.seconds() + pause);
                match rate.check(used, now) {
                    Ok(()) => used = rate.after_one_more(used, now),
                    Err(TooMany { retry_after }) => {
                        prop_assert!(retry_after >= Duration::from_secs(1));
                        prop_assert!(rate.check(used, now.plus(retry_after)).is_ok());
                    }
                }
            }
        }
    }
}
