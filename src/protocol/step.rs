//! What happens next to an authorization request.
//!
//! Login and consent never route to one another: each comes back here, where what is known now decides
//! (OAuth 2.1 §4.1.1; OpenID Connect Core §3.1.2.3 for `prompt` and `max_age`).

use super::{
    AuthorizationRequest, ClientAuthMethod, Consent, ErrorCode, Membership, OAuthError, Policy, Resource,
    Scope, ScopeToken, TenantId, Timestamp, UserId,
};

/// Everything that the decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What is asked.
    pub request: &'a AuthorizationRequest,
    /// The resource it is asked for.
    pub resource: &'a Resource,
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
    /// What the person decided about this client at this resource before, tenant by tenant.
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

/// What the person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What may be allowed, to be ticked or not.
    pub offered: Scope,
    /// What of it was allowed before.
    pub remembered: Scope,
    /// Whether all of it was allowed before, so that one click is enough.
    pub is_repetition: bool,
    /// Whether it was allowed to a client whose document has changed since, which is no repetition.
    pub has_changed: bool,
    /// The tenants to choose from, the proposed one first.
    pub tenants: Vec<Membership>,
}

/// What is agreed on: the tenant to act in and how far the client may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The tenant.
    pub tenant: TenantId,
    /// The scope, `offline_access` included when it was asked for.
    pub scope: Scope,
    /// What the consent is remembered to allow.
    pub remembered: Scope,
}

impl Situation<'_> {
    /// Decides the next step.
    pub fn next_step(&self) -> Step {
        if !self.logged_in_at.is_some_and(|at| self.is_recent_enough(at)) {
            return if self.request.prompt.none {
                Step::Reject(OAuthError::new(
                    ErrorCode::LoginRequired,
                    "nobody is logged in, or not recently enough",
                ))
            } else {
                Step::Login
            };
        }
        if !self.is_expected() {
            return self.with_another_person();
        }
        let ask = match self.ask() {
            Ok(ask) => ask,
            Err(error) => return Step::Reject(error),
        };
        if self.may_skip_consent(&ask) {
            let (offered, tenant) = (ask.offered.clone(), ask.tenants[0].tenant.id.clone());
            return self.agree(&offered, &tenant).map_or_else(Step::Reject, Step::Issue);
        }
        if self.request.prompt.none {
            return Step::Reject(OAuthError::new(ErrorCode::ConsentRequired, "the person has to be asked"));
        }
        Step::Consent(ask)
    }

    /// Turns what the person ticked into what is granted. What was not offered is not granted, whoever ticked it.
    ///
    /// # Errors
    /// `access_denied` when the tenant is none of theirs, or nothing is left of what was asked: nothing of it ticked,
    /// or nothing of it theirs to give in this tenant.
    pub fn agree(&self, chosen: &Scope, tenant: &TenantId) -> Result<Agreement, OAuthError> {
        let membership = self
            .eligible()
            .find(|membership| membership.tenant.id == *tenant)
            .ok_or(OAuthError::new(ErrorCode::AccessDenied, "the person cannot act in this tenant"))?;
        let asked = self.asked();
        let grantable = self.resource.grantable(&asked.for_resource(), &membership.roles);
        let offered = grantable.union(&asked.identity());
        // Whoever does not want to be known to the client refuses the whole request.
        let granted = offered.filter(|token| chosen.contains(token) || *token == ScopeToken::openid());
        if granted.is_empty() && !asked.in_access_token().is_empty() {
            return Err(OAuthError::new(
                ErrorCode::AccessDenied,
                "the person allowed nothing of what was asked",
            ));
        }
        let before = self.consent_in(tenant).map(|consent| consent.scope.clone()).unwrap_or_default();
        let offline = asked.filter(|token| *token == ScopeToken::offline_access());
        Ok(Agreement {
            tenant: tenant.clone(),
            remembered: before.difference(&offered).union(&granted),
            scope: granted.union(&offline),
        })
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
        let young = self.request.max_age.is_none_or(|age| logged_in_at.plus(age) >= self.began_at);
        fresh && young
    }

    fn ask(&self) -> Result<Ask, OAuthError> {
        let mut tenants: Vec<Membership> = self.eligible().cloned().collect();
        let proposed = self.proposed_tenant(&tenants).ok_or(OAuthError::new(
            ErrorCode::AccessDenied,
            "the person belongs to no tenant that may use this resource",
        ))?;
        tenants.sort_by_key(|membership| membership.tenant.id != proposed);
        let asked = self.asked().in_access_token();
        let by_tenant = |m: &Membership| self.resource.grantable(&asked.for_resource(), &m.roles);
        let offered = tenants.iter().map(by_tenant).fold(Scope::default(), |all, scope| all.union(&scope));
        let offered = asked.intersection(&offered.union(&asked.identity()));
        if offered.is_empty() && !asked.is_empty() {
            return Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "nothing of what was asked may be given by this person",
            ));
        }
        let consent = self.consent_in(&proposed);
        let remembered = consent.map(|consent| offered.intersection(&consent.scope)).unwrap_or_default();
        Ok(Ask {
            is_repetition: consent.is_some() && offered.is_within(&remembered),
            has_changed: consent.is_none() && self.given_in(&proposed).is_some(),
            offered,
            remembered,
            tenants,
        })
    }

    /// The page is skipped for the operator's own clients, when the answer goes exactly where they were registered, and
    /// for clients that prove to be the one that was allowed the same before. Others, and whoever listens on another
    /// loopback port, cannot prove that the program which asks is the one that was allowed (RFC 8252 §8.6).
    fn may_skip_consent(&self, ask: &Ask) -> bool {
        let tenant_is_clear =
            ask.tenants.len() == 1 || self.request.tenant.as_ref() == Some(&ask.tenants[0].tenant.id);
        let client = &self.request.client;
        let is_exact = client.redirect_uris.contains(self.request.address.redirect_uri());
        let is_trusted = (client.first_party && is_exact) || (ask.is_repetition && self.is_proven());
        is_trusted && tenant_is_clear && !self.request.prompt.consent
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

    /// What the request comes to before the person is asked.
    fn asked(&self) -> Scope {
        let ceiling = if self.request.client.origin.is_vouched_for() {
            None
        } else {
            self.policy.registration_scopes.as_ref()
        };
        let asked = self.request.scope.as_ref().or(self.request.client.scope.as_ref());
        self.resource.requested_scope(asked, ceiling)
    }

    fn eligible(&self) -> impl Iterator<Item = &Membership> {
        self.memberships.iter().filter(|membership| {
            let tenant = &membership.tenant.id;
            self.resource.admits_tenant(tenant)
                && self.request.client.tenant.as_ref().is_none_or(|bound| bound == tenant)
        })
    }

    /// The wished-for tenant if it is one of theirs, else the one they chose before, else the first.
    fn proposed_tenant(&self, eligible: &[Membership]) -> Option<TenantId> {
        let is_eligible =
            |tenant: &&TenantId| eligible.iter().any(|membership| membership.tenant.id == **tenant);
        let wished = self.request.tenant.as_ref().filter(is_eligible);
        let latest =
            self.consents.iter().max_by_key(|consent| consent.given_at).map(|consent| &consent.tenant);
        let first = eligible.first().map(|membership| &membership.tenant.id);
        wished.or(latest.filter(is_eligible)).or(first).cloned()
    }

    /// A consent counts for the receiver and for the client's document that it was given for.
    fn consent_in(&self, tenant: &TenantId) -> Option<&Consent> {
        let digest = self.request.client.document_digest();
        self.given_in(tenant).filter(|consent| consent.document_digest.as_deref() == digest)
    }

    /// What was allowed for this receiver, whatever the client's document said then.
    fn given_in(&self, tenant: &TenantId) -> Option<&Consent> {
        let host = self.request.address.redirect_uri().consent_host();
        self.consents.iter().find(|consent| consent.tenant == *tenant && consent.redirect_host == host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, at, membership, policy, resource, scope};
    use crate::protocol::{Client, ClientOrigin, DocumentState, Params, Received};

    /// A situation whose parts a test can change.
    struct Case {
        client: Client,
        query: &'static str,
        logged_in_at: Option<Timestamp>,
        expected: Expected,
        memberships: Vec<Membership>,
        consents: Vec<Consent>,
        resource: Resource,
        policy: Policy,
    }

    impl Default for Case {
        fn default() -> Self {
            Self {
                client: fixtures::client(&["http://127.0.0.1/cb"]),
                query: "&scope=read+write",
                logged_in_at: Some(at(500)),
                expected: Expected::Anybody,
                memberships: vec![membership("acme", &[])],
                consents: Vec::new(),
                resource: resource(),
                policy: policy(),
            }
        }
    }

    impl Case {
        fn with<T>(&self, run: impl FnOnce(Situation<'_>) -> T) -> T {
            let query = format!(
                "client_id={}&response_type=code&code_challenge={}&code_challenge_method=S256{}",
                self.client.id,
                "A".repeat(43),
                self.query
            );
            let received = Received::parse(Params::parse(query.as_bytes()).unwrap()).unwrap();
            let request =
                received.address(self.client.clone(), &self.policy.issuer).unwrap().validate().unwrap();
            let alice = fixtures::grant().user;
            run(Situation {
                request: &request,
                resource: &self.resource,
                logged_in_at: self.logged_in_at,
                person: self.logged_in_at.map(|_| &alice),
                expected: &self.expected,
                began_at: at(1000),
                memberships: &self.memberships,
                consents: &self.consents,
                policy: &self.policy,
            })
        }

        fn step(&self) -> Step {
            self.with(|situation| situation.next_step())
        }

        fn ask(&self) -> Ask {
            match self.step() {
                Step::Consent(ask) => ask,
                other => panic!("{other:?}"),
            }
        }

        fn rejection(&self) -> ErrorCode {
            match self.step() {
                Step::Reject(error) => error.code(),
                other => panic!("{other:?}"),
            }
        }
    }

    fn consent(tenant: &str, allowed: &str, host: &str, given_at: i64) -> Consent {
        Consent {
            user: fixtures::grant().user,
            client: fixtures::grant().client,
            tenant: TenantId::parse(tenant).unwrap(),
            resource: resource().uri,
            scope: scope(allowed),
            redirect_host: host.to_owned(),
            document_digest: None,
            given_at: at(given_at),
        }
    }

    fn first_party() -> Client {
        Client {
            first_party: true,
            origin: ClientOrigin::Config,
            ..fixtures::client(&["http://127.0.0.1/cb"])
        }
    }

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
    fn who_is_told_about_is_a_choice_but_for_openid() {
        // OpenID Connect Core §3.1.2.4, §5.4
        let acme = TenantId::parse("acme").unwrap();
        let mut case = Case { query: "&scope=openid+read+email+profile+offline_access", ..Case::default() };
        assert_eq!(case.ask().offered, scope("read openid email profile"));
        case.with(|situation| {
            let agreed =
                |chosen: &str| situation.agree(&scope(chosen), &acme).map(|agreement| agreement.scope);
            assert_eq!(agreed("read email"), Ok(scope("read openid email offline_access")));
            assert_eq!(agreed(""), Ok(scope("openid offline_access")), "to be known is what remains");
        });
        case.query = "&scope=openid+admin";
        assert_eq!(case.ask().offered, scope("openid"), "nothing of the resource is theirs to give");
        case.policy.registration_scopes = Some(scope("read openid"));
        case.query = "&scope=openid+read+email";
        assert_eq!(case.ask().offered, scope("read openid"), "the operator's ceiling");
        case.policy.registration_scopes = Some(scope("read email"));
        assert_eq!(case.ask().offered, scope("read"), "without openid, nothing is told");
    }

    #[test]
    fn an_unknown_program_is_always_asked_about() {
        // RFC 8252 §8.6
        let mut case = Case::default();
        let ask = case.ask();
        assert_eq!((ask.offered, ask.remembered, ask.is_repetition), (scope("read write"), scope(""), false));
        assert_eq!(ask.tenants, case.memberships);
        case.consents = vec![consent("acme", "read write", "127.0.0.1", 1)];
        let again = case.ask();
        assert_eq!((again.remembered, again.is_repetition), (scope("read write"), true));
        case.query = "&scope=read&prompt=none";
        assert_eq!(case.rejection(), ErrorCode::ConsentRequired);
    }

    #[test]
    fn what_is_new_is_told_from_what_was_allowed() {
        let consents = vec![consent("acme", "read", "127.0.0.1", 1)];
        let ask = Case { consents, ..Case::default() }.ask();
        assert_eq!((ask.remembered, ask.is_repetition), (scope("read"), false));
        for (tenant, host) in [("acme", "evil.example"), ("globex", "127.0.0.1")] {
            let consents = vec![consent(tenant, "read write", host, 1)];
            let ask = Case { consents, ..Case::default() }.ask();
            assert_eq!((ask.remembered, ask.is_repetition), (scope(""), false), "{tenant} {host}");
        }
    }

    #[test]
    fn only_the_operators_own_clients_skip_the_page() {
        let mut case = Case { client: first_party(), ..Case::default() };
        let Step::Issue(agreement) = case.step() else { panic!("asked") };
        assert_eq!((agreement.tenant.as_str(), agreement.scope), ("acme", scope("read write")));
        case.query = "&prompt=consent";
        assert!(matches!(case.step(), Step::Consent(_)));
        case.query = "";
        case.memberships.push(membership("globex", &[]));
        assert!(matches!(case.step(), Step::Consent(_)), "several tenants and no wish");
        case.query = "&tenant=globex";
        let Step::Issue(agreement) = case.step() else { panic!("asked") };
        assert_eq!(agreement.tenant.as_str(), "globex");
    }

    const DOCUMENT: &str = "https://app.example/client.json";

    /// A client that is known by its document, and was allowed everything before.
    fn by_document(redirect_uri: &str, methods: &[ClientAuthMethod]) -> Case {
        let mut case = Case { client: fixtures::client(&[redirect_uri]), ..Case::default() };
        case.client.origin = ClientOrigin::Document;
        case.client.id = crate::protocol::ClientId::parse(DOCUMENT).unwrap();
        case.client.auth_methods = methods.to_vec();
        case.client.document = Some(DocumentState { digest: "one".to_owned(), fresh_until: at(0) });
        let host = case.client.redirect_uris[0].consent_host();
        let given = consent("acme", "read write", &host, 1);
        case.consents = vec![Consent { document_digest: Some("one".to_owned()), ..given }];
        case
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
    fn a_changed_document_is_another_client_to_decide_about() {
        // Client ID Metadata Documents §6
        let mut case = by_document("http://127.0.0.1/cb", &[ClientAuthMethod::None]);
        let ask = case.ask();
        assert_eq!((ask.remembered, ask.is_repetition, ask.has_changed), (scope("read write"), true, false));
        case.consents[0].document_digest = Some("two".to_owned());
        let ask = case.ask();
        assert_eq!((ask.remembered, ask.is_repetition, ask.has_changed), (scope(""), false, true));
        case.query = "&scope=read";
        case.with(|situation| {
            let agreement = situation.agree(&scope("read"), &TenantId::parse("acme").unwrap()).unwrap();
            assert_eq!(agreement.remembered, scope("read"), "what the other was allowed is forgotten");
        });
        case.consents.clear();
        assert!(!case.ask().has_changed, "it was never allowed");
    }

    #[test]
    fn a_client_that_is_not_asked_about_needs_no_page() {
        // OpenID Connect Core §3.1.2.1, prompt=none
        let case = Case { client: first_party(), query: "&scope=read&prompt=none", ..Case::default() };
        assert!(matches!(case.step(), Step::Issue(_)));
    }

    #[test]
    fn tenants_are_those_of_person_resource_and_client_together() {
        let both = vec![membership("acme", &[]), membership("globex", &[])];
        let order =
            |case: &Case| case.ask().tenants.iter().map(|m| m.tenant.id.to_string()).collect::<Vec<_>>();
        let mut case = Case { memberships: both, ..Case::default() };
        assert_eq!(order(&case), ["acme", "globex"]);
        case.query = "&tenant=globex";
        assert_eq!(order(&case), ["globex", "acme"]);
        case.query = "&tenant=initech";
        assert_eq!(order(&case), ["acme", "globex"], "a wish for a foreign tenant is none");
        case.consents =
            vec![consent("acme", "read", "127.0.0.1", 1), consent("globex", "read", "127.0.0.1", 2)];
        assert_eq!(order(&case), ["globex", "acme"], "the latest choice is proposed");
        case.resource.tenants = vec![TenantId::parse("acme").unwrap()];
        assert_eq!(order(&case), ["acme"]);
        case.client.tenant = TenantId::parse("globex");
        assert_eq!(case.rejection(), ErrorCode::AccessDenied);
        case.resource.tenants.clear();
        assert_eq!(order(&case), ["globex"]);
        case.memberships.clear();
        assert_eq!(case.rejection(), ErrorCode::AccessDenied);
    }

    #[test]
    fn nobody_gives_away_what_their_role_does_not_allow() {
        let mut case = Case { query: "&scope=admin", ..Case::default() };
        assert_eq!(case.rejection(), ErrorCode::InvalidScope);
        case.memberships.push(membership("globex", &["owner"]));
        assert_eq!(case.ask().offered, scope("admin"));
        case.query = "&scope=admin+read";
        assert_eq!(case.ask().offered, scope("admin read"), "in the order in which it was asked");
        let (acme, globex) = (TenantId::parse("acme").unwrap(), TenantId::parse("globex").unwrap());
        case.with(|situation| {
            let all = scope("admin read");
            assert_eq!(situation.agree(&all, &acme).map(|a| a.scope), Ok(scope("read")));
            assert_eq!(situation.agree(&all, &globex).map(|a| a.scope), Ok(scope("admin read")));
        });
    }

    #[test]
    fn a_tenant_where_nothing_of_it_is_theirs_to_give_is_refused_and_not_granted_emptily() {
        // RFC 6749 §3.3
        let acme = TenantId::parse("acme").unwrap();
        let mut case = Case { query: "&scope=admin&tenant=acme", ..Case::default() };
        case.memberships.push(membership("globex", &["owner"]));
        assert_eq!(case.ask().offered, scope("admin"), "another tenant can be chosen");
        case.with(|situation| {
            let error = situation.agree(&scope("admin"), &acme).unwrap_err();
            assert_eq!(error.code(), ErrorCode::AccessDenied);
        });
        case.client = first_party();
        assert_eq!(case.rejection(), ErrorCode::AccessDenied);
    }

    #[test]
    fn what_was_allowed_for_another_receiver_is_not_remembered_for_this_one() {
        let consents = vec![consent("acme", "write other", "evil.example", 1)];
        let case = Case { consents, ..Case::default() };
        case.with(|situation| {
            let agreement = situation.agree(&scope("read"), &TenantId::parse("acme").unwrap()).unwrap();
            assert_eq!(agreement.remembered, scope("read"));
        });
    }

    #[test]
    fn what_the_person_unticks_is_not_granted() {
        // RFC 9700 §4.14.2 and OAuth 2.1 §7.9: the grant is what was agreed to
        let acme = TenantId::parse("acme").unwrap();
        let mut case = Case { query: "&scope=read+write+offline_access", ..Case::default() };
        case.consents = vec![consent("acme", "write other", "127.0.0.1", 1)];
        case.with(|situation| {
            let agreement = situation.agree(&scope("read admin offline_access"), &acme).unwrap();
            assert_eq!(agreement.scope, scope("read offline_access"));
            assert_eq!(agreement.remembered, scope("other read"));
            let nothing = situation.agree(&Scope::default(), &acme).unwrap_err();
            assert_eq!(nothing.code(), ErrorCode::AccessDenied);
            let foreign = situation.agree(&scope("read"), &TenantId::parse("globex").unwrap()).unwrap_err();
            assert_eq!(foreign.code(), ErrorCode::AccessDenied);
        });
    }

    #[test]
    fn nothing_asked_of_a_developers_server_is_nothing_granted() {
        let mut case = Case { query: "", ..Case::default() };
        case.resource = Resource::unregistered(case.resource.uri);
        let ask = case.ask();
        assert_eq!((ask.offered, ask.is_repetition), (Scope::default(), false), "it was never asked before");
        case.with(|situation| {
            let agreement = situation.agree(&Scope::default(), &TenantId::parse("acme").unwrap()).unwrap();
            assert!(agreement.scope.is_empty());
        });
    }

    #[test]
    fn a_registered_scope_is_a_default_and_the_ceiling_is_the_servers() {
        let mut case = Case { query: "", ..Case::default() };
        case.client.scope = Some(scope("write"));
        assert_eq!(case.ask().offered, scope("write"));
        case.query = "&scope=read+write";
        assert_eq!(case.ask().offered, scope("read write"), "step-up beyond the registered scope");
        case.policy.registration_scopes = Some(scope("read"));
        assert_eq!(case.ask().offered, scope("read"));
        case.client.origin = ClientOrigin::Admin;
        assert_eq!(case.ask().offered, scope("read write"));
    }
}
