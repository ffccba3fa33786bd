//! The two databases behind one face: read a row, or run a verb in a transaction.

use std::pin::Pin;

use sqlx::query::Query;
use sqlx::{Arguments, Database, Encode, PgConnection, SqliteConnection, Type};

use super::StoreError;
use super::backend_postgres::Postgres;
use super::backend_sqlite::Sqlite;
use super::sql::Statement;
use super::value::{Row, Value};

/// A boxed future, as verbs are.
pub(super) type Running<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

/// What is done in one transaction. It may run more than once (PostgreSQL asks for that after a deadlock), so it
/// borrows its arguments; it never begins or ends the transaction that it is given.
pub(super) struct Verb<A, T> {
    /// What the verb needs to know, owned, because the request that asked may be gone before the verb has run.
    pub(super) args: A,
    /// The verb itself.
    pub(super) run: for<'t> fn(&'t mut Tx<'_>, &'t A) -> Running<'t, T>,
    /// Whether what this answer wrote is to be committed.
    pub(super) keep: fn(&T) -> bool,
}

/// An open transaction.
pub(super) enum Tx<'c> {
    /// On SQLite's one writing connection, within a savepoint.
    Sqlite(&'c mut SqliteConnection),
    /// On a connection to PostgreSQL.
    Postgres(&'c mut PgConnection),
}

/// Which database there is, and how to reach it.
pub(super) enum Backend {
    /// A file, a pool that reads it, and the one task that writes it.
    Sqlite(Sqlite),
    /// A server.
    Postgres(Postgres),
}

/// Writes the two arms: the same expression for either database.
macro_rules! both {
    ($kind:ident, $this:expr, $side:ident => $body:expr) => {
        match $this {
            $kind::Sqlite($side) => $body,
            $kind::Postgres($side) => $body,
        }
    };
}

impl Tx<'_> {
    /// Runs a statement and tells how many rows it changed.
    pub(super) async fn execute(
        &mut self,
        statement: Statement,
        args: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        Ok(both!(Tx, self, on => query(statement, args).execute(&mut **on).await?.rows_affected()))
    }

    /// Runs a statement and takes its first row.
    pub(super) async fn optional(
        &mut self,
        statement: Statement,
        args: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        Ok(both!(Tx, self, on => query(statement, args).fetch_optional(&mut **on).await?.map(Row::from)))
    }

    /// Runs a statement and takes all of its rows.
    pub(super) async fn all(
        &mut self,
        statement: Statement,
        args: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        Ok(both!(Tx, self, on => {
            query(statement, args).fetch_all(&mut **on).await?.into_iter().map(Row::from).collect()
        }))
    }
}

impl Backend {
    /// Reads one row.
    pub(super) async fn optional(
        &self,
        statement: Statement,
        args: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        let first = self.read_optional(statement, args).await;
        if was_cut(&first) { Ok(self.read_optional(statement, args).await?) } else { Ok(first?) }
    }

    async fn read_optional(
        &self,
        statement: Statement,
        args: &[Value<'_>],
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(both!(Backend, self, on => query(statement, args).fetch_optional(on.pool()).await?.map(Row::from)))
    }

    /// Reads all rows.
    pub(super) async fn all(&self, statement: Statement, args: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let first = self.read_all(statement, args).await;
        if was_cut(&first) { Ok(self.read_all(statement, args).await?) } else { Ok(first?) }
    }

    async fn read_all(&self, statement: Statement, args: &[Value<'_>]) -> Result<Vec<Row>, sqlx::Error> {
        Ok(both!(Backend, self, on => {
            query(statement, args).fetch_all(on.pool()).await?.into_iter().map(Row::from).collect()
        }))
    }

    /// Runs a verb in a transaction of its own and answers when that has been committed. Whoever stops waiting
    /// stops nothing: the verb runs to its end elsewhere.
    pub(super) async fn write<A, T>(&self, verb: Verb<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        both!(Backend, self, on => on.write(verb).await)
    }

    /// Ends all connections; what was asked before is done before.
    pub(super) async fn close(&self) {
        both!(Backend, self, on => on.close().await);
    }

    /// Asks the database to parse a statement, for the test that prepares them all.
    pub(super) async fn prepare(&self, statement: Statement) -> Result<(), StoreError> {
        use sqlx::{Executor as _, SqlSafeStr as _};
        both!(Backend, self, on => on.pool().prepare(statement.text().into_sql_str()).await.map(drop)?);
        Ok(())
    }
}

/// Reading twice is harmless: a connection that the server has cut (a restart) costs a second try, not an error.
fn was_cut<T>(read: &Result<T, sqlx::Error>) -> bool {
    matches!(read, Err(sqlx::Error::Io(_)))
}

fn query<'a, DB: Database>(
    statement: Statement,
    args: &[Value<'a>],
) -> Query<'static, DB, <DB as Database>::Arguments>
where
    &'a str: Encode<'a, DB> + Type<DB>,
    Option<&'a str>: Encode<'a, DB> + Type<DB>,
    i64: Encode<'a, DB> + Type<DB>,
    Option<i64>: Encode<'a, DB> + Type<DB>,
    DB::Arguments: Arguments<Database = DB>,
{
    args.iter().fold(sqlx::query(statement.text()), |query, value| match value {
        Value::Text(text) => query.bind(*text),
        Value::Number(number) => query.bind(*number),
    })
}
