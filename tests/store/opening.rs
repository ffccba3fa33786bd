//! Opening: schema, mode, permissions, statements.

use gatelet::store::{Mode, Store, StoreError, StoreOptions, all_statements};

use crate::world::{NOW, declarations};
use crate::{Database, cases};

cases![
    every_statement_can_be_prepared,
    a_database_belongs_to_the_mode_that_created_it,
    a_database_of_test_mode_opens_in_no_other,
    a_newer_schema_is_refused,
    an_edited_migration_is_refused,
    two_instances_open_a_new_database_at_once,
    what_was_written_is_there_after_closing,
    a_closed_store_is_unavailable,
    a_sqlite_file_is_its_owners_alone,
    an_address_of_another_kind_is_refused,
    the_options_print_no_password,
];

async fn every_statement_can_be_prepared(database: Database) {
    let store = database.open().await;
    let mut prepared = 0;
    for statement in all_statements() {
        store.prepare(statement).await.unwrap_or_else(|e| panic!("{}: {e}", statement.text()));
        prepared += 1;
    }
    assert!(prepared > 70, "only {prepared} statements are on the lists");
}

async fn a_database_belongs_to_the_mode_that_created_it(database: Database) {
    database.try_open(Mode::Serve).await.unwrap().close().await;
    opens_as(&database, Mode::Serve).await;
}

async fn a_database_of_test_mode_opens_in_no_other(database: Database) {
    database.try_open(Mode::Test).await.unwrap().close().await;
    opens_as(&database, Mode::Test).await;
}

/// It does in one mode, and in no other.
async fn opens_as(database: &Database, own: Mode) {
    for mode in [Mode::Dev, Mode::Serve, Mode::Test] {
        match database.try_open(mode).await {
            Ok(store) if mode == own => store.close().await,
            Err(StoreError::ModeMismatch { found, wanted }) if mode != own => {
                assert_eq!((found.as_str(), wanted), (own.as_str(), mode))
            }
            other => panic!("{mode}: {other:?}"),
        }
    }
}

async fn a_newer_schema_is_refused(database: Database) {
    database.open().await.close().await;
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 999, 'the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    let refused = database.try_open(Mode::Test).await;
    assert!(matches!(refused, Err(StoreError::NewerSchema { found: 999 })), "{refused:?}");
}

async fn an_edited_migration_is_refused(database: Database) {
    database.open().await.close().await;
    let other = if database.is_sqlite() { "x'00'" } else { "'\\x00'::bytea" };
    database.execute(&format!("UPDATE _sqlx_migrations SET checksum = {other} WHERE version = 1")).await;
    let refused = database.try_open(Mode::Test).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
}

async fn two_instances_open_a_new_database_at_once(database: Database) {
    let (one, other) = tokio::join!(database.open(), database.open());
    let (one, other) = tokio::join!(one.reconcile(declarations(), NOW), other.reconcile(declarations(), NOW));
    one.unwrap();
    other.unwrap();
    assert_eq!(database.count("users").await, 2);
}

async fn what_was_written_is_there_after_closing(database: Database) {
    let store = database.open().await;
    store.reconcile(declarations(), NOW).await.unwrap();
    store.close().await;
    if database.is_sqlite() {
        let log = format!("{}-wal", database.url.strip_prefix("sqlite:").unwrap());
        assert!(!std::path::Path::new(&log).exists(), "the log is folded into the file");
    }
    assert_eq!(database.open().await.resources().await.unwrap(), declarations().resources);
}

async fn a_closed_store_is_unavailable(database: Database) {
    let store = database.open().await;
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable)));
    let written = store.reconcile(declarations(), NOW).await;
    assert!(matches!(written, Err(StoreError::Unavailable)), "{written:?}");
}

async fn a_sqlite_file_is_its_owners_alone(database: Database) {
    use std::os::unix::fs::PermissionsExt as _;
    let store = database.open().await;
    store.reconcile(declarations(), NOW).await.unwrap();
    let Some(path) = database.url.strip_prefix("sqlite:") else { return };
    for file in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

async fn an_address_of_another_kind_is_refused(_: Database) {
    for url in ["", "mysql://localhost/x", "sqlite:", "sqlite::memory:", "/tmp/file"] {
        let refused = Store::open(&StoreOptions::new(url, Mode::Test)).await;
        assert!(matches!(refused, Err(StoreError::Address)), "{url}: {refused:?}");
    }
}

async fn the_options_print_no_password(_: Database) {
    let options = StoreOptions::new("postgres://gatelet:hunter2@127.0.0.1:1/none", Mode::Test);
    assert!(!format!("{options:?}").contains("hunter2"));
    let refused = Store::open(&options).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable), "{refused:?}");
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
}
