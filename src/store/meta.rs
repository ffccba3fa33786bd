//! What the database says about itself: the mode that it belongs to, and the issuer that dev mode had last.

use super::backend::{Backend, Tx};
use super::sql::statements;
use super::value::{Row, args};
use super::{Mode, Store, StoreError};

statements! {
    RECORD_MODE = "INSERT INTO meta (key, value) VALUES ('mode', $1) ON CONFLICT (key) DO NOTHING";
    MODE = "SELECT value FROM meta WHERE key = 'mode'";
    RECORD_ISSUER = "INSERT INTO meta (key, value) VALUES ('issuer', $1)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value";
    ISSUER = "SELECT value FROM meta WHERE key = 'issuer'";
}

/// Records the mode in a new database; refuses one that another mode has recorded before.
pub(super) async fn claim(tx: &mut Tx<'_>, mode: Mode) -> Result<(), StoreError> {
    tx.execute(RECORD_MODE, args![mode.as_str()]).await?;
    let row = tx.optional(MODE, &[]).await?.ok_or_else(|| StoreError::corrupt("table meta"))?;
    of_mode(&row, mode)
}

/// Refuses a database that another mode has recorded.
pub(super) async fn require(tx: &mut Tx<'_>, mode: Mode) -> Result<(), StoreError> {
    let row = tx.optional(MODE, &[]).await?.ok_or(StoreError::Missing)?;
    of_mode(&row, mode)
}

fn of_mode(row: &Row, mode: Mode) -> Result<(), StoreError> {
    match row.text("value")? {
        found if found == mode.as_str() => Ok(()),
        found => Err(StoreError::ModeMismatch { found: found.to_owned(), wanted: mode }),
    }
}

impl Store {
    /// Remembers the issuer of a server that has no configuration to say it, for the commands that work on its database.
    pub async fn record_issuer(&self, issuer: &str) -> Result<(), StoreError> {
        self.write(issuer.to_owned(), |tx, issuer| {
            Box::pin(async move { tx.execute(RECORD_ISSUER, args![issuer]).await.map(drop) })
        })
        .await
    }

    /// What [`record_issuer`](Self::record_issuer) was last told.
    pub async fn recorded_issuer(&self) -> Result<Option<String>, StoreError> {
        let row = self.backend.optional(ISSUER, &[]).await?;
        row.map(|row| row.text("value").map(str::to_owned)).transpose()
    }
}

/// The recorded mode; reading it touches the database, which is what a readiness check wants.
pub(super) async fn mode(backend: &Backend) -> Result<String, StoreError> {
    let row = backend.optional(MODE, &[]).await?.ok_or_else(|| StoreError::corrupt("table meta"))?;
    Ok(row.text("value")?.to_owned())
}
