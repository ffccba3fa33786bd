//! A situation whose parts a test can change.

use super::ask::{Agreement, Ask, AskedResource, Tick};
use super::fixtures::{self, at, membership, policy, resource, scope};
use super::step::{Expected, Situation, Step};
use super::{
    Client, ClientAuthMethod, ClientId, ClientOrigin, Consent, DocumentState, ErrorCode, Membership,
    OAuthError, Params, Policy, Received, Resource, ResourceUri, Scope, TenantId, Timestamp,
};

/// See the module.
pub(super) struct Case {
    pub(super) client: Client,
    pub(super) query: &'static str,
    pub(super) logged_in_at: Option<Timestamp>,
    pub(super) expected: Expected,
    pub(super) memberships: Vec<Membership>,
    pub(super) consents: Vec<Consent>,
    pub(super) resources: Vec<Resource>,
    pub(super) policy: Policy,
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
            resources: vec![resource()],
            policy: policy(),
        }
    }
}

impl Case {
    pub(super) fn with<T>(&self, run: impl FnOnce(Situation<'_>) -> T) -> T {
        let query = format!(
            "client_id={}&response_type=code&code_challenge={}&code_challenge_method=S256{}",
            self.client.id,
            "A".repeat(43),
            self.query
        );
        let received = Received::parse(Params::parse(query.as_bytes()).unwrap()).unwrap();
        let request = received.address(self.client.clone(), &self.policy.issuer).unwrap().validate().unwrap();
        let alice = fixtures::grant().user;
        run(Situation {
            request: &request,
            resources: &self.resources,
            logged_in_at: self.logged_in_at,
            person: self.logged_in_at.map(|_| &alice),
            expected: &self.expected,
            began_at: at(1000),
            memberships: &self.memberships,
            consents: &self.consents,
            policy: &self.policy,
        })
    }

    pub(super) fn step(&self) -> Step {
        self.with(|situation| situation.next_step())
    }

    pub(super) fn ask(&self) -> Ask {
        match self.step() {
            Step::Consent(ask) => ask,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn rejection(&self) -> ErrorCode {
        match self.step() {
            Step::Reject(error) => error.code(),
            other => panic!("{other:?}"),
        }
    }

    /// What ticking these at the first resource comes to.
    pub(super) fn agree(&self, scopes: &str, tenant: &str) -> Result<Agreement, OAuthError> {
        let ticks = ticks(&self.resources[0].uri, scopes);
        self.agree_to(&ticks, tenant)
    }

    /// What these ticks come to.
    pub(super) fn agree_to(&self, ticks: &[Tick], tenant: &str) -> Result<Agreement, OAuthError> {
        let tenant = TenantId::parse(tenant).unwrap();
        self.with(|situation| situation.agree(&situation.ask()?, ticks, &tenant))
    }
}

impl Ask {
    /// What is asked about the only resource.
    pub(super) fn only(&self) -> &AskedResource {
        assert_eq!(self.resources.len(), 1);
        &self.resources[0]
    }
}

impl Agreement {
    /// What is granted at the only resource, with what belongs to none.
    pub(super) fn scope(&self) -> Scope {
        assert_eq!(self.resources.len(), 1);
        self.resources[0].scope.union(&self.general)
    }

    /// What is remembered to be allowed and refused at the only resource.
    pub(super) fn remembered(&self) -> (String, String) {
        assert_eq!(self.decisions.len(), 1);
        (self.decisions[0].allowed.to_string(), self.decisions[0].refused.to_string())
    }
}

pub(super) fn ticks(resource: &ResourceUri, scopes: &str) -> Vec<Tick> {
    let tick = |token: &_| Tick { resource: resource.clone(), scope: Some(Clone::clone(token)) };
    scope(scopes).iter().map(tick).collect()
}

pub(super) fn consent(tenant: &str, allowed: &str, host: &str, given_at: i64) -> Consent {
    Consent {
        user: fixtures::grant().user,
        client: fixtures::grant().client,
        tenant: TenantId::parse(tenant).unwrap(),
        resource: resource().uri,
        scope: scope(allowed),
        refused: Scope::default(),
        redirect_host: host.to_owned(),
        document_digest: None,
        given_at: at(given_at),
    }
}

pub(super) fn first_party() -> Client {
    Client { first_party: true, origin: ClientOrigin::Config, ..fixtures::client(&["http://127.0.0.1/cb"]) }
}

const DOCUMENT: &str = "https://app.example/client.json";

/// A client that is known by its document, and was allowed everything before.
pub(super) fn by_document(redirect_uri: &str, methods: &[ClientAuthMethod]) -> Case {
    let mut case = Case { client: fixtures::client(&[redirect_uri]), ..Case::default() };
    case.client.origin = ClientOrigin::Document;
    case.client.id = ClientId::parse(DOCUMENT).unwrap();
    case.client.auth_methods = methods.to_vec();
    case.client.document = Some(DocumentState { digest: "one".to_owned(), fresh_until: at(0) });
    let host = case.client.redirect_uris[0].consent_host();
    let given = consent("acme", "read write", &host, 1);
    case.consents = vec![Consent { document_digest: Some("one".to_owned()), ..given }];
    case
}
