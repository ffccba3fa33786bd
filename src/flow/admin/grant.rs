//! Grants, and single tokens.

use serde_json::{Map, Value};

use super::{Admin, AdminError, Named};
use crate::audit::AuditKind;
use crate::flow::mint::Bearer;
use crate::protocol::{
    ClientId, Grant, GrantId, Granted, KnownScopes, Resource, ResourceUri, RoleName, Scope, TenantId,
    Timestamp,
};
use crate::store::{KnownGrant, KnownUser, Mode, Origin, Outcome};
use crate::tokens::{Jti, PresentedRefreshToken};

/// A token that a developer wants without asking anybody.
#[derive(Clone, Debug)]
pub struct TokenWish {
    /// Whom it speaks for, by login name or identifier.
    pub user: String,
    /// In which tenant; the person's only one when absent.
    pub tenant: Option<TenantId>,
    /// As which client.
    pub client: ClientId,
    /// For which resource; the one that a client means that names none when absent.
    pub resource: Option<ResourceUri>,
    /// How far it goes; the resource's default scopes when absent.
    pub scope: Option<Scope>,
}

/// A token that was issued.
pub struct AdminToken {
    /// The access token.
    pub access_token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How far it goes.
    pub scope: String,
    /// The grant that stands behind it; revoking that ends it.
    pub grant: GrantId,
}

/// What there is to say about a token.
pub struct InspectedToken {
    /// `access_token` or `refresh_token`.
    pub kind: &'static str,
    /// Why it is not good any more, if it is not.
    pub ended: Option<&'static str>,
    /// The grant that it was issued under.
    pub grant: Option<GrantId>,
    /// When it ends, if nothing else ends it.
    pub expires_at: Option<Timestamp>,
    /// What an access token says.
    pub claims: Map<String, Value>,
}

fn named(id: &GrantId) -> Named<'_> {
    Named { what: "grant", id: id.as_str() }
}

impl Admin {
    /// At most `limit` grants, newest first, older than `before`; of one person and to one client if they are named.
    ///
    /// # Errors
    /// There is no such person.
    pub async fn grants(
        &self,
        user: Option<&str>,
        client: Option<&ClientId>,
        before: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<KnownGrant>, AdminError> {
        let user = match user {
            Some(name) => Some(self.user_id(name).await?),
            None => None,
        };
        Ok(self.engine.store.known_grants(user.as_ref(), client, before, limit).await?)
    }

    /// The grant with an identifier.
    ///
    /// # Errors
    /// There is none.
    pub async fn grant(&self, id: &GrantId) -> Result<KnownGrant, AdminError> {
        self.engine.store.grant(id).await?.ok_or_else(|| named(id).not_found())
    }

    /// Revokes a grant, and with it everything issued under it.
    ///
    /// # Errors
    /// It is not there, or revoked already.
    pub async fn revoke_grant(&self, id: &GrantId) -> Result<KnownGrant, AdminError> {
        let known = self.grant(id).await?;
        let event = self.event(AuditKind::GrantRevoked, "").grant(&known.grant);
        let outcome = self.engine.store.revoke_grant(id, event).await?;
        let already = || AdminError::Refused(format!("the grant {:?} is revoked already", id.as_str()));
        outcome.won().ok_or_else(already)?;
        self.grant(id).await
    }

    /// Issues an access token without asking anybody, under a grant of its own, so that introspection and revocation see it
    /// like any other: for developers, in a database of dev mode alone.
    ///
    /// # Errors
    /// The database is not of dev mode, something that is named is not there or may not be used, or the person may not
    /// give the scope.
    pub async fn issue_token(&self, wish: TokenWish) -> Result<AdminToken, AdminError> {
        if self.engine.store.mode() == Mode::Serve {
            return Err(AdminError::Refused(
                "tokens are issued without asking in dev mode alone; this database is of serve mode"
                    .to_owned(),
            ));
        }
        let engine = &self.engine;
        let user = self.user(&wish.user).await?;
        let client = engine.store.client(&wish.client).await?;
        let client = client.ok_or_else(|| Named { what: "client", id: wish.client.as_str() }.not_found())?;
        let resource = engine.target(&client, wish.resource.as_ref()).await.map_err(AdminError::Failed)?;
        let resource = resource.map_err(|error| AdminError::Refused(error.description().to_owned()))?;
        let (tenant, roles) = membership(&user, wish.tenant.as_ref(), &resource)?;
        let scope = scope(&resource, wish.scope.as_ref(), &roles)?;
        let now = engine.clock.now();
        let grant = Grant {
            id: engine.fresh(GrantId::new),
            user: user.known.thing.id,
            client: client.id,
            tenant,
            resources: vec![Granted { resource: resource.uri.clone(), scope: scope.clone() }],
            general: Scope::default(),
            auth_time: now,
            issued_at: now,
            secret: engine.secrets.current().id().clone(),
            refresh: None,
            revoked_at: None,
        };
        let known = KnownGrant { grant, is_alive: true, roles };
        let answer = engine.mint(Bearer::Person(&known), &resource, &scope, now).await;
        let answer = answer.map_err(AdminError::Failed)?;
        let grant = known.grant;
        let id = grant.id.clone();
        let event = self.event(AuditKind::GrantIssued, "").grant(&grant);
        if !engine.store.add_grant(grant, event).await?.is_won() {
            return Err(AdminError::Refused("the person, the client or the tenant is suspended".to_owned()));
        }
        let expires_at = now.plus(std::time::Duration::from_secs(answer.expires_in));
        Ok(AdminToken { access_token: answer.access_token, expires_at, scope: answer.scope, grant: id })
    }

    /// Says what there is to say about a token of this server.
    ///
    /// # Errors
    /// It is no token of this server.
    pub async fn inspect_token(&self, token: &str) -> Result<InspectedToken, AdminError> {
        if let Some(presented) = PresentedRefreshToken::parse(token) {
            return self.inspect_refresh_token(&presented).await;
        }
        let claims = self.engine.keys_to_publish().await.authentic_access_token(token);
        let claims = claims.ok_or_else(not_ours)?;
        let expires_at = claims.get("exp").and_then(Value::as_i64).map(Timestamp::from_seconds);
        let jti = claims.get("jti").and_then(Value::as_str).and_then(Jti::parse);
        let grant = jti.as_ref().and_then(Jti::grant);
        let mut ended = None;
        if let (Some(jti), None) = (&jti, &grant)
            && let Some(issued) = self.engine.issued_token(token).await
            && self
                .engine
                .store
                .is_machine_token_ended(jti.as_str(), &issued.client, issued.issued_at)
                .await?
        {
            ended = Some("its client or that one's tenant was suspended since");
        }
        if let Some(jti) = &jti
            && self.engine.store.is_access_token_revoked(jti.as_str()).await?
        {
            ended = Some("it was revoked");
        }
        if let Some(id) = &grant {
            match self.engine.store.grant(id).await? {
                None => ended = Some("its grant is gone"),
                Some(known) if !known.is_alive => ended = Some("its grant has ended"),
                Some(_) => {}
            }
        }
        if claims.get("iss").and_then(Value::as_str) != Some(self.engine.policy.issuer.as_str()) {
            ended = Some("it is of another issuer");
        }
        if expires_at.is_none_or(|end| end <= self.engine.clock.now()) {
            ended = Some("its time has passed");
        }
        Ok(InspectedToken { kind: "access_token", ended, grant, expires_at, claims })
    }

    /// Revokes a token: a refresh token with its grant, which is everything issued under it; an access token alone (RFC 7009
    /// §2.1).
    ///
    /// # Errors
    /// It is no token of this server, or not good any more.
    pub async fn revoke_token(&self, token: &str) -> Result<InspectedToken, AdminError> {
        let inspected = self.inspect_token(token).await?;
        if let Some(ended) = inspected.ended {
            return Err(AdminError::Refused(format!("there is nothing to revoke: {ended}")));
        }
        match (&inspected.grant, self.engine.issued_token(token).await) {
            (_, Some(issued)) => {
                let mut event = self.event(AuditKind::AccessTokenRevoked, "").client(&issued.client);
                event.grant.clone_from(&inspected.grant);
                let outcome = self.engine.store.revoke_access_token(&issued.jti, issued.expires_at, event);
                // Lost means that somebody else has revoked it, which is as good.
                let _: Outcome = outcome.await?;
            }
            (Some(grant), None) => drop(self.revoke_grant(grant).await?),
            (None, None) => return Err(not_ours()),
        }
        self.inspect_token(token).await
    }

    async fn inspect_refresh_token(
        &self,
        presented: &PresentedRefreshToken,
    ) -> Result<InspectedToken, AdminError> {
        let known = self.engine.store.grant(presented.grant()).await?.ok_or_else(not_ours)?;
        let secret = self.engine.secrets.find(&known.grant.secret);
        if !secret.is_some_and(|secret| presented.is_authentic(secret)) {
            return Err(not_ours());
        }
        let now = self.engine.clock.now();
        let refresh = known.grant.refresh;
        let expires_at = refresh.map(|refresh| refresh.idle_expires_at.min(refresh.expires_at));
        let ended = match refresh {
            _ if !known.is_alive => Some("its grant has ended"),
            None => Some("its grant has no refresh tokens"),
            Some(refresh) if refresh.generation != presented.generation() => {
                Some("it was exchanged for a newer one")
            }
            Some(_) if expires_at.is_some_and(|end| end <= now) => Some("its time has passed"),
            Some(_) => None,
        };
        let grant = Some(known.grant.id);
        Ok(InspectedToken { kind: "refresh_token", ended, grant, expires_at, claims: Map::new() })
    }
}

fn not_ours() -> AdminError {
    AdminError::NotFound { what: "token", id: "of this server with this text".to_owned() }
}

/// In which tenant, and as what: the one that is named, or the only one that the resource admits.
fn membership(
    user: &KnownUser,
    named: Option<&TenantId>,
    resource: &Resource,
) -> Result<(TenantId, Vec<RoleName>), AdminError> {
    if user.known.suspended_at.is_some() || user.known.origin == Origin::Withdrawn {
        return Err(AdminError::Refused(format!("{:?} is suspended", user.known.thing.username)));
    }
    let of = |(tenant, _): &&(TenantId, Vec<RoleName>)| {
        resource.admits_tenant(tenant) && named.is_none_or(|named| named == tenant)
    };
    match user.memberships.iter().filter(of).collect::<Vec<_>>()[..] {
        [only] => Ok(only.clone()),
        [] => Err(AdminError::Refused(format!(
            "{:?} belongs to no such tenant that may use {}",
            user.known.thing.username, resource.uri
        ))),
        [..] => Err(AdminError::Refused(format!(
            "{:?} belongs to several tenants; say which",
            user.known.thing.username
        ))),
    }
}

/// What is asked for, as long as the resource knows it and the person may give it.
fn scope(resource: &Resource, asked: Option<&Scope>, roles: &[RoleName]) -> Result<Scope, AdminError> {
    let Some(asked) = asked else {
        return Ok(resource.grantable(&resource.requested_scope(None, None), roles));
    };
    let unknown = asked.difference(&resource.known(asked));
    if let (Some(unknown), KnownScopes::Listed(known)) = (unknown.iter().next(), &resource.scopes) {
        let known: Scope = known.iter().map(|scope| scope.token.clone()).collect();
        return Err(AdminError::Invalid(format!(
            "{} does not know the scope {unknown}; it knows {known}",
            resource.uri
        )));
    }
    match asked.difference(&resource.grantable(asked, roles)).iter().next() {
        Some(refused) => {
            Err(AdminError::Refused(format!("the person's roles do not let them give {refused}")))
        }
        None => Ok(asked.clone()),
    }
}
