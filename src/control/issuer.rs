//! One issuer of a test: a whole server, and what the test holds in its hands of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::answer::Refused;
use super::auto::Auto;
use super::capture::{Captured, Log, Pattern};
use super::faults::{Fault, FaultSpec, Faults};
use super::personas::Happening;
use super::snapshot::Snapshot;
use super::spec::{Described, IssuerSpec, KeyChoice, describe};
use super::{personas, ready_made, time};
use crate::app::{App, Setup, StartError};
use crate::clock::Clock;
use crate::fetch::{Fetcher, Supplied};
use crate::flow::admin::Admin;
use crate::http::SiteFacts;
use crate::pages::{self, ModeNotice};
use crate::protocol::{Issuer, KnownScopes, PublicUrl};
use crate::random::Random;
use crate::store::{Mode, StoreOptions};
use crate::tokens::{KeyEncryptionKey, PasswordHasher, TEST_KEYS, TestKey};
use axum::Router;
use serde::Serialize;
use serde_json::{Map, Value, json};

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
    /// Its databases are files whose names begin so.
    stem: PathBuf,
    /// Until when it is there, by the machine's monotonic clock, and as the machine's time.
    until: Option<(Instant, i64)>,
    pub(super) faults: Faults,
    pub(super) log: Log,
    held: Mutex<Held>,
    pub(super) snapshots: Mutex<BTreeMap<String, Snapshot>>,
    /// The server; whoever began with one ends with it, when another takes its place.
    running: RwLock<Arc<Running>>,
    /// Held by whoever exchanges the server: one at a time, each going out from what the one before has left.
    pub(super) changing: tokio::sync::Mutex<Changes>,
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
    database: PathBuf,
}

/// How often the server was exchanged, and whether it never will be again.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) made: usize,
    is_ended: bool,
}

/// How long a server that was exchanged goes on for whoever began with it.
const GRACE: Duration = Duration::from_secs(30);
/// How long a request waits for the database: tests come all at once, on machines that do much else.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most connections that read a database: a test asks for little, and many issuers share the files that a process may open.
const READERS: u32 = 2;

/// What a new issuer is made of.
pub(super) struct Foundation {
    pub(super) name: String,
    pub(super) public_url: PublicUrl,
    pub(super) control_url: String,
    pub(super) stem: PathBuf,
    /// A database with the schema, to be copied.
    pub(super) template: PathBuf,
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
        let Foundation { name, public_url, control_url, stem, template, number } = foundation;
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
        personas::check(spec.persona.as_deref())?;
        let random = spec.seed.map_or_else(Random::system, Random::seeded);
        let until = spec.expires_in.map(|seconds| {
            let at = Clock::system().now().plus(Duration::from_secs(seconds));
            (Instant::now() + Duration::from_secs(seconds.min(u64::from(u32::MAX))), at.seconds())
        });
        let clock = clock(&spec)?;
        let held = Held { config: spec.config.clone(), auto: spec.auto.clone(), ..Held::default() };
        let parts =
            Parts { key_choice: spec.keys, number, clock: &clock, random: &random, fetcher: &fetcher };
        let database = stem.with_extension("0.db");
        std::fs::copy(template, &database)?;
        let persona = spec.persona;
        let started = parts.start(described, database).await;
        let running = started.inspect_err(|_| remove_files(&stem))?;
        let issuer = Self {
            name,
            issuer,
            control_url,
            key_choice: spec.keys,
            loopback_resources,
            number,
            clock,
            random,
            fetcher,
            stem,
            until,
            faults: Faults::default(),
            log: Log::default(),
            held: Mutex::new(held),
            snapshots: Mutex::default(),
            running: RwLock::new(Arc::new(running)),
            changing: tokio::sync::Mutex::default(),
        };
        issuer.put_on(persona.as_deref())?;
        Ok(issuer)
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

    /// Whether its time is over.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|(until, _)| until <= now)
    }

    /// The server itself, as it is now.
    pub fn app(&self) -> App {
        self.running().app.clone()
    }

    /// Whoever holds the control key, as an administrator of the server as it is now.
    pub(super) fn administrator(&self) -> Admin {
        self.running().app.engine().administrator(ACTOR)
    }

    pub(super) fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running.read().unwrap_or_else(PoisonError::into_inner))
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

    /// Changes the configuration, and exchanges the server in front of the same database for one that has it.
    ///
    /// # Errors
    /// It makes no sense; then everything stays as it is.
    pub(super) async fn reconfigure(
        &self,
        change: impl FnOnce(&mut Map<String, Value>) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut changes = self.changing.lock().await;
        let mut config = self.held().config.clone();
        ready_made::complete(&mut config);
        change(&mut config)?;
        let database = self.running().database.clone();
        let running = self.started(&mut changes, &config, database).await?;
        self.held().config = config;
        self.exchange(running);
        Ok(())
    }

    /// A server with this configuration in front of a database, which nobody uses yet.
    pub(super) async fn started(
        &self,
        changes: &mut Changes,
        config: &Map<String, Value>,
        database: PathBuf,
    ) -> Result<Running, Refused> {
        if changes.is_ended {
            return Err(Refused::not_found("issuer", &self.name));
        }
        let described = describe(&self.issuer, config, self.loopback_resources)?;
        changes.made += 1;
        Ok(self.parts().start(described, database).await?)
    }

    /// Puts a server in place of the one before, which goes on for a while for whoever began with it.
    pub(super) fn exchange(&self, running: Running) {
        let before = {
            let mut current = self.running.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, Arc::new(running))
        };
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            before.app.close().await;
        });
    }

    /// Has authorization requests be answered at once, or by people again.
    pub fn set_auto(&self, auto: Option<Auto>) {
        self.held().auto = auto;
    }

    /// Puts a fault in place; its number.
    ///
    /// # Errors
    /// It makes no sense.
    pub fn add_fault(&self, fault: FaultSpec) -> Result<u64, Refused> {
        self.faults.add(fault, None)
    }

    /// What is in place.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.all()
    }

    /// Takes a fault away; whether it was there.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.faults.remove(id)
    }

    /// Takes all faults away but those of the persona.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// The requests that are meant, after waiting for one as long as the pattern says.
    pub async fn requests(&self, pattern: &Pattern) -> Vec<Captured> {
        self.log.wait_for(pattern, |found| found > 0).await
    }

    /// The requests that are meant, as many as the pattern expects.
    ///
    /// # Errors
    /// There are fewer or more; what there was instead.
    pub async fn expect(&self, pattern: &Pattern) -> Result<Vec<Captured>, Refused> {
        self.log.expect(pattern).await
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) {
        self.log.forget();
    }

    /// The name of a file beside its databases.
    pub(super) fn file(&self, what: &str) -> PathBuf {
        self.stem.with_extension(what)
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            key_choice: self.key_choice,
            number: self.number,
            clock: &self.clock,
            random: &self.random,
            fetcher: &self.fetcher,
        }
    }

    /// What a test is told of it.
    pub async fn view(&self) -> IssuerView {
        let running = self.running();
        let hidden = self.held().hidden_keys.clone();
        let ring = running.app.engine().keys_to_publish().await;
        let keys = ring.published().iter().map(|key| key.kid().to_owned());
        let Described { config, secrets, passwords } = &running.described;
        let origin = self.issuer.origin();
        let people = config.declared.users.iter().map(|user| {
            let memberships = user.memberships.iter();
            let memberships: Vec<Value> =
                memberships.map(|it| json!({ "tenant": it.tenant, "roles": it.roles })).collect();
            let mut view = json!({ "username": user.username, "memberships": memberships });
            if let Some(password) = passwords.get(&user.username) {
                view["password"] = password.as_str().into();
            }
            view
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

    /// Ends it, and its databases with it.
    pub(super) async fn end(&self) {
        let mut changes = self.changing.lock().await;
        changes.is_ended = true;
        self.running().app.close().await;
        remove_files(&self.stem);
    }
}

/// Removes the files whose names begin as this one's does.
fn remove_files(stem: &Path) {
    let (Some(directory), Some(name)) = (stem.parent(), stem.file_stem()) else { return };
    let name = format!("{}.", name.to_string_lossy());
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&name) {
            // What is gone already needs no removing.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn clock(spec: &IssuerSpec) -> Result<Clock, Refused> {
    let given = spec.now.or(spec.seed.map(|_| START));
    let start = match given {
        Some(now) => time::moment(now)?,
        None => Clock::system().now(),
    };
    let frozen = spec.frozen.unwrap_or(given.is_some());
    Ok(if frozen { Clock::fixed(start) } else { Clock::running_from(start) })
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
}

impl Parts<'_> {
    async fn start(&self, described: Described, database: PathBuf) -> Result<Running, StartError> {
        let mut store = StoreOptions::new(format!("sqlite:{}", database.display()), Mode::Test);
        store.durable = false;
        store.max_connections = READERS;
        store.acquire_timeout = PATIENCE;
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
        Ok(Running { app, router, described, database })
    }
}
