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
            return self.agree(&ask.ticks(), tenant).map_or_else(Step::Reject, Step::Issue);
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
    /// for clients that prove to be the one that was allowed the same before. Others, and whoever listens on another
    /// loopback port, cannot prove that the program which asks is the one that was allowed (RFC 8252 §8.6). What was
    /// refused before is not given without a word to anyone, nor what the operator wants to be asked each time.
    fn may_skip_consent(&self, ask: &Ask) -> bool {
        let tenant_is_clear =
            ask.tenants.len() == 1 || self.request.tenant.as_ref() == Some(&ask.tenants[0].tenant.id);
        let client = &self.request.client;
        let is_exact = client.redirect_uris.contains(self.request.address.redirect_uri());
        let is_trusted = (client.first_party && is_exact) || (ask.is_repetition && self.is_proven());
        let is_settled = !ask.has_refused() && !ask.asks_each_time();
        is_trusted && tenant_is_clear && is_settled && !self.request.prompt.consent
    }

    /// Whether nobody but the owner of the client's document can have use of the answer: it goes to an https URI where
    /// the document is, or can be redeemed with the client's key only.
    fn is_proven(&self) -> bool {
        let client = &self.request.client;
        let address = self.request.address.redirect_uri();
        let is_at_home = || {
            let url = self.policy.document_url(client.id.as_str());
            url.is_some_and(|url| address.is_https_on(url.authority()))
        };
        client.document.is_some()
            && (client.auth_methods == [ClientAuthMethod::PrivateKeyJwt] || is_at_home())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::case::{Case, by_document, first_party};
    use crate::protocol::fixtures::{self, at, membership, scope};
    use crate::protocol::{KnownScopes, ResourceScope};

    #[test]
    fn a_stranger_logs_in_unless_no_page_may_be_shown() {
        let mut case = Case { logged_in_at: None, ..Case::default() };
        assert_eq!(case.step(), Step::Login);
        case.query = "&prompt=none";
        assert_eq!(case.rejection(), ErrorCode::LoginRequired);
    }

    #[test]
    fn a_demanded_login_is_demanded_once() {
        // OpenID Connect Core §3.1.2.1
        for (query, logged_in_at, asks_again) in [
            ("&prompt=login", 999, true),
            ("&prompt=login", 1000, false),
            ("&max_age=100", 899, true),
            ("&max_age=100", 900, false),
            ("&max_age=0", 999, true),
            ("&max_age=0", 1001, false),
            ("", 1, false),
        ] {
            let case = Case { query, logged_in_at: Some(at(logged_in_at)), ..Case::default() };
            assert_eq!(case.step() == Step::Login, asks_again, "{query} {logged_in_at}");
        }
    }

    #[test]
    fn the_person_is_the_one_whom_the_client_means() {
        // OpenID Connect Core §3.1.2.1, id_token_hint; §3.1.2.6
        let (alice, bob) = (fixtures::grant().user, UserId::parse("bob").unwrap());
        let mut case = Case { client: first_party(), ..Case::default() };
        for (expected, prompt, logged_in_at, outcome) in [
            (Expected::Person(alice.clone()), "", 500, Ok(false)),
            (Expected::Person(alice), "&prompt=none", 500, Ok(false)),
            (Expected::Person(bob.clone()), "", 500, Ok(true)),
            (Expected::Person(bob.clone()), "", 1000, Err(ErrorCode::LoginRequired)),
            (Expected::Person(bob), "&prompt=none", 500, Err(ErrorCode::LoginRequired)),
            (Expected::Unknown, "", 500, Ok(false)),
            (Expected::Unknown, "&prompt=none", 500, Err(ErrorCode::LoginRequired)),
        ] {
            (case.expected, case.logged_in_at) = (expected.clone(), Some(at(logged_in_at)));
            case.query = if prompt.is_empty() { "&scope=read" } else { "&scope=read&prompt=none" };
            match outcome {
                Ok(logs_in) => assert_eq!(case.step() == Step::Login, logs_in, "{expected:?} {prompt}"),
                Err(code) => assert_eq!(case.rejection(), code, "{expected:?} {prompt}"),
            }
        }
    }

    #[test]
    fn a_client_says_once_for_all_how_long_ago_a_login_may_be() {
        // OpenID Connect Registration §2: max_age in a request stands above default_max_age
        for (query, logged_in_at, asks_again) in
            [("", 899, true), ("", 900, false), ("&max_age=200", 899, false), ("&max_age=50", 900, true)]
        {
            let mut case = Case { query, logged_in_at: Some(at(logged_in_at)), ..Case::default() };
            case.client.default_max_age = Some(Duration::from_secs(100));
            assert_eq!(case.step() == Step::Login, asks_again, "{query} {logged_in_at}");
        }
    }

    #[test]
    fn only_the_operators_own_clients_skip_the_page() {
        let mut case = Case { client: first_party(), ..Case::default() };
        let Step::Issue(agreement) = case.step() else { panic!("asked") };
        assert_eq!((agreement.tenant.as_str(), agreement.scope()), ("acme", scope("read write")));
        case.query = "&prompt=consent";
        assert!(matches!(case.step(), Step::Consent(_)));
        case.query = "";
        case.memberships.push(membership("globex", &[]));
        assert!(matches!(case.step(), Step::Consent(_)), "several tenants and no wish");
        case.query = "&tenant=globex";
        let Step::Issue(agreement) = case.step() else { panic!("asked") };
        assert_eq!(agreement.tenant.as_str(), "globex");
    }

    #[test]
    fn a_client_that_proves_to_be_the_one_that_was_allowed_before_is_not_asked_about_again() {
        // RFC 8252 §8.6; OAuth 2.1 §7.9
        use ClientAuthMethod::{None as Public, PrivateKeyJwt};
        for (redirect_uri, methods, is_skipped) in [
            ("https://app.example/cb", &[Public][..], true),
            ("https://app.example/cb", &[Public, PrivateKeyJwt], true),
            ("https://app.example:8443/cb", &[Public], false),
            ("https://other.example/cb", &[Public], false),
            ("https://other.example/cb", &[Public, PrivateKeyJwt], false),
            ("https://other.example/cb", &[PrivateKeyJwt], true),
            ("http://127.0.0.1/cb", &[PrivateKeyJwt], true),
            ("http://127.0.0.1/cb", &[Public, PrivateKeyJwt], false),
            ("app.example:/cb", &[Public], false),
        ] {
            let case = by_document(redirect_uri, methods);
            assert_eq!(matches!(case.step(), Step::Issue(_)), is_skipped, "{redirect_uri} {methods:?}");
        }
    }

    #[test]
    fn a_proven_client_is_asked_about_when_anything_is_new() {
        let home = || by_document("https://app.example/cb", &[ClientAuthMethod::None]);
        let asked = |change: fn(&mut Case)| {
            let mut case = home();
            change(&mut case);
            matches!(case.step(), Step::Consent(_))
        };
        assert!(!asked(|_| {}));
        assert!(!asked(|case| case.query = "&scope=read"), "less than was allowed");
        assert!(!asked(|case| case.query = "&scope=read&prompt=none"));
        assert!(asked(|case| case.query = "&scope=read&prompt=consent"));
        assert!(asked(|case| case.consents.clear()));
        assert!(asked(|case| case.consents[0].scope = scope("read")));
        assert!(asked(|case| case.consents[0].redirect_host = "other.example".to_owned()));
        assert!(asked(|case| case.consents[0].document_digest = Some("two".to_owned())));
        assert!(asked(|case| case.consents[0].document_digest = None));
        assert!(
            asked(|case| case.memberships.push(membership("globex", &[]))),
            "there is a tenant to choose"
        );
        assert!(
            asked(|case| case.client.document = None),
            "nobody vouches for a client that registered itself"
        );
    }

    #[test]
    fn a_client_that_is_not_asked_about_needs_no_page() {
        // OpenID Connect Core §3.1.2.1, prompt=none
        let case = Case { client: first_party(), query: "&scope=read&prompt=none", ..Case::default() };
        assert!(matches!(case.step(), Step::Issue(_)));
    }

    #[test]
    fn a_scope_may_want_to_be_asked_about_each_time() {
        let mut case = Case { client: first_party(), query: "&scope=write", ..Case::default() };
        assert!(matches!(case.step(), Step::Issue(_)));
        rule(&mut case, "write", |scope| scope.asks_each_time = true);
        assert!(matches!(case.step(), Step::Consent(_)));
        case.query = "&scope=read";
        assert!(matches!(case.step(), Step::Issue(_)), "it is not asked for");
        case.query = "&scope=write&prompt=none";
        assert_eq!(case.rejection(), ErrorCode::ConsentRequired);
        let mut proven = by_document("https://app.example/cb", &[ClientAuthMethod::None]);
        assert!(matches!(proven.step(), Step::Issue(_)));
        rule(&mut proven, "write", |scope| scope.asks_each_time = true);
        assert!(matches!(proven.step(), Step::Consent(_)));
    }

    #[test]
    fn a_scope_may_want_a_fresh_login_and_is_given_one_once() {
        // RFC 9470 §4; the request began at 1000
        for (logged_in_at, asks_again) in [(939, true), (940, false), (1001, false)] {
            let mut case = Case { logged_in_at: Some(at(logged_in_at)), ..Case::default() };
            rule(&mut case, "write", |scope| scope.max_age = Some(Duration::from_secs(60)));
            assert_eq!(case.step() == Step::Login, asks_again, "{logged_in_at}");
            case.query = "&scope=read";
            assert!(matches!(case.step(), Step::Consent(_)), "it is not asked for");
            case.query = "&scope=write&prompt=none";
            let code = if asks_again { ErrorCode::LoginRequired } else { ErrorCode::ConsentRequired };
            assert_eq!(case.rejection(), code);
        }
    }

    #[test]
    fn a_login_of_a_class_that_there_is_not_is_refused() {
        // RFC 9470 §5
        for (query, is_met) in [
            ("&acr_values=urn:gatelet:acr:password", true),
            ("&acr_values=phr+urn:gatelet:acr:password", true),
            ("&acr_values=", true),
            ("&acr_values=phr+phrh", false),
        ] {
            let case = Case { query, ..Case::default() };
            match case.step() {
                Step::Reject(error) => {
                    assert_eq!(error.code(), ErrorCode::UnmetAuthenticationRequirements);
                    assert!(!is_met, "{query}");
                }
                step => assert!(is_met, "{query}: {step:?}"),
            }
        }
    }

    fn rule(case: &mut Case, name: &str, set: impl FnOnce(&mut ResourceScope)) {
        let KnownScopes::Listed(scopes) = &mut case.resources[0].scopes else { panic!("listed") };
        set(scopes.iter_mut().find(|scope| scope.token.as_str() == name).unwrap());
    }
}
