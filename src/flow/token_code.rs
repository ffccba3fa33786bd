//! Redeeming a code: two reads, one write.

use super::mint::Bearer;
use super::token::invalid_grant;
use super::{Engine, Refusal, TokenAnswer};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::code::{CodeDecision, Redemption};
use crate::protocol::{Client, GrantType, RefreshState, Resource, ResourceUri, Scope, Timestamp};
use crate::store::{KnownCode, Outcome};
use crate::tokens::{CodeToken, RefreshToken};

impl Engine {
    /// Exchanges a code for tokens (RFC 6749 §4.1.3).
    pub(super) async fn redeem(
        &self,
        client: &Client,
        code: &str,
        redirect_uri: Option<&str>,
        verifier: &str,
        resource: Option<&ResourceUri>,
    ) -> Result<TokenAnswer, Refusal> {
        let now = self.clock.now();
        let known = self.known_code(code).await?;
        let served = self.meant(&known.grant.grant, resource).await?;
        let redemption = Redemption {
            code: &known.code,
            standing: known.grant.standing(served.as_ref(), known.grant.grant.issued_at),
            client,
            redirect_uri,
            verifier,
            resource,
            now,
        };
        match redemption.decide() {
            CodeDecision::Redeem(scope) => self.redeem_known(client, &known, served, &scope, now).await,
            CodeDecision::Replay(grant) => {
                let audit = AuditEvent::new(now, AuditKind::CodeReplayed).grant(&known.grant.grant);
                // Lost means that it was revoked before, which is as good.
                let _: Outcome = self.store.revoke_grant(&grant, audit).await?;
                Err(invalid_grant("the code was redeemed before")
                    .with_detail("replay: the grant was revoked")
                    .into())
            }
            CodeDecision::Refuse { error, count } => {
                if count {
                    let audit = AuditEvent::new(now, AuditKind::WrongVerifier).grant(&known.grant.grant);
                    // Lost means that the code is dead already.
                    let _: Outcome = self.store.count_wrong_verifier(&known.code.id, audit).await?;
                }
                Err(error.into())
            }
        }
    }

    async fn known_code(&self, code: &str) -> Result<KnownCode, Refusal> {
        let unknown = invalid_grant("the code is not valid");
        let Some(token) = CodeToken::parse(code) else {
            return Err(unknown.with_detail("not of the form of a code").into());
        };
        let known = self.store.authorization_code(token.id()).await?;
        match known.filter(|known| self.secrets.verify(token.secret(), &known.secret_hash)) {
            Some(known) => Ok(known),
            None => Err(unknown.with_detail("no such code").into()),
        }
    }

    /// Mints first: what was minted before a commit that lost is dropped, while a code that was spent before a
    /// signature that failed would be gone.
    async fn redeem_known(
        &self,
        client: &Client,
        known: &KnownCode,
        resource: Option<Resource>,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<TokenAnswer, Refusal> {
        let grant = &known.grant.grant;
        let resource =
            resource.ok_or_else(|| super::Failure::impossible("a redeemable code without a resource"))?;
        let mut answer = self.mint(Bearer::Person(&known.grant), &resource, scope, now).await?;
        let nonce = known.code.nonce.clone();
        answer.id_token = self.id_token(grant, scope, &answer.access_token, nonce, now).await?;
        let refreshes = client.grant_types.contains(&GrantType::RefreshToken);
        let refresh = refreshes.then(|| self.first_generation(now));
        if refreshes {
            let secret = self.secrets.find(&grant.secret);
            let secret = secret
                .ok_or_else(|| super::Failure::impossible("a grant names a server secret that is gone"))?;
            answer.refresh_token = Some(RefreshToken::derive(secret, &grant.id, 0).expose_token().to_owned());
        }
        let audit = AuditEvent::new(now, AuditKind::CodeRedeemed).grant(grant);
        match self.store.redeem_code(&known.code.id, refresh, audit).await? {
            Outcome::Won(()) => Ok(answer),
            Outcome::Lost => {
                Err(invalid_grant("the code is not valid").with_detail("another request was faster").into())
            }
        }
    }

    fn first_generation(&self, now: Timestamp) -> RefreshState {
        let lifetimes = &self.policy.lifetimes;
        RefreshState {
            generation: 0,
            rotated_at: now,
            retries: 0,
            idle_expires_at: now.plus(lifetimes.refresh_idle),
            expires_at: now.plus(lifetimes.refresh_absolute),
        }
    }
}
