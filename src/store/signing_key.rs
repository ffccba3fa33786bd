//! Signing keys: rows, so that instances share and rotate them; the private parts are sealed.
//!
//! A key is published (`next`), signs (`active`), is published until its last token has expired (`retired`), and is
//! deleted. What an administrator does to it besides is in `key_custody`.

use super::audit::{self, Noted};
use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, Value, args};
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{Sealed, SigningAlg, Timestamp};

macro_rules! columns {
    () => {
        "kid, alg, sealed, public_jwk, state, created_at, activate_at, activated_at, retired_at, expires_at"
    };
}

statements! {
    /// The slot is the algorithm and unique: of two instances that start at once, one inserts. Nothing happens either
    /// where a key has the name already.
    pub(super) INSERT_ACTIVE = "INSERT INTO signing_keys
            (kid, alg, sealed, public_jwk, state, slot, created_at, activated_at)
        VALUES ($1, $2, $3, $4, 'active', $2, $5, $5) ON CONFLICT DO NOTHING";
    ACTIVE = concat!("SELECT ", columns!(), " FROM signing_keys WHERE slot = $1");
    ALL = concat!("SELECT ", columns!(), " FROM signing_keys ORDER BY created_at, kid");
    /// One `next` key per algorithm: a second instance that finds it time to publish one loses.
    INSERT_NEXT = "INSERT INTO signing_keys (kid, alg, sealed, public_jwk, state, slot, created_at)
        VALUES ($1, $2, $3, $4, 'next', 'next ' || $2, $5) ON CONFLICT DO NOTHING";
    /// The key that takes over must be waiting, and must have been published for long enough; or nobody would sign, or
    /// somebody with a key that others do not know.
    RETIRE = "UPDATE signing_keys SET state = 'retired', slot = NULL, retired_at = $3, expires_at = $4
        WHERE kid = $2 AND state = 'active' AND EXISTS (SELECT 1 FROM signing_keys n
            WHERE n.kid = $1 AND n.state = 'next' AND n.alg = signing_keys.alg AND n.created_at <= $5)";
    ACTIVATE = "UPDATE signing_keys SET state = 'active', slot = alg, activate_at = NULL, activated_at = $2
        WHERE kid = $1 AND state = 'next'";
    DELETE_EXPIRED = "DELETE FROM signing_keys WHERE state IN ('retired', 'revoked') AND expires_at <= $1";
    /// The server secret that is in use tells which key-encryption key is, since all that is sealed changes it in one
    /// transaction. Updating it makes that transaction and this one take turns.
    SEALED_UNDER = "UPDATE server_secrets SET slot = slot
        WHERE slot = 'current' AND substr(sealed, 1, 9) = $1";
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyState {
    /// Published, not yet used, so that resource servers know it in time.
    Next,
    /// Signs.
    Active,
    /// Published until the last token that it signed has expired.
    Retired,
    /// Good for nothing any more: neither published nor kept, but for its name.
    Revoked,
}

impl SigningKeyState {
    /// Its stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Active, Self::Retired, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A key pair that signs tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name in tokens and in the JWKS: the RFC 7638 thumbprint unless imported.
    pub kid: String,
    /// The signature algorithm (RFC 7518 §3.1).
    pub alg: SigningAlg,
    /// The private part under the key-encryption key; empty when it was revoked.
    pub sealed: Sealed,
    /// The public part as a JWK (RFC 7517 §4), in JSON.
    pub public_jwk: String,
    /// Where it stands.
    pub state: SigningKeyState,
    /// When it was made and published.
    pub created_at: Timestamp,
    /// When it is to begin to sign at the earliest, if somebody has decided.
    pub activate_at: Option<Timestamp>,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
    /// When the last token that it signed has expired, and it can be deleted.
    pub expires_at: Option<Timestamp>,
}

/// One key takes over from another.
#[derive(Clone, Debug)]
pub struct KeyRotation {
    /// The key that waits.
    pub next: String,
    /// The key that signs.
    pub active: String,
    /// The waiting key must have been published then or before.
    pub published_by: Timestamp,
    /// Until when the other stays published.
    pub expires_at: Timestamp,
    /// The name of the key-encryption key under which the waiting key is sealed.
    pub sealed_under: String,
}

impl Store {
    /// The active key of the candidate's algorithm; the candidate becomes it if there is none. Instances that start
    /// at once get the same. Lost when the database is sealed under another key-encryption key than the candidate.
    pub async fn ensure_signing_key(&self, candidate: SigningKey) -> Result<Outcome<SigningKey>, StoreError> {
        self.write_guarded(candidate, |tx, candidate| Box::pin(ensure(tx, candidate))).await
    }

    /// Publishes a key that will sign later; lost when there is one already, or the database is sealed under another
    /// key-encryption key. The fact's moment is the present.
    pub async fn publish_next_signing_key(
        &self,
        key: SigningKey,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((key, self.noted(audit)), |tx, (key, audit)| {
            Box::pin(async move {
                if !is_sealed_like(tx, key).await? || tx.execute(INSERT_NEXT, &new_key(key)).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                audit::record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Lets a published key sign from now on and retires the one that did. Lost when either is no longer in that
    /// state: another instance has rotated. The fact's moment is the present.
    pub async fn rotate_signing_key(
        &self,
        rotation: KeyRotation,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((rotation, self.noted(audit)), |tx, (rotation, audit)| {
            Box::pin(rotate(tx, rotation, audit))
        })
        .await
    }

    /// Deletes retired keys whose last token has expired, and what is left of keys that were revoked long ago; answers
    /// how many.
    pub async fn delete_expired_signing_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(now, |tx, now| Box::pin(async move { tx.execute(DELETE_EXPIRED, args![*now]).await }))
            .await
    }

    /// Every key, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.backend.all(ALL, &[]).await?.iter().map(signing_key).collect()
    }
}

/// What the statements that insert a key need.
pub(super) fn new_key(key: &SigningKey) -> [Value<'_>; 5] {
    *args![&key.kid, key.alg.as_str(), key.sealed.as_str(), &key.public_jwk, key.created_at]
}

/// Whether the database is sealed under the key-encryption key with this name, and stays so until the transaction ends.
pub(super) async fn is_sealed_under(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(SEALED_UNDER, args![&format!("{name}.")]).await? == 1)
}

/// [`is_sealed_under`] the one under which a new key is sealed.
pub(super) async fn is_sealed_like(tx: &mut Tx<'_>, key: &SigningKey) -> Result<bool, StoreError> {
    is_sealed_under(tx, key.sealed.key_name()).await
}

async fn ensure(tx: &mut Tx<'_>, candidate: &SigningKey) -> Result<Outcome<SigningKey>, StoreError> {
    if !is_sealed_like(tx, candidate).await? {
        return Ok(Outcome::Lost);
    }
    tx.execute(INSERT_ACTIVE, &new_key(candidate)).await?;
    let row = tx.optional(ACTIVE, args![candidate.alg.as_str()]).await?;
    signing_key(&row.ok_or_else(|| StoreError::corrupt("table signing_keys"))?).map(Outcome::Won)
}

async fn rotate(tx: &mut Tx<'_>, rotation: &KeyRotation, audit: &Noted) -> Result<Outcome, StoreError> {
    let KeyRotation { next, active, published_by, expires_at, sealed_under } = rotation;
    if !is_sealed_under(tx, sealed_under).await? {
        return Ok(Outcome::Lost);
    }
    let retired = tx.execute(RETIRE, args![next, active, audit.at(), *expires_at, *published_by]).await?;
    if retired == 0 || tx.execute(ACTIVATE, args![next, audit.at()]).await? == 0 {
        return Ok(Outcome::Lost);
    }
    audit::record(tx, audit).await?;
    Ok(Outcome::Won(()))
}

fn signing_key(row: &Row) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        kid: row.text("kid")?.to_owned(),
        alg: row.parsed("alg", SigningAlg::parse)?,
        sealed: Sealed::from_stored(row.text("sealed")?.to_owned()),
        public_jwk: row.text("public_jwk")?.to_owned(),
        state: row.parsed("state", SigningKeyState::parse)?,
        created_at: row.time("created_at")?,
        activate_at: row.optional_time("activate_at")?,
        activated_at: row.optional_time("activated_at")?,
        retired_at: row.optional_time("retired_at")?,
        expires_at: row.optional_time("expires_at")?,
    })
}
