//! Serve mode: what is configured, and nothing else.

use std::path::{Path, PathBuf};

use super::{App, Setup, StartError};
use crate::clock::Clock;
use crate::config::{Config, KeySource};
use crate::fetch::{FetchOptions, Fetcher};
use crate::http::SiteFacts;
use crate::random::Random;
use crate::store::{Mode, StoreOptions};
use crate::tokens::{KeyEncryptionKey, NewKeys, PasswordHasher};

/// The file in which a key-encryption key is kept beside the configuration.
const KEY_FILE: &str = "key-encryption-key";

/// Builds the server that `config` describes.
///
/// # Errors
/// Whatever keeps the server from starting.
pub async fn build(config: Config) -> Result<App, StartError> {
    let (random, clock) = (Random::system(), Clock::system());
    let fetcher = Fetcher::new(FetchOptions {
        loopback: config.policy.issuer.is_loopback(),
        ca_file: config.fetch.ca_file,
        ..FetchOptions::new(clock.clone())
    })?;
    let (key, made) = key_at_hand(&config.key, &random)?;
    let passwords = match config.login.max_parallel {
        Some(permits) => PasswordHasher::with_permits(permits.get(), random.clone()),
        None => PasswordHasher::new(random.clone()),
    };
    App::build(Setup {
        policy: config.policy,
        store: StoreOptions::new(config.database_url.expose_secret(), Mode::Serve),
        key,
        new_keys: NewKeys::Generated,
        declared: config.declared,
        facts: SiteFacts {
            hosts: config.hosts.into_iter().collect(),
            trusted_proxies: config.trusted_proxies,
            ..SiteFacts::default()
        },
        one_click_login: false,
        fetcher,
        passwords,
        clock,
        random,
    })
    .await
    .map_err(|error| not_in_place_of_another(error, made))
}

/// The key of a server, made if it is kept in a directory that has none.
pub(super) fn key_at_hand(source: &KeySource, random: &Random) -> Result<KeyAtHand, StartError> {
    match source {
        KeySource::File(path) => Ok((KeyEncryptionKey::read_file(path)?, None)),
        KeySource::Given(text) => Ok((KeyEncryptionKey::from_text(text.expose_secret())?, None)),
        KeySource::Directory(directory) => in_directory(directory, random),
    }
}

/// The key of a server that was started before.
pub(super) fn existing_key(source: &KeySource) -> Result<KeyEncryptionKey, StartError> {
    match source {
        KeySource::File(path) => Ok(KeyEncryptionKey::read_file(path)?),
        KeySource::Given(text) => Ok(KeyEncryptionKey::from_text(text.expose_secret())?),
        KeySource::Directory(directory) => {
            let path = directory.join(KEY_FILE);
            if !path.exists() {
                return Err(StartError::MissingKey(path.display().to_string()));
            }
            Ok(KeyEncryptionKey::read_file(&path)?)
        }
    }
}

/// The key, and its file if it was made just now.
pub(super) type KeyAtHand = (KeyEncryptionKey, Option<PathBuf>);

/// The key in `directory`, made there at the first start. A database that was sealed under another one does not open
/// with it, so a key that went missing is noticed: [`not_in_place_of_another`].
pub(super) fn in_directory(directory: &Path, random: &Random) -> Result<KeyAtHand, StartError> {
    let path = directory.join(KEY_FILE);
    if path.exists() {
        return Ok((KeyEncryptionKey::read_file(&path)?, None));
    }
    private_directory(directory)?;
    let key = KeyEncryptionKey::create_file(&path, random)?;
    Ok((key, Some(path)))
}

/// Takes a key away again that was made for a database which turns out to be sealed under another: nothing may lie
/// where the missing one belongs.
pub(super) fn not_in_place_of_another(error: StartError, made: Option<PathBuf>) -> StartError {
    match (error, made) {
        (StartError::OtherKey(_), Some(path)) => {
            let file = path.display().to_string();
            match std::fs::remove_file(path) {
                Ok(()) => StartError::MissingKey(file),
                Err(source) => StartError::File { path: file, source },
            }
        }
        (error, _) => error,
    }
}

/// Makes a directory, for its owner alone, unless it is there.
pub(super) fn private_directory(path: &Path) -> Result<(), StartError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| StartError::File { path: path.display().to_string(), source })
}
