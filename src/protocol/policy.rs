//! What this server does and allows: read by the rules and by the discovery document alike, so that the document
//! cannot promise what the rules refuse.

use std::time::Duration;

use super::{Issuer, Rates, ResourceUri, Scope};

/// How long things last. The defaults stand here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access tokens (RFC 9700 §2.2.1 wants them short).
    pub access_token: Duration,
    /// Authorization codes (OAuth 2.1 §4.1.2: at most 10 minutes).
    pub code: Duration,
    /// A refresh token that is not used.
    pub refresh_idle: Duration,
    /// A chain of refresh tokens, however busy.
    pub refresh_absolute: Duration,
    /// How long the refresh token before the live one is answered with the same successor again; zero is strict.
    pub retry_window: Duration,
    /// A login page or a parked authorization request.
    pub interaction: Duration,
    /// A logged-in browser that is not used.
    pub browser_session_idle: Duration,
    /// A logged-in browser, however busy.
    pub browser_session_absolute: Duration,
    /// How long others may keep the JWKS.
    pub jwks_max_age: Duration,
    /// A self-registered client that never completed an authorization.
    pub unused_client: Duration,
    /// A record of what happened.
    pub audit: Duration,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access_token: Duration::from_secs(15 * MINUTE),
            code: Duration::from_secs(60),
            refresh_idle: Duration::from_secs(30 * DAY),
            refresh_absolute: Duration::from_secs(180 * DAY),
            retry_window: Duration::from_secs(60),
            interaction: Duration::from_secs(10 * MINUTE),
            browser_session_idle: Duration::from_secs(8 * HOUR),
            browser_session_absolute: Duration::from_secs(30 * DAY),
            jwks_max_age: Duration::from_secs(5 * MINUTE),
            unused_client: Duration::from_secs(7 * DAY),
            audit: Duration::from_secs(90 * DAY),
        }
    }
}

impl Lifetimes {
    /// The longest that each may be made.
    pub const BOUNDS: Self = Self {
        access_token: Duration::from_secs(HOUR),
        code: Duration::from_secs(10 * MINUTE),
        refresh_idle: Duration::from_secs(365 * DAY),
        refresh_absolute: Duration::from_secs(365 * DAY),
        retry_window: Duration::from_secs(10 * MINUTE),
        interaction: Duration::from_secs(HOUR),
        browser_session_idle: Duration::from_secs(30 * DAY),
        browser_session_absolute: Duration::from_secs(90 * DAY),
        jwks_max_age: Duration::from_secs(HOUR),
        unused_client: Duration::from_secs(90 * DAY),
        audit: Duration::from_secs(3650 * DAY),
    };
}

/// Who may register clients (RFC 7591 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Everybody: what MCP clients expect that know no other way in.
    Open,
    /// Nobody.
    Off,
}

impl Policy {
    /// What [`Policy::max_unused_clients`] is unless somebody decides otherwise.
    pub const MAX_UNUSED_CLIENTS: u32 = 10_000;
}

/// Whose Client ID Metadata Documents are taken (Client ID Metadata Documents §6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientDocuments {
    /// Anybody's.
    #[default]
    Any,
    /// Those at these hosts: whole names, in lower case, without port.
    Hosts(Vec<String>),
    /// Nobody's.
    Off,
}

impl ClientDocuments {
    /// Whether a document at this host is taken; the case of its letters does not matter.
    pub fn admits(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Hosts(hosts) => hosts.iter().any(|admitted| admitted.eq_ignore_ascii_case(host)),
            Self::Off => false,
        }
    }
}

/// The decisions of whoever runs this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its identifier.
    pub issuer: Issuer,
    /// How long things last.
    pub lifetimes: Lifetimes,
    /// Who may register clients.
    pub registration: RegistrationMode,
    /// The most that self-registered clients can be given; `None` is whatever resources know.
    pub registration_scopes: Option<Scope>,
    /// The most self-registered clients that may wait for their first grant at once.
    pub max_unused_clients: u32,
    /// How often strangers may do what costs us something.
    pub rates: Rates,
    /// Whose Client ID Metadata Documents are taken.
    pub client_documents: ClientDocuments,
    /// Whether an unregistered resource on loopback is accepted: a developer's own server.
    pub loopback_resources: bool,
    /// The resource that a request means when neither it nor its client names one.
    pub default_resource: Option<ResourceUri>,
    /// The scopes that the discovery document names: what a stranger may ask for.
    pub scopes_supported: Scope,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(of: &Lifetimes) -> [Duration; 11] {
        [
            of.access_token,
            of.code,
            of.refresh_idle,
            of.refresh_absolute,
            of.retry_window,
            of.interaction,
            of.browser_session_idle,
            of.browser_session_absolute,
            of.jwks_max_age,
            of.unused_client,
            of.audit,
        ]
    }

    #[test]
    fn lifetimes_are_short_for_what_can_be_stolen() {
        // MCP Token Theft.
        // RFC 9700 §2.2.1 and §4.14.2; OAuth 2.1 §4.1.2 (10 minutes at most), OWASP ASVS 10.4.3 (1 minute)
        let in_seconds = each(&Lifetimes::default()).map(|lifetime| lifetime.as_secs());
        let (minute, hour, day) = (60, 3_600, 86_400);
        assert_eq!(
            in_seconds,
            [
                15 * minute,
                minute,
                30 * day,
                180 * day,
                minute,
                10 * minute,
                8 * hour,
                30 * day,
                5 * minute,
                7 * day,
                90 * day
            ]
        );
    }

    #[test]
    fn a_list_of_hosts_admits_these_and_no_others() {
        let hosts = ClientDocuments::Hosts(vec!["client.example".to_owned()]);
        assert!(hosts.admits("client.example") && hosts.admits("Client.Example"));
        for other in ["example", "a.client.example", "client.example.", "client.example.evil.test", ""] {
            assert!(!hosts.admits(other), "{other}");
            assert!(ClientDocuments::Any.admits(other) && !ClientDocuments::Off.admits(other));
        }
    }

    #[test]
    fn nobody_can_configure_a_token_that_lives_for_ever() {
        let in_seconds = each(&Lifetimes::BOUNDS).map(|lifetime| lifetime.as_secs());
        let (minute, hour, day) = (60, 3_600, 86_400);
        assert_eq!(
            in_seconds,
            [
                hour,
                10 * minute,
                365 * day,
                365 * day,
                10 * minute,
                hour,
                30 * day,
                90 * day,
                hour,
                90 * day,
                3650 * day
            ]
        );
        for (default, bound) in each(&Lifetimes::default()).iter().zip(each(&Lifetimes::BOUNDS)) {
            assert!(*default <= bound);
        }
    }
}
