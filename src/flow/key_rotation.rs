//! Rotating signing keys, as `protocol::key_rotation` decides and the database allows.

use super::keys::row;
use super::{Engine, Failure};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::key_rotation::{self, KeyStep, WaitingKey};
use crate::protocol::{SigningAlg, Timestamp};
use crate::store::{KeyRotation, SigningKey as Row, SigningKeyState};
use crate::tokens::SigningKey;

impl Engine {
    /// Takes the steps that are due in the lives of the signing keys: publishes, lets one take over, deletes. Any instance
    /// may do it at any time; what another has done already is left.
    ///
    /// # Errors
    /// [`Failure`]; what is due stays due.
    pub async fn tend_keys(&self) -> Result<(), Failure> {
        let (rows, now) = (self.store.signing_keys().await?, self.clock.now());
        let mut changed = false;
        if rows.iter().any(|row| row.expires_at.is_some_and(|at| at <= now)) {
            changed |= self.store.delete_expired_signing_keys(now).await? > 0;
        }
        for alg in SigningAlg::ALL {
            changed |= self.tend(alg, &rows, now).await?;
        }
        if changed {
            self.reread_keys().await;
        }
        Ok(())
    }

    async fn tend(&self, alg: SigningAlg, rows: &[Row], now: Timestamp) -> Result<bool, Failure> {
        let in_state = |state| rows.iter().find(move |row| row.alg == alg && row.state == state);
        let (active, next) = (in_state(SigningKeyState::Active), in_state(SigningKeyState::Next));
        let Some(active) = active else { return Ok(false) };
        let since = active.activated_at.unwrap_or(active.created_at);
        let waiting =
            next.map(|row| WaitingKey { published_at: row.created_at, activate_at: row.activate_at });
        match (key_rotation::next_step(&self.policy.lifetimes, since, waiting, now), next) {
            (KeyStep::Publish, _) => self.publish_fresh_key(alg).await,
            (KeyStep::Activate, Some(next)) => self.rotate_key(next, active, now).await,
            (KeyStep::Activate | KeyStep::Wait, _) => Ok(false),
        }
    }

    /// Makes a key and publishes it as the next; false when one waits already.
    async fn publish_fresh_key(&self, alg: SigningAlg) -> Result<bool, Failure> {
        let key = self.new_key(alg).await?;
        let audit = AuditEvent::new(self.clock.now(), AuditKind::KeyPublished);
        self.publish_key(&key, audit.detail(format!("{alg} {}", key.kid()))).await
    }

    /// Publishes a key as the next; false when one waits already.
    pub(super) async fn publish_key(&self, key: &SigningKey, audit: AuditEvent) -> Result<bool, Failure> {
        let kek = self.keys.key_encryption_key();
        let row = Row {
            state: SigningKeyState::Next,
            activated_at: None,
            ..row(key, kek, &self.random, audit.at)?
        };
        let won = self.store.publish_next_signing_key(row, audit).await?.is_won();
        if won {
            tracing::info!(kid = key.kid(), alg = %key.alg(), "signing key published");
        } else {
            self.warn_of_other_kek().await?;
        }
        Ok(won)
    }

    /// Lets the key that waits take over; false when another instance was faster.
    async fn rotate_key(&self, next: &Row, active: &Row, now: Timestamp) -> Result<bool, Failure> {
        let rotation = KeyRotation {
            next: next.kid.clone(),
            active: active.kid.clone(),
            published_by: key_rotation::published_by(&self.policy.lifetimes, now),
            expires_at: key_rotation::expired_at(now),
            sealed_under: self.keys.key_encryption_key().fingerprint().to_owned(),
        };
        let audit = AuditEvent::new(now, AuditKind::KeyRotated)
            .detail(format!("{} {} after {}", next.alg, next.kid, active.kid));
        let won = self.store.rotate_signing_key(rotation, audit).await?.is_won();
        if won {
            tracing::info!(kid = next.kid, retired = active.kid, alg = %next.alg, "signing key rotated");
        } else {
            self.warn_of_other_kek().await?;
        }
        Ok(won)
    }

    /// Whoever lost because the database was sealed anew has to hear of it; another instance that was faster is no news.
    async fn warn_of_other_kek(&self) -> Result<(), Failure> {
        let at_hand = self.keys.key_encryption_key().fingerprint();
        let current = self.store.server_secrets().await?.into_iter().find(|secret| secret.is_current);
        if current.is_some_and(|secret| secret.sealed.key_name() != at_hand) {
            tracing::warn!(
                at_hand,
                "the database was sealed anew under another key-encryption key; restart this instance with that one: \
                 until then it rotates no keys, and when others do, it cannot sign"
            );
        }
        Ok(())
    }
}
