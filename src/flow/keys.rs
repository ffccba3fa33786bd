//! The signing keys while serving: what the database says about them, as of at most a second ago.
//!
//! Keys are rows that instances share and that another instance, or `gatelet key`, can change at any time. Whatever
//! signs, publishes or verifies asks here first, and the rows are read again when the last reading is of another second.
//! So no timer has to keep up, a process that was stopped for a day reads before it signs, and a revoked key is gone
//! everywhere within a second.
//!
//! While the database does not answer, what was read last goes on for [`TRUSTED`]; after that nothing is signed any
//! more, since others may have retired and deleted the key meanwhile. The keys are published all the same: resource
//! servers lose nothing by a JWKS that is a little old.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::Serialize;

use super::{Engine, Failure};
use crate::protocol::{SigningAlg, Timestamp};
use crate::random::Random;
use crate::store::{Mode, SigningKey as Row, SigningKeyState, Store, StoreError};
use crate::tokens::{
    IssueError, KeyEncryptionKey, KeyError, KeyRing, Marked, PublicJwk, SigningKey, TokenKind,
};

/// How long the last reading is good for signing when the database does not answer. A retired key stays published for
/// longer than that after its last token, so what is signed within it verifies.
pub(super) const TRUSTED: Duration = Duration::from_secs(60);
/// Who waited for a reading that began a moment later does not read again.
const JUST_READ: Duration = Duration::from_secs(2);
/// Who waits for a reading that just failed for somebody else does not try again.
const JUST_FAILED: Duration = Duration::from_secs(2);

/// Why a key that should sign does not.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// It does not open, or is damaged.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It is one of the keys that everybody can read in Gatelet's repository.
    #[error("the signing key {0} is one of the published test keys; serve mode does not sign with those")]
    TestKey(String),
    /// The public part of a row cannot be read.
    #[error("the public part of the signing key {0} is damaged")]
    Damaged(String),
    /// The ring could not be made.
    #[error(transparent)]
    Ring(#[from] IssueError),
    /// The rows could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The signing keys, live.
#[derive(Debug)]
pub struct SigningKeys {
    key: KeyEncryptionKey,
    refuses_test_keys: bool,
    /// Locked to take or replace what is in it, never while something is signed or awaited.
    last: RwLock<Reading>,
    /// Held by whoever reads the rows.
    reading: tokio::sync::Mutex<()>,
}

/// What was read, and when.
#[derive(Clone, Debug)]
struct Reading {
    rows: Arc<[Row]>,
    ring: KeyRing,
    /// The second in which the reading began.
    at: Timestamp,
    /// When a later one failed.
    failed_at: Option<Timestamp>,
}

impl Reading {
    fn is_of(&self, now: Timestamp) -> bool {
        self.at == now || self.failed_at == Some(now)
    }

    fn is_within(&self, bound: Duration, now: Timestamp) -> bool {
        within(self.at, bound, now)
    }
}

/// Whether two moments lie no further apart, whichever comes first: a clock may have been put back.
fn within(at: Timestamp, bound: Duration, now: Timestamp) -> bool {
    now.since(at) <= bound && at.since(now) <= bound
}

impl SigningKeys {
    /// Reads the rows, opens the keys that sign unless they are `in_hand`, and refuses what it cannot use.
    ///
    /// # Errors
    /// [`KeyFault`]: a server that could not sign does not start.
    pub async fn open(
        store: &Store,
        key: KeyEncryptionKey,
        refuses_test_keys: bool,
        in_hand: &[Arc<SigningKey>],
        now: Timestamp,
    ) -> Result<Self, KeyFault> {
        let rows: Arc<[Row]> = store.signing_keys().await?.into();
        let (ring, mut faults) = opened(&rows, &key, refuses_test_keys, in_hand)?;
        if let Some(fault) = faults.pop() {
            return Err(fault);
        }
        let last = RwLock::new(Reading { rows, ring, at: now, failed_at: None });
        Ok(Self { key, refuses_test_keys, last, reading: tokio::sync::Mutex::default() })
    }

    /// The key that seals them in the database.
    pub(super) fn key_encryption_key(&self) -> &KeyEncryptionKey {
        &self.key
    }

    fn last(&self) -> Reading {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn update(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.last.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The last reading, after another one if that is of another second than `now`.
    async fn read(&self, store: &Store, now: Timestamp) -> Reading {
        let last = self.last();
        if last.is_of(now) {
            return last;
        }
        // One reads and the others wait for it: what was read before may be from long ago, on a quiet server, and a key
        // that was revoked since must not sign.
        let _reading = match self.reading.try_lock() {
            Ok(reading) => reading,
            Err(_) => {
                let reading = self.reading.lock().await;
                let last = self.last();
                let is_newer = last.at > now && within(last.at, JUST_READ, now);
                if last.is_of(now)
                    || is_newer
                    || last.failed_at.is_some_and(|at| within(at, JUST_FAILED, now))
                {
                    return last;
                }
                reading
            }
        };
        self.read_now(store, now).await;
        self.last()
    }

    /// Reads the rows and takes what they say.
    async fn read_now(&self, store: &Store, now: Timestamp) {
        match store.signing_keys().await {
            Ok(rows) => self.take(rows, now),
            Err(error) => {
                tracing::warn!(%error, "could not read the signing keys");
                self.update(|last| last.failed_at = Some(now));
            }
        }
    }

    fn take(&self, rows: Vec<Row>, now: Timestamp) {
        let last = self.last();
        if *last.rows == rows[..] {
            return self.update(|last| (last.at, last.failed_at) = (now, None));
        }
        match opened(&rows, &self.key, self.refuses_test_keys, last.ring.signers()) {
            Ok((ring, faults)) => {
                for fault in faults {
                    tracing::error!(%fault, "a signing key cannot be used");
                }
                self.update(|last| *last = Reading { rows: rows.into(), ring, at: now, failed_at: None });
            }
            Err(fault) => {
                tracing::error!(%fault, "the signing keys cannot be used");
                self.update(|last| last.failed_at = Some(now));
            }
        }
    }
}

impl Engine {
    /// Signs claims: the one place where a token, or an answer that is to be believed like one, gets its signature.
    /// `kind` is what keeps it apart from the others, see [`TokenKind`]. A resource that is the first to ask for an
    /// algorithm gets a key made for it. In test mode a token carries the mark ([`TEST_MARK`](crate::protocol::TEST_MARK)).
    ///
    /// # Errors
    /// As [`Engine::keys_to_sign`], and [`Failure`] when nothing can be signed.
    pub async fn sign(
        &self,
        kind: TokenKind,
        alg: SigningAlg,
        claims: &(impl Serialize + Sync),
    ) -> Result<String, Failure> {
        if kind.is_credential() && self.store.mode() == Mode::Test {
            return self.signed(kind, alg, &Marked::new(claims)).await;
        }
        self.signed(kind, alg, claims).await
    }

    async fn signed(
        &self,
        kind: TokenKind,
        alg: SigningAlg,
        claims: &(impl Serialize + Sync),
    ) -> Result<String, Failure> {
        let keys = self.keys_to_sign().await?;
        match keys.sign(kind, alg, claims) {
            Err(IssueError::NoKey(_)) if self.make_first_key(alg).await? => {
                Ok(self.keys_to_sign().await?.sign(kind, alg, claims)?)
            }
            signed => Ok(signed?),
        }
    }

    /// Makes the first key of an algorithm; false when there is one, which is just not usable here.
    async fn make_first_key(&self, alg: SigningAlg) -> Result<bool, Failure> {
        let of_alg = |row: &Row| row.state == SigningKeyState::Active && row.alg == alg;
        if self.keys.last().rows.iter().any(of_alg) {
            return Ok(false);
        }
        let (key, now) = (self.new_key(alg).await?, self.clock.now());
        let row = row(&key, self.keys.key_encryption_key(), &self.random, now)?;
        let made = self.store.ensure_signing_key(row).await?.is_won();
        self.reread_keys().await;
        Ok(made)
    }

    /// A signing key that this server has never had.
    pub(super) async fn new_key(&self, alg: SigningAlg) -> Result<Arc<SigningKey>, Failure> {
        let source = self.new_keys.clone();
        // Making one for RSA takes its time.
        let made = tokio::task::spawn_blocking(move || source.key(alg)).await;
        Ok(made.map_err(|error| Failure::Fault(error.into()))??)
    }

    /// Reads the keys again, because this instance has just changed them.
    pub(super) async fn reread_keys(&self) {
        self.keys.read_now(&self.store, self.clock.now()).await;
    }

    /// The keys to sign with.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when the database has not answered for longer than a minute.
    pub async fn keys_to_sign(&self) -> Result<KeyRing, Failure> {
        let now = self.clock.now();
        let last = self.keys.read(&self.store, now).await;
        if last.is_within(TRUSTED, now) {
            return Ok(last.ring);
        }
        Err(Failure::Unavailable("the signing keys were last read too long ago to sign with".into()))
    }

    /// The keys to publish and to verify with.
    pub async fn keys_to_publish(&self) -> KeyRing {
        self.keys.read(&self.store, self.clock.now()).await.ring
    }
}

/// The row of a key that signs from now on.
pub fn row(
    key: &SigningKey,
    kek: &KeyEncryptionKey,
    random: &Random,
    now: Timestamp,
) -> Result<Row, KeyError> {
    Ok(Row {
        kid: key.kid().to_owned(),
        alg: key.alg(),
        sealed: key.seal(kek, random)?,
        public_jwk: key.public_jwk().to_json(),
        state: SigningKeyState::Active,
        created_at: now,
        activate_at: None,
        activated_at: Some(now),
        retired_at: None,
        expires_at: None,
    })
}

/// The ring that the rows describe. A key that should sign and cannot is published, since others may sign with it, and
/// told of. Keys that are `in_hand` are not opened again.
fn opened(
    rows: &[Row],
    kek: &KeyEncryptionKey,
    refuses_test_keys: bool,
    in_hand: &[Arc<SigningKey>],
) -> Result<(KeyRing, Vec<KeyFault>), KeyFault> {
    let (mut signing, mut others, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.state != SigningKeyState::Revoked) {
        let jwk = PublicJwk::from_json(&row.public_jwk).ok_or_else(|| KeyFault::Damaged(row.kid.clone()))?;
        if row.state == SigningKeyState::Active {
            let known = in_hand.iter().find(|key| key.alg() == row.alg && *key.public_jwk() == jwk);
            match known.map_or_else(|| open_one(row, kek), |key| Ok(Arc::clone(key))) {
                Ok(key) if refuses_test_keys && key.is_test_key() => {
                    faults.push(KeyFault::TestKey(row.kid.clone()));
                }
                Ok(key) => signing.push(key),
                Err(fault) => faults.push(fault),
            }
        }
        others.push(jwk);
    }
    Ok((KeyRing::new(signing, others)?, faults))
}

fn open_one(row: &Row, kek: &KeyEncryptionKey) -> Result<Arc<SigningKey>, KeyFault> {
    Ok(Arc::new(SigningKey::open(row.alg, &row.kid, &row.sealed, kek)?))
}
