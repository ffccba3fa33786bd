//! What happens next to an authorization request.
//!
//! Login and consent never route to one another: each comes back here, where what is known now decides
//! (OAuth 2.1 §4.1.1; OpenID Connect Core §3.1.2.3 for `prompt` and `max_age`).

use std::time::Duration;

use super::ask::{Agreement, Ask};
use super::{
    ACR_PASSWORD, AuthorizationRequest, ClientAuthMethod, Consent, ErrorCode, Membership, OAuthError, Policy,
    Resource, Timestamp, UserId,
};

/// Everything that the decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What is asked.
    pub request: &'a AuthorizationRequest,
    /// The resources it is asked for, each once.
    pub resources: &'a [Resource],
    /// When the person in this browser proved who they are; `None` for a stranger.
    pub logged_in_at: Option<Timestamp>,
    /// Who that is.
    pub person: Option<&'a UserId>,
    /// Whom the client means.
    pub expected: &'a Expected,
    /// When the request first arrived, so that a login that it demands is demanded once.
    pub began_at: Timestamp,
    /// The tenants that the person belongs to.
    pub memberships: &'a [Membership],
    /// What the person decided about this client before, tenant by tenant and resource by resource.
    pub consents: &'a [Consent],
    /// The server's own rules.
    pub policy: &'a Policy,
}

/// Whom the client means, by the id token in `id_token_hint` (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Whoever it may be: there is no hint.
    #[default]
    Anybody,
    /// This person.
    Person(UserId),
    /// The hint is no id token that this server made for this client, or one that it no longer knows.
    Unknown,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Let somebody log in.
    Login,
    /// Ask the person.
    Consent(Ask),
    /// Issue a code; nobody needs to be asked.
    Issue(Agreement),
    /// Send the client away.
    Reject(OAuthError),
}

impl Situation<'_> {
    /// Decides the next step.
    pub fn next_step(&self) -> Step {
        if !self.logged_in_at.is_some_and(|at| self.is_recent_enough(at)) {
            return self.log_in();
        }
        if !self.request.acr_values.is_empty()
            && !self.request.acr_values.iter().any(|acr| acr == ACR_PASSWORD)
        {
            return Step::Reject(OAuthError::new(
                ErrorCode::UnmetAuthenticationRequirements,
                "no login at this server has one of these acr_values",
            ));
        }
        if !self.is_expected() {
            return self.with_another_person();
        }
        let ask = match self.ask() {
            Ok(ask) => ask,
            Err(error) => return Step::Reject(error),
        };
        if !self.logged_in_at.is_some_and(|at| self.is_within(ask.max_age(), at)) {
            return self.log_in();
        }
        if self.may_skip_consent(&ask) {
            let tenant = &ask.tenants[0].tenant.id;
            return self.agree(&ask, &ask.ticks(), tenant).map_or_else(Step::Reject, Step::Issue);
        }
        if self.request.prompt.none {
            return Step::Reject(OAuthError::new(ErrorCode::ConsentRequired, "the person has to be asked"));
        }
        Step::Consent(ask)
    }

    fn log_in(&self) -> Step {
        if !self.request.prompt.none {
            return Step::Login;
        }
        let description = "nobody is logged in, or not recently enough";
        Step::Reject(OAuthError::new(ErrorCode::LoginRequired, description))
    }

    /// Whether the person is the one whom the client means. A hint that says nothing matters only where nobody can be
    /// asked who they are.
    fn is_expected(&self) -> bool {
        match self.expected {
            Expected::Anybody => true,
            Expected::Person(user) => self.person == Some(user),
            Expected::Unknown => !self.request.prompt.none,
        }
    }

    /// Lets the one log in who is meant, once (OpenID Connect Core §3.1.2.1, `id_token_hint`).
    fn with_another_person(&self) -> Step {
        let has_been_asked = self.logged_in_at.is_some_and(|at| at >= self.began_at);
        if self.request.prompt.none || has_been_asked {
            let description = "another person is logged in than id_token_hint is about";
            return Step::Reject(OAuthError::new(ErrorCode::LoginRequired, description));
        }
        Step::Login
    }

    /// `prompt=login` and `max_age` look at when the request began, so that the login they demand satisfies them.
    fn is_recent_enough(&self, logged_in_at: Timestamp) -> bool {
        let fresh = !self.request.prompt.login || logged_in_at >= self.began_at;
        fresh && self.is_within(self.request.max_age.or(self.request.client.default_max_age), logged_in_at)
    }

    fn is_within(&self, max_age: Option<Duration>, logged_in_at: Timestamp) -> bool {
        max_age.is_none_or(|age| logged_in_at.plus(age) >= self.began_at)
    }

    /// The page is skipped for the operator's own clients, when the answer goes exactly where they were registered, and
    /// for clients of which it is proven that they are the one that was allowed the same before (RFC 6749 §10.2). Others,
    /// and whoever listens on another loopback port, cannot prove that the program which asks is the one that was allowed
    /// (RFC 8252 §8.6). What was refused before is not given without a word to anyone, nor what the operator wants to be
    /// asked each time.
    fn may_skip_consent(&self, ask: &Ask) -> bool {
        let tenant_is_clear =
            ask.tenants.len() == 1 || self.request.tenant.as_ref() == Some(&ask.tenants[0].tenant.id);
        let client = &self.request.client;
        let is_exact = client.redirect_uris.contains(self.request.address.redirect_uri());
        let is_trusted = (client.first_party && is_exact) || (ask.is_repetition && self.is_proven());
        let is_settled = !ask.has_refused() && !ask.asks_each_time();
        is_trusted && tenant_is_clear && is_settled && !self.request.prompt.consent
    }

    /// Whether nobody but the client that was allowed before can have use of the answer: it can be redeemed with the
    /// client's key only, or it goes by https to an address of which somebody who is not the client has said that it is
    /// the client's: the operator, or the host that publishes the client's document (RFC 8252 §8.6).
    fn is_proven(&self) -> bool {
        let client = &self.request.client;
        let address = self.request.address.redirect_uri();
        let is_at_home = || {
            let url = self.policy.document_url(client.id.as_str());
            client.document.is_some() && url.is_some_and(|url| address.is_https_on(url.authority()))
        };
        client.auth_methods == [ClientAuthMethod::PrivateKeyJwt]
            || (client.origin.is_vouched_for() && address.is_https_elsewhere())
            || is_at_home()
    }
}

#[cfg(test)]
mod tests;
