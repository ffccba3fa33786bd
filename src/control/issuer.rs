//! One issuer of a test: a whole server, and what the test holds in its hands of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::RwLock;

use super::answer::Refused;
use super::auto::Auto;
use super::capture::Log;
use super::faults::Faults;
use super::personas::Happening;
use super::ready_made::PASSWORD;
use super::snapshot::Snapshot;
use super::spec::{Described, IssuerSpec, KeyChoice, describe};
use crate::app::{App, Setup, StartError};
use crate::clock::Clock;
use crate::fetch::{Fetcher, Supplied};
use crate::flow::admin::Admin;
use crate::http::SiteFacts;
use crate::pages::{self, ModeNotice};
use crate::protocol::{Issuer, KnownScopes, PublicUrl, Timestamp};
use crate::random::Random;
use crate::store::{Mode, StoreOptions};
use crate::tokens::{KeyEncryptionKey, PasswordHasher, TEST_KEYS, TestKey};

/// Where the clock starts of an issuer with a seed and nothing else: 2027-01-15 08:00:00 UTC.
const START: i64 = 1_800_000_000;
/// How the audit log calls whoever holds the control key.
const ACTOR: &str = "control plane";

/// An issuer of a test.
pub struct TestIssuer {
    name: String,
    issuer: Issuer,
    control_url: String,
    key_choice: KeyChoice,
    loopback_resources: bool,
    number: usize,
    clock: Clock,
    random: Random,
    fetcher: Fetcher,
    database: PathBuf,
    /// Until when it is there, by the machine's monotonic clock, and as the machine's time.
    until: Option<(Instant, i64)>,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) held: Mutex<Held>,
    pub(super) snapshots: Mutex<BTreeMap<String, Snapshot>>,
    /// Requests hold it to read; whoever exchanges the server waits for them.
    running: RwLock<Running>,
}

/// What can be changed about an issuer and is not in its database.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// The configuration, as the test gave it.
    pub(super) config: Map<String, Value>,
    pub(super) auto: Option<Auto>,
    pub(super) persona: Option<String>,
    /// What the persona is still to do.
    pub(super) happens: Option<Happening>,
    /// Keys that are left out of the JWKS.
    pub(super) hidden_keys: BTreeSet<String>,
    /// Test keys that were used.
    pub(super) keys_used: usize,
}

pub(super) struct Running {
    pub(super) app: App,
    pub(super) router: Router,
    pub(super) described: Described,
}

/// What a new issuer is made of.
pub(super) struct Foundation {
    pub(super) name: String,
    pub(super) public_url: PublicUrl,
    pub(super) control_url: String,
    pub(super) database: PathBuf,
    /// How many issuers there were before: which of the test keys is its own follows from that.
    pub(super) number: usize,
}

/// What a test is told of its issuer.
#[derive(Clone, Debug, Serialize)]
pub struct IssuerView {
    /// Its name.
    pub name: String,
    /// The issuer, byte for byte.
    pub issuer: String,
    /// Where its pages are.
    pub url: String,
    /// Where its control routes are.
    pub control_url: String,
    /// Its metadata (RFC 8414).
    pub metadata_url: String,
    /// Its public keys.
    pub jwks_uri: String,
    /// Its present.
    pub now: i64,
    /// When it ends by itself, by the machine's clock.
    pub expires_at: Option<i64>,
    /// Who can log in, by what password.
    pub people: Vec<Value>,
    /// The clients that it knows from the start.
    pub clients: Vec<Value>,
    /// The MCP servers.
    pub resources: Vec<Value>,
    /// The names of its published keys.
    pub keys: Vec<String>,
}

impl TestIssuer {
    /// Makes a server as the spec says.
    ///
    /// # Errors
    /// The spec makes no sense.
    pub(super) async fn make(foundation: Foundation, spec: IssuerSpec) -> Result<Self, Refused> {
        let Foundation { name, public_url, control_url, database, number } = foundation;
        // What has a seed has the same keys each time, however many issuers there were before.
        let number = spec.seed.map_or(number, |seed| usize::try_from(seed % 1000).unwrap_or_default());
        let text = public_url.page_url(spec.issuer_path.as_deref().unwrap_or("/oauth"));
        let issuer = Issuer::within(&public_url, &text);
        let issuer = issuer.map_err(|error| Refused::invalid(format!("issuer_path: {error}")))?;
        let loopback_resources = spec.loopback_resources.unwrap_or(true);
        let described = describe(&issuer, &spec.config, loopback_resources)?;
        let documents = spec.documents.iter();
        let documents = documents.map(|(url, body)| (url.clone(), Supplied::document(body.to_string())));
        let fetcher = Fetcher::supplied(documents.collect::<HashMap<_, _>>());
        let random = spec.seed.map_or_else(Random::system, Random::seeded);
        let until = spec.expires_in.map(|seconds| {
            let at = Clock::system().now().plus(Duration::from_secs(seconds));
            (Instant::now() + Duration::from_secs(seconds.min(u64::from(u32::MAX))), at.seconds())
        });
        let clock = clock(&spec);
        let held = Held { config: spec.config, auto: spec.auto, ..Held::default() };
        let parts = Parts {
            key_choice: spec.keys,
            number,
            clock: &clock,
            random: &random,
            fetcher: &fetcher,
            database: &database,
        };
        let running = parts.start(described).await?;
        Ok(Self {
            name,
            issuer,
            control_url,
            key_choice: spec.keys,
            loopback_resources,
            number,
            clock,
            random,
            fetcher,
            database,
            until,
            faults: Faults::default(),
            log: Log::default(),
            held: Mutex::new(held),
            snapshots: Mutex::default(),
            running: RwLock::new(running),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn random(&self) -> &Random {
        &self.random
    }

    pub(super) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    pub(super) fn database(&self) -> &PathBuf {
        &self.database
    }

    /// Whether its time is over.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|(until, _)| until <= now)
    }

    /// The server itself.
    pub async fn app(&self) -> App {
        self.running.read().await.app.clone()
    }

    /// Whoever holds the control key, as an administrator.
    pub(super) async fn administrator(&self) -> Admin {
        self.running.read().await.app.engine().administrator(ACTOR)
    }

    pub(super) fn running(&self) -> &RwLock<Running> {
        &self.running
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The test key that comes next.
    pub(super) fn next_test_key(&self) -> TestKey {
        let mut held = self.held();
        held.keys_used += 1;
        test_key(self.number + held.keys_used)
    }

    /// Whether its keys come from the repository.
    pub(super) fn is_of_pool(&self) -> bool {
        self.key_choice == KeyChoice::Pool
    }

    /// Exchanges the configuration, and with it the server in front of the same database.
    ///
    /// # Errors
    /// It makes no sense; then everything stays as it is.
    pub async fn configure(&self, config: Map<String, Value>) -> Result<(), Refused> {
        let described = describe(&self.issuer, &config, self.loopback_resources)?;
        let mut running = self.running.write().await;
        running.app.close().await;
        *running = self.parts().start(described).await?;
        self.held().config = config;
        Ok(())
    }

    /// Starts the server again, after its database was exchanged while `running` was locked.
    pub(super) async fn start_again(
        &self,
        running: &mut Running,
        config: &Map<String, Value>,
    ) -> Result<(), Refused> {
        let described = describe(&self.issuer, config, self.loopback_resources)?;
        *running = self.parts().start(described).await?;
        Ok(())
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            key_choice: self.key_choice,
            number: self.number,
            clock: &self.clock,
            random: &self.random,
            fetcher: &self.fetcher,
            database: &self.database,
        }
    }

    /// What a test is told of it.
    pub async fn view(&self) -> IssuerView {
        let running = self.running.read().await;
        let hidden = self.held().hidden_keys.clone();
        let ring = running.app.engine().keys_to_publish().await;
        let keys = ring.published().iter().map(|key| key.kid().to_owned());
        let Described { config, secrets, passwords } = &running.described;
        let origin = self.issuer.origin();
        let people = config.declared.users.iter().map(|user| {
            let memberships = user.memberships.iter();
            let memberships: Vec<Value> =
                memberships.map(|it| json!({ "tenant": it.tenant, "roles": it.roles })).collect();
            let password = passwords.get(&user.username).map_or(PASSWORD, String::as_str);
            json!({ "username": user.username, "password": password, "memberships": memberships })
        });
        let clients = config.declared.clients.iter().map(|declared| {
            let client = &declared.client;
            let uris: Vec<String> = client.redirect_uris.iter().map(ToString::to_string).collect();
            let mut view = json!({ "client_id": client.id, "redirect_uris": uris });
            if let Some(secret) = secrets.get(client.id.as_str()) {
                view["client_secret"] = secret.as_str().into();
            }
            if !client.machine_scopes.is_empty() {
                let scopes: Vec<String> = client.machine_scopes.iter().map(ToString::to_string).collect();
                view["scopes"] = json!(scopes);
            }
            view
        });
        let resources = config.declared.resources.iter().map(|resource| {
            let scopes: Vec<String> = match &resource.scopes {
                KnownScopes::Listed(scopes) => scopes.iter().map(|scope| scope.token.to_string()).collect(),
                KnownScopes::Any => Vec::new(),
            };
            json!({ "uri": resource.uri.to_string(), "audience": resource.audience(), "scopes": scopes })
        });
        IssuerView {
            name: self.name.clone(),
            issuer: self.issuer.to_string(),
            url: self.issuer.public_url().page_url(""),
            control_url: self.control_url.clone(),
            metadata_url: format!(
                "{origin}/.well-known/oauth-authorization-server{}",
                self.issuer.base_path()
            ),
            jwks_uri: self.issuer.endpoint("jwks"),
            now: self.clock.now().seconds(),
            expires_at: self.until.map(|(_, at)| at),
            people: people.collect(),
            clients: clients.collect(),
            resources: resources.collect(),
            keys: keys.filter(|kid| !hidden.contains(kid)).collect(),
        }
    }

    /// Ends it, and its database with it.
    pub(super) async fn end(&self) {
        self.running.write().await.app.close().await;
        for suffix in ["", "-wal", "-shm"] {
            let mut file = self.database.clone().into_os_string();
            file.push(suffix);
            // What is gone already needs no removing.
            let _ = std::fs::remove_file(file);
        }
    }
}

fn clock(spec: &IssuerSpec) -> Clock {
    let given = spec.now.or(spec.seed.map(|_| START));
    let start = given.map_or_else(|| Clock::system().now(), Timestamp::from_seconds);
    let frozen = spec.frozen.unwrap_or(given.is_some());
    if frozen { Clock::fixed(start) } else { Clock::running_from(start) }
}

fn test_key(number: usize) -> TestKey {
    TEST_KEYS[number % TEST_KEYS.len()]
}

/// What a server is started from, again and again.
struct Parts<'a> {
    key_choice: KeyChoice,
    number: usize,
    clock: &'a Clock,
    random: &'a Random,
    fetcher: &'a Fetcher,
    database: &'a PathBuf,
}

impl Parts<'_> {
    async fn start(&self, described: Described) -> Result<Running, StartError> {
        let mut store = StoreOptions::new(format!("sqlite:{}", self.database.display()), Mode::Test);
        store.durable = false;
        store.random = self.random.clone();
        let signing_key = match self.key_choice {
            KeyChoice::Pool => Some(test_key(self.number).signing_key()),
            KeyChoice::Fresh => None,
        };
        let config = described.config.clone();
        let app = App::build(Setup {
            policy: config.policy,
            store,
            key: KeyEncryptionKey::from_bytes(&[0x67; 32]),
            signing_key,
            declared: config.declared,
            facts: SiteFacts {
                mode_notice: Some(ModeNotice { mode: pages::Mode::Test, exposed: false }),
                ..SiteFacts::default()
            },
            one_click_login: false,
            fetcher: self.fetcher.clone(),
            passwords: PasswordHasher::new(self.random.clone()),
            clock: self.clock.clone(),
            random: self.random.clone(),
        })
        .await?;
        let router = app.router(Router::new());
        Ok(Running { app, router, described })
    }
}
