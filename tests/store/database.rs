//! An empty database of either kind, and a way past the store to look at its rows.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gatelet::store::{Mode, Store, StoreError, StoreOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};

use crate::sql;

/// A database that is gone when its last handle is.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) url: String,
    _directory: Option<Arc<Directory>>,
}

struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("gatelet-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).expect("a temporary directory is made");
        let url = format!("sqlite:{}", directory.join("gatelet.db").display());
        Self { url, _directory: Some(Arc::new(Directory(directory))) }
    }

    pub(crate) fn postgres(url: String) -> Self {
        Self { url, _directory: None }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(crate) async fn try_open(&self, mode: Mode) -> Result<Store, StoreError> {
        // Few connections: each costs PostgreSQL a process, and four compete as well as ten.
        Store::open(&StoreOptions { max_connections: 4, ..StoreOptions::new(&self.url, mode) }).await
    }

    pub(crate) async fn open(&self) -> Store {
        self.try_open(Mode::Test).await.expect("the store opens")
    }

    /// Runs a statement past the store.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_sqlite() {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// The first column of a query as texts.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        sql::texts(&self.url, sql).await
    }

    /// How SQLite goes about a query: one line for each step.
    pub(crate) async fn plan(&self, sql: &str) -> Vec<String> {
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps = sqlx::query(sql).bind(1i64).fetch_all(&mut connection).await.unwrap();
        steps.iter().map(|step| step.get("detail")).collect()
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> usize {
        self.texts(&format!("SELECT 'row' FROM {table}")).await.len()
    }
}
