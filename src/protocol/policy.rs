//! What this server does and allows: read by the rules and by the discovery document alike, so that the document
//! cannot promise what the rules refuse.

use std::time::Duration;

use super::{ClaimNames, Client, ClientOrigin, DocumentUrl, Issuer, Rates, ResourceUri, Scope, ScopeToken};

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
    /// How long a client's document is used without looking again, at least: whatever its host says.
    pub client_document_min: Duration,
    /// And at most.
    pub client_document_max: Duration,
    /// How long a document that is no longer fresh is used when it cannot be fetched.
    pub client_document_stale: Duration,
    /// How long a signing key signs.
    pub key_active: Duration,
    /// How long a signing key is published before it signs, so that every verifier knows it by then.
    pub key_lead: Duration,
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
            client_document_min: Duration::from_secs(5 * MINUTE),
            client_document_max: Duration::from_secs(24 * HOUR),
            client_document_stale: Duration::from_secs(7 * DAY),
            key_active: Duration::from_secs(90 * DAY),
            key_lead: Duration::from_secs(24 * HOUR),
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
        client_document_min: Duration::from_secs(HOUR),
        client_document_max: Duration::from_secs(24 * HOUR),
        client_document_stale: Duration::from_secs(30 * DAY),
        key_active: Duration::from_secs(3650 * DAY),
        key_lead: Duration::from_secs(30 * DAY),
    };

    /// The shortest that [`Lifetimes::key_lead`] may be made: longer than the longest `jwks_max_age`, with an hour for
    /// clocks that differ.
    pub const MIN_KEY_LEAD: Duration = Duration::from_secs(2 * HOUR);

    /// How long a client's document is fresh whose host says `said`: within our own bounds, and briefly when it says
    /// nothing (Client ID Metadata Documents §4.4).
    pub fn client_document(&self, said: Option<Duration>) -> Duration {
        said.unwrap_or_default()
            .clamp(self.client_document_min, self.client_document_max.max(self.client_document_min))
    }
}

/// Who may register clients (RFC 7591 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Everybody: what MCP clients expect that know no other way in.
    Open,
    /// Who has an initial access token.
    Token,
    /// Nobody.
    Off,
}

/// Who may introspect tokens (RFC 7662 §2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntrospectionMode {
    /// Clients and resource servers that authenticate, each for what is its own.
    #[default]
    Authenticated,
    /// Besides, everybody for access tokens, without credentials: for development on one machine.
    Open,
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
    /// Who may introspect tokens.
    pub introspection: IntrospectionMode,
    /// Whether an unregistered resource on loopback is accepted: a developer's own server.
    pub loopback_resources: bool,
    /// The resource that a request means when neither it nor its client names one.
    pub default_resource: Option<ResourceUri>,
    /// The names of claims that no standard names.
    pub claims: ClaimNames,
    /// The scopes that the discovery document names: what a stranger may ask for.
    pub scopes_supported: Scope,
}

impl Policy {
    /// The scopes for the discovery document to name, of a server whose resources know `known`: what a stranger may ask
    /// for. `openid` is named (OpenID Connect Discovery §3). `profile` and `email` are accepted and not named: clients
    /// that know nothing better ask for everything that is named here, and would learn names and addresses that they
    /// have no use for.
    pub fn nameable_scopes(known: &Scope, ceiling: Option<&Scope>) -> Scope {
        let own = [ScopeToken::openid()].into_iter().collect();
        let all = known.union(&own);
        let within = ceiling.map_or_else(|| all.clone(), |ceiling| all.intersection(ceiling));
        within.union(&[ScopeToken::offline_access()].into_iter().collect())
    }

    /// The document by whose URL a client with this identifier is known, if it is such a URL.
    pub fn document_url(&self, id: &str) -> Option<DocumentUrl> {
        DocumentUrl::parse(id, self.issuer.is_loopback())
    }

    /// The most that a client can be given, besides what resources know and people may give: one that nobody vouches for
    /// has the ceiling of the token that it registered with, or else that of open registration.
    pub fn ceiling<'a>(&'a self, client: &'a Client) -> Option<&'a Scope> {
        if client.origin.is_vouched_for() {
            return None;
        }
        client.ceiling.as_ref().or(self.registration_scopes.as_ref())
    }

    /// Whether `client` may learn who the person is, when it asks for `asked` (OpenID Connect Core §3.1.2.1).
    pub fn admits_sign_in(&self, client: &Client, asked: &Scope) -> bool {
        let ceiling = self.ceiling(client);
        asked.is_openid() && ceiling.is_none_or(Scope::is_openid)
    }

    /// Whether a stored client may come in: one that is known by its document only while documents of its host are
    /// taken.
    pub fn admits(&self, client: &Client) -> bool {
        let by_document = || {
            let url = self.document_url(client.id.as_str());
            url.is_some_and(|url| self.client_documents.admits(url.host()))
        };
        client.origin != ClientOrigin::Document || by_document()
    }
}

#[cfg(test)]
mod tests;
