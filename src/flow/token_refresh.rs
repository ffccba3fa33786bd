//! Refreshing: two reads, one write.

use super::mint::Bearer;
use super::token::invalid_grant;
use super::{Engine, Failure, TokenAnswer, TokenRefusal};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::refresh::{MAX_RETRIES, Refresh, RefreshDecision};
use crate::protocol::{Client, ResourceUri, Scope, Timestamp};
use crate::store::{KnownGrant, Outcome, RetryLimit};
use crate::tokens::{PresentedRefreshToken, RefreshToken, ServerSecret};

/// How often a request that lost against a neighbour looks again. The neighbour has rotated, so the second look finds a
/// retry; more are for a neighbour that was faster twice.
const LOOKS: usize = 3;

impl Engine {
    /// Exchanges a refresh token for the next one (RFC 6749 §6).
    pub(super) async fn refresh(
        &self,
        client: &Client,
        token: &str,
        scope: Option<&Scope>,
        resource: Option<&ResourceUri>,
    ) -> Result<TokenAnswer, TokenRefusal> {
        for _ in 0..LOOKS {
            let now = self.clock.now();
            let (known, generation) = self.known_refresh_token(token).await?;
            let decision = Refresh {
                grant: &known.grant,
                grant_is_alive: known.is_alive,
                client,
                generation,
                scope,
                resource,
                retry_window: self.policy.lifetimes.retry_window,
                now,
            }
            .decide();
            let won = match decision {
                RefreshDecision::Rotate(scope) => self.rotate(&known, generation, &scope, now).await?,
                RefreshDecision::Retry(scope) => self.retry(&known, generation, &scope, now).await?,
                RefreshDecision::Replay(grant) => {
                    let audit = AuditEvent::new(now, AuditKind::RefreshReplayed).grant(&known.grant);
                    // Lost means that it was revoked before, which is as good.
                    let _: Outcome = self.store.revoke_grant(&grant, audit).await?;
                    let error = invalid_grant("the refresh token was used before");
                    return Err(error.with_detail("replay: the grant was revoked").into());
                }
                RefreshDecision::Refuse(error) => return Err(error.into()),
            };
            if let Some(answer) = won {
                return Ok(answer);
            }
        }
        Err(invalid_grant("the refresh token is not valid").with_detail("other requests were faster").into())
    }

    async fn known_refresh_token(&self, token: &str) -> Result<(KnownGrant, u32), TokenRefusal> {
        let unknown = invalid_grant("the refresh token is not valid");
        let Some(presented) = PresentedRefreshToken::parse(token) else {
            return Err(unknown.with_detail("not of the form of a refresh token").into());
        };
        let known = self.store.grant(presented.grant()).await?;
        let authentic = |known: &KnownGrant| {
            self.secrets.find(&known.grant.secret).is_some_and(|secret| presented.is_authentic(secret))
        };
        match known.filter(authentic) {
            Some(known) => Ok((known, presented.generation())),
            None => Err(unknown.with_detail("no such grant, or not made by this server").into()),
        }
    }

    /// `None` when another request has rotated the same token meanwhile.
    async fn rotate(
        &self,
        known: &KnownGrant,
        presented: u32,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Option<TokenAnswer>, TokenRefusal> {
        let grant = &known.grant;
        let answer = self.refreshed(known, presented, scope, now).await?;
        let idle_expires_at = now.plus(self.policy.lifetimes.refresh_idle);
        let audit = AuditEvent::new(now, AuditKind::RefreshRotated).grant(grant);
        match self.store.rotate_refresh(&grant.id, presented, idle_expires_at, audit).await? {
            Outcome::Won(()) => Ok(Some(answer)),
            Outcome::Lost => Ok(None),
        }
    }

    /// `None` when the chain has moved on meanwhile.
    async fn retry(
        &self,
        known: &KnownGrant,
        presented: u32,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Option<TokenAnswer>, TokenRefusal> {
        let grant = &known.grant;
        let answer = self.refreshed(known, presented, scope, now).await?;
        let limit = RetryLimit { window: self.policy.lifetimes.retry_window, times: MAX_RETRIES };
        let audit = AuditEvent::new(now, AuditKind::RefreshRetried).grant(grant);
        match self.store.retry_refresh(&grant.id, presented + 1, limit, audit).await? {
            Outcome::Won(()) => Ok(Some(answer)),
            Outcome::Lost => Ok(None),
        }
    }

    /// The successor of a token is the same however often it is asked for.
    async fn refreshed(
        &self,
        known: &KnownGrant,
        presented: u32,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<TokenAnswer, TokenRefusal> {
        let grant = &known.grant;
        let resource = self.resource(&grant.resource).await?;
        let resource = resource.ok_or_else(|| invalid_grant("the resource is no longer served"))?;
        let mut answer = self.mint(Bearer::Person(known), &resource, scope, now)?;
        let secret: &ServerSecret = self
            .secrets
            .find(&grant.secret)
            .ok_or_else(|| Failure::impossible("a grant names a server secret that is gone"))?;
        answer.refresh_token =
            Some(RefreshToken::derive(secret, &grant.id, presented + 1).expose_token().to_owned());
        Ok(answer)
    }
}
