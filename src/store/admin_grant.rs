//! Grants as administrators see them.

use super::admin::AFTER_EVERY_ID;
use super::audit::record;
use super::grant::{grant_columns, known_grant};
use super::sql::statements;
use super::value::{args, json};
use super::{KnownGrant, Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{ClientId, Grant, GrantId, UserId};

statements! {
    /// Newest first, before an identifier. What is NULL is not asked for.
    PAGE = concat!("SELECT ", grant_columns!(), " FROM grants g WHERE g.id < $1
        AND (CAST($2 AS TEXT) IS NULL OR g.user_id = $2) AND (CAST($3 AS TEXT) IS NULL OR g.client_id = $3)
        ORDER BY g.id DESC LIMIT $4");
    /// The person must be a member and not suspended, the client and the tenant not suspended.
    ADD = "INSERT INTO grants (id, user_id, client_id, tenant_id, resources, scope, auth_time, issued_at, secret_id)
        SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT), $9
        WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.suspended_at IS NULL)
        AND EXISTS (SELECT 1 FROM clients c WHERE c.id = $3 AND c.suspended_at IS NULL)
        AND EXISTS (SELECT 1 FROM memberships m JOIN tenants t ON t.id = m.tenant_id
            WHERE m.user_id = $2 AND m.tenant_id = $4 AND t.suspended_at IS NULL)";
}

impl Store {
    /// At most `limit` grants, newest first, older than the one with the identifier `before`; of one person and to one
    /// client if they are named.
    pub async fn known_grants(
        &self,
        user: Option<&UserId>,
        client: Option<&ClientId>,
        before: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<KnownGrant>, StoreError> {
        let args = args![
            before.map_or(AFTER_EVERY_ID, GrantId::as_str),
            user.map(UserId::as_str),
            client.map(ClientId::as_str),
            i64::from(limit),
        ];
        self.backend.all(PAGE, args).await?.iter().map(known_grant).collect()
    }

    /// Inserts a grant that nobody was asked for: for a developer's own token. Lost when person, client, tenant or
    /// membership have ended.
    pub async fn add_grant(&self, grant: Grant, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((grant, self.noted(audit)), |tx, (grant, audit)| {
            Box::pin(async move {
                let (resources, general) = (json(&grant.resources)?, grant.general.to_string());
                let args = args![
                    &grant.id,
                    &grant.user,
                    &grant.client,
                    &grant.tenant,
                    &resources,
                    &general,
                    grant.auth_time,
                    grant.issued_at,
                    &grant.secret,
                ];
                if tx.execute(ADD, args).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}
