//! A small world in a store: people, a tenant, a client, an MCP server, and somebody who is logged in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::protocol::*;
use gatelet::store::{
    Admission, Declarations, DeclaredMembership, DeclaredUser, Issue, Outcome, RegistrationOutcome,
    ServerSecret, Store,
};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::Database;

/// The present.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// How many tasks compete in a race.
pub(crate) const RACERS: usize = 32;

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// Bytes that nobody else has drawn.
pub(crate) fn chance() -> [u8; 10] {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

pub(crate) fn audit(kind: AuditKind) -> AuditEvent {
    AuditEvent::new(NOW, kind)
}

pub(crate) fn audit_at(at: Timestamp, kind: AuditKind) -> AuditEvent {
    AuditEvent::new(at, kind)
}

pub(crate) fn user_id(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

pub(crate) fn tenant_id(text: &str) -> TenantId {
    TenantId::parse(text).unwrap()
}

pub(crate) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

pub(crate) fn resource_uri(text: &str) -> ResourceUri {
    ResourceUri::parse(text).unwrap()
}

pub(crate) fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

pub(crate) fn hash(text: &str) -> SecretHash {
    SecretHash::from_stored(text.to_owned())
}

pub(crate) fn tenant(id: &str) -> Tenant {
    Tenant { id: tenant_id(id), name: format!("The {id} company") }
}

/// Attributes of one text each.
pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (AttributeName::parse(name).unwrap(), Attribute::One((*value).to_owned())));
    pairs.collect()
}

pub(crate) fn person(id: &str, tenants: &[&str]) -> DeclaredUser {
    let role = RoleName::parse("editor").unwrap();
    DeclaredUser {
        user: User {
            id: user_id(id),
            username: id.to_uppercase(),
            name: Some(format!("{id} Example")),
            email: None,
            suspended_at: None,
        },
        password_hash: Some(PasswordHash::from_stored("$argon2id$of-a-password".into())),
        attributes: attributes(&[("department", "sales")]),
        memberships: tenants
            .iter()
            .map(|tenant| DeclaredMembership {
                tenant: tenant_id(tenant),
                roles: vec![role.clone()],
                attributes: attributes(&[("seat", tenant)]),
            })
            .collect(),
    }
}

pub(crate) fn client(id: &str, origin: ClientOrigin) -> Client {
    Client {
        name: Some("An app".into()),
        redirect_uris: vec![RedirectUri::parse("https://app.example/callback").unwrap()],
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scope: Some(scope("read")),
        ..Client::new(client_id(id), origin, NOW)
    }
}

pub(crate) fn notes() -> Resource {
    let known = |token: &str, roles: &[&str]| ResourceScope {
        description: format!("May {token} \"notes\""),
        roles: roles.iter().map(|role| RoleName::parse(role).unwrap()).collect(),
        max_age: Some(Duration::from_secs(300)),
        ..ResourceScope::new(ScopeToken::parse(token).unwrap())
    };
    Resource {
        uri: resource_uri("https://mcp.example.com/mcp"),
        aliases: vec![resource_uri("https://old.example.com/mcp")],
        name: "Notes".into(),
        audience: None,
        scopes: KnownScopes::Listed(vec![known("read", &[]), known("write", &["editor"])]),
        default_scopes: scope("read"),
        tenants: vec![tenant_id("acme")],
        claims: vec![ClaimMapping {
            name: ClaimName::parse("department").unwrap(),
            from: ClaimSource::parse("user.attributes.department").unwrap(),
        }],
        signing_alg: SigningAlg::Es256,
        access_token_ttl: Some(Duration::from_secs(300)),
    }
}

pub(crate) fn declarations() -> Declarations {
    Declarations {
        tenants: vec![tenant("acme"), tenant("globex")],
        roles: vec![Role { name: RoleName::parse("editor").unwrap(), description: "Edits".into() }],
        users: vec![person("alice", &["acme", "globex"]), person("bob", &["acme"])],
        resources: vec![notes()],
        clients: vec![client("app", ClientOrigin::Config)],
        registration_tokens: Vec::new(),
    }
}

pub(crate) fn server_secret(name: &str) -> ServerSecret {
    ServerSecret {
        id: ServerSecretId::new(NOW, chance()),
        sealed: Sealed::from_stored(name.to_owned()),
        created_at: NOW,
        is_current: true,
    }
}

/// A store with the declared world in it, where alice is logged in.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) store: Store,
    pub(crate) session: BrowserSessionId,
    pub(crate) secret: ServerSecretId,
}

impl World {
    pub(crate) async fn new(database: Database) -> Self {
        let store = database.open().await;
        store.reconcile(declarations(), NOW).await.unwrap();
        let secret = store.ensure_server_secret(server_secret("sealed")).await.unwrap().id;
        let session = BrowserSessionId::new(NOW, chance());
        let world = Self { database, store, session, secret };
        assert_eq!(world.log_in(&world.session, "alice").await, Outcome::Won(()));
        world
    }

    pub(crate) async fn log_in(&self, id: &BrowserSessionId, user: &str) -> Outcome {
        let session = BrowserSession {
            id: id.clone(),
            user: user_id(user),
            auth_time: NOW,
            seen_at: NOW,
            expires_at: later(3600),
        };
        self.store.start_browser_session(session, hash("cookie"), audit(AuditKind::LoggedIn)).await.unwrap()
    }

    /// Registers a client, of which at most ten may wait for their first grant.
    pub(crate) async fn registers(&self, candidate: Client, fingerprint: &str) -> RegistrationOutcome {
        let event = audit_at(candidate.registered_at, AuditKind::ClientRegistered).client(&candidate.id);
        // A client with a secret shares its row with nobody.
        let fingerprint = candidate.secret_hashes.is_empty().then(|| fingerprint.to_owned());
        let admission = Admission::Open { fingerprint, most_unused: 10 };
        self.store.register_client(candidate, admission, event).await.unwrap()
    }

    /// Registers a client that nothing speaks against.
    pub(crate) async fn registered(&self, candidate: Client, fingerprint: &str) -> Client {
        match self.registers(candidate, fingerprint).await {
            RegistrationOutcome::Registered(client) => *client,
            other => panic!("not registered: {other:?}"),
        }
    }

    pub(crate) async fn park(&self) -> InteractionId {
        let id = InteractionId::new(NOW, chance());
        let (session, request) = (self.session.clone(), "client_id=app&state=%00".to_owned());
        let interaction = Interaction { id: id.clone(), session, request, expires_at: later(600) };
        self.store.park_interaction(interaction).await.unwrap();
        id
    }

    /// A completed authorization of alice's, with identifiers of its own.
    pub(crate) fn completed(&self) -> Issue {
        let grant = Grant {
            id: GrantId::new(NOW, chance()),
            user: user_id("alice"),
            client: client_id("app"),
            tenant: tenant_id("acme"),
            resources: vec![Granted { resource: notes().uri, scope: scope("read") }],
            general: scope("offline_access"),
            auth_time: NOW,
            issued_at: NOW,
            secret: self.secret.clone(),
            refresh: None,
            revoked_at: None,
        };
        let code = AuthorizationCode {
            id: CodeId::new(NOW, chance()),
            grant: grant.id.clone(),
            client: grant.client.clone(),
            redirect_uri: RedirectUri::parse("https://app.example/callback").unwrap(),
            challenge: CodeChallenge::parse(&"c".repeat(43)).unwrap(),
            expires_at: later(60),
            redeemed_at: None,
            wrong_verifiers: 0,
            nonce: Some("n-0S6_WzA2Mj".into()),
        };
        let consent = Consent {
            user: grant.user.clone(),
            client: grant.client.clone(),
            tenant: grant.tenant.clone(),
            resource: notes().uri,
            scope: scope("read"),
            refused: scope("write"),
            redirect_host: "app.example".into(),
            document_digest: None,
            given_at: NOW,
        };
        Issue {
            session: self.session.clone(),
            interaction: None,
            consents: vec![consent],
            grant,
            code,
            code_secret_hash: hash("code"),
        }
    }

    pub(crate) async fn issue(&self, issue: &Issue) -> Outcome {
        let audit = audit(AuditKind::GrantIssued).grant(&issue.grant);
        self.store.issue(issue.clone(), audit).await.unwrap()
    }

    /// A grant with a code that waits.
    pub(crate) async fn issued(&self) -> Issue {
        let issue = self.completed();
        assert_eq!(self.issue(&issue).await, Outcome::Won(()));
        issue
    }

    pub(crate) async fn redeem(&self, code: &CodeId) -> Outcome {
        self.store.redeem_code(code, Some(first_refresh()), audit(AuditKind::CodeRedeemed)).await.unwrap()
    }

    /// A grant with a live refresh token of generation 0.
    pub(crate) async fn refreshable(&self) -> GrantId {
        let issue = self.issued().await;
        assert_eq!(self.redeem(&issue.code.id).await, Outcome::Won(()));
        issue.grant.id
    }

    /// Revokes an access token that expires after 900 seconds.
    pub(crate) async fn revoke_token(&self, jti: &str) -> Outcome {
        let audit = audit(AuditKind::AccessTokenRevoked);
        self.store.revoke_access_token(jti, later(900), audit).await.unwrap()
    }

    pub(crate) async fn is_alive(&self, grant: &GrantId) -> bool {
        self.store.grant(grant).await.unwrap().unwrap().is_alive
    }
}

pub(crate) fn first_refresh() -> RefreshState {
    RefreshState {
        generation: 0,
        rotated_at: NOW,
        retries: 0,
        idle_expires_at: later(1000),
        expires_at: later(5000),
    }
}

/// Lets tasks begin at the same moment and gathers their answers.
pub(crate) async fn race<T, F>(runner: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let start = Arc::new(Barrier::new(RACERS));
    let mut tasks = JoinSet::new();
    for number in 0..RACERS {
        let (start, run) = (start.clone(), runner(number));
        tasks.spawn(async move {
            start.wait().await;
            run.await
        });
    }
    tasks.join_all().await
}

pub(crate) fn winners(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_won()).count()
}
