//! Opening a server's database for its administrator, beside the server or while it is off: with the keys and the rules
//! that the server has, but without making, migrating or reconciling anything.

use std::path::{Path, PathBuf};

use super::serve_mode::existing_key;
use super::{StartError, dev, keys};
use crate::clock::Clock;
use crate::config::{Config, KeySource};
use crate::fetch::{FetchOptions, Fetcher};
use crate::flow::{Engine, Parts};
use crate::protocol::{Issuer, Policy};
use crate::random::Random;
use crate::store::{Mode, Store, StoreOptions};
use crate::tokens::PasswordHasher;

pub use crate::flow::admin::{AddUser, Admin, AdminError, ClientWithSecret, InspectedToken, TokenWish};
pub use crate::store::{
    AuditFilter, ClientFilter, Known, KnownClient, KnownGrant, KnownUser, Origin, RecordedEvent, UserChange,
    WhichSecret,
};

/// Which server's database.
#[derive(Clone, Debug)]
pub enum Place {
    /// That of the server which a configuration describes.
    Serve(Box<Config>),
    /// That of `gatelet dev` with its data in this directory.
    Dev(PathBuf),
}

/// The database of `gatelet dev` in its directory.
pub fn dev_database(data: &Path) -> PathBuf {
    data.join("gatelet.db")
}

/// The issuer of a dev server that has not said which it had.
const DEV_ISSUER: &str = "http://localhost:8710/oauth";

/// Opens a database; `actor` is how the audit log names who works on it. The server must have made it.
///
/// # Errors
/// Whatever keeps it from being opened: there is none, it belongs to another mode or version, its keys are sealed under
/// another key.
pub async fn open(place: Place, actor: &'static str) -> Result<Admin, StartError> {
    let clock = Clock::system();
    let (url, mode, source) = match &place {
        Place::Serve(config) => {
            (config.database_url.expose_secret().to_owned(), Mode::Serve, config.key.clone())
        }
        Place::Dev(data) => {
            let url = format!("sqlite:{}", dev_database(data).display());
            (url, Mode::Dev, KeySource::Directory(data.join("keys")))
        }
    };
    let options = StoreOptions { must_exist: true, max_connections: 2, ..StoreOptions::new(url, mode) };
    let store = Store::open(&options).await?;
    let (random, now) = (Random::system(), clock.now());
    let key = existing_key(&source)?;
    let secrets = keys::server_secrets(&store, &key, &random, now).await?;
    let keys = keys::signing_keys(&store, key, mode, now).await?;
    let policy = match place {
        Place::Serve(config) => config.policy,
        Place::Dev(_) => dev_policy(&store).await?,
    };
    let engine = Engine::new(Parts {
        policy,
        store,
        keys,
        secrets,
        fetcher: Fetcher::new(FetchOptions::new(clock.clone()))?,
        passwords: PasswordHasher::new(random.clone()),
        clock,
        random,
        one_click_login: false,
    });
    Ok(engine.administrator(actor))
}

/// The rules of the dev server, which depend on the issuer that it was started with.
async fn dev_policy(store: &Store) -> Result<Policy, StartError> {
    let recorded = store.recorded_issuer().await?;
    let issuer = Issuer::parse(recorded.as_deref().unwrap_or(DEV_ISSUER)).map_err(StartError::Issuer)?;
    Ok(dev::policy(&issuer, false))
}
