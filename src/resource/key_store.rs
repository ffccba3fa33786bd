//! The issuer's keys, kept fresh: cached for as long as the issuer says, fetched once however many wait, and used on
//! when the issuer cannot be reached.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::fetch::Fetcher;
use super::jwks::{Algorithm, KeySet, PublicKey};
use crate::clock::Clock;
use crate::protocol::Timestamp;

/// At most one fetch in this time because of a key that we do not know: anyone can make up a `kid`.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);
/// After a failed fetch, the time until the next.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// How long keys that could not be renewed are used. A key that the issuer withdrew must die at some point.
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Why there is no key for a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// The issuer's keys are known and this is none of them.
    Unknown,
    /// The issuer's keys are not known.
    Unavailable {
        /// Seconds.
        retry_after: u64,
    },
}

/// A cache of one issuer's keys.
#[derive(Debug)]
pub(super) struct KeyStore {
    fetcher: Option<Fetcher>,
    clock: Clock,
    state: Mutex<State>,
    /// Held by the one who fetches.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    fresh_until: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    unknown_key_fetch_at: Option<Timestamp>,
}

/// What makes a fetch due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    NoKeys,
    Stale,
    UnknownKey,
}

impl KeyStore {
    /// Keys that are fetched from where `source` says.
    pub(super) fn remote(fetcher: Fetcher, clock: Clock) -> Self {
        Self { fetcher: Some(fetcher), clock, state: Mutex::default(), turn: tokio::sync::Mutex::new(()) }
    }

    /// Keys that never change.
    pub(super) fn fixed(keys: KeySet, clock: Clock) -> Self {
        let state = State { keys: Some(Arc::new(keys)), ..State::default() };
        Self { fetcher: None, clock, state: Mutex::new(state), turn: tokio::sync::Mutex::new(()) }
    }

    /// The key that a token names by `kid`; fetches first where that is due.
    pub(super) async fn find(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<PublicKey, KeyError> {
        if self.fetcher.is_some() && self.due(kid, algorithm).is_some() {
            let (this, kid) = (Arc::clone(self), kid.map(str::to_owned));
            // A task of its own: a caller that hangs up must not abort the fetch that others wait for.
            let fetching = tokio::spawn(async move { this.refresh(kid.as_deref(), algorithm).await });
            if let Err(error) = fetching.await {
                tracing::error!(%error, "fetching the issuer's keys ended abnormally");
            }
        }
        let keys =
            self.usable_keys().ok_or(KeyError::Unavailable { retry_after: RETRY_INTERVAL.as_secs() })?;
        keys.find(kid, algorithm).cloned().ok_or(KeyError::Unknown)
    }

    fn with_state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        // Nothing panics while holding it, so a poisoned state is a whole one.
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn usable_keys(&self) -> Option<Arc<KeySet>> {
        let now = self.clock.now();
        self.with_state(|state| {
            let too_old = state.fresh_until.is_some_and(|until| now >= until.plus(MAX_STALE));
            if too_old { None } else { state.keys.clone() }
        })
    }

    fn due(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Due> {
        let now = self.clock.now();
        self.with_state(|state| {
            let Some(keys) = &state.keys else {
                return elapsed(state.failed_at, RETRY_INTERVAL, now).then_some(Due::NoKeys);
            };
            if state.fresh_until.is_some_and(|until| now >= until) {
                return elapsed(state.failed_at, RETRY_INTERVAL, now).then_some(Due::Stale);
            }
            let unknown = keys.find(kid, algorithm).is_none();
            (unknown && elapsed(state.unknown_key_fetch_at, UNKNOWN_KEY_INTERVAL, now))
                .then_some(Due::UnknownKey)
        })
    }

    /// Fetches, unless another did so while we waited for our turn.
    async fn refresh(&self, kid: Option<&str>, algorithm: Algorithm) {
        let _turn = self.turn.lock().await;
        let (Some(due), Some(fetcher)) = (self.due(kid, algorithm), &self.fetcher) else { return };
        let fetched = fetcher.fetch().await;
        let now = self.clock.now();
        self.with_state(|state| {
            if due == Due::UnknownKey {
                state.unknown_key_fetch_at = Some(now);
            }
            match fetched {
                Ok((keys, max_age)) => {
                    state.keys = Some(Arc::new(keys));
                    state.fresh_until = Some(now.plus(max_age));
                    state.failed_at = None;
                }
                Err(error) => {
                    tracing::warn!(%error, source = %fetcher.source(), "cannot fetch the issuer's keys");
                    state.failed_at = Some(now);
                }
            }
        });
    }
}

fn elapsed(since: Option<Timestamp>, interval: Duration, now: Timestamp) -> bool {
    // A clock that was set back must not silence us until it has caught up.
    since.is_none_or(|since| now < since || now.since(since) >= interval)
}
