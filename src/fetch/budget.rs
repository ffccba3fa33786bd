//! How often one host is asked, so that nobody makes this server beat on another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::Clock;

/// Fetches from one host that may follow one another at once.
const BURST: i64 = 10;
/// Seconds until a host may be asked once more.
const SECONDS_EACH: i64 = 6;
/// Hosts that are remembered; beyond, the one that was asked longest ago is forgotten.
const MAX_HOSTS: usize = 1024;

/// A token bucket for each host. A bucket is one number: the second at which it will be full again.
#[derive(Debug)]
pub(super) struct Budget {
    clock: Clock,
    full_at: Mutex<HashMap<String, i64>>,
}

impl Budget {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, full_at: Mutex::default() }
    }

    /// Takes one fetch out of the host's budget; whether there was one left.
    pub(super) fn take(&self, host: &str) -> bool {
        let now = self.clock.now().seconds();
        let mut hosts = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = hosts.get(host).copied().unwrap_or(now).max(now) + SECONDS_EACH;
        if full_at - now > BURST * SECONDS_EACH {
            return false;
        }
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(host) {
            make_room(&mut hosts, now);
        }
        hosts.insert(host.to_owned(), full_at);
        true
    }
}

/// Forgets who has its whole budget again, or else who has most of it.
fn make_room(hosts: &mut HashMap<String, i64>, now: i64) {
    hosts.retain(|_, full_at| *full_at > now);
    if hosts.len() >= MAX_HOSTS
        && let Some(host) = hosts.iter().min_by_key(|(_, full_at)| **full_at).map(|(host, _)| host.clone())
    {
        hosts.remove(&host);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn budget() -> (Budget, Clock) {
        let clock = Clock::fixed(Clock::system().now());
        (Budget::new(clock.clone()), clock)
    }

    #[test]
    fn a_host_is_asked_ten_times_at_once_and_then_ten_times_a_minute() {
        let (budget, clock) = budget();
        let spent = |host: &str| (0..100).take_while(|_| budget.take(host)).count();
        assert_eq!(spent("a.example"), 10);
        assert_eq!(spent("b.example"), 10, "each host has its own");
        clock.advance(Duration::from_secs(5));
        assert_eq!(spent("a.example"), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(spent("a.example"), 1);
        clock.advance(Duration::from_secs(60));
        assert_eq!(spent("a.example"), 10);
        clock.advance(Duration::from_secs(6_000));
        assert_eq!(spent("a.example"), 10, "what is not used does not pile up");
    }

    #[test]
    fn the_number_of_remembered_hosts_is_bounded_and_the_busiest_stay() {
        let (budget, clock) = budget();
        while budget.take("busy.example") {}
        for number in 0..3 * MAX_HOSTS {
            assert!(budget.take(&format!("h{number}.example")));
        }
        assert_eq!(budget.full_at.lock().unwrap().len(), MAX_HOSTS);
        assert!(!budget.take("busy.example"));
        clock.advance(Duration::from_secs(600));
        assert!(budget.take("new.example"));
        assert_eq!(budget.full_at.lock().unwrap().len(), 1);
    }
}
