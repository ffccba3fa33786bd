//! Introspection (RFC 7662): reads only, each time anew, so that what was revoked a moment ago is inactive now.

use super::mint::Bearer;
use super::{Engine, Failure, Refusal};
use crate::protocol::introspection::{self, AccessToken, Answer, Behind, Caller, IssuedToken};
use crate::protocol::refresh::Refresh;
use crate::protocol::{
    ClaimFacts, Client, ErrorCode, IntrospectionMode, OAuthError, Params, Resource, ResourceUri, SigningAlg,
};
use crate::tokens::{Jti, TokenKind};

/// What is answered.
pub enum Introspected {
    /// As JSON.
    Plain(Answer),
    /// As a signed JWT (RFC 9701).
    Signed(String),
}

/// An access token that is active, and whose business it is.
pub(super) struct Active {
    /// What there is to say about it.
    pub(super) answer: Answer,
    client: Client,
    resources: Vec<Resource>,
    has_grant: bool,
}

impl Engine {
    /// Says what there is to say about a token to whoever asks. `authorization` is the header of that name; `signed`
    /// tells whether a signed answer is wanted.
    ///
    /// # Errors
    /// `invalid_client` or `invalid_token` for a caller that does not prove who it is; `invalid_request`.
    pub async fn introspect(
        &self,
        authorization: Option<&str>,
        params: &Params,
        signed: bool,
    ) -> Result<Introspected, Refusal> {
        let client = match self.is_open_to(authorization, params, signed)? {
            true => None,
            false => Some(self.introspecting_client(authorization, params).await?),
        };
        let caller = client.as_ref().map_or(Caller::Anybody, Caller::Client);
        let token = introspection::token(params)?;
        let answer = self.answer_to(caller, token).await?.unwrap_or_else(introspection::inactive);
        match client {
            Some(client) if signed => {
                let claims = introspection::signed(answer, &client.id, &self.policy.issuer, self.clock.now());
                let (kind, alg) = (TokenKind::IntrospectionAnswer, SigningAlg::Rs256);
                Ok(Introspected::Signed(self.sign(kind, alg, &claims).await?))
            }
            _ => Ok(Introspected::Plain(answer)),
        }
    }

    /// Whether whoever asks need not say who they are. Whoever says it is believed no more than elsewhere, and a signed
    /// answer says whom it is for (RFC 9701 §5).
    fn is_open_to(
        &self,
        authorization: Option<&str>,
        params: &Params,
        signed: bool,
    ) -> Result<bool, OAuthError> {
        let is_open =
            self.policy.introspection == IntrospectionMode::Open && !signed && authorization.is_none();
        Ok(is_open
            && params.optional("client_secret")?.is_none()
            && params.optional("client_assertion")?.is_none())
    }

    /// The client that asks: by its own authentication, or by a token that it obtained for itself (RFC 7662 §2.1).
    async fn introspecting_client(
        &self,
        authorization: Option<&str>,
        params: &Params,
    ) -> Result<Client, Refusal> {
        let Some(token) = authorization.and_then(bearer) else {
            return self.proven_client(authorization, params).await;
        };
        for other in ["client_secret", "client_assertion"] {
            if params.optional(other)?.is_some() {
                let description = "one way of client authentication can be used at a time";
                return Err(OAuthError::new(ErrorCode::InvalidRequest, description).into());
            }
        }
        let active = self.active_access_token(Caller::Anybody, token).await?;
        let own = active.filter(|active| {
            // A machine's token for its own resource: nobody else was ever given it. One for another server was, and that
            // server could come here with it.
            !active.has_grant
                && active.resources.iter().any(|resource| active.client.introspects.contains(&resource.uri))
        });
        let refused =
            OAuthError::new(ErrorCode::InvalidToken, "the access token is not good for introspection");
        Ok(own.ok_or(refused)?.client)
    }

    async fn answer_to(&self, caller: Caller<'_>, token: &str) -> Result<Option<Answer>, Failure> {
        if let Some(active) = self.active_access_token(caller, token).await? {
            return Ok(Some(active.answer));
        }
        self.active_refresh_token(caller, token).await
    }

    /// The access token that `token` is, if it is good for anything now that is the caller's business.
    pub(super) async fn active_access_token(
        &self,
        caller: Caller<'_>,
        token: &str,
    ) -> Result<Option<Active>, Failure> {
        let Some(issued) = self.issued_token(token).await else { return Ok(None) };
        let Some(jti) = Jti::parse(&issued.jti) else { return Ok(None) };
        let client = self.store.client(&issued.client).await?;
        let Some(client) = client.filter(|client| self.policy.admits(client)) else { return Ok(None) };
        let resources = caller.sees(&client.id, self.resources_of(&issued, &client).await?);
        let known = match jti.grant() {
            Some(grant) => match self.store.grant_behind(jti.as_str(), &grant).await? {
                Some(known) => Some(known),
                None => return Ok(None),
            },
            None => {
                let ended = self.store.is_machine_token_ended(jti.as_str(), &client.id, issued.issued_at);
                if ended.await? {
                    return Ok(None);
                }
                None
            }
        };
        let behind = known.as_ref().map_or(Behind::Machine, |(known, username)| Behind::Grant {
            // A token keeps what wanted a fresh login until it expires, for everyone who checks it alike.
            standing: known.standing(None, known.grant.auth_time),
            username: username.as_deref(),
        });
        let found = AccessToken { token: &issued, client: &client, behind, resources: &resources };
        let Some((answer, resource)) = found.answer() else { return Ok(None) };
        let bearer = known.as_ref().map_or(Bearer::Machine(&client), |(known, _)| Bearer::Person(known));
        let claims = self.mapped_claims(&bearer, resource).await?;
        let answer = introspection::update(answer, &self.policy.claims.at(resource), claims);
        let has_grant = known.is_some();
        Ok(answer.map(|answer| Active { answer, client, resources, has_grant }))
    }

    /// The resources that a token may be for: those that check this audience, as long as they are served.
    async fn resources_of(&self, token: &IssuedToken, client: &Client) -> Result<Vec<Resource>, Failure> {
        let mut resources = self.store.resources_with_audience(&token.audience).await?;
        resources.extend(client.own_resource().filter(|own| own.audience() == token.audience));
        if resources.is_empty()
            && let Ok(uri) = ResourceUri::parse(&token.audience)
        {
            // A developer's own, which nobody registered.
            resources.extend(self.resource(&uri).await?.filter(|found| found.audience() == token.audience));
        }
        Ok(resources)
    }

    async fn active_refresh_token(&self, caller: Caller<'_>, token: &str) -> Result<Option<Answer>, Failure> {
        let Some((known, generation)) = self.known_refresh_token(token).await? else { return Ok(None) };
        let grant = &known.grant;
        let Caller::Client(client) = caller else { return Ok(None) };
        if !caller.may_see_refresh_token(grant) {
            return Ok(None);
        }
        let mut decisions = Vec::with_capacity(grant.resources.len());
        for granted in &grant.resources {
            let served = self.resource(&granted.resource).await?;
            let refresh = Refresh {
                standing: known.standing(served.as_ref(), self.clock.now()),
                client,
                generation,
                scope: None,
                resource: Some(&granted.resource),
                retry_window: self.policy.lifetimes.retry_window,
                now: self.clock.now(),
            };
            decisions.push(refresh.decide());
        }
        let account = self.store.account(&grant.user).await?;
        let username = account.as_ref().map(|account| account.user.username.as_str());
        let facts =
            ClaimFacts { tenant: Some(&grant.tenant), roles: &known.roles, person: None, client: None };
        let claims = facts.claims(&self.policy.claims.of_all());
        Ok(introspection::refresh_token(grant, &decisions, username, claims, &self.policy.issuer))
    }
}

/// The token of a Bearer header (RFC 6750 §2.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
