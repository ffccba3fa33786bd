//! What can go wrong at the door to the database, in words that hold no secret.

use super::Mode;

/// Why the database could not do what was asked.
///
/// A lost race is not an error: see [`Outcome`](super::Outcome).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked by another process for longer than we wait, or failed to commit:
    /// what was asked for may be asked again later (HTTP 503).
    #[error("the database is unavailable")]
    Unavailable,
    /// A stored text does not mean anything to this program; `detail` names table and column, never the text.
    #[error("the database is corrupt: {detail}")]
    Corrupt {
        /// Which column of which table could not be understood.
        detail: String,
    },
    /// The database was created in another mode (or by something else); each mode opens only its own.
    #[error("the database belongs to {found} mode, not to {wanted} mode")]
    ModeMismatch {
        /// The mode recorded in the database.
        found: String,
        /// The mode in which it was to be opened.
        wanted: Mode,
    },
    /// The database was written by a newer version of this program.
    #[error("the database has schema {found}, newer than this version of gatelet knows")]
    NewerSchema {
        /// The version of a schema change that this program does not have.
        found: i64,
    },
    /// The database was written by an older version of this program, and was to be opened as it is.
    #[error(
        "the database has schema {found}, older than this version of gatelet: start the server of this version first"
    )]
    OlderSchema {
        /// The version of its newest schema change.
        found: i64,
    },
    /// There is no database, and none was to be made.
    #[error("there is no database yet: start the server once")]
    Missing,
    /// The SQLite library in this program has a known defect that corrupts databases.
    #[error("SQLite {found} is too old: at least 3.51.3 is needed")]
    SqliteTooOld {
        /// The version of the library.
        found: String,
    },
    /// The address of the database is not of a form that we know.
    #[error("a database is given as sqlite:PATH or postgres://…")]
    Address,
    /// The file of a SQLite database could not be created or read.
    #[error("the database file cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// Configuration declares something under a name that an administrator, a registration or another declaration
    /// has already taken.
    #[error("{what} {id:?} is declared in the configuration but is already taken")]
    TakenByAnother {
        /// The kind of thing: `tenant`, `user`, `client`, ….
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// Any other refusal by the database.
    #[error("{}", database_text(.0))]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// A stored text that no longer parses.
    pub(super) fn corrupt(place: impl std::fmt::Display) -> Self {
        Self::Corrupt { detail: place.to_string() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Tls(_)
            | sqlx::Error::Io(_) => {
                tracing::warn!(%error, "the database is unavailable");
                Self::Unavailable
            }
            sqlx::Error::Database(refusal) if is_unavailability(refusal.as_ref()) => {
                tracing::warn!(%error, "the database is unavailable");
                Self::Unavailable
            }
            sqlx::Error::ColumnDecode { index, .. } => Self::corrupt(format_args!("column {index}")),
            _ => Self::Database(error),
        }
    }
}

/// SQLite: busy (5) and locked (6) with their extended codes, out of space (13), I/O (10).
/// PostgreSQL: connection exceptions (08), resources (53), shutting down or starting (57P).
fn is_unavailability(refusal: &dyn sqlx::error::DatabaseError) -> bool {
    let code = refusal.code();
    let code = code.as_deref().unwrap_or_default();
    if refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return ["08", "53", "57P"].iter().any(|class| code.starts_with(class));
    }
    matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5 | 6 | 10 | 13))
}

/// A refusal in the database's own words without its detail line, which may quote a row.
fn database_text(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => format!("the database refused: {}", refusal.message()),
        sqlx::Error::Configuration(_) => "the address of the database is not usable".to_owned(),
        other => format!("the database failed: {other}"),
    }
}
