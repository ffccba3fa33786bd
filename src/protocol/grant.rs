//! Grants: one per completed authorization, and everything that is issued under it.

use serde::{Deserialize, Serialize};

use super::{
    BrowserSessionId, ClientId, CodeChallenge, CodeId, ErrorCode, GrantId, InteractionId, OAuthError,
    RedirectUri, Resource, ResourceUri, RoleName, Scope, ServerSecretId, TenantId, Timestamp, UserId,
};

/// That a person let one installation of a client act for them at some resources, in one tenant. A token is for one of
/// the resources.
///
/// A client may be shared by all installations of a product; the grant is what tells them apart. Revoking it ends
/// one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its identifier, which every code and token issued under it carries.
    pub id: GrantId,
    /// Who gave it.
    pub user: UserId,
    /// To which client.
    pub client: ClientId,
    /// In which tenant; every token takes the tenant from here.
    pub tenant: TenantId,
    /// For which resources, and how far at each (RFC 8707 §2); each is there once.
    pub resources: Vec<Granted>,
    /// What was granted that belongs to no resource: `offline_access` when it was asked for.
    pub general: Scope,
    /// When the person had proved who they are.
    pub auth_time: Timestamp,
    /// When it was given.
    pub issued_at: Timestamp,
    /// The server secret under which its refresh tokens are made.
    pub secret: ServerSecretId,
    /// The chain of refresh tokens, when the client uses them.
    pub refresh: Option<RefreshState>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// How far a grant goes at one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The resource, by its canonical URI.
    pub resource: ResourceUri,
    /// What may be done there. A scope of the same name at another resource is another one.
    pub scope: Scope,
}

impl Grant {
    /// The resource that a token request means which names `named`: that one, or the only one of the grant; the server's
    /// own beside another is meant by its name alone. It is to be
    /// looked up for [`Standing::resource`]; nothing when the request does not say which of several it means.
    pub fn meant<'a>(&'a self, named: Option<&'a ResourceUri>) -> Option<&'a ResourceUri> {
        let mut servers = self.resources.iter().filter(|granted| !granted.scope.is_openid());
        match (self.resources.as_slice(), named) {
            ([only], _) => Some(&only.resource),
            (several, Some(named)) => {
                let key = named.lookup_key();
                let granted = several.iter().find(|granted| granted.resource.lookup_key() == key);
                Some(granted.map_or(named, |granted| &granted.resource))
            }
            (_, None) => match (servers.next(), servers.next()) {
                (Some(only), None) => Some(&only.resource),
                _ => None,
            },
        }
    }

    /// What may be told about the person, if anything may (OpenID Connect Core §5.4).
    pub fn identity(&self) -> Option<Scope> {
        self.resources
            .iter()
            .map(|granted| &granted.scope)
            .find(|scope| scope.is_openid())
            .map(Scope::identity)
    }

    /// Everything that was granted anywhere.
    pub fn scope(&self) -> Scope {
        let granted = self.resources.iter().map(|granted| &granted.scope);
        granted.fold(Scope::default(), |all, scope| all.union(scope)).union(&self.general)
    }
}

/// Where a grant's chain of refresh tokens stands. The tokens themselves are derived, not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshState {
    /// The number of the live token, counted from zero.
    pub generation: u32,
    /// When the live token was made.
    pub rotated_at: Timestamp,
    /// How often the token before it was presented again since.
    pub retries: u32,
    /// When the live token ends for want of use.
    pub idle_expires_at: Timestamp,
    /// When the chain ends however busy it is.
    pub expires_at: Timestamp,
}

/// A code that waits to be redeemed (RFC 6749 §4.1.2), without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Its identifier, the first part of the code.
    pub id: CodeId,
    /// The grant it belongs to.
    pub grant: GrantId,
    /// The client it was given to.
    pub client: ClientId,
    /// Where it was sent.
    pub redirect_uri: RedirectUri,
    /// The challenge that the redeemer must meet (RFC 7636 §4.4).
    pub challenge: CodeChallenge,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
    /// How many wrong verifiers have been presented.
    pub wrong_verifiers: u32,
    /// What the id token has to repeat (OpenID Connect Core §3.1.2.1, `nonce`).
    pub nonce: Option<String>,
}

/// The remembered decision of a person about a client at a resource, in one tenant. A grant is one use of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who decided.
    pub user: UserId,
    /// About which client.
    pub client: ClientId,
    /// In which tenant.
    pub tenant: TenantId,
    /// At which resource.
    pub resource: ResourceUri,
    /// What was allowed.
    pub scope: Scope,
    /// What was asked for, shown and left unticked: it is shown unticked again, whoever asks.
    pub refused: Scope,
    /// The receiver it was given for; another one is asked about anew.
    pub redirect_host: String,
    /// The client's document it was given for; a changed one is asked about anew (Client ID Metadata Documents §6).
    pub document_digest: Option<String>,
    /// When it was last given.
    pub given_at: Timestamp,
}

/// An authorization request parked while the person whose browser sent it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Its identifier.
    pub id: InteractionId,
    /// The browser session it belongs to; no other may resume it.
    pub session: BrowserSessionId,
    /// The request's parameters, form-encoded.
    pub request: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A grant beside what it depends on as that is now: people lose roles, tenants lose access, resources change.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// Whether it, its person, client and tenant all still stand.
    pub is_alive: bool,
    /// The resource that [`Grant::meant`] names, if that is still served.
    pub resource: Option<&'a Resource>,
    /// The roles of its person in its tenant.
    pub roles: &'a [RoleName],
    /// The present.
    pub now: Timestamp,
}

impl Standing<'_> {
    /// How far the grant still goes, for a token request that names the resource `named`: at that one, or at the only
    /// one of the grant. A token is good at one resource (RFC 8707 §2.2). A scope for which the person logged in too long
    /// ago is left out, so that the rest goes on; the client gets it back by asking the person anew (RFC 9470 §4).
    ///
    /// # Errors
    /// `invalid_grant` when nothing is left of it, so that the client asks the person anew; `invalid_target` when the
    /// grant is not for the resource that is named, or for several and none is named (RFC 8707 §2.2).
    pub fn scope_for(&self, named: Option<&ResourceUri>) -> Result<Scope, OAuthError> {
        if !self.is_alive {
            return Err(ended("the grant has ended"));
        }
        let (resource, granted) = self.target(named)?;
        let given = resource.grantable(&resource.known(&granted.scope), self.roles);
        let left = resource.fresh(&given, self.grant.auth_time, self.now);
        if !resource.admits_tenant(&self.grant.tenant) || (left.is_empty() && !granted.scope.is_empty()) {
            return Err(ended("what was granted may no longer be given"));
        }
        // What is told about the person is opened by any of the grant's tokens (OpenID Connect Core §5.3.1).
        let told = self.grant.identity().unwrap_or_default();
        Ok(left.union(&told).union(&self.grant.general))
    }

    fn target(&self, named: Option<&ResourceUri>) -> Result<(&Resource, &Granted), OAuthError> {
        let refused = |description| OAuthError::new(ErrorCode::InvalidTarget, description);
        let resources = &self.grant.resources;
        let Some(meant) = self.grant.meant(named) else {
            return Err(refused("resource is required: the grant is for several"));
        };
        let Some(resource) = self.resource else {
            return Err(match resources.iter().any(|granted| granted.resource == *meant) {
                true => ended("the resource of the grant is no longer served"),
                false => refused("the grant is for another resource"),
            });
        };
        let granted = resources.iter().find(|granted| resource.is_named_by(&granted.resource));
        let is_meant = named.is_none_or(|uri| resource.is_named_by(uri));
        let granted = granted.filter(|_| is_meant).ok_or(refused("the grant is for another resource"))?;
        Ok((resource, granted))
    }
}

fn ended(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}

#[cfg(test)]
mod tests;
