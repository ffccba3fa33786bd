//! When a signing key is published, takes over, and may go: the staged rotation by which no verifier ever meets a token
//! whose key it cannot know (RFC 7517 §4.5).
//!
//! A verifier keeps the JWKS for its `max-age`. So a key is published for the *lead* before it signs, and stays published
//! after its last token until that has expired. The states are in the database, and every instance takes the step that
//! is due there: who is second finds it taken.
//!
//! Instances compare moments that others wrote by their own clocks. The lead is longer than the `max-age` by an hour at
//! least ([`Lifetimes::MIN_KEY_LEAD`]), and a retired key is kept for [`SLACK`] longer than any token lives: so clocks
//! may differ by that much.

use std::time::Duration;

use super::{Lifetimes, Timestamp};

/// For how long a retired key stays published beyond the last expiry of what it signed: clocks differ, verifiers allow
/// for some minutes (RFC 9068 §4), and an instance that has lost its database signs on for a minute.
pub const SLACK: Duration = Duration::from_secs(3600);

/// A key that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingKey {
    /// Since when it is published.
    pub published_at: Timestamp,
    /// When somebody has decided that it takes over, at the earliest; else when the other is due.
    pub activate_at: Option<Timestamp>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// A key is to be published, which will take over.
    Publish,
    /// The key that waits takes over.
    Activate,
    /// Nothing.
    Wait,
}

/// What is due for the keys of one algorithm, of which one signs since `active_since` and one may wait.
pub fn next_step(
    lifetimes: &Lifetimes,
    active_since: Timestamp,
    waiting: Option<WaitingKey>,
    now: Timestamp,
) -> KeyStep {
    let due = active_since.plus(lifetimes.key_active);
    match waiting {
        None if now >= due.minus(lifetimes.key_lead) => KeyStep::Publish,
        Some(key) if now >= takes_over_at(lifetimes, active_since, key) => KeyStep::Activate,
        _ => KeyStep::Wait,
    }
}

/// When a key takes over that waits for one which signs since `active_since`.
pub fn takes_over_at(lifetimes: &Lifetimes, active_since: Timestamp, waiting: WaitingKey) -> Timestamp {
    let due = active_since.plus(lifetimes.key_active);
    waiting.activate_at.unwrap_or(due).max(waiting.published_at.plus(lifetimes.key_lead))
}

/// A key that may begin to sign at `now` was published then or before.
pub fn published_by(lifetimes: &Lifetimes, now: Timestamp) -> Timestamp {
    now.minus(lifetimes.key_lead)
}

/// When a key that ceases to sign at `retired_at` may be deleted: then whatever it signed has expired, even if it was
/// given the longest life that can be configured.
pub fn expired_at(retired_at: Timestamp) -> Timestamp {
    retired_at.plus(Lifetimes::BOUNDS.access_token).plus(SLACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;

    fn after(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn step(waiting: Option<WaitingKey>, now: Timestamp) -> KeyStep {
        next_step(&Lifetimes::default(), START, waiting, now)
    }

    #[test]
    fn a_key_is_published_a_lead_before_the_other_is_due() {
        assert_eq!(step(None, START), KeyStep::Wait);
        assert_eq!(step(None, after(89 * DAY - 1)), KeyStep::Wait);
        assert_eq!(step(None, after(89 * DAY)), KeyStep::Publish);
        assert_eq!(step(None, after(900 * DAY)), KeyStep::Publish, "after a long sleep");
    }

    #[test]
    fn a_key_takes_over_when_the_other_is_due_and_never_before_it_was_published_for_the_lead() {
        let waiting = |published, activate: Option<u64>| {
            Some(WaitingKey { published_at: after(published), activate_at: activate.map(after) })
        };
        let in_time = waiting(89 * DAY, None);
        assert_eq!(step(in_time, after(90 * DAY - 1)), KeyStep::Wait);
        assert_eq!(step(in_time, after(90 * DAY)), KeyStep::Activate);
        let late = waiting(95 * DAY, None);
        assert_eq!(step(late, after(96 * DAY - 1)), KeyStep::Wait);
        assert_eq!(step(late, after(96 * DAY)), KeyStep::Activate);
        let early = waiting(DAY, None);
        assert_eq!(step(early, after(90 * DAY - 1)), KeyStep::Wait, "nobody asked for it earlier");
        let hastened = waiting(DAY, Some(0));
        assert_eq!(step(hastened, after(2 * DAY - 1)), KeyStep::Wait);
        assert_eq!(step(hastened, after(2 * DAY)), KeyStep::Activate);
        assert_eq!(step(waiting(DAY, Some(5 * DAY)), after(5 * DAY - 1)), KeyStep::Wait);
        assert_eq!(step(waiting(DAY, Some(5 * DAY)), after(5 * DAY)), KeyStep::Activate);
    }

    #[test]
    fn the_guard_of_the_database_says_the_same_as_the_decision() {
        let lifetimes = Lifetimes::default();
        for published_at in [START, after(1), after(DAY)] {
            let waiting = WaitingKey { published_at, activate_at: Some(START) };
            let ripe = takes_over_at(&lifetimes, START, waiting);
            assert_eq!(published_by(&lifetimes, ripe), published_at);
        }
    }

    #[test]
    fn a_retired_key_outlives_every_token_that_it_can_have_signed() {
        // RFC 9068 §4: expiry with some minutes of leeway
        let (retired, longest) = (START, Lifetimes::BOUNDS.access_token);
        assert!(expired_at(retired) >= retired.plus(longest).plus(Duration::from_secs(15 * 60)));
    }

    #[test]
    fn no_lead_is_as_short_as_the_time_for_which_a_jwks_may_be_kept() {
        // Clocks may differ by what lies between.
        assert!(Lifetimes::MIN_KEY_LEAD >= Lifetimes::BOUNDS.jwks_max_age + Duration::from_secs(HOUR));
        assert!(Lifetimes::default().key_lead >= Lifetimes::MIN_KEY_LEAD);
    }
}
