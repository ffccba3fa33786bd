//! What administrators may change of resources and clients, and whether what comes of it makes sense.

use std::time::Duration;

use super::{
    Client, ClientAuthMethod, GrantType, KnownScopes, Lifetimes, RedirectUri, Resource, ResourceScope,
    ResourceUri, Scope, ScopeToken, TenantId,
};

/// What is to be changed of a resource; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ResourceChange {
    /// Its name for people.
    pub name: Option<String>,
    /// The `aud` that it checks; empty for its URI.
    pub audience: Option<String>,
    /// Other URIs by which clients name it.
    pub aliases: Option<Vec<ResourceUri>>,
    /// Scopes to be added, or described anew.
    pub put_scopes: Vec<ResourceScope>,
    /// Scopes to be taken away, from the default scopes too.
    pub drop_scopes: Vec<ScopeToken>,
    /// What a client gets that asks for nothing in particular.
    pub default_scopes: Option<Scope>,
    /// The tenants whose members may use it; every tenant when empty.
    pub tenants: Option<Vec<TenantId>>,
    /// Lifetime of its access tokens; zero for the server's.
    pub access_token_ttl: Option<Duration>,
}

impl ResourceChange {
    /// Changes a resource.
    ///
    /// # Errors
    /// What speaks against the result, for people.
    pub fn apply(&self, resource: &mut Resource) -> Result<(), String> {
        if let Some(name) = &self.name {
            resource.name.clone_from(name);
        }
        if let Some(audience) = &self.audience {
            resource.audience = Some(audience.clone()).filter(|audience| !audience.is_empty());
        }
        if let Some(aliases) = &self.aliases {
            resource.aliases.clone_from(aliases);
        }
        if let Some(tenants) = &self.tenants {
            resource.tenants.clone_from(tenants);
        }
        if let Some(ttl) = self.access_token_ttl {
            resource.access_token_ttl = Some(ttl).filter(|ttl| !ttl.is_zero());
        }
        let mut scopes = match &resource.scopes {
            KnownScopes::Listed(scopes) => scopes.clone(),
            KnownScopes::Any => Vec::new(),
        };
        scopes.retain(|known| !self.drop_scopes.contains(&known.token));
        for put in &self.put_scopes {
            match scopes.iter_mut().find(|known| known.token == put.token) {
                Some(known) => known.clone_from(put),
                None => scopes.push(put.clone()),
            }
        }
        resource.scopes = KnownScopes::Listed(scopes);
        resource.default_scopes = match &self.default_scopes {
            Some(scopes) => scopes.clone(),
            None => resource.default_scopes.filter(|token| !self.drop_scopes.contains(token)),
        };
        check_resource(resource)
    }
}

fn check_resource(resource: &Resource) -> Result<(), String> {
    let KnownScopes::Listed(scopes) = &resource.scopes else { return Ok(()) };
    let known: Scope = scopes.iter().map(|scope| scope.token.clone()).collect();
    if let Some(own) = known.iter().find(|token| token.is_of_server()) {
        return Err(format!("{own} belongs to no resource; this server itself gives it a meaning"));
    }
    if let Some(unknown) = resource.default_scopes.difference(&known).iter().next() {
        return Err(format!("the default scope {unknown} is none of its scopes"));
    }
    let longest = Lifetimes::BOUNDS.access_token;
    if resource.access_token_ttl.is_some_and(|ttl| ttl > longest) {
        return Err(format!("access tokens live at most {} s", longest.as_secs()));
    }
    Ok(())
}

/// What is to be changed of a client; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ClientChange {
    /// Its name for people.
    pub name: Option<String>,
    /// Its home page.
    pub uri: Option<String>,
    /// Where answers may be sent.
    pub redirect_uris: Option<Vec<RedirectUri>>,
    /// What it may offer for tokens.
    pub grant_types: Option<Vec<GrantType>>,
    /// The ways in which it authenticates.
    pub auth_methods: Option<Vec<ClientAuthMethod>>,
    /// What it asks for when a request names no scope; empty for nothing in particular.
    pub scope: Option<Scope>,
    /// The resource that it means when it names none.
    pub default_resource: Option<ResourceUri>,
    /// The scopes that it may obtain for itself.
    pub machine_scopes: Option<Scope>,
    /// The tenant that its own tokens belong to.
    pub tenant: Option<TenantId>,
    /// Whether people need not be asked.
    pub first_party: Option<bool>,
}

impl ClientChange {
    /// Changes a client.
    ///
    /// # Errors
    /// What speaks against the result, for people.
    pub fn apply(&self, client: &mut Client) -> Result<(), String> {
        let change = self.clone();
        client.name = change.name.or(client.name.take());
        client.uri = change.uri.or(client.uri.take());
        client.default_resource = change.default_resource.or(client.default_resource.take());
        client.tenant = change.tenant.or(client.tenant.take());
        client.redirect_uris = change.redirect_uris.unwrap_or(std::mem::take(&mut client.redirect_uris));
        client.grant_types = change.grant_types.unwrap_or(std::mem::take(&mut client.grant_types));
        client.auth_methods = change.auth_methods.unwrap_or(std::mem::take(&mut client.auth_methods));
        client.machine_scopes = change.machine_scopes.unwrap_or(std::mem::take(&mut client.machine_scopes));
        client.first_party = change.first_party.unwrap_or(client.first_party);
        if let Some(scope) = change.scope {
            client.scope = Some(scope).filter(|scope| !scope.is_empty());
        }
        check_client(client).map_err(str::to_owned)
    }
}

/// Whether what the client may do, where it is answered and how it authenticates fit together.
fn check_client(client: &Client) -> Result<(), &'static str> {
    let may = |grant_type| client.grant_types.contains(&grant_type);
    let by_code = may(GrantType::AuthorizationCode);
    let methods = &client.auth_methods;
    if client.grant_types.is_empty() {
        return Err("a client without grant types could do nothing");
    }
    if by_code && client.redirect_uris.is_empty() {
        return Err("authorization_code needs at least one redirect URI");
    }
    if !by_code && !client.redirect_uris.is_empty() {
        return Err("only authorization_code uses redirect URIs");
    }
    if may(GrantType::RefreshToken) && !by_code {
        return Err("refresh_token needs authorization_code");
    }
    if methods.is_empty() || (methods.len() > 1 && methods.contains(&ClientAuthMethod::None)) {
        return Err("a client authenticates in at least one way, and a public one in none besides");
    }
    if methods.contains(&ClientAuthMethod::PrivateKeyJwt) && client.keys.is_none() {
        return Err("private_key_jwt needs the client's keys, which the configuration file can give");
    }
    let is_machine = may(GrantType::ClientCredentials);
    if is_machine && client.is_public() {
        return Err("client_credentials needs a client that authenticates");
    }
    if !is_machine && !client.machine_scopes.is_empty() {
        return Err("only client_credentials uses machine scopes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, scope};
    use crate::protocol::{ClientId, ClientOrigin, Timestamp};

    fn token(text: &str) -> ScopeToken {
        ScopeToken::parse(text).unwrap()
    }

    fn described(text: &str, description: &str) -> ResourceScope {
        ResourceScope { description: description.to_owned(), ..ResourceScope::new(token(text)) }
    }

    #[test]
    fn a_resource_is_changed_in_what_is_named_and_in_nothing_else() {
        let mut resource = fixtures::resource();
        let before = resource.clone();
        ResourceChange::default().apply(&mut resource).unwrap();
        assert_eq!(resource, before);
        let change = ResourceChange {
            name: Some("Other".to_owned()),
            audience: Some("notes".to_owned()),
            put_scopes: vec![described("extra", "More"), described("read", "Look")],
            default_scopes: Some(scope("extra")),
            access_token_ttl: Some(Duration::from_secs(60)),
            ..ResourceChange::default()
        };
        change.apply(&mut resource).unwrap();
        assert_eq!((resource.name.as_str(), resource.audience()), ("Other", "notes"));
        assert_eq!(resource.describe(&token("extra")), Some("More"));
        assert_eq!(resource.describe(&token("read")), Some("Look"));
        let back = ResourceChange {
            audience: Some(String::new()),
            drop_scopes: vec![token("extra")],
            access_token_ttl: Some(Duration::ZERO),
            ..ResourceChange::default()
        };
        back.apply(&mut resource).unwrap();
        assert_eq!((resource.audience.as_ref(), resource.access_token_ttl), (None, None));
        assert_eq!(resource.default_scopes, Scope::default(), "what is gone is not given by default");
    }

    #[test]
    fn a_resource_that_makes_no_sense_is_refused() {
        for change in [
            ResourceChange { default_scopes: Some(scope("unknown")), ..ResourceChange::default() },
            ResourceChange { put_scopes: vec![described("offline_access", "")], ..ResourceChange::default() },
            ResourceChange { put_scopes: vec![described("openid", "")], ..ResourceChange::default() },
            ResourceChange {
                access_token_ttl: Some(Lifetimes::BOUNDS.access_token + Duration::from_secs(1)),
                ..ResourceChange::default()
            },
        ] {
            assert!(change.apply(&mut fixtures::resource()).is_err(), "{change:?}");
        }
    }

    fn new() -> Client {
        Client::new(ClientId::parse("c").unwrap(), ClientOrigin::Admin, Timestamp::from_seconds(0))
    }

    fn callback() -> Option<Vec<RedirectUri>> {
        Some(vec![RedirectUri::parse("https://app.example/cb").unwrap()])
    }

    #[test]
    fn a_client_whose_parts_fit_together_is_accepted() {
        use ClientAuthMethod as Method;
        use GrantType as Grant;
        for change in [
            ClientChange {
                redirect_uris: callback(),
                grant_types: Some(vec![Grant::AuthorizationCode, Grant::RefreshToken]),
                ..ClientChange::default()
            },
            ClientChange {
                grant_types: Some(vec![Grant::ClientCredentials]),
                auth_methods: Some(vec![Method::ClientSecretBasic, Method::ClientSecretPost]),
                machine_scopes: Some(scope("read")),
                ..ClientChange::default()
            },
        ] {
            assert_eq!(change.apply(&mut new()), Ok(()), "{change:?}");
        }
    }

    #[test]
    fn a_client_whose_parts_do_not_fit_together_is_refused() {
        use ClientAuthMethod as Method;
        use GrantType as Grant;
        let code = || Some(vec![Grant::AuthorizationCode]);
        let machine = || Some(vec![Grant::ClientCredentials]);
        let empty = ClientChange::default;
        for change in [
            empty(),
            ClientChange { grant_types: code(), ..empty() },
            ClientChange { grant_types: machine(), ..empty() },
            ClientChange {
                grant_types: machine(),
                auth_methods: Some(vec![Method::ClientSecretBasic]),
                redirect_uris: callback(),
                ..empty()
            },
            ClientChange { grant_types: Some(vec![Grant::RefreshToken]), ..empty() },
            ClientChange {
                grant_types: code(),
                redirect_uris: callback(),
                auth_methods: Some(vec![Method::None, Method::ClientSecretPost]),
                ..empty()
            },
            ClientChange {
                grant_types: code(),
                redirect_uris: callback(),
                auth_methods: Some(vec![]),
                ..empty()
            },
            ClientChange {
                grant_types: code(),
                redirect_uris: callback(),
                auth_methods: Some(vec![Method::PrivateKeyJwt]),
                ..empty()
            },
            ClientChange {
                grant_types: code(),
                redirect_uris: callback(),
                machine_scopes: Some(scope("read")),
                ..empty()
            },
        ] {
            assert!(change.apply(&mut new()).is_err(), "{change:?}");
        }
    }
}
