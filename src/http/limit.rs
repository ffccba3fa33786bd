//! Limits on what strangers may do how often, by who sends it: a first line against floods and guessing, in the memory of
//! one process. What has to hold for all instances together is in the database: the bound on waiting clients, and the rest
//! that a login name takes after wrong passwords.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::{ConnectInfo, Request};

use super::site::Site;
use crate::protocol::client_auth::Credentials;
use crate::protocol::{ClientId, Params, Rate, Rates, Timestamp, TooMany, Used, sender};

/// The most senders that one limit remembers: about a megabyte.
const CAPACITY: usize = 16_384;

/// Who sent a request, for limits and the log and nothing else (RFC 9700 §4.13).
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender(pub(super) IpAddr);

impl Sender {
    /// The sender of a request as it arrives.
    pub(super) fn read(site: &Site, request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        // Without a connection (a router that is called in-process) all are one.
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip());
        let forwarded = request.headers().get_all("x-forwarded-for").iter();
        // A value that is not ASCII names nobody.
        let forwarded: Vec<_> = forwarded.map(|value| value.to_str().unwrap_or_default()).collect();
        let trusted = &site.facts().trusted_proxies;
        if !forwarded.is_empty() && trusted.is_empty() {
            site.limits().note_unknown_proxy(peer);
        }
        Self(sender(peer, &forwarded, trusted))
    }

    /// The sender of a request that has passed [`super::guard::finish`].
    pub(super) fn of(request: &Request) -> Self {
        request.extensions().get().copied().unwrap_or(Self(Ipv4Addr::UNSPECIFIED.into()))
    }

    /// What limits count by. One customer has a whole /64 of IPv6 addresses.
    fn key(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address => address,
        }
    }
}

/// The limits of one server.
#[derive(Debug)]
pub(super) struct Limits {
    registrations: Limiter<IpAddr>,
    registrations_in_all: Limiter<()>,
    wrong_logins: Limiter<IpAddr>,
    wrong_proofs: Limiter<(ClientId, IpAddr)>,
    unknown_proxy: std::sync::Once,
}

impl Limits {
    pub(super) fn new(rates: &Rates) -> Self {
        Self {
            registrations: Limiter::new(rates.registrations),
            registrations_in_all: Limiter::new(rates.registrations_in_all),
            wrong_logins: Limiter::new(rates.wrong_logins),
            wrong_proofs: Limiter::new(rates.wrong_secrets),
            unknown_proxy: std::sync::Once::new(),
        }
    }

    /// Counts a registration. Who is over its own limit takes nothing from the others'.
    pub(super) fn registration(&self, sender: Sender, now: Timestamp) -> Result<(), TooMany> {
        self.registrations.take(sender.key(), now)?;
        self.registrations_in_all.take((), now)
    }

    /// Whether this sender may try a password.
    pub(super) fn login(&self, sender: Sender, now: Timestamp) -> Result<(), TooMany> {
        self.wrong_logins.check(&sender.key(), now)
    }

    /// Counts a wrong user name or password. Right ones do not count: a whole office may share an address.
    pub(super) fn wrong_login(&self, sender: Sender, now: Timestamp) {
        self.wrong_logins.count(sender.key(), now);
    }

    /// The guesses at what a request presents to prove whose it is: a secret or an assertion, if there is one.
    pub(super) fn proof(
        &self,
        sender: Sender,
        authorization: Option<&str>,
        params: &Params,
    ) -> Option<Guess<'_>> {
        let credentials = Credentials::read(authorization, params).ok().filter(Credentials::have_proof)?;
        Some(Guess { limiter: &self.wrong_proofs, key: (credentials.client_id, sender.key()) })
    }

    fn note_unknown_proxy(&self, peer: IpAddr) {
        self.unknown_proxy.call_once(|| {
            tracing::warn!(
                %peer,
                "a request has X-Forwarded-For, which is ignored; if it came through a reverse proxy of yours, name \
                 that in trusted_proxies, or everybody behind it shares the limits of one address"
            );
        });
    }
}

/// Wrong secrets and assertions of one client from one address (OAuth 2.1 §2.4.1). Somebody who guesses elsewhere does not shut
/// the client out, and with the right one nothing is counted, so that a client learns that its grant is dead.
pub(super) struct Guess<'a> {
    limiter: &'a Limiter<(ClientId, IpAddr)>,
    key: (ClientId, IpAddr),
}

impl Guess<'_> {
    pub(super) fn check(&self, now: Timestamp) -> Result<(), TooMany> {
        self.limiter.check(&self.key, now)
    }

    pub(super) fn was_wrong(self, now: Timestamp) {
        self.limiter.count(self.key, now);
    }
}

/// A rate for each of many keys.
#[derive(Debug)]
struct Limiter<K> {
    rate: Rate,
    used: Mutex<HashMap<K, Used>>,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, used: Mutex::default() }
    }

    fn check(&self, key: &K, now: Timestamp) -> Result<(), TooMany> {
        let used = self.lock().get(key).copied().unwrap_or_default();
        self.rate.check(used, now)
    }

    fn count(&self, key: K, now: Timestamp) {
        self.add(&mut self.lock(), key, now);
    }

    /// Both at once.
    fn take(&self, key: K, now: Timestamp) -> Result<(), TooMany> {
        let mut all = self.lock();
        self.rate.check(all.get(&key).copied().unwrap_or_default(), now)?;
        self.add(&mut all, key, now);
        Ok(())
    }

    fn add(&self, all: &mut HashMap<K, Used>, key: K, now: Timestamp) {
        if all.len() >= CAPACITY && !all.contains_key(&key) {
            make_room(all, now);
        }
        let used = all.entry(key).or_default();
        *used = self.rate.after_one_more(*used, now);
    }

    /// No code that could panic runs while it is held.
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets who has nothing to be remembered for; if that is nobody, those who have used no more than half of the others
/// have, so that whoever stands out stays at the limit.
fn make_room<K: Eq + Hash>(all: &mut HashMap<K, Used>, now: Timestamp) {
    all.retain(|_, used| !used.is_nothing(now));
    if all.len() < CAPACITY {
        return;
    }
    let mut amounts: Vec<Used> = all.values().copied().collect();
    let (_, median, _) = amounts.select_nth_unstable(CAPACITY / 2);
    let median = *median;
    all.retain(|_, used| *used > median);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn limiter<K: Eq + Hash + Clone>() -> Limiter<K> {
        Limiter::new(Rate::new(3, Duration::from_secs(60)))
    }

    fn key(text: &str) -> IpAddr {
        Sender(text.parse().unwrap()).key()
    }

    #[test]
    fn each_has_a_limit_of_its_own() {
        let limiter = limiter();
        for _ in 0..3 {
            assert!(limiter.take("a", NOW).is_ok());
        }
        assert_eq!(limiter.take("a", NOW), Err(TooMany { retry_after: Duration::from_secs(20) }));
        assert!(limiter.take("b", NOW).is_ok());
        assert!(limiter.take("a", NOW.plus(Duration::from_secs(20))).is_ok());
    }

    #[test]
    fn ipv6_addresses_of_one_network_are_one() {
        assert_eq!(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_who_is_at_the_limit_stays_there() {
        let limiter = limiter();
        for _ in 0..3 {
            assert!(limiter.take(u64::MAX, NOW).is_ok());
        }
        for number in 0..3 * CAPACITY as u64 {
            assert!(limiter.take(number, NOW).is_ok());
            assert!(limiter.lock().len() <= CAPACITY);
        }
        assert!(limiter.take(u64::MAX, NOW).is_err());
        // Once all has come back, all is forgotten.
        let later = NOW.plus(Duration::from_secs(60));
        for number in 0..=CAPACITY as u64 {
            limiter.count(number, later);
        }
        assert!(limiter.lock().len() <= CAPACITY);
    }
}
