//! Signing keys, as whoever runs the server takes care of them: all of it beside running instances, which see it within
//! a second.

use super::{Admin, AdminError, Named};
use crate::audit::{AuditEvent, AuditKind};
use crate::flow::Failure;
use crate::flow::keys::row;
use crate::protocol::key_rotation::{self, WaitingKey};
use crate::protocol::{SigningAlg, Timestamp};
use crate::store::{KeyRevoked, Mode, Resealed, Rewrap, SigningKey as Row, SigningKeyState};
use crate::tokens::{KeyEncryptionKey, KeyError, PublicJwk, ServerSecret, SigningKey};

/// How often sealing anew is tried when an instance makes a key meanwhile.
const REWRAP_ATTEMPTS: usize = 5;

/// A signing key, as far as it may be shown.
#[derive(Clone, Debug)]
pub struct KnownKey {
    /// Its name.
    pub kid: String,
    /// What it signs with.
    pub alg: SigningAlg,
    /// Where it stands: `next`, `active`, `retired` or `revoked`.
    pub state: &'static str,
    /// Since when it is, or was, published.
    pub published_at: Timestamp,
    /// Since when it signs, or when it is going to at the earliest; nothing if it never did.
    pub signs_from: Option<Timestamp>,
    /// When it ceased to sign, or was revoked.
    pub retired_at: Option<Timestamp>,
    /// When it is deleted.
    pub deleted_at: Option<Timestamp>,
}

/// How a public key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicForm {
    /// `BEGIN PUBLIC KEY` (RFC 7468 §13).
    Pem,
    /// A JWK (RFC 7517 §4).
    Jwk,
}

/// What the new key's first signature waits for, when it is brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takeover {
    /// For its turn: it is published, and takes over when the one that signs is due.
    InTurn,
    /// For nothing: verifiers that keep the keys refuse its tokens until they look again.
    AtOnce,
}

impl From<KeyError> for AdminError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Refused | KeyError::Sealed(_) => Self::Failed(error.into()),
            about_the_text => Self::Invalid(about_the_text.to_string()),
        }
    }
}

impl Admin {
    /// Every signing key, oldest first.
    ///
    /// # Errors
    /// [`AdminError::Failed`].
    pub async fn keys(&self) -> Result<Vec<KnownKey>, AdminError> {
        let rows = self.engine.store.signing_keys().await?;
        Ok(rows.iter().map(|row| self.known(row, &rows)).collect())
    }

    async fn key(&self, kid: &str) -> Result<KnownKey, AdminError> {
        let rows = self.engine.store.signing_keys().await?;
        let row = rows.iter().find(|row| row.kid == kid).ok_or_else(|| named(kid).not_found())?;
        Ok(self.known(row, &rows))
    }

    fn known(&self, row: &Row, all: &[Row]) -> KnownKey {
        let active = active(all, row.alg);
        let waits = (row.state == SigningKeyState::Next).then(|| {
            let waiting = WaitingKey { published_at: row.created_at, activate_at: row.activate_at };
            let since = active.map_or(row.created_at, |key| key.activated_at.unwrap_or(key.created_at));
            key_rotation::takes_over_at(&self.engine.policy.lifetimes, since, waiting)
        });
        KnownKey {
            kid: row.kid.clone(),
            alg: row.alg,
            state: row.state.as_str(),
            published_at: row.created_at,
            signs_from: row.activated_at.or(waits),
            retired_at: row.retired_at,
            deleted_at: row.expires_at,
        }
    }

    /// Makes a key and publishes it as the next; for an algorithm that nothing signs with yet, it signs at once.
    ///
    /// # Errors
    /// [`AdminError::Refused`] when one waits already.
    pub async fn generate_key(&self, alg: SigningAlg) -> Result<KnownKey, AdminError> {
        let rows = self.engine.store.signing_keys().await?;
        refuse_second_next(&rows, alg)?;
        let key = self.engine.new_key(alg).await.map_err(AdminError::Failed)?;
        self.admit(&key, Takeover::InTurn, &rows).await
    }

    /// Has the next key take over as soon as it has been published for the lead: now if it has. One is made if none
    /// waits.
    ///
    /// # Errors
    /// [`AdminError::Overtaken`] when somebody else does the same.
    pub async fn rotate_key(&self, alg: SigningAlg) -> Result<KnownKey, AdminError> {
        let rows = self.engine.store.signing_keys().await?;
        let kid = match rows.iter().find(|row| row.alg == alg && row.state == SigningKeyState::Next) {
            Some(next) => next.kid.clone(),
            None => self.generate_key(alg).await?.kid,
        };
        if self.key(&kid).await?.state == SigningKeyState::Next.as_str() {
            let now = self.engine.clock.now();
            named(&kid).won(self.engine.store.hasten_signing_key(&kid, now).await?)?;
            self.engine.tend_keys().await.map_err(AdminError::Failed)?;
        }
        self.key(&kid).await
    }

    /// Takes a private key in PEM, as [`check_key`] accepts it, that somebody brings along, under its thumbprint or the name that it is to have.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for what is no sound key; [`AdminError::Taken`] and [`AdminError::Refused`] for one that
    /// is there, was revoked or is public.
    pub async fn import_key(
        &self,
        pem: &str,
        kid: Option<&str>,
        takeover: Takeover,
    ) -> Result<KnownKey, AdminError> {
        self.bring_in_key(&SigningKey::import_pem(pem, kid)?, takeover).await
    }

    /// [`Admin::import_key`] of a key that is read already.
    ///
    /// # Errors
    /// The same, but for what concerns the text.
    pub async fn bring_in_key(&self, key: &SigningKey, takeover: Takeover) -> Result<KnownKey, AdminError> {
        if key.is_test_key() && self.mode() == Mode::Serve {
            let why = "this is one of the test keys that everybody can read in Gatelet's repository";
            return Err(AdminError::Refused(why.to_owned()));
        }
        let rows = self.engine.store.signing_keys().await?;
        let thumbprint = key.public_jwk().thumbprint();
        for row in &rows {
            let same =
                PublicJwk::from_json(&row.public_jwk).is_some_and(|jwk| jwk.thumbprint() == thumbprint);
            if same && row.state == SigningKeyState::Revoked {
                let why = format!("this key was revoked under the name {:?}", row.kid);
                return Err(AdminError::Refused(why));
            }
            if same || row.kid == key.kid() {
                return Err(named(&row.kid).taken());
            }
        }
        if takeover == Takeover::InTurn {
            refuse_second_next(&rows, key.alg())?;
        }
        self.admit(key, takeover, &rows).await
    }

    async fn admit(&self, key: &SigningKey, takeover: Takeover, all: &[Row]) -> Result<KnownKey, AdminError> {
        let engine = &self.engine;
        let now = engine.clock.now();
        let active = || row(key, engine.keys.key_encryption_key(), &engine.random, now);
        let is_first = self::active(all, key.alg()).is_none();
        if is_first || takeover == Takeover::AtOnce {
            let audit = self.key_event(AuditKind::KeyInstalled, key.alg(), key.kid());
            let expires_at = key_rotation::expired_at(now);
            let installed = engine.store.install_signing_key(active()?, expires_at, audit).await?;
            named(key.kid()).won(installed)?;
            engine.reread_keys().await;
        } else {
            let audit = self.key_event(AuditKind::KeyPublished, key.alg(), key.kid());
            if !engine.publish_key(key, audit).await.map_err(AdminError::Failed)? {
                return Err(AdminError::Overtaken { what: KEY, id: key.kid().to_owned() });
            }
        }
        self.key(key.kid()).await
    }

    /// The public part of a key: the one that signs with RS256 unless another is named.
    ///
    /// # Errors
    /// [`AdminError::NotFound`], also for a key that was revoked.
    pub async fn export_key(&self, kid: Option<&str>, form: PublicForm) -> Result<String, AdminError> {
        let rows = self.engine.store.signing_keys().await?;
        let row = match kid {
            Some(kid) => rows.iter().find(|row| row.kid == kid && row.state != SigningKeyState::Revoked),
            None => active(&rows, SigningAlg::Rs256),
        };
        let row = row.ok_or_else(|| named(kid.unwrap_or("RS256")).not_found())?;
        let damaged = || AdminError::Failed(Failure::impossible("the public part of a key is damaged"));
        let jwk = PublicJwk::from_json(&row.public_jwk).ok_or_else(damaged)?;
        match form {
            PublicForm::Jwk => Ok(jwk.to_json()),
            PublicForm::Pem => jwk.to_pem().ok_or_else(damaged),
        }
    }

    /// Revokes a key: it is published no longer, introspection takes nothing for valid that it signed, and its private
    /// part is deleted. If it signed, another signs from now on, published for the lead or not.
    ///
    /// # Errors
    /// [`AdminError::NotFound`]; [`AdminError::Refused`] when it was revoked before.
    pub async fn revoke_key(&self, kid: &str) -> Result<KeyRevoked, AdminError> {
        let engine = &self.engine;
        let rows = engine.store.signing_keys().await?;
        let row = rows.iter().find(|row| row.kid == kid).ok_or_else(|| named(kid).not_found())?;
        if row.state == SigningKeyState::Revoked {
            return Err(AdminError::Refused(format!("the signing key {kid:?} was revoked before")));
        }
        let fresh = engine.new_key(row.alg).await.map_err(AdminError::Failed)?;
        let now = engine.clock.now();
        let fresh = self::row(&fresh, engine.keys.key_encryption_key(), &engine.random, now)?;
        let forget_at = now.plus(engine.policy.lifetimes.audit);
        let audit = self.key_event(AuditKind::KeyRevoked, row.alg, kid);
        let revoked = engine.store.revoke_signing_key((kid, row.state), fresh, forget_at, audit).await?;
        engine.reread_keys().await;
        named(kid).won(revoked)
    }

    /// Seals everything anew under another key-encryption key, in one transaction; answers how many rows. Whatever
    /// interrupts it, one of the two keys opens everything.
    ///
    /// # Errors
    /// [`AdminError::Refused`] when it is the same key; [`AdminError::Overtaken`] when others change keys all the time.
    pub async fn rewrap(&self, to: &KeyEncryptionKey) -> Result<usize, AdminError> {
        let from = self.engine.keys.key_encryption_key().fingerprint();
        if to.fingerprint() == from {
            let why = format!("the database is sealed under the key {from} already");
            return Err(AdminError::Refused(why));
        }
        for _ in 0..REWRAP_ATTEMPTS {
            let rewrap = self.resealed(to).await?;
            let rows = rewrap.keys.len() + rewrap.secrets.len();
            let audit = self.event(AuditKind::KeysRewrapped, &format!("{from} to {}", to.fingerprint()));
            if self.engine.store.rewrap(rewrap, audit).await?.is_won() {
                return Ok(rows);
            }
        }
        Err(AdminError::Overtaken { what: "key-encryption key", id: from.to_owned() })
    }

    async fn resealed(&self, to: &KeyEncryptionKey) -> Result<Rewrap, AdminError> {
        let (engine, from) = (&self.engine, self.engine.keys.key_encryption_key());
        let (mut keys, mut secrets) = (Vec::new(), Vec::new());
        let closed = |error| AdminError::from(KeyError::Sealed(error));
        for row in engine.store.signing_keys().await? {
            if row.state != SigningKeyState::Revoked {
                let sealed =
                    SigningKey::reseal(&row.kid, &row.sealed, from, to, &engine.random).map_err(closed)?;
                keys.push(Resealed { id: row.kid, from: row.sealed, to: sealed });
            }
        }
        for row in engine.store.server_secrets().await? {
            let sealed =
                ServerSecret::reseal(&row.id, &row.sealed, from, to, &engine.random).map_err(closed)?;
            secrets.push(Resealed { id: row.id, from: row.sealed, to: sealed });
        }
        let name = |key: &KeyEncryptionKey| key.fingerprint().to_owned();
        Ok(Rewrap { keys, secrets, from: name(from), to: name(to) })
    }

    fn key_event(&self, kind: AuditKind, alg: SigningAlg, kid: &str) -> AuditEvent {
        self.event(kind, &format!("{alg} {kid}"))
    }
}

/// Whether a PEM holds a private key that can be brought in under this name.
///
/// # Errors
/// [`AdminError::Invalid`].
pub fn check_key(pem: &str, kid: Option<&str>) -> Result<(), AdminError> {
    Ok(SigningKey::import_pem(pem, kid).map(drop)?)
}

const KEY: &str = "signing key";

fn named(kid: &str) -> Named<'_> {
    Named { what: KEY, id: kid }
}

fn active(rows: &[Row], alg: SigningAlg) -> Option<&Row> {
    rows.iter().find(|row| row.alg == alg && row.state == SigningKeyState::Active)
}

fn refuse_second_next(rows: &[Row], alg: SigningAlg) -> Result<(), AdminError> {
    match rows.iter().find(|row| row.alg == alg && row.state == SigningKeyState::Next) {
        Some(next) => Err(AdminError::Refused(format!(
            "the {alg} key {:?} waits already; rotate to it, or revoke it first",
            next.kid
        ))),
        None => Ok(()),
    }
}
