//! Revoking a token at the wish of its client (RFC 7009).

use super::{Engine, Failure, Refusal};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::introspection::IssuedToken;
use crate::protocol::{Client, Params, revocation};
use crate::store::{KnownGrant, Outcome};
use crate::tokens::Jti;

impl Engine {
    /// Revokes the token that a client presents. `authorization` is the header of that name.
    ///
    /// A refresh token takes its grant with it, and so every access token of it; an access token goes alone (RFC 7009
    /// §2.1). When this returns, it is done for good. A token that is not known, or not good any more, is as revoked as
    /// it can be (§2.2).
    ///
    /// # Errors
    /// As the token endpoint for a client that does not authenticate; `invalid_request`; `invalid_grant` for a token of
    /// another client, which is left alone.
    pub async fn revoke(&self, authorization: Option<&str>, params: &Params) -> Result<(), Refusal> {
        let client = self.authenticated_client(authorization, params).await?;
        let token = revocation::token(params)?;
        if let Some((known, _)) = self.known_refresh_token(token).await? {
            return self.revoke_known_grant(&client, &known).await;
        }
        if let Some(issued) = self.issued_token(token).await {
            return self.revoke_issued(&client, &issued).await;
        }
        Ok(())
    }

    /// Any generation that this server made will do: whoever holds one holds the chain.
    async fn revoke_known_grant(&self, client: &Client, known: &KnownGrant) -> Result<(), Refusal> {
        revocation::require_owner(client, &known.grant.client)?;
        let audit = AuditEvent::new(self.clock.now(), AuditKind::RefreshTokenRevoked).grant(&known.grant);
        // Lost means that it was revoked before, which is as good.
        let _: Outcome = self.store.revoke_grant(&known.grant.id, audit).await?;
        Ok(())
    }

    async fn revoke_issued(&self, client: &Client, issued: &IssuedToken) -> Result<(), Refusal> {
        revocation::require_owner(client, &issued.client)?;
        let jti =
            Jti::parse(&issued.jti).ok_or_else(|| Failure::impossible("a token of ours without our jti"))?;
        let mut audit = AuditEvent::new(self.clock.now(), AuditKind::AccessTokenRevoked).client(&client.id);
        audit.grant = jti.grant();
        // Lost means that it was revoked before, which is as good.
        let _: Outcome = self.store.revoke_access_token(jti.as_str(), issued.expires_at, audit).await?;
        Ok(())
    }

    /// The access token that this server signed, if that is what `token` is and its time has not passed.
    pub(super) async fn issued_token(&self, token: &str) -> Option<IssuedToken> {
        let claims = self.keys_to_publish().await.authentic_access_token(token)?;
        IssuedToken::read(claims, &self.policy.issuer, self.clock.now())
    }
}
