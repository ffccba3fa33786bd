//! Making access tokens.

use std::collections::BTreeMap;

use super::{Engine, Failure, TokenAnswer};
use crate::protocol::{ACR_PASSWORD, Client, Resource, Scope, Timestamp};
use crate::store::KnownGrant;
use crate::tokens::{AccessTokenClaims, ClaimName, Jti, TokenKind};

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
        let (subject, client_id, jti, tenant, roles, auth_time) = match bearer {
            Bearer::Person(KnownGrant { grant, roles, .. }) => (
                grant.user.to_string(),
                grant.client.clone(),
                Jti::for_grant(&grant.id, &self.random),
                Some(grant.tenant.clone()),
                roles.clone(),
                Some(grant.auth_time),
            ),
            Bearer::Machine(client) => (
                client.id.to_string(),
                client.id.clone(),
                Jti::without_grant(&self.random),
                client.tenant.clone(),
                Vec::new(),
                None,
            ),
        };
        let claims = AccessTokenClaims {
            issuer: self.policy.issuer.to_string(),
            subject,
            audience: resource.audience().to_owned(),
            client_id,
            issued_at: now,
            expires_at: now.plus(ttl),
            jti,
            scope: scope.for_resource(),
            auth_time,
            acr: auth_time.map(|_| ACR_PASSWORD.to_owned()),
            tenant: tenant.map(|tenant| (ClaimName::tenant(), tenant)),
            roles: (ClaimName::roles(), roles),
            mapped: BTreeMap::new(),
        };
        Ok(TokenAnswer {
            access_token: self.sign(TokenKind::AccessToken, resource.signing_alg, &claims).await?,
            token_type: "Bearer",
            expires_in: ttl.as_secs(),
            scope: scope.to_string(),
            refresh_token: None,
        })
    }
}
