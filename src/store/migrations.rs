//! The schema: one tree of migrations for both databases, built into the program and applied when a store is opened.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::StoreError;

/// Every migration in order. One that has been released is never edited: its digest is recorded in each database.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first schema", include_str!("../../migrations/0001_first_schema.sql")),
    (2, "client documents", include_str!("../../migrations/0002_client_documents.sql")),
    (3, "limits", include_str!("../../migrations/0003_limits.sql")),
];

/// Applies what is missing, within the caller's transaction; refuses a schema from the future.
pub(super) async fn migrate(connection: &mut impl Migrate) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.iter().map(|&(version, description, text)| {
        let simple = MigrationType::Simple;
        Migration::new(version, Cow::Borrowed(description), simple, text.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // The caller holds a lock that lasts until commit; sqlx's own would be released before.
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => StoreError::NewerSchema { found },
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => {
            StoreError::corrupt(format_args!("migration {version} is not the one that was applied"))
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::corrupt(other),
    })
}
