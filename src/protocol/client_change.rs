//! What administrators may change of clients, and whether what comes of it makes sense.

use super::client_rules::{ClientFault, Proofs};
use super::{
    AttributeChanges, Client, ClientAuthMethod, ClientKeys, GrantType, MachineScopes, RedirectUri,
    ResourceUri, Scope, SecretHash, TenantId, change_attributes,
};

/// What is to be changed of a client; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientChange {
    /// Its name for people; empty takes it away.
    pub name: Option<String>,
    /// Its home page; empty takes it away.
    pub uri: Option<String>,
    /// Where answers may be sent.
    pub redirect_uris: Option<Vec<RedirectUri>>,
    /// Where a browser may be sent after a logout.
    pub post_logout_redirect_uris: Option<Vec<RedirectUri>>,
    /// What it may offer for tokens.
    pub grant_types: Option<Vec<GrantType>>,
    /// The ways in which it authenticates.
    pub auth_methods: Option<Vec<ClientAuthMethod>>,
    /// Its public keys. They go when it authenticates by them no longer.
    pub keys: Option<ClientKeys>,
    /// A secret for a client that is to have one and has none yet.
    pub first_secret: Option<SecretHash>,
    /// What it asks for when a request names no scope; empty for nothing in particular.
    pub scope: Option<Scope>,
    /// The resource that it means when it names none; `Some(None)` takes it away.
    pub default_resource: Option<Option<ResourceUri>>,
    /// What its tokens are for when nothing else is named; empty takes it away.
    pub audience: Option<String>,
    /// The scopes that it may obtain for itself.
    pub machine_scopes: Option<Scope>,
    /// The scopes that it may obtain for itself at single resources.
    pub machine: Option<Vec<MachineScopes>>,
    /// The tenant that its own tokens belong to; `Some(None)` takes it away.
    pub tenant: Option<Option<TenantId>>,
    /// The tenants in which people may use it.
    pub tenants: Option<Vec<TenantId>>,
    /// The resources that it is the server of.
    pub introspects: Option<Vec<ResourceUri>>,
    /// What claims can be mapped from.
    pub attributes: AttributeChanges,
    /// Whether people need not be asked.
    pub first_party: Option<bool>,
}

impl ClientChange {
    /// Changes a client.
    ///
    /// # Errors
    /// What speaks against the result, for people.
    pub fn apply(&self, client: &mut Client) -> Result<(), String> {
        fn put<T: Clone>(member: &mut T, wanted: Option<&T>) {
            if let Some(wanted) = wanted {
                member.clone_from(wanted);
            }
        }
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        put(&mut client.name, self.name.as_ref().map(text).as_ref());
        put(&mut client.uri, self.uri.as_ref().map(text).as_ref());
        put(&mut client.audience, self.audience.as_ref().map(text).as_ref());
        put(&mut client.default_resource, self.default_resource.as_ref());
        put(&mut client.tenant, self.tenant.as_ref());
        put(&mut client.tenants, self.tenants.as_ref());
        put(&mut client.introspects, self.introspects.as_ref());
        put(&mut client.redirect_uris, self.redirect_uris.as_ref());
        put(&mut client.post_logout_redirect_uris, self.post_logout_redirect_uris.as_ref());
        put(&mut client.grant_types, self.grant_types.as_ref());
        put(&mut client.auth_methods, self.auth_methods.as_ref());
        put(&mut client.machine_scopes, self.machine_scopes.as_ref());
        put(&mut client.machine, self.machine.as_ref());
        put(&mut client.first_party, self.first_party.as_ref());
        if let Some(scope) = &self.scope {
            client.scope = Some(scope.clone()).filter(|scope| !scope.is_empty());
        }
        change_attributes(&mut client.attributes, &self.attributes);
        self.apply_proofs(client);
        let has_secret = client.auth_methods.iter().any(|method| method.is_by_secret());
        let proofs = Proofs { secret: has_secret, keys: client.keys.is_some() };
        ClientFault::of(client, proofs).first().map_or(Ok(()), |fault| Err(fault.to_string()))
    }

    /// A secret or keys by which it does not authenticate any more are no longer its own.
    fn apply_proofs(&self, client: &mut Client) {
        let methods = &client.auth_methods;
        if !methods.iter().any(|method| method.is_by_secret()) {
            client.secret_hashes.clear();
        } else if client.secret_hashes.is_empty() {
            client.secret_hashes.extend(self.first_secret.clone());
        }
        if let Some(keys) = &self.keys {
            client.keys = Some(keys.clone());
        } else if !methods.contains(&ClientAuthMethod::PrivateKeyJwt) {
            client.keys = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::scope;
    use crate::protocol::{ClientId, ClientOrigin, Timestamp};

    fn new() -> Client {
        Client::new(ClientId::parse("c").unwrap(), ClientOrigin::Admin, Timestamp::from_seconds(0))
    }

    fn callback() -> Option<Vec<RedirectUri>> {
        Some(vec![RedirectUri::parse("https://app.example/cb").unwrap()])
    }

    fn with_keys() -> ClientChange {
        ClientChange {
            keys: Some(ClientKeys::Inline { jwks: "{}".to_owned() }),
            grant_types: Some(vec![GrantType::ClientCredentials]),
            auth_methods: Some(vec![ClientAuthMethod::PrivateKeyJwt]),
            ..ClientChange::default()
        }
    }

    #[test]
    fn what_a_client_does_not_authenticate_by_any_more_goes() {
        let mut client = new();
        let secret = SecretHash::from_stored("h".into());
        with_keys().apply(&mut client).unwrap();
        assert!(client.keys.is_some());
        let by_secret = ClientChange {
            auth_methods: Some(vec![ClientAuthMethod::ClientSecretBasic]),
            first_secret: Some(secret.clone()),
            ..ClientChange::default()
        };
        by_secret.apply(&mut client).unwrap();
        assert_eq!((client.keys.as_ref(), client.secret_hashes.as_slice()), (None, &[secret][..]));
        with_keys().apply(&mut client).unwrap();
        assert!(client.secret_hashes.is_empty());
        // Keys that it is given and does not use are a slip.
        let unused = ClientChange { keys: with_keys().keys, ..by_secret };
        assert!(unused.apply(&mut client).is_err());
    }

    #[test]
    fn what_is_empty_is_taken_away() {
        let mut client = new();
        let tenant = TenantId::parse("t").unwrap();
        let full = ClientChange {
            name: Some("n".to_owned()),
            uri: Some("https://a.example".to_owned()),
            audience: Some("word".to_owned()),
            scope: Some(scope("read")),
            tenant: Some(Some(tenant.clone())),
            tenants: Some(vec![tenant]),
            ..with_keys()
        };
        full.apply(&mut client).unwrap();
        let before = client.clone();
        ClientChange::default().apply(&mut client).unwrap();
        assert_eq!(client, before);
        let empty = ClientChange {
            name: Some(String::new()),
            uri: Some(String::new()),
            audience: Some(String::new()),
            scope: Some(Scope::default()),
            tenant: Some(None),
            tenants: Some(Vec::new()),
            ..ClientChange::default()
        };
        empty.apply(&mut client).unwrap();
        let mut bare = new();
        with_keys().apply(&mut bare).unwrap();
        assert_eq!(client, bare);
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
