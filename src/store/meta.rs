//! What the database says about itself: the mode that it belongs to.

use super::backend::{Backend, Tx};
use super::sql::statements;
use super::value::args;
use super::{Mode, StoreError};

statements! {
    RECORD_MODE = "INSERT INTO meta (key, value) VALUES ('mode', $1) ON CONFLICT (key) DO NOTHING";
    MODE = "SELECT value FROM meta WHERE key = 'mode'";
}

/// Records the mode in a new database; refuses one that another mode has recorded before.
pub(super) async fn claim(tx: &mut Tx<'_>, mode: Mode) -> Result<(), StoreError> {
    tx.execute(RECORD_MODE, args![mode.as_str()]).await?;
    let row = tx.optional(MODE, &[]).await?.ok_or_else(|| StoreError::corrupt("table meta"))?;
    match row.text("value")? {
        found if found == mode.as_str() => Ok(()),
        found => Err(StoreError::ModeMismatch { found: found.to_owned(), wanted: mode }),
    }
}

/// The recorded mode; reading it touches the database, which is what a readiness check wants.
pub(super) async fn mode(backend: &Backend) -> Result<String, StoreError> {
    let row = backend.optional(MODE, &[]).await?.ok_or_else(|| StoreError::corrupt("table meta"))?;
    Ok(row.text("value")?.to_owned())
}
