//! Starting the server of an issuer: once, and again whenever it is exchanged. This is where everything in test mode gets
//! its store, its keys and its passwords from.

use std::time::Duration;

use axum::Router;

use super::Running;
use crate::app::{App, Setup, StartError};
use crate::clock::Clock;
use crate::control::description::Described;
use crate::fetch::Fetcher;
use crate::http::SiteFacts;
use crate::random::Random;
use crate::store::{Mode, StoreOptions};
use crate::tokens::{KeyEncryptionKey, PasswordHasher, TEST_KEYS, TestKey};

/// How long a request waits for the database: tests come all at once, on machines that do much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A key of the repository; they come round again.
pub(super) fn test_key(number: usize) -> TestKey {
    TEST_KEYS[number % TEST_KEYS.len()]
}

/// The store of a server in test mode.
pub(in crate::control) fn store_options(database: &str) -> StoreOptions {
    StoreOptions { durable: false, acquire_timeout: PATIENCE, ..StoreOptions::new(database, Mode::Test) }
}

/// What the server of an issuer is started from, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// Tells the time.
    pub(crate) clock: Clock,
    /// Draws chance.
    pub(crate) random: Random,
    /// Finds documents.
    pub(crate) fetcher: Fetcher,
    /// How it shows itself.
    pub(crate) facts: SiteFacts,
    /// Which of the repository's keys is its first; a fresh one is made when it is none of them.
    pub(crate) first_key: Option<usize>,
    /// The most connections to its database.
    pub(crate) connections: u32,
}

impl Parts {
    pub(super) async fn start(&self, described: Described, database: String) -> Result<Running, StartError> {
        let Described { policy, declared } = described.clone();
        let store = StoreOptions {
            max_connections: self.connections,
            random: self.random.clone(),
            ..store_options(&database)
        };
        let app = App::build(Setup {
            policy,
            store,
            key: KeyEncryptionKey::from_bytes(&[0x67; 32]),
            signing_key: self.first_key.map(|number| test_key(number).signing_key()),
            declared,
            facts: self.facts.clone(),
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
