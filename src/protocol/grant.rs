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
    pub fn identity(&self) -> Option<&Scope> {
        self.resources.iter().map(|granted| &granted.scope).find(|scope| scope.is_openid())
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
        let told = self.grant.identity().cloned().unwrap_or_default();
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
mod tests {
    use super::*;
    use crate::protocol::KnownScopes;
    use crate::protocol::fixtures::{self, scope};

    fn scope_for(
        grant: &Grant,
        resource: &Resource,
        roles: &[&str],
        named: Option<&str>,
    ) -> Result<Scope, ErrorCode> {
        let roles: Vec<RoleName> = roles.iter().map(|role| RoleName::parse(role).unwrap()).collect();
        let named = named.map(|uri| ResourceUri::parse(uri).unwrap());
        let standing = Standing {
            grant,
            is_alive: true,
            resource: Some(resource),
            roles: &roles,
            now: fixtures::at(101),
        };
        standing.scope_for(named.as_ref()).map_err(|error| error.code())
    }

    #[test]
    fn what_a_person_may_no_longer_give_leaves_their_grants() {
        let (mut grant, mut resource) = (fixtures::grant(), fixtures::resource());
        grant.resources[0].scope = scope("read admin");
        assert_eq!(scope_for(&grant, &resource, &["owner"], None), Ok(scope("read admin offline_access")));
        assert_eq!(
            scope_for(&grant, &resource, &[], None),
            Ok(scope("read offline_access")),
            "the role is gone"
        );
        grant.resources[0].scope = scope("admin");
        assert_eq!(scope_for(&grant, &resource, &[], None), Err(ErrorCode::InvalidGrant), "nothing is left");
        grant.resources[0].scope = scope("withdrawn");
        assert_eq!(
            scope_for(&grant, &resource, &[], None),
            Err(ErrorCode::InvalidGrant),
            "the scope is gone"
        );
        grant.resources[0].scope = scope("");
        assert_eq!(
            scope_for(&grant, &resource, &[], None),
            Ok(scope("offline_access")),
            "nothing was granted"
        );
        grant.resources[0].scope = scope("read");
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
        let standing = Standing {
            grant: &grant,
            is_alive: true,
            resource: Some(&resource),
            roles: &[],
            now: fixtures::at(101),
        };
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

    /// A grant for the usual resource and one at `other.example` that has scopes of the same names.
    fn two() -> (Grant, Resource, Resource) {
        let (mut grant, notes) = (fixtures::grant(), fixtures::resource());
        let uri = ResourceUri::parse("https://other.example/mcp").unwrap();
        grant.resources.push(Granted { resource: uri.clone(), scope: scope("read") });
        let other = Resource { uri, ..fixtures::resource() };
        (grant, notes, other)
    }

    #[test]
    fn a_request_says_which_of_several_resources_it_means() {
        // RFC 8707 §2.2: a token for each
        let (grant, notes, mut other) = two();
        assert_eq!(
            scope_for(&grant, &notes, &[], Some("https://mcp.example/mcp/")),
            Ok(scope("read write offline_access"))
        );
        let at_other = Some("https://OTHER.example/mcp");
        assert_eq!(scope_for(&grant, &other, &[], at_other), Ok(scope("read offline_access")));
        let without =
            Standing { grant: &grant, is_alive: true, resource: None, roles: &[], now: fixtures::at(101) };
        let refusal = |named: Option<&ResourceUri>| without.scope_for(named).map_err(|error| error.code());
        assert_eq!(refusal(None), Err(ErrorCode::InvalidTarget), "which?");
        assert_eq!(refusal(Some(&other.uri)), Err(ErrorCode::InvalidGrant), "no longer served");
        let third = ResourceUri::parse("https://third.example/mcp").unwrap();
        assert_eq!(refusal(Some(&third)), Err(ErrorCode::InvalidTarget));
        other.aliases = vec![third];
        let alias = Some("https://third.example/mcp");
        assert_eq!(scope_for(&grant, &other, &[], alias), Ok(scope("read offline_access")));
    }

    #[test]
    fn the_resource_that_is_looked_up_is_the_one_that_was_granted() {
        // The audience of a token does not follow the spelling of a request.
        let (grant, ..) = two();
        let uri = |text: &str| ResourceUri::parse(text).unwrap();
        let meant = |named: Option<&str>| grant.meant(named.map(uri).as_ref()).map(ToString::to_string);
        assert_eq!(meant(Some("https://OTHER.example/mcp/")).as_deref(), Some("https://other.example/mcp"));
        assert_eq!(meant(Some("https://third.example/")).as_deref(), Some("https://third.example/"));
        assert_eq!(meant(None), None);
        let one = fixtures::grant();
        for named in [None, Some(uri("https://third.example/"))] {
            assert_eq!(one.meant(named.as_ref()), Some(&fixtures::resource().uri));
        }
    }

    #[test]
    fn what_was_granted_at_one_resource_is_not_granted_at_another() {
        let (grant, _, other) = two();
        let named = Some("https://other.example/mcp");
        let given = scope_for(&grant, &other, &["owner"], named).unwrap();
        assert!(!given.contains(&crate::protocol::ScopeToken::parse("write").unwrap()));
        assert_eq!(grant.scope(), scope("read write offline_access"));
    }

    #[test]
    fn any_token_of_a_sign_in_opens_what_may_be_told_about_the_person() {
        // OpenID Connect Core §5.3.1; RFC 8707 §2.2
        let (mut grant, notes) = (fixtures::grant(), fixtures::resource());
        let own = Resource::userinfo(&fixtures::policy().issuer);
        let told = Granted { resource: own.uri.clone(), scope: scope("openid email") };
        grant.resources.push(told.clone());
        assert_eq!(grant.meant(None), Some(&notes.uri), "beside it there is one MCP server");
        assert_eq!(scope_for(&grant, &notes, &[], None), Ok(scope("read write openid email offline_access")));
        let named = Some("https://id.example/oauth/userinfo");
        assert_eq!(scope_for(&grant, &own, &[], named), Ok(scope("openid email offline_access")));
        grant.resources = vec![told];
        assert_eq!(grant.meant(None), Some(&own.uri));
        assert_eq!(scope_for(&grant, &own, &[], None), Ok(scope("openid email offline_access")));
        let other = scope_for(&grant, &own, &[], Some("https://mcp.example/mcp"));
        assert_eq!(other, Err(ErrorCode::InvalidTarget));
    }

    #[test]
    fn a_grant_for_no_resource_gives_no_token_for_one() {
        let grant = Grant { resources: Vec::new(), ..fixtures::grant() };
        let resource = fixtures::resource();
        let named = Some("https://mcp.example/mcp");
        assert_eq!(scope_for(&grant, &resource, &[], named), Err(ErrorCode::InvalidTarget));
        let standing =
            Standing { grant: &grant, is_alive: true, resource: None, roles: &[], now: fixtures::at(101) };
        assert_eq!(standing.scope_for(None).map_err(|error| error.code()), Err(ErrorCode::InvalidTarget));
    }

    #[test]
    fn a_scope_that_wants_a_fresh_login_leaves_with_time() {
        // RFC 9470 §4; the fixture's person logged in at 90
        let (mut grant, mut resource) = (fixtures::grant(), fixtures::resource());
        let KnownScopes::Listed(scopes) = &mut resource.scopes else { panic!("listed") };
        scopes[1].max_age = Some(std::time::Duration::from_secs(60));
        let at = |grant: &Grant, now| {
            let now = fixtures::at(now);
            Standing { grant, is_alive: true, resource: Some(&resource), roles: &[], now }.scope_for(None)
        };
        assert_eq!(at(&grant, 150), Ok(scope("read write offline_access")));
        assert_eq!(at(&grant, 151), Ok(scope("read offline_access")), "the rest goes on");
        grant.resources[0].scope = scope("write");
        assert_eq!(at(&grant, 151).map_err(|error| error.code()), Err(ErrorCode::InvalidGrant), "none left");
    }
}
