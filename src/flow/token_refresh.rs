//! Refreshing: two reads, one write.

use super::mint::Bearer;
use super::token::invalid_grant;
use super::{Engine, Failure, Refusal, TokenAnswer};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::refresh::{MAX_RETRIES, Refresh, RefreshDecision};
use crate::protocol::{Client, Grant, Resource, ResourceUri, Scope, Timestamp};
use crate::store::{KnownGrant, Outcome, RetryLimit};
use crate::tokens::{PresentedRefreshToken, RefreshToken};

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
    ) -> Result<TokenAnswer, Refusal> {
        for _ in 0..LOOKS {
            let now = self.clock.now();
            let known = self.known_refresh_token(token).await?;
            let (known, generation) = known.ok_or(invalid_grant("the refresh token is not valid"))?;
            let served = self.meant(&known.grant, resource).await?;
            let decision = Refresh {
                standing: known.standing(served.as_ref(), now),
                client,
                generation,
                scope,
                resource,
                retry_window: self.policy.lifetimes.retry_window,
                now,
            }
            .decide();
            let (scope, is_retry) = match decision {
                RefreshDecision::Rotate(scope) => (scope, false),
                RefreshDecision::Retry(scope) => (scope, true),
                RefreshDecision::Replay(grant) => {
                    let audit = AuditEvent::new(now, AuditKind::RefreshReplayed).grant(&known.grant);
                    // Lost means that it was revoked before, which is as good.
                    let _: Outcome = self.store.revoke_grant(&grant, audit).await?;
                    let error = invalid_grant("the refresh token was used before");
                    return Err(error.with_detail("replay: the grant was revoked").into());
                }
                RefreshDecision::Refuse(error) => return Err(error.into()),
            };
            // Minted first: what was minted before a commit that lost is dropped.
            let answer = self.refreshed(&known, generation, served.as_ref(), &scope).await?;
            let outcome = match is_retry {
                false => self.commit_rotation(&known.grant, generation, now).await?,
                true => self.commit_retry(&known.grant, generation, now).await?,
            };
            if outcome.is_won() {
                return Ok(answer);
            }
        }
        Err(invalid_grant("the refresh token is not valid").with_detail("other requests were faster").into())
    }

    /// The grant and the generation of a refresh token that this server made, whether it is still good or not.
    pub(super) async fn known_refresh_token(
        &self,
        token: &str,
    ) -> Result<Option<(KnownGrant, u32)>, Failure> {
        let Some(presented) = PresentedRefreshToken::parse(token) else { return Ok(None) };
        let known = self.store.grant(presented.grant()).await?;
        let authentic = |known: &KnownGrant| {
            self.secrets.find(&known.grant.secret).is_some_and(|secret| presented.is_authentic(secret))
        };
        Ok(known.filter(authentic).map(|known| (known, presented.generation())))
    }

    /// Lost when another request has rotated the same token meanwhile.
    async fn commit_rotation(
        &self,
        grant: &Grant,
        presented: u32,
        now: Timestamp,
    ) -> Result<Outcome, Failure> {
        let idle_expires_at = now.plus(self.policy.lifetimes.refresh_idle);
        let audit = AuditEvent::new(now, AuditKind::RefreshRotated).grant(grant);
        Ok(self.store.rotate_refresh(&grant.id, presented, idle_expires_at, audit).await?)
    }

    /// Lost when the chain has moved on meanwhile.
    async fn commit_retry(&self, grant: &Grant, presented: u32, now: Timestamp) -> Result<Outcome, Failure> {
        let limit = RetryLimit { window: self.policy.lifetimes.retry_window, times: MAX_RETRIES };
        let audit = AuditEvent::new(now, AuditKind::RefreshRetried).grant(grant);
        Ok(self.store.retry_refresh(&grant.id, presented + 1, limit, audit).await?)
    }

    /// The successor of a token is the same however often it is asked for.
    async fn refreshed(
        &self,
        known: &KnownGrant,
        presented: u32,
        resource: Option<&Resource>,
        scope: &Scope,
    ) -> Result<TokenAnswer, Failure> {
        let grant = &known.grant;
        let resource = resource.ok_or_else(|| Failure::impossible("a grant goes on without a resource"))?;
        let now = self.clock.now();
        let mut answer = self.mint(Bearer::Person(known), resource, scope, now).await?;
        answer.id_token = self.id_token(grant, scope, &answer.access_token, None, now).await?;
        let secret = self
            .secrets
            .find(&grant.secret)
            .ok_or_else(|| Failure::impossible("a grant names a server secret that is gone"))?;
        let token = RefreshToken::derive(secret, &grant.id, presented + 1);
        answer.refresh_token = Some(token.expose_token().to_owned());
        Ok(answer)
    }
}
