//! Signing keys of an issuer, exchanged, lost and published late.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::answer::Refused;
use super::issuer::TestIssuer;
use crate::flow::admin::Takeover;
use crate::protocol::SigningAlg;
use crate::tokens::{NewKeys, SigningKey, TEST_KEYS, TestKeyShare};

/// What is done to the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAction {
    /// A new key signs; both are published.
    Rotate,
    /// A new key signs, and the one before is published no longer: its tokens are good, and nobody can tell.
    Lose,
    /// The key that signs is revoked: published no longer, its tokens are not good any more. A new one signs.
    Revoke,
    /// A new key signs and is not published until [`KeyAction::Publish`].
    PublishLate,
    /// Everything is published that is not revoked.
    Publish,
}

/// What to do.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeySpec {
    /// It.
    pub(super) action: KeyAction,
}

/// The keys after that.
#[derive(Clone, Debug, Serialize)]
pub struct KeysView {
    /// Those that are published.
    pub keys: Vec<String>,
    /// The one that signs.
    pub signing: String,
}

impl TestIssuer {
    /// Does something to its keys.
    ///
    /// # Errors
    /// Faults.
    pub async fn change_keys(&self, action: KeyAction) -> Result<KeysView, Refused> {
        let admin = self.administrator();
        let before = admin.lend_signing_key(None).await?.kid().to_owned();
        match action {
            KeyAction::Rotate => drop(self.rotate().await?),
            KeyAction::Lose => {
                self.rotate().await?;
                self.held().hidden_keys.insert(before);
            }
            KeyAction::PublishLate => {
                let fresh = self.rotate().await?;
                self.held().hidden_keys.insert(fresh);
            }
            KeyAction::Revoke => drop(admin.revoke_key(&before).await?),
            KeyAction::Publish => self.held().hidden_keys.clear(),
        }
        let signing = admin.lend_signing_key(None).await?.kid().to_owned();
        Ok(KeysView { keys: self.view().await.keys, signing })
    }

    /// Has another key sign at once; its name.
    async fn rotate(&self) -> Result<String, Refused> {
        let key = made(self.new_keys().clone(), SigningAlg::Rs256).await?;
        Ok(self.administrator().bring_in_key(&key, Takeover::AtOnce).await?.kid)
    }

    /// A key that is not its own, never was and never will be.
    pub(super) async fn foreign_key(&self, alg: SigningAlg) -> Result<Arc<SigningKey>, Refused> {
        match self.new_keys() {
            NewKeys::TestKeys(share) if alg == SigningAlg::Rs256 => Ok(share.stranger().signing_key()),
            NewKeys::Generated if alg == SigningAlg::Rs256 => Ok(TEST_KEYS[0].signing_key()),
            _ => made(NewKeys::Generated, alg).await,
        }
    }

    fn test_keys(&self) -> Option<&TestKeyShare> {
        match self.new_keys() {
            NewKeys::TestKeys(share) => Some(share),
            NewKeys::Generated => None,
        }
    }

    /// The test keys that it has had, for a snapshot.
    pub(super) fn test_keys_taken(&self) -> Vec<usize> {
        self.test_keys().map(TestKeyShare::taken).unwrap_or_default()
    }

    /// Forgets that it has had others than these.
    pub(super) fn put_back_test_keys(&self, taken: Vec<usize>) {
        if let Some(share) = self.test_keys() {
            share.put_back(taken);
        }
    }

    /// Leaves its test keys to others.
    pub(super) fn give_back_test_keys(&self) {
        if let Some(share) = self.test_keys() {
            share.give_back();
        }
    }
}

/// A key, which may take its time.
async fn made(source: NewKeys, alg: SigningAlg) -> Result<Arc<SigningKey>, Refused> {
    let made = tokio::task::spawn_blocking(move || source.key(alg)).await;
    made.map_err(|error| Refused::fault(&error))?.map_err(|error| Refused::fault(&error))
}
