//! `[registration]`: clients that register themselves.

use std::time::Duration;

use super::check::Check;
use super::duration;
use super::read::Example::Value;
use super::read::section;
use super::registration_tokens::RawRegistrationToken;
use super::values::{Text, Texts, Written};
use crate::protocol::{Policy, Rate, Rates, RegistrationMode, Scope, ScopeToken};

/// More waiting clients than this are not counted cheaply at each registration.
const MOST_UNUSED: u32 = 100_000;
/// What a rate is counted over, at most.
const LONGEST_RATE: Duration = Duration::from_secs(24 * 3600);

section! {
    /// Dynamic client registration (RFC 7591), by which MCP clients introduce themselves.
    RawRegistration {
        /// `open` for everybody (the default), `token` for who has an initial access token, or `off`.
        mode: Text = Value(r#""open""#),
        /// The most that self-registered clients can be given. Default: every scope that a resource knows, and `openid`,
        /// `profile` and `email`, by which people sign in to them.
        scopes: Texts = Value(r#"["notes:read", "notes:write"]"#),
        /// How many self-registered clients may wait for somebody to let them in; at most 100000. When there are as
        /// many, the oldest make room, but none that registered in the last ten minutes. Clients that were ever let in
        /// do not count and never go.
        max_unused: Option<Written<u64>> = Value("10000"),
        /// How many registrations one address may send: so many at once, and as many again spread evenly over the
        /// time. Hosted clients register for all of their users from a few addresses. Of IPv6 addresses the first 64
        /// bits count.
        rate: Text = Value(r#""100/1m""#),
        /// The same for all addresses together.
        total_rate: Text = Value(r#""1000/1m""#),
        /// Initial access tokens (RFC 7591): each has a `name`, its text in a `secret_file` or from a `secret_command`,
        /// and may have `scopes` (the most that clients which register with it can be given), `client_credentials`
        /// (whether they may use those), `max_uses` (how many may register with it) and `expires_at` (until when).
        tokens: Vec<RawRegistrationToken> = Value(r#"[
    { name = "ci", secret_file = "/run/secrets/registration-ci", scopes = ["notes:read"], max_uses = 10 },
]"#),
    }
}

/// How clients register themselves.
pub(super) struct Registration {
    /// Whether they may.
    pub(super) mode: RegistrationMode,
    /// The most that they can be given.
    pub(super) scopes: Option<Scope>,
    /// How many may wait for their first grant.
    pub(super) max_unused: u32,
    /// How often.
    pub(super) rates: Rates,
}

impl RawRegistration {
    pub(super) fn check(&self, check: &mut Check<'_>, known: &Scope) -> Registration {
        let modes = [
            ("open", RegistrationMode::Open),
            ("token", RegistrationMode::Token),
            ("off", RegistrationMode::Off),
        ];
        let mode = check.word(&self.mode, &modes, RegistrationMode::Open);
        let scopes = check.each_parsed(&self.scopes, ScopeToken::parse);
        check.warn_of_unknown(&scopes, known);
        let scopes = self.scopes.is_some().then(|| scopes.into_iter().map(|written| written.value).collect());
        let defaults = Rates::default();
        let rates = Rates {
            registrations: rate(check, &self.rate).unwrap_or(defaults.registrations),
            registrations_in_all: rate(check, &self.total_rate).unwrap_or(defaults.registrations_in_all),
            ..defaults
        };
        Registration { mode, scopes, max_unused: self.max_unused(check), rates }
    }

    fn max_unused(&self, check: &mut Check<'_>) -> u32 {
        let Some(written) = &self.max_unused else { return Policy::MAX_UNUSED_CLIENTS };
        let number = u32::try_from(written.value).ok().filter(|number| (1..=MOST_UNUSED).contains(number));
        if number.is_none() {
            check.error(&written.place, format!("must be between 1 and {MOST_UNUSED}"));
        }
        number.unwrap_or(Policy::MAX_UNUSED_CLIENTS)
    }
}

fn rate(check: &mut Check<'_>, written: &Text) -> Option<Rate> {
    check.parsed(written.as_ref()?, |text| {
        let read = || {
            let (count, per) = text.split_once('/')?;
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            let per = duration::parse(per).ok().filter(|per| !per.is_zero() && *per <= LONGEST_RATE)?;
            Some(Rate::new(count, per))
        };
        read().ok_or("write a rate as a number and a time of at most `1d`, such as `100/1m`")
    })
}
