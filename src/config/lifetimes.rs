//! `[lifetimes]`: how long things last.

use std::time::Duration;

use super::check::Check;
use super::duration;
use super::problem::Place;
use super::read::Example::Value;
use super::read::{Section as _, section};
use super::values::Text;
use crate::protocol::Lifetimes;

section! {
    /// How long things last: numbers with units, such as `90s`, `15m`, `1h30m`, `30d`. The values below are the
    /// defaults.
    RawLifetimes {
        /// Access tokens; at most `1h`.
        access_token: Text = Value(r#""15m""#),
        /// Authorization codes; at most `10m`.
        code: Text = Value(r#""1m""#),
        /// A refresh token that is not used; at most `365d`.
        refresh_idle: Text = Value(r#""30d""#),
        /// A chain of refresh tokens, however busy; at most `365d`.
        refresh_absolute: Text = Value(r#""180d""#),
        /// How long the refresh token before the live one is answered with the same successor again, for clients
        /// that lost the answer; at most `10m`. `0s` is strict: any reuse revokes the grant.
        retry_window: Text = Value(r#""1m""#),
        /// A login page, or a request that waits for consent; at most `1h`.
        interaction: Text = Value(r#""10m""#),
        /// A logged-in browser that is not used; at most `30d`.
        browser_session_idle: Text = Value(r#""8h""#),
        /// A logged-in browser, however busy; at most `90d`.
        browser_session_absolute: Text = Value(r#""30d""#),
        /// How long others may keep the public keys; at most `1h`.
        jwks_max_age: Text = Value(r#""5m""#),
        /// A key that signs tokens; then another takes over. Between `key_lead` and `3650d`.
        key_active: Text = Value(r#""90d""#),
        /// How long a key is published before it signs, so that resource servers know it by then; between `2h`, which is
        /// longer than any of them may keep the public keys, and `30d`.
        key_lead: Text = Value(r#""24h""#),
        /// A self-registered client that nobody ever let in; at most `90d`.
        unused_client: Text = Value(r#""7d""#),
        /// The record of what happened (logins, grants, replays, suspensions); at most `3650d`.
        audit: Text = Value(r#""90d""#),
    }
}

impl RawLifetimes {
    pub(super) fn check(&self, check: &mut Check<'_>) -> Lifetimes {
        let (mut lifetimes, bounds) = (Lifetimes::default(), Lifetimes::BOUNDS);
        let second = Duration::from_secs(1);
        for (written, lifetime, shortest, longest) in [
            (&self.access_token, &mut lifetimes.access_token, second, bounds.access_token),
            (&self.code, &mut lifetimes.code, second, bounds.code),
            (&self.refresh_idle, &mut lifetimes.refresh_idle, second, bounds.refresh_idle),
            (&self.refresh_absolute, &mut lifetimes.refresh_absolute, second, bounds.refresh_absolute),
            (&self.retry_window, &mut lifetimes.retry_window, Duration::ZERO, bounds.retry_window),
            (&self.interaction, &mut lifetimes.interaction, second, bounds.interaction),
            (
                &self.browser_session_idle,
                &mut lifetimes.browser_session_idle,
                second,
                bounds.browser_session_idle,
            ),
            (
                &self.browser_session_absolute,
                &mut lifetimes.browser_session_absolute,
                second,
                bounds.browser_session_absolute,
            ),
            (&self.jwks_max_age, &mut lifetimes.jwks_max_age, Duration::ZERO, bounds.jwks_max_age),
            (&self.key_active, &mut lifetimes.key_active, second, bounds.key_active),
            (&self.key_lead, &mut lifetimes.key_lead, Lifetimes::MIN_KEY_LEAD, bounds.key_lead),
            (&self.unused_client, &mut lifetimes.unused_client, second, bounds.unused_client),
            (&self.audit, &mut lifetimes.audit, second, bounds.audit),
        ] {
            *lifetime = bounded(check, written, shortest, longest).unwrap_or(*lifetime);
        }
        self.check_order(check, &lifetimes);
        lifetimes
    }

    /// What ends for want of use must not outlast what ends however busy it is.
    fn check_order(&self, check: &mut Check<'_>, lifetimes: &Lifetimes) {
        let place = |idle: &Text, absolute: &Text, key: &str| {
            let written = idle.as_ref().or(absolute.as_ref());
            written.map_or_else(|| self.place().key(key), |written| written.place.clone())
        };
        let refresh = place(&self.refresh_idle, &self.refresh_absolute, "refresh_idle");
        let session =
            place(&self.browser_session_idle, &self.browser_session_absolute, "browser_session_idle");
        refuse_longer(check, &refresh, "refresh", lifetimes.refresh_idle, lifetimes.refresh_absolute);
        let (idle, absolute) = (lifetimes.browser_session_idle, lifetimes.browser_session_absolute);
        refuse_longer(check, &session, "browser_session", idle, absolute);
        if lifetimes.key_lead > lifetimes.key_active {
            let (lead, active) = (duration::print(lifetimes.key_lead), duration::print(lifetimes.key_active));
            let message = format!("key_active ({active}) is shorter than key_lead ({lead})");
            check.error(&place(&self.key_active, &self.key_lead, "key_active"), message);
        }
    }
}

fn refuse_longer(check: &mut Check<'_>, place: &Place, what: &str, idle: Duration, absolute: Duration) {
    if idle > absolute {
        let (idle, absolute) = (duration::print(idle), duration::print(absolute));
        check.error(place, format!("{what}_idle ({idle}) is longer than {what}_absolute ({absolute})"));
    }
}

/// A duration between two bounds.
pub(super) fn bounded(
    check: &mut Check<'_>,
    written: &Text,
    shortest: Duration,
    longest: Duration,
) -> Option<Duration> {
    check.parsed(written.as_ref()?, |text| {
        let value = duration::parse(text).map_err(|error| error.to_string())?;
        if value > longest {
            return Err(format!("is longer than the bound of {}", duration::print(longest)));
        }
        if value < shortest {
            return Err(format!("is shorter than the bound of {}", duration::print(shortest)));
        }
        Ok(value)
    })
}
