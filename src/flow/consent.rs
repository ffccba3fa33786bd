//! The person decides (OAuth 2.1 §7.9; MCP security best practices, confused deputy).

use super::authorize::{Considered, ParkedRequest, Reading};
use super::client::Looking;
use super::{Engine, Failure, LoggedIn, Unanswerable};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::ask::{Agreement, Ask, Decision, Tick};
use crate::protocol::step::Step;
use crate::protocol::{
    AuthorizationCode, AuthorizationRequest, CodeId, Consent, ErrorCode, Grant, GrantId, InteractionId,
    OAuthError, TenantId,
};
use crate::store::{Issue, Outcome};
use crate::tokens::CodeToken;

/// What the person is to decide about.
#[derive(Debug)]
pub struct ConsentView {
    /// What is asked.
    pub request: AuthorizationRequest,
    /// What may be allowed at which resource, and what was before.
    pub ask: Ask,
    /// The request again, for a login as somebody else.
    pub parked: ParkedRequest,
}

/// What the consent page shows, or where the browser goes because there is nothing to ask any more.
#[derive(Debug)]
pub enum ConsentStep {
    /// There is something to ask.
    Ask(Box<ConsentView>),
    /// There is not: a URL, of the client.
    Client(String),
    /// The person has to log in again first.
    Login(ParkedRequest),
}

impl Engine {
    /// What the page of an interaction shows.
    ///
    /// # Errors
    /// [`Unanswerable::Expired`] when the interaction is another browser's, was decided or has expired.
    pub async fn consent_page(&self, id: &str, who: &LoggedIn) -> Result<ConsentStep, Unanswerable> {
        let (_, parked) = self.interaction(id, who).await?;
        let considered = match self.consider_again(&parked, who).await? {
            Reading::Considered(considered) => considered,
            Reading::Unread(_) => return Err(Unanswerable::Expired),
            Reading::Refused(refused) => {
                return Ok(ConsentStep::Client(refused.address.with_error(&refused.error)));
            }
        };
        match considered.situation(self, Some(who)).next_step() {
            Step::Consent(ask) => {
                let Considered { request, .. } = *considered;
                Ok(ConsentStep::Ask(Box::new(ConsentView { request, ask, parked })))
            }
            Step::Login => Ok(ConsentStep::Login(parked)),
            Step::Reject(error) => Ok(ConsentStep::Client(considered.request.address.with_error(&error))),
            // The client became the operator's own meanwhile: the person came to decide, so let the next request skip it.
            Step::Issue(_) => Err(Unanswerable::Expired),
        }
    }

    /// The person allowed what they ticked; the answer is the URL of the client.
    ///
    /// # Errors
    /// As [`Engine::consent_page`].
    pub async fn allow(
        &self,
        id: &str,
        who: &LoggedIn,
        ticks: &[Tick],
        tenant: Option<&TenantId>,
    ) -> Result<String, Unanswerable> {
        let (id, parked) = self.interaction(id, who).await?;
        let considered = match self.consider_again(&parked, who).await? {
            Reading::Considered(considered) => considered,
            Reading::Unread(_) => return Err(Unanswerable::Expired),
            Reading::Refused(refused) => {
                return self.give_up(&id, who, refused.address.with_error(&refused.error)).await;
            }
        };
        let situation = considered.situation(self, Some(who));
        let agreed = match (situation.next_step(), tenant) {
            (Step::Consent(ask), None) => situation.agree(&ask, ticks, &ask.tenants[0].tenant.id),
            (Step::Consent(ask), Some(tenant)) => situation.agree(&ask, ticks, tenant),
            (Step::Reject(error), _) => Err(error),
            (Step::Login | Step::Issue(_), _) => return Err(Unanswerable::Expired),
        };
        match agreed {
            Ok(agreement) => self.issue(&considered, &agreement, Some(who), Some(id)).await,
            Err(error) => self.give_up(&id, who, considered.request.address.with_error(&error)).await,
        }
    }

    /// The person refused; the answer is the URL of the client (RFC 6749 §4.1.2.1, `access_denied`).
    ///
    /// # Errors
    /// As [`Engine::consent_page`].
    pub async fn deny(&self, id: &str, who: &LoggedIn) -> Result<String, Unanswerable> {
        let (id, parked) = self.interaction(id, who).await?;
        let denied = OAuthError::new(ErrorCode::AccessDenied, "the person refused");
        let url = match self.consider_again(&parked, who).await? {
            Reading::Considered(considered) => considered.request.address.with_error(&denied),
            Reading::Unread(_) => return Err(Unanswerable::Expired),
            Reading::Refused(refused) => refused.address.with_error(&denied),
        };
        self.give_up(&id, who, url).await
    }

    /// Reads the request of an interaction again. The client is the one that the person was sent to decide about: when
    /// its document has come to say something else meanwhile, there is another decision to make.
    async fn consider_again(&self, parked: &ParkedRequest, who: &LoggedIn) -> Result<Reading, Unanswerable> {
        let reading = self.consider(parked, Some(who), Looking::InStore).await?;
        match &reading {
            Reading::Considered(considered)
                if considered.request.client.document_digest() != parked.document_digest.as_deref() =>
            {
                Err(Unanswerable::Expired)
            }
            _ => Ok(reading),
        }
    }

    async fn interaction(
        &self,
        id: &str,
        who: &LoggedIn,
    ) -> Result<(InteractionId, ParkedRequest), Unanswerable> {
        let id = InteractionId::parse(id).ok_or(Unanswerable::Expired)?;
        let found = self.store.interaction(&id, &who.session.id, self.clock.now()).await?;
        let interaction = found.ok_or(Unanswerable::Expired)?;
        let parked = ParkedRequest::read(&interaction.request)
            .ok_or_else(|| Failure::impossible("a parked request that cannot be read"))?;
        Ok((id, parked))
    }

    /// Ends an interaction without a grant; once, like every decision.
    async fn give_up(&self, id: &InteractionId, who: &LoggedIn, url: String) -> Result<String, Unanswerable> {
        let audit = AuditEvent::new(self.clock.now(), AuditKind::ConsentRefused).user(&who.user.id);
        match self.store.drop_interaction(id, &who.session.id, audit).await? {
            Outcome::Won(()) => Ok(url),
            Outcome::Lost => Err(Unanswerable::Expired),
        }
    }

    /// What is written when an authorization completes.
    pub(super) fn completed(
        &self,
        considered: &Considered,
        agreement: &Agreement,
        who: &LoggedIn,
        interaction: Option<InteractionId>,
    ) -> (Issue, CodeToken, AuditEvent) {
        let now = self.clock.now();
        let request = &considered.request;
        let grant = Grant {
            id: self.fresh(GrantId::new),
            user: who.user.id.clone(),
            client: request.client.id.clone(),
            tenant: agreement.tenant.clone(),
            resources: agreement.resources.clone(),
            general: agreement.general.clone(),
            auth_time: who.session.auth_time,
            issued_at: now,
            secret: self.secrets.current().id().clone(),
            refresh: None,
            revoked_at: None,
        };
        let consent = |decision: &Decision| Consent {
            user: grant.user.clone(),
            client: grant.client.clone(),
            tenant: grant.tenant.clone(),
            resource: decision.resource.clone(),
            scope: decision.allowed.clone(),
            refused: decision.refused.clone(),
            redirect_host: request.address.redirect_uri().consent_host(),
            document_digest: request.client.document_digest().map(str::to_owned),
            given_at: now,
        };
        // What nobody was asked about is no decision to remember.
        let decided = agreement.decisions.iter().filter(|_| interaction.is_some());
        let consents = decided.map(consent).collect();
        let token = CodeToken::generate(self.fresh(CodeId::new), &self.random);
        let code = AuthorizationCode {
            id: token.id().clone(),
            grant: grant.id.clone(),
            client: grant.client.clone(),
            redirect_uri: request.address.redirect_uri().clone(),
            challenge: request.challenge.clone(),
            expires_at: now.plus(self.policy.lifetimes.code),
            redeemed_at: None,
            wrong_verifiers: 0,
            nonce: request.nonce.clone(),
        };
        let audit = AuditEvent::new(now, AuditKind::GrantIssued).grant(&grant);
        let issue = Issue {
            session: who.session.id.clone(),
            consents,
            interaction,
            grant,
            code,
            code_secret_hash: self.secrets.hash(token.secret()),
        };
        (issue, token, audit)
    }
}
