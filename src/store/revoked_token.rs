//! Access tokens that were revoked before they expire (RFC 7009 §2.1), and what introspection asks about a token.

use super::audit::record;
use super::grant::{grant_columns, known_grant};
use super::sql::statements;
use super::value::args;
use super::{KnownGrant, Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{ClientId, GrantId, Timestamp};

statements! {
    REVOKE = "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING";
    IS_REVOKED = "SELECT jti FROM revoked_tokens WHERE jti = $1";
    /// Seconds are told whole: what was issued in the second of a suspension is taken to come before it. A client that was
    /// removed and is there again is another one.
    MACHINE_TOKEN_ENDED = "SELECT r.jti FROM revoked_tokens r WHERE r.jti = $1
        UNION ALL SELECT c.id FROM clients c LEFT JOIN tenants t ON t.id = c.tenant_id WHERE c.id = $2
        AND (c.tokens_not_before >= $3 OR t.tokens_not_before >= $3 OR c.registered_at > $3)";
    /// One look at everything that can end a token of a grant, so that no two of the facts are of different moments.
    UNDER_GRANT = concat!("SELECT ", grant_columns!(), ",
            (SELECT u.username FROM users u WHERE u.id = g.user_id) AS username
        FROM grants g WHERE g.id = $1
        AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.jti = $2)");
}

impl Store {
    /// Revokes the access token whose id is `jti`, until it expires. Lost when it was revoked before.
    pub async fn revoke_access_token(
        &self,
        jti: &str,
        expires_at: Timestamp,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((jti.to_owned(), expires_at, self.noted(audit)), |tx, (jti, expires_at, audit)| {
            Box::pin(async move {
                if tx.execute(REVOKE, args![jti, *expires_at]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Whether the access token whose id is `jti` was revoked. Says nothing about its grant.
    pub async fn is_access_token_revoked(&self, jti: &str) -> Result<bool, StoreError> {
        Ok(self.backend.optional(IS_REVOKED, args![jti]).await?.is_some())
    }

    /// Whether a token that a client obtained for itself at `issued_at` has ended: it was revoked, or the client or its
    /// tenant suspended since, be they resumed or not.
    pub async fn is_machine_token_ended(
        &self,
        jti: &str,
        client: &ClientId,
        issued_at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.backend.optional(MACHINE_TOKEN_ENDED, args![jti, client, issued_at]).await?.is_some())
    }

    /// The grant behind the access token whose id is `jti`, with the user name of its person; nothing when the token
    /// was revoked or there is no such grant.
    pub async fn grant_behind(
        &self,
        jti: &str,
        grant: &GrantId,
    ) -> Result<Option<(KnownGrant, Option<String>)>, StoreError> {
        let Some(row) = self.backend.optional(UNDER_GRANT, args![grant, jti]).await? else { return Ok(None) };
        let username = row.optional_text("username")?.map(str::to_owned);
        Ok(Some((known_grant(&row)?, username)))
    }
}
