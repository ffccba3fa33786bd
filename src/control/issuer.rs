//! One issuer of a test: a whole server, and what the test holds in its hands of it.

mod make;
mod start;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use tokio::sync::watch;

use super::answer::Refused;
use super::auto::Auto;
use super::capture::Log;
use super::description::{Described, Description};
use super::faults::Faults;
use super::personas::Happening;
use super::snapshot::Snapshot;
use crate::app::App;
use crate::clock::Clock;
use crate::fetch::Fetcher;
use crate::flow::admin::Admin;
use crate::protocol::Issuer;
use crate::random::Random;
use crate::tokens::NewKeys;

pub(crate) use make::START;
pub(super) use make::{Foundation, Reach};
pub(crate) use start::Parts;
pub(super) use start::store_options;
pub use view::IssuerView;

/// How the audit log calls whoever holds the control key.
const ACTOR: &str = "control plane";

/// An issuer of a test: a whole server, and what the test can do to it. A
/// [`TestServer`](crate::testkit::TestServer) has one, and [`TestMode`](super::TestMode) any number.
///
/// Whatever the control plane does to an issuer over HTTP is a method here.
pub struct TestIssuer {
    name: String,
    issuer: Issuer,
    control_url: Option<String>,
    parts: Parts,
    /// Files that it makes have names that begin so.
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
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) description: Description,
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
    database: String,
}

/// How often the server was exchanged, and whether it never will be again.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) made: usize,
    is_ended: bool,
}

/// How long a server that was exchanged goes on for whoever began with it.
const GRACE: Duration = Duration::from_secs(30);

/// What an issuer begins with.
pub(crate) struct Beginning {
    pub(crate) name: String,
    pub(crate) issuer: Issuer,
    pub(crate) control_url: Option<String>,
    pub(crate) description: Description,
    pub(crate) parts: Parts,
    /// `sqlite:PATH` or `postgres://…`.
    pub(crate) database: String,
    /// Files beside that have names that begin so.
    pub(crate) stem: PathBuf,
    /// After how many seconds of the machine's clock it ends.
    pub(crate) expires_in: Option<u64>,
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestIssuer").field(&self.issuer.as_str()).finish()
    }
}

impl Held {
    fn with(description: Description) -> Self {
        Self { description, auto: None, persona: None, happens: None, hidden_keys: BTreeSet::new() }
    }
}

impl TestIssuer {
    /// Starts the server of an issuer.
    ///
    /// # Errors
    /// The description makes no sense, or the server does not start.
    pub(crate) async fn begin(beginning: Beginning) -> Result<Self, Refused> {
        let Beginning { name, issuer, control_url, description, parts, database, stem, expires_in } =
            beginning;
        let running = parts.start(description.described(&issuer)?, database).await?;
        let until = expires_in.map(|seconds| {
            let at = Clock::system().now().plus(Duration::from_secs(seconds));
            (Instant::now() + Duration::from_secs(seconds.min(u64::from(u32::MAX))), at.seconds())
        });
        Ok(Self {
            name,
            issuer,
            control_url,
            parts,
            stem,
            until,
            faults: Faults::default(),
            log: Log::default(),
            held: Mutex::new(Held::with(description)),
            snapshots: Mutex::default(),
            running: RwLock::new(Arc::new(running)),
            over: watch::Sender::new(false),
            changing: tokio::sync::Mutex::default(),
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
        &self.parts.clock
    }

    pub(super) fn random(&self) -> &Random {
        &self.parts.random
    }

    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.parts.fetcher
    }

    pub(super) fn new_keys(&self) -> &NewKeys {
        &self.parts.new_keys
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

    /// Changes what it is to be, and exchanges the server in front of the same database for one that is that.
    ///
    /// # Errors
    /// It makes no sense; then everything stays as it is.
    pub(super) async fn reconfigure(
        &self,
        change: impl FnOnce(&mut Description) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut changes = self.changing.lock().await;
        let mut description = self.held().description.clone();
        change(&mut description)?;
        let database = self.database();
        let running = self.started(&mut changes, &description, database).await?;
        self.held().description = description;
        self.exchange(running);
        Ok(())
    }

    /// A server as it is described in front of a database, which nobody uses yet.
    pub(super) async fn started(
        &self,
        changes: &mut Changes,
        description: &Description,
        database: String,
    ) -> Result<Running, Refused> {
        if changes.is_ended {
            return Err(Refused::not_found("issuer", &self.name));
        }
        let described = description.described(&self.issuer)?;
        changes.made += 1;
        Ok(self.parts.start(described, database).await?)
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
            let file = before.database.strip_prefix("sqlite:").filter(|_| before.database != database);
            if let Some(file) = file {
                remove_files(Path::new(file));
            }
        });
    }

    /// The name of a file beside its databases.
    pub(super) fn file(&self, what: &str) -> PathBuf {
        self.stem.with_extension(what)
    }

    /// The database that it has now: `sqlite:PATH` or `postgres://…`.
    pub(crate) fn database(&self) -> String {
        self.running().database.clone()
    }

    /// Ends it, and its databases with it.
    pub(super) async fn end(&self) {
        let mut changes = self.changing.lock().await;
        changes.is_ended = true;
        self.over.send_replace(true);
        self.log.end();
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
