//! Grants: one per completed authorization, and everything that is issued under it.

use super::{
    BrowserSessionId, ClientId, CodeChallenge, CodeId, ErrorCode, GrantId, InteractionId, OAuthError,
    RedirectUri, Resource, ResourceUri, RoleName, Scope, ServerSecretId, TenantId, Timestamp, UserId,
};

/// That a person let one installation of a client act for them at a resource, in one tenant.
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
    /// For which resource (RFC 8707 §2).
    pub resource: ResourceUri,
    /// How far it goes, `offline_access` included when it was asked for.
    pub scope: Scope,
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
    /// Its resource, if that is still served.
    pub resource: Option<&'a Resource>,
    /// The roles of its person in its tenant.
    pub roles: &'a [RoleName],
}

impl Standing<'_> {
    /// How far the grant still goes, for a token request that names the resource `named`.
    ///
    /// # Errors
    /// `invalid_grant` when nothing is left of it, so that the client asks the person anew; `invalid_target` when
    /// another resource is named (RFC 8707 §2.2).
    pub fn scope_for(&self, named: Option<&ResourceUri>) -> Result<Scope, OAuthError> {
        let ended = |description| OAuthError::new(ErrorCode::InvalidGrant, description);
        if !self.is_alive {
            return Err(ended("the grant has ended"));
        }
        let resource = self.resource.ok_or(ended("the resource of the grant is no longer served"))?;
        if named.is_some_and(|uri| !resource.is_named_by(uri)) {
            return Err(OAuthError::new(ErrorCode::InvalidTarget, "the grant is for another resource"));
        }
        let granted = self.grant.scope.for_resource();
        let left = resource.grantable(&resource.known(&granted), self.roles);
        if !resource.admits_tenant(&self.grant.tenant) || (left.is_empty() && !granted.is_empty()) {
            return Err(ended("what was granted may no longer be given"));
        }
        Ok(left.union(&self.grant.scope.general()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, scope};

    fn scope_for(
        grant: &Grant,
        resource: &Resource,
        roles: &[&str],
        named: Option<&str>,
    ) -> Result<Scope, ErrorCode> {
        let roles: Vec<RoleName> = roles.iter().map(|role| RoleName::parse(role).unwrap()).collect();
        let named = named.map(|uri| ResourceUri::parse(uri).unwrap());
        let standing = Standing { grant, is_alive: true, resource: Some(resource), roles: &roles };
        standing.scope_for(named.as_ref()).map_err(|error| error.code())
    }

    #[test]
    fn what_a_person_may_no_longer_give_leaves_their_grants() {
        let (mut grant, mut resource) = (fixtures::grant(), fixtures::resource());
        grant.scope = scope("read admin offline_access");
        assert_eq!(scope_for(&grant, &resource, &["owner"], None), Ok(scope("read admin offline_access")));
        assert_eq!(
            scope_for(&grant, &resource, &[], None),
            Ok(scope("read offline_access")),
            "the role is gone"
        );
        grant.scope = scope("admin offline_access");
        assert_eq!(scope_for(&grant, &resource, &[], None), Err(ErrorCode::InvalidGrant), "nothing is left");
        grant.scope = scope("withdrawn");
        assert_eq!(
            scope_for(&grant, &resource, &[], None),
            Err(ErrorCode::InvalidGrant),
            "the scope is gone"
        );
        grant.scope = scope("");
        assert_eq!(scope_for(&grant, &resource, &[], None), Ok(scope("")), "nothing was granted");
        grant.scope = scope("read");
        resource.tenants = vec![TenantId::parse("globex").unwrap()];
        assert_eq!(
            scope_for(&grant, &resource, &[], None),
            Err(ErrorCode::InvalidGrant),
            "the tenant is shut out"
        );
    }

    #[test]
    fn a_grant_without_its_resource_or_its_people_is_over() {
        let (grant, resource) = (fixtures::grant(), fixtures::resource());
        let standing = Standing { grant: &grant, is_alive: true, resource: Some(&resource), roles: &[] };
        assert!(standing.scope_for(None).is_ok());
        for ended in [Standing { is_alive: false, ..standing }, Standing { resource: None, ..standing }] {
            assert_eq!(ended.scope_for(None).map_err(|error| error.code()), Err(ErrorCode::InvalidGrant));
        }
    }

    #[test]
    fn the_resource_of_a_grant_goes_by_all_its_names() {
        // RFC 8707 §2.2
        let (grant, mut resource) = (fixtures::grant(), fixtures::resource());
        resource.aliases = vec![ResourceUri::parse("https://old.example/mcp").unwrap()];
        for uri in ["https://MCP.example/mcp/", "https://mcp.example/mcp", "https://old.example/mcp/"] {
            assert!(scope_for(&grant, &resource, &[], Some(uri)).is_ok(), "{uri}");
        }
        let other = scope_for(&grant, &resource, &[], Some("https://other.example/mcp"));
        assert_eq!(other, Err(ErrorCode::InvalidTarget));
    }
}
