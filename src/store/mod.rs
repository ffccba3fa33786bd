//! The one door to the database.
//!
//! A [`Store`] is a SQLite file or a PostgreSQL database behind the same verbs: `redeem_code`, `rotate_refresh`,
//! `revoke_grant`. There is no `update`. What comes out are the types of [`protocol`](crate::protocol); a stored
//! text that no longer parses is [`StoreError::Corrupt`]. What goes in is hashed or sealed already.
//!
//! **Who won is decided by the database.** Every transition that may happen once is one conditional statement whose
//! `WHERE` names each fact that another request can change; such verbs answer an [`Outcome`]. A verb that has lost
//! has written nothing.
//!
//! **A verb is one transaction that nobody can cancel half-way.** It runs on a task of its own: the writer's on
//! SQLite, where many verbs share a commit, a spawned one on PostgreSQL. A request that is dropped stops waiting, no
//! more. The answer comes after the commit. Verbs that state a security fact write its
//! [`AuditEvent`](crate::audit::AuditEvent) in the same transaction, and take its moment as the present.
//!
//! **Reads are single queries.** Nothing is locked, and no transaction outlives a query.
//!
//! A statement stands in the file of the thing that it concerns; `sql` gathers them for a test that prepares
//! each on both databases. `reconcile` brings configuration into the database, `sweep` takes out what has ended.

mod admin;
mod admin_client;
mod admin_grant;
mod admin_resource;
mod admin_role;
mod admin_tenant;
mod admin_user;
mod attributes;
mod audit;
mod authorization_code;
mod backend;
mod backend_postgres;
mod backend_sqlite;
mod browser_session;
mod client;
mod client_assertion;
mod client_document;
mod client_management;
mod client_registration;
mod consent;
mod declared_client;
mod declared_user;
mod error;
mod grant;
mod initial_access;
mod interaction;
mod issue;
mod key_custody;
mod login_failure;
mod meta;
mod migrations;
mod outcome;
mod reconcile;
mod refresh;
mod resource;
mod revoked_token;
mod role;
mod server_secret;
mod signing_key;
mod sql;
mod suspend;
mod sweep;
mod tenant;
mod user;
mod value;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use backend::{Backend, Running, Tx, Verb};
use backend_postgres::Postgres;
use backend_sqlite::Sqlite;

use crate::random::Random;

pub use admin::{Changed, Known, Origin};
pub use admin_client::{ClientFilter, KnownClient, WhichSecret};
pub use admin_user::{KnownUser, MembershipChange, NewUser, UserChange};
pub use audit::{AuditFilter, RecordedEvent};
pub use authorization_code::KnownCode;
pub use browser_session::LiveSession;
pub use client_registration::{Admission, RegistrationOutcome};
pub use declared_user::{DeclaredMembership, DeclaredUser};
pub use error::StoreError;
pub use grant::KnownGrant;
pub use issue::Issue;
pub use key_custody::{KeyRevoked, Resealed, Rewrap};
pub use outcome::Outcome;
pub use reconcile::Declarations;
pub use refresh::RetryLimit;
pub use server_secret::ServerSecret;
pub use signing_key::{KeyRotation, SigningKey, SigningKeyState};
pub use sql::{Statement, all_statements};
pub use sweep::{SweepPolicy, Swept};
pub use user::Account;

/// How long a request waits for a connection or a place in the writer's queue before it is told that the database is
/// unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// The mode in which the program runs. A database belongs to the mode that created it, and opens in no other:
/// `dev` on a production file would seed people into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A developer's machine: ready-made people, one-click login.
    Dev,
    /// Production.
    Serve,
    /// Integration tests, with control over clock and faults.
    Test,
}

impl Mode {
    /// Its stored name, which is also the command's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Serve => "serve",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which database to open, and how.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:PATH` or `postgres://user:password@host/database`.
    pub url: String,
    /// The mode of the program.
    pub mode: Mode,
    /// Whether a commit waits for the disk (SQLite's `synchronous=FULL`). Off for databases that are thrown away.
    /// PostgreSQL decides this itself.
    pub durable: bool,
    /// The most connections. SQLite needs few, and has its number of readers from the cores within this.
    pub max_connections: u32,
    /// How long a request waits for a connection before it is told that the database is unavailable.
    pub acquire_timeout: Duration,
    /// Whether the database must be there with the schema of this program: nothing is made, brought up to date or
    /// claimed. For what works beside a running server.
    pub must_exist: bool,
    /// The source of the identifiers of audit events.
    pub random: Random,
}

impl StoreOptions {
    /// A durable store at `url` with ten connections.
    pub fn new(url: impl Into<String>, mode: Mode) -> Self {
        Self {
            url: url.into(),
            mode,
            durable: true,
            max_connections: 10,
            acquire_timeout: ACQUIRE_TIMEOUT,
            must_exist: false,
            random: Random::system(),
        }
    }
}

/// The URL may hold a password.
impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("mode", &self.mode)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

/// A database, opened. Clones share it.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    mode: Mode,
    random: Random,
    /// How many facts were noted: what tells those of one second apart in the order in which they came.
    noted: Arc<AtomicU32>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backend = match *self.backend {
            Backend::Sqlite(_) => "SQLite",
            Backend::Postgres(_) => "PostgreSQL",
        };
        f.debug_tuple("Store").field(&backend).finish()
    }
}

impl Store {
    /// Opens the database: creates a SQLite file if there is none (for its owner alone), brings the schema up to
    /// date, records the mode in a new database and refuses one of another mode or of a newer program.
    pub async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let url = &options.url;
        let backend = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') {
                // A database in memory would be another one for each connection.
                return Err(StoreError::Address);
            }
            Backend::Sqlite(Sqlite::open(Path::new(path), options).await?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Backend::Postgres(Postgres::open(url, options).await?)
        } else {
            return Err(StoreError::Address);
        };
        let noted = Arc::new(AtomicU32::new(0));
        Ok(Self { backend: Arc::new(backend), mode: options.mode, random: options.random.clone(), noted })
    }

    /// The mode that the database belongs to.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Ends the store after the verbs that were asked for before: SQLite's log is folded into its file, all
    /// connections are closed. Verbs asked for later are [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.backend.close().await;
    }

    /// Copies a SQLite database, as it is at one moment, into a file that is not there yet.
    ///
    /// # Errors
    /// [`StoreError::Address`] on PostgreSQL, which has tools of its own for that.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.copy_to(path).await,
            Backend::Postgres(_) => Err(StoreError::Address),
        }
    }

    /// Whether the database answers, for readiness checks.
    pub async fn ping(&self) -> Result<(), StoreError> {
        meta::mode(&self.backend).await.map(drop)
    }

    /// Has the database parse a statement without running it, for the test that walks [`all_statements`].
    pub async fn prepare(&self, statement: Statement) -> Result<(), StoreError> {
        self.backend.prepare(statement).await
    }

    /// Runs a verb whose every answer is kept.
    async fn write<A, T>(
        &self,
        args: A,
        run: for<'t> fn(&'t mut Tx<'_>, &'t A) -> Running<'t, T>,
    ) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.backend.write(Verb { args, run, keep: |_| true }).await
    }

    /// Runs a verb that is taken back when it has lost.
    async fn write_guarded<A, T>(
        &self,
        args: A,
        run: for<'t> fn(&'t mut Tx<'_>, &'t A) -> Running<'t, Outcome<T>>,
    ) -> Result<Outcome<T>, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.backend.write(Verb { args, run, keep: Outcome::is_won }).await
    }
}
