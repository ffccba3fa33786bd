//! Signing keys: rows, so that instances share and rotate them; the private parts are sealed.

use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError};
use crate::protocol::{Sealed, SigningAlg, Timestamp};

statements! {
    /// The slot is the algorithm and unique: of two instances that start at once, one inserts.
    INSERT_ACTIVE = "INSERT INTO signing_keys (kid, alg, sealed, public_jwk, state, slot, created_at, activated_at)
        VALUES ($1, $2, $3, $4, 'active', $2, $5, $5) ON CONFLICT (slot) DO NOTHING";
    ACTIVE = "SELECT kid, alg, sealed, public_jwk, state, created_at, activated_at, retired_at, expires_at
        FROM signing_keys WHERE slot = $1";
    ALL = "SELECT kid, alg, sealed, public_jwk, state, created_at, activated_at, retired_at, expires_at
        FROM signing_keys ORDER BY created_at, kid";
    /// One `next` key per algorithm: a second instance that finds it time to publish one loses.
    INSERT_NEXT = "INSERT INTO signing_keys (kid, alg, sealed, public_jwk, state, slot, created_at)
        VALUES ($1, $2, $3, $4, 'next', 'next ' || $2, $5) ON CONFLICT (slot) DO NOTHING";
    /// The key that takes over must be waiting, or nobody would sign.
    RETIRE = "UPDATE signing_keys SET state = 'retired', slot = NULL, retired_at = $3, expires_at = $4
        WHERE kid = $2 AND state = 'active' AND EXISTS (SELECT 1 FROM signing_keys n
            WHERE n.kid = $1 AND n.state = 'next' AND n.alg = signing_keys.alg)";
    ACTIVATE = "UPDATE signing_keys SET state = 'active', slot = alg, activated_at = $2
        WHERE kid = $1 AND state = 'next'";
    DELETE_EXPIRED = "DELETE FROM signing_keys WHERE state = 'retired' AND expires_at <= $1";
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
}

impl SigningKeyState {
    /// Its stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Active, Self::Retired].into_iter().find(|state| state.as_str() == text)
    }
}

/// A key pair that signs tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name in tokens and in the JWKS: the RFC 7638 thumbprint unless imported.
    pub kid: String,
    /// The signature algorithm (RFC 7518 §3.1).
    pub alg: SigningAlg,
    /// The private part under the key-encryption key.
    pub sealed: Sealed,
    /// The public part as a JWK (RFC 7517 §4), in JSON.
    pub public_jwk: String,
    /// Where it stands.
    pub state: SigningKeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
    /// When the last token that it signed has expired.
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// The active key of the candidate's algorithm; the candidate becomes it if there is none. Instances that start
    /// at once get the same.
    pub async fn ensure_signing_key(&self, candidate: SigningKey) -> Result<SigningKey, StoreError> {
        self.write(candidate, |tx, candidate| Box::pin(ensure(tx, candidate))).await
    }

    /// Publishes a key that will sign later; lost when there is one already.
    pub async fn publish_next_signing_key(&self, key: SigningKey) -> Result<Outcome, StoreError> {
        self.write_guarded(key, |tx, key| {
            Box::pin(async move { Ok(Outcome::of(tx.execute(INSERT_NEXT, &new_key(key)).await?)) })
        })
        .await
    }

    /// Lets the published key `next` sign from `now` on and retires the key `active`, which stays published until
    /// `expires_at`. Lost when either is no longer in that state: another instance has rotated.
    pub async fn rotate_signing_key(
        &self,
        next: &str,
        active: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let args = (next.to_owned(), active.to_owned(), now, expires_at);
        self.write_guarded(args, |tx, (next, active, now, expires_at)| {
            Box::pin(async move {
                let retired = tx.execute(RETIRE, args![next, active, *now, *expires_at]).await?;
                if retired == 0 {
                    return Ok(Outcome::Lost);
                }
                Ok(Outcome::of(tx.execute(ACTIVATE, args![next, *now]).await?))
            })
        })
        .await
    }

    /// Deletes retired keys whose last token has expired; answers how many.
    pub async fn delete_expired_signing_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(now, |tx, now| Box::pin(async move { tx.execute(DELETE_EXPIRED, args![*now]).await }))
            .await
    }

    /// Every key, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.backend.all(ALL, &[]).await?.iter().map(signing_key).collect()
    }
}

fn new_key(key: &SigningKey) -> [super::value::Value<'_>; 5] {
    *args![&key.kid, key.alg.as_str(), key.sealed.as_str(), &key.public_jwk, key.created_at]
}

async fn ensure(tx: &mut Tx<'_>, candidate: &SigningKey) -> Result<SigningKey, StoreError> {
    tx.execute(INSERT_ACTIVE, &new_key(candidate)).await?;
    let row = tx.optional(ACTIVE, args![candidate.alg.as_str()]).await?;
    signing_key(&row.ok_or_else(|| StoreError::corrupt("table signing_keys"))?)
}

fn signing_key(row: &Row) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        kid: row.text("kid")?.to_owned(),
        alg: row.parsed("alg", SigningAlg::parse)?,
        sealed: Sealed::from_stored(row.text("sealed")?.to_owned()),
        public_jwk: row.text("public_jwk")?.to_owned(),
        state: row.parsed("state", SigningKeyState::parse)?,
        created_at: row.time("created_at")?,
        activated_at: row.optional_time("activated_at")?,
        retired_at: row.optional_time("retired_at")?,
        expires_at: row.optional_time("expires_at")?,
    })
}
