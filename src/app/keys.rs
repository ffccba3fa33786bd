//! Opening the keys that the database keeps sealed, and making the first ones.

use std::sync::Arc;

use super::StartError;
use crate::flow::{KeyFault, SigningKeys, signing_key_row};
use crate::protocol::{ServerSecretId, SigningAlg, Timestamp};
use crate::random::Random;
use crate::store::{self, Mode, Outcome, SigningKeyState, Store};
use crate::tokens::{
    KeyEncryptionKey, KeyError, NewKeys, OpenError, ServerSecret, ServerSecrets, SigningKey,
};

/// The server secrets; the first is made at the first start. Instances that start at once agree on one.
pub(super) async fn server_secrets(
    store: &Store,
    key: &KeyEncryptionKey,
    random: &Random,
    now: Timestamp,
) -> Result<ServerSecrets, StartError> {
    let mut rows = store.server_secrets().await?;
    if !rows.iter().any(|row| row.is_current) {
        let id = ServerSecretId::new(now, random.bytes());
        let (_, sealed) = ServerSecret::generate(id.clone(), key, random);
        let candidate = store::ServerSecret { id, sealed, created_at: now, is_current: true };
        rows.push(store.ensure_server_secret(candidate).await?);
    }
    let mut current = None;
    let mut older = Vec::new();
    for row in rows {
        let opened = ServerSecret::open(row.id, &row.sealed, key).map_err(other_key)?;
        if row.is_current { current = Some(opened) } else { older.push(opened) }
    }
    let current = current.ok_or(StartError::DamagedKey)?;
    Ok(ServerSecrets::new(current, older))
}

/// Makes first signing keys.
pub(super) struct FirstKeys<'a> {
    pub(super) store: &'a Store,
    pub(super) key: &'a KeyEncryptionKey,
    pub(super) source: &'a NewKeys,
    pub(super) random: &'a Random,
    pub(super) now: Timestamp,
}

impl FirstKeys<'_> {
    /// Makes a signing key for an algorithm that has none. It signs at once: nobody can have a JWKS from before it that they
    /// trust for its tokens. Instances that start at once agree on one.
    ///
    /// Returns the key that was made, if one was, which the database need not have in the end.
    pub(super) async fn ensure(&self, alg: SigningAlg) -> Result<Option<Arc<SigningKey>>, StartError> {
        let rows = self.store.signing_keys().await?;
        if rows.iter().any(|row| row.state == SigningKeyState::Active && row.alg == alg) {
            return Ok(None);
        }
        let fresh = self.source.key(alg)?;
        let row = signing_key_row(&fresh, self.key, self.random, self.now)?;
        match self.store.ensure_signing_key(row).await? {
            Outcome::Won(_) => Ok(Some(fresh)),
            // Somebody has sealed everything anew since the server secrets were opened.
            Outcome::Lost => Err(StartError::OtherKey("they were sealed anew just now".to_owned())),
        }
    }
}

/// The signing keys, open; those `in_hand` are so already.
pub(super) async fn signing_keys(
    store: &Store,
    key: KeyEncryptionKey,
    mode: Mode,
    in_hand: &[Arc<SigningKey>],
    now: Timestamp,
) -> Result<SigningKeys, StartError> {
    let opened = SigningKeys::open(store, key, mode == Mode::Serve, in_hand, now).await;
    opened.map_err(|fault| match fault {
        KeyFault::Key(KeyError::Sealed(error)) => other_key(error),
        KeyFault::Store(error) => error.into(),
        other => other.into(),
    })
}

fn other_key(error: OpenError) -> StartError {
    StartError::OtherKey(error.to_string())
}
