//! What an administrator does to the key that signs.

use std::time::Duration;

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::flow::signing_key_row;
use gatelet::protocol::SigningAlg;
use gatelet::store::{SigningKey as Row, SigningKeyState};
use gatelet::tokens::{KeyEncryptionKey, SigningKey};

use crate::stage::Stage;

/// Under which the testkit's servers seal their keys.
const TESTKIT_KEK: [u8; 32] = [0x67; 32];
/// Longer than any access token lives.
const KEPT: Duration = Duration::from_secs(7200);

impl Stage {
    /// Lets a new key sign.
    pub(crate) async fn rotate_key(&self) -> bool {
        let now = self.server.clock().now();
        let audit = AuditEvent::new(now, AuditKind::KeyRotated);
        let store = self.server.app().engine().store.clone();
        store.install_signing_key(self.fresh_key(), now.plus(KEPT), audit).await.unwrap().is_won()
    }

    /// Revokes the key that signs, if one does.
    pub(crate) async fn revoke_key(&self) -> bool {
        let now = self.server.clock().now();
        let store = self.server.app().engine().store.clone();
        let rows = store.signing_keys().await.unwrap();
        let is_active = |row: &&Row| row.alg == SigningAlg::Es256 && row.state == SigningKeyState::Active;
        let Some(active) = rows.iter().find(is_active) else { return true };
        let audit = AuditEvent::new(now, AuditKind::KeyRevoked);
        let key = (active.kid.as_str(), SigningKeyState::Active);
        store.revoke_signing_key(key, self.fresh_key(), now.plus(KEPT), audit).await.unwrap().is_won()
    }

    fn fresh_key(&self) -> Row {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let engine = self.server.app().engine().clone();
        signing_key_row(&key, &KeyEncryptionKey::from_bytes(&TESTKIT_KEK), &engine.random, engine.clock.now())
            .unwrap()
    }
}
