//! Initial access tokens.

use super::audit::record;
use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{InitialAccessToken, InitialAccessTokenId, Scope, SecretHash, Timestamp};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, origin, secret_hash, scopes, machines_at, max_uses, uses, created_at, expires_at,
                last_used_at FROM initial_access_tokens ",
            $rest
        )
    };
}

macro_rules! insert_sql {
    () => {
        "INSERT INTO initial_access_tokens
            (id, name, origin, secret_hash, scopes, machines_at, max_uses, uses, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)"
    };
}

statements! {
    ISSUE = concat!(insert_sql!(), " ON CONFLICT (name) DO NOTHING");
    /// What was counted stays counted, so that a restart gives nobody a new start.
    UPSERT = concat!(insert_sql!(), " ON CONFLICT (name) DO UPDATE SET secret_hash = excluded.secret_hash,
            scopes = excluded.scopes, max_uses = excluded.max_uses, expires_at = excluded.expires_at,
            machines_at = CASE WHEN excluded.machines_at IS NULL THEN NULL
                ELSE COALESCE(initial_access_tokens.machines_at, excluded.machines_at) END
        WHERE initial_access_tokens.origin = 'config'");
    BY_ID = select!("WHERE id = $1");
    ALL = select!("ORDER BY name");
    /// Everything that another request, or the operator, can change meanwhile.
    SPEND = "UPDATE initial_access_tokens SET uses = uses + 1, last_used_at = $3
        WHERE id = $1 AND secret_hash = $2 AND (expires_at IS NULL OR expires_at > $3)
        AND (max_uses IS NULL OR uses < max_uses)";
    REVOKE = "DELETE FROM initial_access_tokens WHERE id = $1 AND origin = 'admin'";
    WITHDRAW = "DELETE FROM initial_access_tokens WHERE name = $1 AND origin = 'config'";
}

impl Store {
    /// Adds a token. Lost when its name is taken. Whether it is declared does not matter: it is an administrator's.
    pub async fn issue_initial_access_token(
        &self,
        token: InitialAccessToken,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((token, self.noted(audit)), |tx, (token, audit)| {
            Box::pin(async move {
                if insert(tx, ISSUE, token, "admin").await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Every token, by name.
    pub async fn initial_access_tokens(&self) -> Result<Vec<InitialAccessToken>, StoreError> {
        self.backend.all(ALL, &[]).await?.iter().map(token).collect()
    }

    /// A token.
    pub async fn initial_access_token(
        &self,
        id: &InitialAccessTokenId,
    ) -> Result<Option<InitialAccessToken>, StoreError> {
        self.backend.optional(BY_ID, args![id]).await?.as_ref().map(token).transpose()
    }

    /// Takes a token back; clients that registered with it stay. Lost when there is none, or configuration declares it.
    pub async fn revoke_initial_access_token(
        &self,
        id: &InitialAccessTokenId,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                if tx.execute(REVOKE, args![id]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}

/// Counts a registration; false when none more may come by this token.
pub(super) async fn spend(
    tx: &mut Tx<'_>,
    token: &InitialAccessToken,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SPEND, args![&token.id, token.secret_hash.as_str(), now]).await? > 0)
}

/// Writes a declared token; see `reconcile`.
pub(super) async fn upsert(tx: &mut Tx<'_>, token: &InitialAccessToken) -> Result<(), StoreError> {
    if insert(tx, UPSERT, token, "config").await? == 0 {
        return Err(StoreError::TakenByAnother { what: "registration token", id: token.name.clone() });
    }
    Ok(())
}

/// Removes declared tokens that are declared no longer.
pub(super) async fn remove_undeclared(
    tx: &mut Tx<'_>,
    declared: &[InitialAccessToken],
) -> Result<(), StoreError> {
    for row in tx.all(ALL, &[]).await? {
        let name = row.text("name")?;
        if !declared.iter().any(|token| token.name == name) {
            tx.execute(WITHDRAW, args![name]).await?;
        }
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx<'_>,
    statement: super::Statement,
    token: &InitialAccessToken,
    origin: &str,
) -> Result<u64, StoreError> {
    let scopes = token.scopes.as_ref().map(Scope::to_string);
    let max_uses = token.max_uses.map(i64::from);
    let args = args![
        &token.id,
        &token.name,
        origin,
        token.secret_hash.as_str(),
        scopes.as_deref(),
        token.machines.then_some(token.created_at),
        max_uses,
        token.created_at,
        token.expires_at,
    ];
    tx.execute(statement, args).await
}

fn token(row: &Row) -> Result<InitialAccessToken, StoreError> {
    Ok(InitialAccessToken {
        id: row.parsed("id", InitialAccessTokenId::parse)?,
        name: row.text("name")?.to_owned(),
        is_declared: row.text("origin")? == "config",
        secret_hash: SecretHash::from_stored(row.text("secret_hash")?.to_owned()),
        scopes: row.optional("scopes", |scope| Scope::parse(scope).ok())?,
        machines: row.optional_time("machines_at")?.is_some(),
        max_uses: row.optional_count("max_uses")?,
        uses: row.count("uses")?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        last_used_at: row.optional_time("last_used_at")?,
    })
}
