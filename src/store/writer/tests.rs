use std::path::PathBuf;
use std::time::Duration;

use sqlx::sqlite::SqliteJournalMode;

use super::*;
use crate::store::backend::Running;

struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

async fn writer(name: &str) -> (Writer, SqliteConnectOptions, File) {
    let file = File(std::env::temp_dir().join(format!("gatelet-writer-{name}-{}", std::process::id())));
    let options = SqliteConnectOptions::new()
        .filename(&file.0)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_millis(50));
    let mut connection = options.connect().await.unwrap();
    for table in [
        "CREATE TABLE parents (id BIGINT PRIMARY KEY)",
        "CREATE TABLE children (id BIGINT PRIMARY KEY REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
    ] {
        sqlx::query(table).execute(&mut connection).await.unwrap();
    }
    (Writer::start(options.clone(), connection, true), options, file)
}

type Run = for<'t> fn(&'t mut Tx<'_>, &'t i64) -> Running<'t, bool>;

async fn write(writer: &Writer, id: i64, run: Run) -> Result<bool, StoreError> {
    writer.write(Verb { args: id, run, keep: |keep| *keep }).await
}

async fn tell(tx: &mut Tx<'_>, text: &'static str, id: i64) -> Result<(), StoreError> {
    let Tx::Sqlite(connection) = tx else { unreachable!("this is SQLite's writer") };
    sqlx::query(text).bind(id).execute(&mut **connection).await?;
    Ok(())
}

fn parent<'t>(tx: &'t mut Tx<'_>, id: &'t i64) -> Running<'t, bool> {
    Box::pin(async move { tell(tx, "INSERT INTO parents VALUES ($1)", *id).await.map(|()| true) })
}

/// Inserts, but answers that it has lost.
fn loser<'t>(tx: &'t mut Tx<'_>, id: &'t i64) -> Running<'t, bool> {
    Box::pin(async move { tell(tx, "INSERT INTO parents VALUES ($1)", *id).await.map(|()| false) })
}

/// Breaks a rule that SQLite looks at when it commits.
fn orphan<'t>(tx: &'t mut Tx<'_>, id: &'t i64) -> Running<'t, bool> {
    Box::pin(async move { tell(tx, "INSERT INTO children VALUES ($1)", *id).await.map(|()| true) })
}

fn panicking<'t>(tx: &'t mut Tx<'_>, id: &'t i64) -> Running<'t, bool> {
    Box::pin(async move {
        tell(tx, "INSERT INTO parents VALUES ($1)", *id).await?;
        panic!("a defect in a verb")
    })
}

async fn rows(options: &SqliteConnectOptions) -> Vec<i64> {
    let mut connection = options.connect().await.unwrap();
    sqlx::query_scalar("SELECT id FROM parents ORDER BY id").fetch_all(&mut connection).await.unwrap()
}

#[tokio::test]
async fn who_fails_or_loses_takes_back_its_own_work_alone() {
    let (writer, options, _file) = writer("neighbours").await;
    // The current task runs first to its end, so that all five wait when the writer looks: one batch.
    let (one, lost, twice, two, three) = tokio::join!(
        write(&writer, 1, parent),
        write(&writer, 7, loser),
        write(&writer, 1, parent),
        write(&writer, 2, parent),
        write(&writer, 3, parent),
    );
    assert!(matches!((one, two, three), (Ok(true), Ok(true), Ok(true))));
    assert!(matches!(lost, Ok(false)));
    assert!(matches!(twice, Err(StoreError::Database(_))));
    assert!(matches!(write(&writer, 8, loser).await, Ok(false)), "alone in its batch");
    assert_eq!(rows(&options).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_failed_commit_fails_everyone_in_it_and_nobody_after() {
    let (writer, options, _file) = writer("commit").await;
    let (one, orphan) = tokio::join!(write(&writer, 1, parent), write(&writer, 9, orphan));
    assert!(matches!((one, orphan), (Err(StoreError::Unavailable), Err(StoreError::Unavailable))));
    assert_eq!(rows(&options).await, [0; 0]);
    assert!(matches!(write(&writer, 2, parent).await, Ok(true)));
    assert_eq!(rows(&options).await, [2]);
}

#[tokio::test]
async fn a_verb_that_panics_leaves_the_writer_alive() {
    let (writer, options, _file) = writer("panic").await;
    assert!(matches!(write(&writer, 1, panicking).await, Err(StoreError::Unavailable)));
    assert!(matches!(write(&writer, 2, parent).await, Ok(true)));
    assert_eq!(rows(&options).await, [2]);
}

#[tokio::test]
async fn a_file_that_another_process_locks_is_unavailable_until_it_is_free() {
    let (writer, options, _file) = writer("locked").await;
    let mut other = options.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    assert!(matches!(write(&writer, 1, parent).await, Err(StoreError::Unavailable)));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(matches!(write(&writer, 2, parent).await, Ok(true)));
    assert_eq!(rows(&options).await, [2]);
}

#[tokio::test]
async fn what_waits_is_done_before_the_writer_ends() {
    let (writer, options, _file) = writer("closing").await;
    let (one, two, ()) = tokio::join!(write(&writer, 1, parent), write(&writer, 2, parent), writer.close());
    assert!(matches!((one, two), (Ok(true), Ok(true))));
    assert!(matches!(write(&writer, 3, parent).await, Err(StoreError::Unavailable)));
    assert_eq!(rows(&options).await, [1, 2]);
}
