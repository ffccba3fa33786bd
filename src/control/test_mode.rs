//! A process in test mode: its issuers, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use super::address::{self, DEFAULT, is_name, issuer_of};
use super::answer::Refused;
use super::directory::Directory;
use super::guard::is_here;
use super::issuer::{Foundation, Reach, TestIssuer, store_options};
use super::routes;
use super::spec::IssuerSpec;
use crate::protocol::{PublicUrl, UrlError};
use crate::random::Random;
use crate::store::{Store, StoreError};
use crate::tokens::TestKeyPool;

/// How long an issuer lasts that says nothing of it, in seconds.
const LASTS: u64 = 3600;
/// How often those are ended whose time is over.
const TIDY_EVERY: Duration = Duration::from_secs(10);
/// The most issuers at a time.
const MOST: usize = 10_000;

/// What test mode may be told.
#[derive(Clone, Debug)]
pub struct TestModeOptions {
    /// Scheme, host and port by which it is reached.
    pub origin: String,
    /// The key of the control plane; a fresh one when absent.
    pub key: Option<String>,
    /// Further host names by which requests may address it.
    pub hosts: Vec<String>,
    /// Whether other machines may reach it; only then can an issuer have an origin that is not on loopback.
    pub exposed: bool,
}

impl TestModeOptions {
    /// On loopback alone, with a fresh key.
    pub fn at(origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), key: None, hosts: Vec::new(), exposed: false }
    }
}

/// Why test mode does not start.
#[derive(Debug, thiserror::Error)]
pub enum TestModeError {
    /// The origin is none.
    #[error("{origin}: {source}")]
    Origin {
        /// What was given.
        origin: String,
        /// What is wrong with it.
        source: UrlError,
    },
    /// The origin is reached from elsewhere, and that was not asked for.
    #[error(
        "{0} is reached from elsewhere; test mode has well-known people and keys. Add --expose if you mean it"
    )]
    NotLoopback(String),
    /// No directory for databases.
    #[error("no directory for the databases: {0}")]
    Directory(#[from] std::io::Error),
    /// The template cannot be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The issuer at the root does not start.
    #[error(transparent)]
    Issuer(#[from] Refused),
}

/// A process in test mode. Cheap to clone; its databases are gone with the last clone.
#[derive(Clone)]
pub struct TestMode(Arc<Parts>);

struct Parts {
    public_url: PublicUrl,
    key: String,
    reach: Reach,
    directory: Directory,
    /// A database with the schema and nothing else, to be copied.
    template: PathBuf,
    made: AtomicUsize,
    test_keys: TestKeyPool,
    issuers: RwLock<BTreeMap<String, Arc<TestIssuer>>>,
}

impl fmt::Debug for TestMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestMode").field(&self.0.public_url.origin()).finish()
    }
}

impl TestMode {
    /// Makes the template and the issuer at the root.
    ///
    /// # Errors
    /// [`TestModeError`].
    pub async fn start(options: TestModeOptions) -> Result<Self, TestModeError> {
        let TestModeOptions { origin, key, hosts, exposed } = options;
        let public_url = PublicUrl::parse(&origin);
        let public_url = public_url.map_err(|source| TestModeError::Origin { origin, source })?;
        if !public_url.is_loopback() && !exposed {
            return Err(TestModeError::NotLoopback(public_url.to_string()));
        }
        let directory = Directory::fresh()?;
        let template = directory.path().join("template.db");
        Store::open(&store_options(&format!("sqlite:{}", template.display()))).await?.close().await;
        let fresh = || format!("gtl_ck_{}", hex(&Random::system().bytes::<20>()));
        let mode = Self(Arc::new(Parts {
            public_url,
            key: key.unwrap_or_else(fresh),
            reach: Reach { hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(), exposed },
            directory,
            template,
            made: AtomicUsize::new(0),
            test_keys: TestKeyPool::default(),
            issuers: RwLock::default(),
        }));
        mode.add(DEFAULT, IssuerSpec::default()).await?;
        Ok(mode)
    }

    /// The key of the control plane.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// Where the control plane is.
    pub fn control_url(&self) -> String {
        self.0.public_url.page_url("/control")
    }

    /// Everything that it answers: the control plane, and its issuers.
    pub fn router(&self) -> Router {
        routes::control(self).fallback(dispatch).with_state(self.clone())
    }

    /// Whether this is a name by which the process may be called.
    pub(super) fn is_called(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name).to_ascii_lowercase();
        let own = self.0.public_url.origin().split_once("://").map(|(_, authority)| authority);
        matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]")
            || own == Some(host)
            || self.0.reach.hosts.contains(&name)
    }

    /// Makes an issuer.
    ///
    /// # Errors
    /// The spec makes no sense, or there is one of that name.
    pub async fn make(&self, mut spec: IssuerSpec) -> Result<Arc<TestIssuer>, Refused> {
        let fresh = || format!("t-{}", hex(&Random::system().bytes::<6>()));
        let name = spec.name.clone().unwrap_or_else(fresh);
        if !is_name(&name) {
            let why =
                "name: has other characters than lower-case letters, digits and hyphens, or is too long";
            return Err(Refused::invalid(why));
        }
        spec.expires_in.get_or_insert(LASTS);
        self.add(&name, spec).await
    }

    async fn add(&self, name: &str, spec: IssuerSpec) -> Result<Arc<TestIssuer>, Refused> {
        self.tidy().await;
        let parts = &self.0;
        if self.issuers().len() >= MOST {
            return Err(Refused::invalid(format!("there are {MOST} issuers already; delete some")));
        }
        if self.issuer(name).is_some() {
            return Err(Refused::taken("issuer", name));
        }
        let number = parts.made.fetch_add(1, Ordering::SeqCst);
        let origin = self.origin_of(&spec)?;
        let public_url = PublicUrl::parse(&origin.page_url(&address::base_path(name)));
        let foundation = Foundation {
            name: name.to_owned(),
            public_url: public_url.map_err(|error| Refused::fault(&error))?,
            control_url: origin.page_url(&format!("/control/issuers/{name}")),
            reach: parts.reach.clone(),
            stem: parts.directory.path().join(format!("{number}.issuer")),
            template: parts.template.clone(),
            test_keys: parts.test_keys.clone(),
        };
        let issuer = Arc::new(TestIssuer::make(foundation, spec).await?);
        if self.insert(name, &issuer) {
            return Ok(issuer);
        }
        // Somebody else took the name meanwhile.
        issuer.end().await;
        Err(Refused::taken("issuer", name))
    }

    /// Scheme, host and port by which an issuer is reached.
    fn origin_of(&self, spec: &IssuerSpec) -> Result<PublicUrl, Refused> {
        let Some(origin) = &spec.origin else { return Ok(self.0.public_url.clone()) };
        let url = PublicUrl::parse(origin).map_err(|error| Refused::invalid(format!("origin: {error}")))?;
        if !url.path().is_empty() {
            return Err(Refused::invalid("origin: is scheme, host and port, without a path"));
        }
        if !url.is_loopback() && !self.0.reach.exposed {
            return Err(Refused::invalid(
                "origin: is reached from elsewhere, which needs a process that was started with --expose",
            ));
        }
        Ok(url)
    }

    fn insert(&self, name: &str, issuer: &Arc<TestIssuer>) -> bool {
        let mut issuers = self.0.issuers.write().unwrap_or_else(PoisonError::into_inner);
        let is_free = !issuers.contains_key(name);
        if is_free {
            issuers.insert(name.to_owned(), Arc::clone(issuer));
        }
        is_free
    }

    /// The issuer of a name.
    pub fn issuer(&self, name: &str) -> Option<Arc<TestIssuer>> {
        let issuers = self.0.issuers.read().unwrap_or_else(PoisonError::into_inner);
        issuers.get(name).filter(|issuer| !issuer.is_over(Instant::now())).cloned()
    }

    /// All issuers, by name.
    pub fn issuers(&self) -> Vec<Arc<TestIssuer>> {
        let issuers = self.0.issuers.read().unwrap_or_else(PoisonError::into_inner);
        issuers.values().cloned().collect()
    }

    /// Ends an issuer.
    ///
    /// # Errors
    /// There is none of that name, or it is the one at the root, which stays.
    pub async fn remove(&self, name: &str) -> Result<(), Refused> {
        if name == DEFAULT {
            return Err(Refused::invalid("the issuer at the root lasts as long as the process"));
        }
        let taken = {
            let mut issuers = self.0.issuers.write().unwrap_or_else(PoisonError::into_inner);
            issuers.remove(name)
        };
        taken.ok_or_else(|| Refused::not_found("issuer", name))?.end().await;
        Ok(())
    }

    /// Ends the issuers whose time is over, again and again, until the task is aborted.
    pub fn keep_house(&self) -> tokio::task::JoinHandle<()> {
        let mode = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(TIDY_EVERY).await;
                mode.tidy().await;
            }
        })
    }

    async fn tidy(&self) {
        let now = Instant::now();
        let over: Vec<Arc<TestIssuer>> = {
            let mut issuers = self.0.issuers.write().unwrap_or_else(PoisonError::into_inner);
            issuers.extract_if(.., |_, issuer| issuer.is_over(now)).map(|(_, issuer)| issuer).collect()
        };
        for issuer in over {
            issuer.end().await;
        }
    }

    /// Answers whoever waits for requests, since none are going to come.
    pub fn end_waits(&self) {
        for issuer in self.issuers() {
            issuer.log.end();
        }
    }

    /// Ends all issuers.
    pub async fn close(&self) {
        let all = std::mem::take(&mut *self.0.issuers.write().unwrap_or_else(PoisonError::into_inner));
        for issuer in all.values() {
            issuer.end().await;
        }
    }
}

async fn dispatch(State(mode): State<TestMode>, request: Request) -> Response {
    if routes::is_control(request.uri().path()) {
        return routes::no_route(&mode, &request);
    }
    let name = issuer_of(request.uri().path()).to_owned();
    match mode.issuer(&name) {
        // The server behind says what it says to those who mean another host, and nobody keeps it.
        Some(issuer) if !is_here(&mode, &request) => issuer.pass_on(request).await,
        Some(issuer) => {
            let answer = issuer.answer(request).await;
            issuer.unless_ended(answer)
        }
        None => Refused::not_found("issuer", &name).into_response(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
