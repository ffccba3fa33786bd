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
    (4, "settings", include_str!("../../migrations/0004_settings.sql")),
    (10, "attributes", include_str!("../../migrations/0010_attributes.sql")),
    (11, "revoked tokens", include_str!("../../migrations/0011_revoked_tokens.sql")),
    (12, "registration", include_str!("../../migrations/0012_registration.sql")),
    (14, "key rotation", include_str!("../../migrations/0014_key_rotation.sql")),
    (15, "grants for several resources", include_str!("../../migrations/0015_several_resources.sql")),
    (17, "nonce", include_str!("../../migrations/0017_nonce.sql")),
    (18, "administration", include_str!("../../migrations/0018_administration.sql")),
    (19, "tokens not before", include_str!("../../migrations/0019_tokens_not_before.sql")),
];

/// Applies what is missing, within the caller's transaction; refuses a schema from the future.
pub(super) async fn migrate(connection: &mut impl Migrate) -> Result<(), StoreError> {
    apply(connection, MIGRATIONS).await
}

/// Refuses a schema that is not this program's own, and changes nothing.
pub(super) async fn require_current(connection: &mut impl Migrate) -> Result<(), StoreError> {
    let table = Migrator::with_migrations(Vec::new()).table_name;
    let applied = connection.list_applied_migrations(&table).await.map_err(|_| StoreError::Missing)?;
    let found = applied.iter().map(|migration| migration.version).max().ok_or(StoreError::Missing)?;
    let is_known = |version: i64| MIGRATIONS.iter().any(|(known, ..)| *known == version);
    if let Some(unknown) = applied.iter().find(|migration| !is_known(migration.version)) {
        return Err(StoreError::NewerSchema { found: unknown.version });
    }
    if applied.len() < MIGRATIONS.len() {
        return Err(StoreError::OlderSchema { found });
    }
    Ok(())
}

async fn apply(
    connection: &mut impl Migrate,
    migrations: &[(i64, &'static str, &'static str)],
) -> Result<(), StoreError> {
    let migrations = migrations.iter().map(|&(version, description, text)| {
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

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn a_client_of_the_first_schema_keeps_its_way_to_authenticate() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        apply(&mut connection, &MIGRATIONS[..1]).await.unwrap();
        let client = "INSERT INTO clients (id, origin, about, redirect_uris, grant_types, auth_method, machine_scopes,
            registered_at, last_registered_at) VALUES ('c', 'config', '{}', '[]', '[]', 'client_secret_post', '', 1, 1)";
        sqlx::query(client).execute(&mut connection).await.unwrap();
        apply(&mut connection, MIGRATIONS).await.unwrap();
        let methods: String =
            sqlx::query_scalar("SELECT auth_methods FROM clients").fetch_one(&mut connection).await.unwrap();
        assert_eq!(methods, r#"["client_secret_post"]"#);
    }

    #[tokio::test]
    async fn a_grant_of_the_first_schemas_is_for_its_one_resource() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        apply(&mut connection, &MIGRATIONS[..4]).await.unwrap();
        for (id, scope) in
            [("a", "read offline_access write"), ("b", ""), ("c", "offline_access"), ("d", "x")]
        {
            let grant = "INSERT INTO grants (id, user_id, client_id, tenant_id, resource, scope, auth_time, issued_at,
                secret_id) VALUES ($1, 'u', 'c', 't', 'https://a.example/mcp', $2, 1, 1, 's')";
            sqlx::query(grant).bind(id).bind(scope).execute(&mut connection).await.unwrap();
        }
        apply(&mut connection, MIGRATIONS).await.unwrap();
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT resources, scope FROM grants ORDER BY id")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let at = |scope: &str| format!(r#"[{{"resource":"https://a.example/mcp","scope":"{scope}"}}]"#);
        let all = [("read write", "offline_access"), ("", ""), ("", "offline_access"), ("x", "")];
        let expected: Vec<_> =
            all.iter().map(|(scope, general)| (at(scope), (*general).to_owned())).collect();
        assert_eq!(rows, expected);
    }
}
