//! One authorization server, wired once: [`App::build`] takes a [`Setup`], opens what has to be opened and answers with
//! something that serves.
//!
//! An `App` holds one issuer and nothing of it is process-global, so several can live in one process.

pub mod admin;
mod declare;
pub mod dev;
mod dev_commands;
mod housekeeping;
mod keys;
pub mod serve_mode;

use axum::Router;
use keys::FirstKeys;

use crate::clock::Clock;
use crate::config::Declared;
use crate::fetch::{FetchSetupError, Fetcher};
use crate::flow::{Engine, KeyFault, Parts};
use crate::http::{self, Site, SiteFacts};
use crate::protocol::{Policy, SigningAlg};
use crate::random::Random;
use crate::store::{Store, StoreError, StoreOptions};
use crate::tokens::{
    KeyEncryptionKey, KeyEncryptionKeyError, KeyError, NewKeys, PasswordError, PasswordHasher,
};

/// Everything that an [`App`] is made from.
pub struct Setup {
    /// The rules of whoever runs the server.
    pub policy: Policy,
    /// Which database, and in which mode.
    pub store: StoreOptions,
    /// The key that seals what is secret in the database.
    pub key: KeyEncryptionKey,
    /// Where its signing keys come from: the first ones of a new database, and those that it rotates to.
    pub new_keys: NewKeys,
    /// What is declared: tenants, people, resources, clients.
    pub declared: Declared,
    /// How the server shows itself.
    pub facts: SiteFacts,
    /// Whether the ready-made people log in with one click.
    pub one_click_login: bool,
    /// Fetches what strangers say about themselves.
    pub fetcher: Fetcher,
    /// Checks passwords.
    pub passwords: PasswordHasher,
    /// Tells the time.
    pub clock: Clock,
    /// Draws chance.
    pub random: Random,
}

/// Why a server does not start; each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no key-encryption key.
    #[error(transparent)]
    KeyEncryptionKey(#[from] KeyEncryptionKeyError),
    /// The database holds keys, and the key-encryption key does not open them. It is never replaced silently.
    #[error(
        "the keys in the database were sealed under another key-encryption key than the one at hand: {0}; after `gatelet \
         key rewrap`, name the new file in key_file, or put it in place of keys/key-encryption-key"
    )]
    OtherKey(String),
    /// The database holds keys, and the file of the key-encryption key is gone.
    #[error("{0} is missing, and the keys in the database were sealed under it; put it back")]
    MissingKey(String),
    /// A signing key could not be made or opened.
    #[error(transparent)]
    SigningKey(#[from] KeyError),
    /// A row that must be there is not.
    #[error("a key in the database is damaged")]
    DamagedKey,
    /// The issuer that the database remembers cannot be read.
    #[error("the issuer in the database: {0}")]
    Issuer(crate::protocol::IssuerError),
    /// A signing key cannot be used.
    #[error(transparent)]
    KeyFault(#[from] KeyFault),
    /// A declared password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Outgoing requests could not be set up.
    #[error(transparent)]
    Fetch(#[from] FetchSetupError),
    /// The discovery document could not be written.
    #[error(transparent)]
    Metadata(#[from] serde_json::Error),
    /// The demonstration server could not be set up.
    #[error(transparent)]
    Demo(#[from] crate::resource::ConfigError),
    /// A directory or file cannot be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
}

/// A server, ready to answer.
#[derive(Clone, Debug)]
pub struct App {
    site: Site,
}

impl App {
    /// Opens the database, makes or opens the keys, and brings the declarations into the database.
    ///
    /// # Errors
    /// Whatever keeps the server from starting.
    pub async fn build(setup: Setup) -> Result<Self, StartError> {
        let Setup {
            policy,
            store,
            key,
            new_keys,
            declared,
            facts,
            one_click_login,
            fetcher,
            passwords,
            clock,
            random,
        } = setup;
        let mode = store.mode;
        let store = Store::open(&store).await?;
        let now = clock.now();
        let secrets = keys::server_secrets(&store, &key, &random, now).await?;
        let first = FirstKeys { store: &store, key: &key, source: &new_keys, random: &random, now };
        let mut in_hand = new_keys.in_hand();
        in_hand.extend(first.ensure(SigningAlg::Rs256).await?);
        if declared.resources.iter().any(|each| each.signing_alg == SigningAlg::Es256) {
            in_hand.extend(first.ensure(SigningAlg::Es256).await?);
        }
        let keys = keys::signing_keys(&store, key, mode, &in_hand, now).await?;
        let declarations = declare::hashed(&store, declared, &secrets, &passwords, &random, now).await?;
        store.reconcile(declarations, now).await?;
        let engine = Engine::new(Parts {
            policy,
            store,
            keys,
            new_keys,
            secrets,
            fetcher,
            passwords,
            clock,
            random,
            one_click_login,
        });
        Ok(Self { site: Site::new(engine, facts)? })
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Engine {
        self.site.engine()
    }

    /// Everything that it answers; `beside` are further routes on the same origin (the demonstration server).
    pub fn router(&self, beside: Router) -> Router {
        http::guarded(&self.site, http::routes(&self.site).router.merge(beside))
    }

    /// The paths at which it answers, as the router reads them.
    pub fn paths(&self) -> std::collections::BTreeSet<String> {
        http::routes(&self.site).paths
    }

    /// Sweeps what has ended, again and again, until the task is aborted.
    pub fn keep_house(&self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(housekeeping::run(self.engine().clone()))
    }

    /// Sweeps what has ended and rotates keys that are due, once, now: after a test has moved the clock.
    pub async fn keep_house_once(&self) {
        housekeeping::once(self.engine()).await;
    }

    /// Ends the database: what was asked for is done, what is asked for later is refused.
    pub async fn close(&self) {
        self.engine().store.close().await;
    }
}
