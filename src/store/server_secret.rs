//! Server secrets: sealed here, opened only in `tokens`.

use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args};
use super::{Store, StoreError};
use crate::protocol::{Sealed, ServerSecretId, Timestamp};

statements! {
    /// The slot is unique: of two instances that start at once, one inserts.
    INSERT_CURRENT = "INSERT INTO server_secrets (id, sealed, slot, created_at) VALUES ($1, $2, 'current', $3)
        ON CONFLICT (slot) DO NOTHING";
    CURRENT = "SELECT id, sealed, created_at, CAST(1 AS BIGINT) AS is_current FROM server_secrets
        WHERE slot = 'current'";
    ALL = "SELECT id, sealed, created_at, CAST(CASE WHEN slot = 'current' THEN 1 ELSE 0 END AS BIGINT) AS is_current
        FROM server_secrets ORDER BY id";
}

/// A secret from which refresh tokens, hashes and cookies are derived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSecret {
    /// Its identifier, which grants name.
    pub id: ServerSecretId,
    /// The secret under the key-encryption key.
    pub sealed: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether new grants take this one.
    pub is_current: bool,
}

impl Store {
    /// The current secret; `candidate` becomes it if there is none yet. Instances that start at once get the same.
    pub async fn ensure_server_secret(&self, candidate: ServerSecret) -> Result<ServerSecret, StoreError> {
        self.write(candidate, |tx, candidate| Box::pin(ensure(tx, candidate))).await
    }

    /// Every secret under which something may still be valid, oldest first.
    pub async fn server_secrets(&self) -> Result<Vec<ServerSecret>, StoreError> {
        self.backend.all(ALL, &[]).await?.iter().map(server_secret).collect()
    }
}

async fn ensure(tx: &mut Tx<'_>, candidate: &ServerSecret) -> Result<ServerSecret, StoreError> {
    let args = args![&candidate.id, candidate.sealed.as_str(), candidate.created_at];
    tx.execute(INSERT_CURRENT, args).await?;
    let row = tx.optional(CURRENT, &[]).await?.ok_or_else(|| StoreError::corrupt("table server_secrets"))?;
    server_secret(&row)
}

fn server_secret(row: &Row) -> Result<ServerSecret, StoreError> {
    Ok(ServerSecret {
        id: row.parsed("id", ServerSecretId::parse)?,
        sealed: Sealed::from_stored(row.text("sealed")?.to_owned()),
        created_at: row.time("created_at")?,
        is_current: row.is_true("is_current")?,
    })
}
