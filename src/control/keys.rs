//! Signing keys of an issuer, exchanged, lost and published late.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::answer::Refused;
use super::issuer::TestIssuer;
use crate::flow::admin::Takeover;
use crate::protocol::SigningAlg;
use crate::tokens::{SigningKey, TEST_KEYS};

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
            KeyAction::Revoke => {
                self.rotate().await?;
                admin.revoke_key(&before).await?;
            }
            KeyAction::Publish => self.held().hidden_keys.clear(),
        }
        let signing = admin.lend_signing_key(None).await?.kid().to_owned();
        Ok(KeysView { keys: self.view().await.keys, signing })
    }

    /// Has another key sign at once; its name.
    async fn rotate(&self) -> Result<String, Refused> {
        let admin = self.administrator();
        let known: Vec<String> = admin.keys().await?.into_iter().map(|key| key.kid).collect();
        let key = match self.fresh_test_key(&known) {
            Some(key) => key,
            // Each of the pool was used, or none is wanted. Making one takes its time.
            None => tokio::task::spawn_blocking(|| SigningKey::generate(SigningAlg::Rs256).map(Arc::new))
                .await
                .map_err(|error| Refused::fault(&error))?
                .map_err(|error| Refused::fault(&error))?,
        };
        Ok(admin.bring_in_key(&key, Takeover::AtOnce).await?.kid)
    }

    /// A test key that this issuer has never had, if its keys come from there.
    fn fresh_test_key(&self, known: &[String]) -> Option<Arc<SigningKey>> {
        let mut pool = (0..TEST_KEYS.len()).map_while(|_| self.next_test_key());
        let fresh = pool.find(|key| !known.iter().any(|kid| kid == key.thumbprint));
        fresh.map(|key| key.signing_key())
    }
}
