//! Making access tokens.

use super::{Engine, Failure, TokenAnswer};
use crate::protocol::{ACR_PASSWORD, Client, Resource, Scope, Timestamp};
use crate::store::KnownGrant;
use crate::tokens::{AccessTokenClaims, Jti, TokenKind};

/// Whom an access token speaks for.
pub(super) enum Bearer<'a> {
    /// A person who let a client act for them.
    Person(&'a KnownGrant),
    /// A client that acts for itself; its identifier is the subject (RFC 9068 §2.2).
    Machine(&'a Client),
}

impl Engine {
    /// Signs an access token (RFC 9068) for `resource`. Nothing is written: a token that is not handed out is nothing.
    pub(super) async fn mint(
        &self,
        bearer: Bearer<'_>,
        resource: &Resource,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<TokenAnswer, Failure> {
        let ttl = resource.token_ttl(scope, self.policy.lifetimes.access_token);
        let mapped = self.mapped_claims(&bearer, resource).await?;
        let (subject, client_id, jti, auth_time) = match bearer {
            Bearer::Person(KnownGrant { grant, .. }) => (
                grant.user.to_string(),
                grant.client.clone(),
                Jti::for_grant(&grant.id, &self.random),
                Some(grant.auth_time),
            ),
            Bearer::Machine(client) => {
                (client.id.to_string(), client.id.clone(), Jti::without_grant(&self.random), None)
            }
        };
        let claims = AccessTokenClaims {
            issuer: self.policy.issuer.to_string(),
            subject,
            audience: resource.audience().to_owned(),
            client_id,
            issued_at: now,
            expires_at: now.plus(ttl),
            jti,
            scope: scope.in_access_token(),
            auth_time,
            acr: auth_time.map(|_| ACR_PASSWORD.to_owned()),
            mapped,
        };
        Ok(TokenAnswer {
            access_token: self.sign(TokenKind::AccessToken, resource.signing_alg, &claims).await?,
            token_type: "Bearer",
            expires_in: ttl.as_secs(),
            scope: scope.to_string(),
            refresh_token: None,
            id_token: None,
        })
    }
}
