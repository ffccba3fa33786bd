//! A way past the store, to look at rows.
//!
//! Include it with `#[path = "../common/sql.rs"] mod sql;`.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// The first column of a query as texts.
pub(crate) async fn texts(url: &str, sql: &str) -> Vec<String> {
    let sql = AssertSqlSafe(sql.to_owned());
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
    }
}
