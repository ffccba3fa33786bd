//! Opening the keys that the database keeps sealed, and making the first ones.

use super::StartError;
use crate::protocol::{ServerSecretId, Timestamp};
use crate::random::Random;
use crate::store::{self, Mode, SigningKeyState, Store};
use crate::tokens::{
    KeyEncryptionKey, KeyError, KeyRing, OpenError, PublicJwk, ServerSecret, ServerSecrets, SigningKey,
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

/// The signing keys; the first is made at the first start.
pub(super) async fn key_ring(
    store: &Store,
    key: &KeyEncryptionKey,
    given: Option<SigningKey>,
    mode: Mode,
    random: &Random,
    now: Timestamp,
) -> Result<KeyRing, StartError> {
    let mut rows = store.signing_keys().await?;
    if !rows.iter().any(|row| row.state == SigningKeyState::Active) {
        rows.push(store.ensure_signing_key(first_key(given, key, random, now)?).await?);
    }
    let mut active = None;
    let mut others = Vec::new();
    for row in &rows {
        if row.state == SigningKeyState::Active {
            active = Some(SigningKey::open(&row.kid, &row.sealed, key).map_err(|error| match error {
                KeyError::Sealed(error) => other_key(error),
                other => other.into(),
            })?);
        } else {
            let jwk: PublicJwk = serde_json::from_str(&row.public_jwk).map_err(|_| StartError::DamagedKey)?;
            others.push(jwk);
        }
    }
    let active = active.ok_or(StartError::DamagedKey)?;
    if mode == Mode::Serve && active.is_test_key() {
        return Err(StartError::TestKey(active.kid().to_owned()));
    }
    Ok(KeyRing::new(active, others)?)
}

fn first_key(
    given: Option<SigningKey>,
    key: &KeyEncryptionKey,
    random: &Random,
    now: Timestamp,
) -> Result<store::SigningKey, StartError> {
    let fresh = match given {
        Some(given) => given,
        None => SigningKey::generate()?,
    };
    Ok(store::SigningKey {
        kid: fresh.kid().to_owned(),
        alg: "RS256".to_owned(),
        sealed: fresh.seal(key, random)?,
        public_jwk: serde_json::to_string(fresh.public_jwk())?,
        state: SigningKeyState::Active,
        created_at: now,
        activated_at: Some(now),
        retired_at: None,
        expires_at: None,
    })
}

fn other_key(error: OpenError) -> StartError {
    StartError::OtherKey(error.to_string())
}
