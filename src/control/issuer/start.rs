//! Starting the server of an issuer: once, and again whenever it is exchanged.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;

use super::Running;
use crate::app::{App, Setup, StartError};
use crate::clock::Clock;
use crate::control::spec::Described;
use crate::fetch::Fetcher;
use crate::http::SiteFacts;
use crate::pages::{self, ModeNotice};
use crate::random::Random;
use crate::store::{Mode, StoreOptions};
use crate::tokens::{KeyEncryptionKey, NewKeys, PasswordHasher};

/// How long a request waits for the database: tests come all at once, on machines that do much else.
const PATIENCE: Duration = Duration::from_secs(30);
/// The connections that read a database: a test asks for little, each takes a thread and a reading of the schema, and many
/// issuers share the files that a process may open.
const READERS: u32 = 1;

/// From where a server can be reached.
#[derive(Clone, Debug, Default)]
pub(in crate::control) struct Reach {
    /// Further host names by which requests may address it, in lower case.
    pub(in crate::control) hosts: HashSet<String>,
    /// Whether other machines may reach it.
    pub(in crate::control) exposed: bool,
}

/// What a server is started from, again and again.
pub(super) struct Parts<'a> {
    pub(super) new_keys: &'a NewKeys,
    pub(super) reach: &'a Reach,
    pub(super) clock: &'a Clock,
    pub(super) random: &'a Random,
    pub(super) fetcher: &'a Fetcher,
}

impl Parts<'_> {
    pub(super) async fn start(&self, described: Described, database: PathBuf) -> Result<Running, StartError> {
        let mut store = StoreOptions::new(format!("sqlite:{}", database.display()), Mode::Test);
        store.durable = false;
        store.max_connections = READERS;
        store.acquire_timeout = PATIENCE;
        store.random = self.random.clone();
        let config = described.config.clone();
        let app = App::build(Setup {
            policy: config.policy,
            store,
            key: KeyEncryptionKey::from_bytes(&[0x67; 32]),
            new_keys: self.new_keys.clone(),
            declared: config.declared,
            facts: SiteFacts {
                hosts: self.reach.hosts.clone(),
                mode_notice: Some(ModeNotice { mode: pages::Mode::Test, exposed: self.reach.exposed }),
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
