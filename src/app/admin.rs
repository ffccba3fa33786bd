//! Opening a server's database for its administrator, beside the server or while it is off: with the keys and the rules
//! that the server has, but without making, migrating or reconciling anything: but for [`open_or_begin`].

use std::path::{Path, PathBuf};

use super::serve_mode::{existing_key, key_at_hand, private_directory};
use super::{StartError, dev, keys};
use crate::clock::Clock;
use crate::config::{Config, KeySource};
use crate::fetch::{FetchOptions, Fetcher};
use crate::flow::{Engine, Parts};
use crate::protocol::{Issuer, Policy};
use crate::random::Random;
use crate::store::{Mode, Store, StoreError, StoreOptions};
use crate::tokens::{KeyEncryptionKey, NewKeys, PasswordHasher};

pub use crate::flow::admin::{
    AddUser, Admin, AdminError, AuditKind, ClientWithSecret, InitialTokenWish, InspectedToken, KnownKey,
    PublicForm, Takeover, TokenWish, check_key,
};
pub use crate::store::{
    AuditFilter, ClientFilter, KeyRevoked, Known, KnownClient, KnownGrant, KnownUser, MembershipChange,
    Origin, RecordedEvent, UserChange, WhichSecret,
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
    let store = Store::open(&place.options()).await?;
    administrator(place, store, actor).await
}

/// The same, but makes an empty database, and the key that seals what is in it, where there is none yet. The first start
/// of the server goes on with what is there.
///
/// # Errors
/// As [`open`], and what keeps them from being made.
pub async fn open_or_begin(place: Place, actor: &'static str) -> Result<Admin, StartError> {
    let options = place.options();
    let store = match Store::open(&options).await {
        Err(StoreError::Missing) => {
            if let Place::Dev(data) = &place {
                private_directory(data)?;
            }
            key_at_hand(&place.key_source(), &Random::system())?;
            let made = Store::open(&StoreOptions { must_exist: false, ..options.clone() }).await?;
            made.close().await;
            Store::open(&options).await?
        }
        opened => opened?,
    };
    administrator(place, store, actor).await
}

impl Place {
    fn options(&self) -> StoreOptions {
        let (url, mode) = match self {
            Self::Serve(config) => (config.database_url.expose_secret().to_owned(), Mode::Serve),
            Self::Dev(data) => (format!("sqlite:{}", dev_database(data).display()), Mode::Dev),
        };
        StoreOptions { must_exist: true, max_connections: 2, ..StoreOptions::new(url, mode) }
    }

    fn key_source(&self) -> KeySource {
        match self {
            Self::Serve(config) => config.key.clone(),
            Self::Dev(data) => KeySource::Directory(data.join("keys")),
        }
    }
}

async fn administrator(place: Place, store: Store, actor: &'static str) -> Result<Admin, StartError> {
    let clock = Clock::system();
    let (random, now, mode) = (Random::system(), clock.now(), store.mode());
    let key = existing_key(&place.key_source())?;
    let secrets = keys::server_secrets(&store, &key, &random, now).await?;
    let keys = keys::signing_keys(&store, key, mode, &[], now).await?;
    let policy = match place {
        Place::Serve(config) => config.policy,
        Place::Dev(_) => dev_policy(&store).await?,
    };
    let engine = Engine::new(Parts {
        policy,
        store,
        keys,
        new_keys: NewKeys::Generated,
        secrets,
        fetcher: Fetcher::new(FetchOptions::new(clock.clone()))?,
        passwords: PasswordHasher::new(random.clone()),
        clock,
        random,
        one_click_login: false,
    });
    Ok(engine.administrator(actor))
}

/// The key-encryption key in a file, which is made if it is not there.
///
/// # Errors
/// It cannot be read or made, or holds no key.
pub fn key_encryption_key(file: &Path) -> Result<KeyEncryptionKey, StartError> {
    Ok(match file.exists() {
        true => KeyEncryptionKey::read_file(file)?,
        false => KeyEncryptionKey::create_file(file, &Random::system())?,
    })
}

/// The rules of the dev server, which depend on the issuer that it was started with.
async fn dev_policy(store: &Store) -> Result<Policy, StartError> {
    let recorded = store.recorded_issuer().await?;
    let issuer = Issuer::parse(recorded.as_deref().unwrap_or(DEV_ISSUER)).map_err(StartError::Issuer)?;
    Ok(dev::policy(&issuer, false))
}
