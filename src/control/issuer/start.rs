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
use crate::tokens::{KeyEncryptionKey, NewKeys, PasswordHasher};

/// How long a request waits for the database: tests come all at once, on machines that do much else.
const PATIENCE: Duration = Duration::from_secs(30);

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
    /// Where its signing keys come from.
    pub(crate) new_keys: NewKeys,
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
            new_keys: self.new_keys.clone(),
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
