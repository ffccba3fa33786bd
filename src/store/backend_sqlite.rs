//! SQLite: one file, a pool of connections that only read, and the writer.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use super::backend::{Tx, Verb};
use super::writer::Writer;
use super::{StoreError, StoreOptions, migrations};

/// How long a statement waits for another process that holds the file's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The same for a command, which nobody's request waits for.
const PATIENT_TIMEOUT: Duration = Duration::from_secs(30);
/// Prepared statements kept per connection; more than there are.
const STATEMENT_CACHE: usize = 256;
/// The first version whose write-ahead log cannot be reset under a reader (fixed in 3.51.3).
const OLDEST: [u32; 3] = [3, 51, 3];

/// A SQLite database.
pub(super) struct Sqlite {
    readers: SqlitePool,
    writer: Writer,
}

impl Sqlite {
    /// Opens the file, creating it readable by its owner alone, brings its schema up to date and claims it for
    /// its mode, unless it must be as it is.
    pub(super) async fn open(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions { mode, durable, must_exist, max_connections, acquire_timeout, .. } = *options;
        if !must_exist {
            create_private(path)?;
        } else if !path.try_exists()? {
            return Err(StoreError::Missing);
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(if durable { SqliteSynchronous::Full } else { SqliteSynchronous::Off })
            .foreign_keys(true)
            .busy_timeout(if must_exist { PATIENT_TIMEOUT } else { BUSY_TIMEOUT })
            .statement_cache_capacity(STATEMENT_CACHE);
        let mut connection = connect(&options).await?;
        let version: String =
            sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await?;
        refuse_defective(&version)?;

        if must_exist {
            migrations::require_current(&mut connection).await?;
            super::meta::require(&mut Tx::Sqlite(&mut connection), mode).await?;
        } else {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            migrations::migrate(&mut *tx).await?;
            super::meta::claim(&mut Tx::Sqlite(&mut tx), mode).await?;
            tx.commit().await?;
        }

        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let readers = SqlitePoolOptions::new()
            .max_connections(u32::try_from(2 * cores).unwrap_or(8).clamp(2, 8).min(max_connections))
            .acquire_timeout(acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        // Who works beside a server leaves the log to it: folding it in waits for every reader, and writers wait meanwhile.
        Ok(Self { readers, writer: Writer::start(options, connection, !must_exist) })
    }

    /// The connections that read.
    pub(super) fn pool(&self) -> &SqlitePool {
        &self.readers
    }

    /// Hands the verb to the writer and waits until it has been committed.
    pub(super) async fn write<A, T>(&self, verb: Verb<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writer.write(verb).await
    }

    /// Copies what is committed into a file that is not there yet.
    pub(super) async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let options = self.readers.connect_options().as_ref().clone().pragma("query_only", "OFF");
        let mut connection = options.connect().await?;
        let path = path.to_str().ok_or(StoreError::Address)?;
        sqlx::query("VACUUM INTO $1").bind(path).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Ends the writer after what it has been asked so far, folds the write-ahead log into the file, and closes it.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The first connection turns on the write-ahead log. While another process does the same, SQLite refuses at once and
/// does not wait as it does for everything else.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let began = Instant::now();
    loop {
        match options.connect().await {
            Err(error) if is_busy(&error) && began.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// SQLite would create the file by the process's umask; password hashes and sealed keys are nobody else's business.
/// The write-ahead log takes its permissions from the file.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

fn refuse_defective(version: &str) -> Result<(), StoreError> {
    let parts: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    if parts.as_slice() < OLDEST.as_slice() {
        return Err(StoreError::SqliteTooOld { found: version.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_with_the_log_reset_defect_is_refused() {
        for (version, good) in [
            ("3.51.2", false),
            ("3.9.99", false),
            ("", false),
            ("3.51.3", true),
            ("3.52.0", true),
            ("4.0.0", true),
        ] {
            assert_eq!(refuse_defective(version).is_ok(), good, "{version}");
        }
    }
}
