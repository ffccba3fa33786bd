//! One issuer of a test: a whole server, and what the test holds in its hands of it.

mod start;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::answer::Refused;
use super::auto::Auto;
use super::capture::Log;
use super::faults::Faults;
use super::personas::Happening;
use super::snapshot::Snapshot;
use super::spec::{Described, IssuerSpec, KeyChoice, describe};
use super::{document, personas, ready_made, time};
use crate::app::App;
use crate::clock::Clock;
use crate::fetch::{Fetcher, Supplied};
use crate::flow::admin::Admin;
use crate::protocol::{Issuer, PublicUrl};
use crate::random::Random;
use crate::tokens::{NewKeys, TestKeyPool};

use start::Parts;
pub(super) use start::Reach;

pub use view::IssuerView;

/// Where the clock starts of an issuer with a seed and nothing else: 2027-01-15 08:00:00 UTC.
const START: i64 = 1_800_000_000;
/// How the audit log calls whoever holds the control key.
const ACTOR: &str = "control plane";

/// An issuer of a test.
pub struct TestIssuer {
    name: String,
    issuer: Issuer,
    control_url: String,
    loopback_resources: bool,
    pub(super) new_keys: NewKeys,
    reach: Reach,
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
    /// True once it has ended.
    over: watch::Sender<bool>,
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

/// What a new issuer is made of.
pub(super) struct Foundation {
    pub(super) name: String,
    pub(super) public_url: PublicUrl,
    pub(super) control_url: String,
    pub(super) reach: Reach,
    pub(super) stem: PathBuf,
    /// A database with the schema, to be copied.
    pub(super) template: PathBuf,
    /// The test keys that all issuers share.
    pub(super) test_keys: TestKeyPool,
}

impl TestIssuer {
    /// Makes a server as the spec says.
    ///
    /// # Errors
    /// The spec makes no sense.
    pub(super) async fn make(foundation: Foundation, spec: IssuerSpec) -> Result<Self, Refused> {
        let Foundation { name, public_url, control_url, reach, stem, template, test_keys } = foundation;
        let text = public_url.page_url(spec.issuer_path.as_deref().unwrap_or("/oauth"));
        let issuer = Issuer::within(&public_url, &text);
        let issuer = issuer.map_err(|error| Refused::invalid(format!("issuer_path: {error}")))?;
        let loopback_resources = spec.loopback_resources.unwrap_or(true);
        let described = describe(&issuer, &spec.config, loopback_resources)?;
        spec.documents.keys().try_for_each(|url| document::check(url))?;
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
        let new_keys = match spec.keys {
            KeyChoice::Pool => NewKeys::TestKeys(test_keys.share(spec.seed)),
            KeyChoice::Fresh => NewKeys::Generated,
        };
        let parts =
            Parts { new_keys: &new_keys, reach: &reach, clock: &clock, random: &random, fetcher: &fetcher };
        let database = stem.with_extension("0.db");
        std::fs::copy(template, &database)?;
        let persona = spec.persona;
        let started = parts.start(described, database).await;
        let running = started.inspect_err(|_| remove_files(&stem))?;
        let issuer = Self {
            name,
            issuer,
            control_url,
            loopback_resources,
            new_keys,
            reach,
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
            over: watch::Sender::new(false),
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

    /// Whether it was ended.
    pub(super) fn is_ended(&self) -> bool {
        *self.over.borrow()
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
        let database = running.database.clone();
        let before = {
            let mut current = self.running.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, Arc::new(running))
        };
        let mut over = self.over.subscribe();
        tokio::spawn(async move {
            // Over, or dropped, or late.
            let _ = tokio::time::timeout(GRACE, over.wait_for(|is_over| *is_over)).await;
            before.app.close().await;
            if before.database != database {
                remove_files(&before.database);
            }
        });
    }

    /// The name of a file beside its databases.
    pub(super) fn file(&self, what: &str) -> PathBuf {
        self.stem.with_extension(what)
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            new_keys: &self.new_keys,
            reach: &self.reach,
            clock: &self.clock,
            random: &self.random,
            fetcher: &self.fetcher,
        }
    }

    /// Ends it, and its databases with it.
    pub(super) async fn end(&self) {
        let mut changes = self.changing.lock().await;
        changes.is_ended = true;
        self.over.send_replace(true);
        self.running().app.close().await;
        self.give_back_test_keys();
        remove_files(&self.stem);
    }
}

/// Removes the files whose names begin as this one's does, without what is behind its last dot.
pub(super) fn remove_files(stem: &Path) {
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
