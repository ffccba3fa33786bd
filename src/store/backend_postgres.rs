//! PostgreSQL: a pool of connections, and one transaction per verb.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

use super::backend::{Tx, Verb};
use super::{StoreError, StoreOptions, meta, migrations};

/// Prepared statements kept per connection; more than there are.
const STATEMENT_CACHE: usize = 256;
/// A connection that has been idle for longer is asked whether it still lives before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// How often a verb is begun again after the database chose it as the victim of a deadlock.
const ATTEMPTS: u32 = 5;
/// Held while migrating, so that two instances starting at once take turns. An arbitrary number, ours alone.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7170612938457201)";

/// A PostgreSQL database.
pub(super) struct Postgres {
    pool: PgPool,
}

impl Postgres {
    /// Connects, brings the schema up to date and claims the database for its mode, unless it must be as it is.
    pub(super) async fn open(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions { mode, max_connections, acquire_timeout, must_exist, .. } = *options;
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::Address)?
            .application_name("gatelet")
            .statement_cache_capacity(STATEMENT_CACHE);
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move { Ok(meta.idle_for < TRUSTED_IDLE || connection.ping().await.is_ok()) })
            })
            .connect_lazy_with(options);

        let mut tx = pool.begin().await?;
        if must_exist {
            migrations::require_current(&mut *tx).await?;
            meta::require(&mut Tx::Postgres(&mut tx), mode).await?;
        } else {
            sqlx::query(MIGRATION_LOCK).execute(&mut *tx).await?;
            migrations::migrate(&mut *tx).await?;
            meta::claim(&mut Tx::Postgres(&mut tx), mode).await?;
        }
        tx.commit().await?;
        Ok(Self { pool })
    }

    /// All connections.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Runs the verb on a task of its own, which ends whether or not anyone still waits for it.
    pub(super) async fn write<A, T>(&self, verb: Verb<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let pool = self.pool.clone();
        let task = tokio::spawn(async move {
            let mut attempt = 1;
            loop {
                match transact(&pool, &verb).await {
                    Err(StoreError::Database(error)) if attempt < ATTEMPTS && may_be_repeated(&error) => {
                        tokio::time::sleep(Duration::from_millis(u64::from(5 * attempt * attempt))).await;
                        attempt += 1;
                    }
                    answer => return answer,
                }
            }
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a verb ended before its time");
            Err(StoreError::Unavailable)
        })
    }

    /// Waits for the verbs under way and closes all connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn transact<A, T>(pool: &PgPool, verb: &Verb<A, T>) -> Result<T, StoreError> {
    let mut tx = pool.begin().await?;
    let answer = (verb.run)(&mut Tx::Postgres(&mut tx), &verb.args).await;
    if answer.as_ref().is_ok_and(verb.keep) {
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    answer
}

/// `serialization_failure` and `deadlock_detected`: nothing was written, and trying again is what the server asks.
fn may_be_repeated(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|refusal| refusal.code())
        .is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}
