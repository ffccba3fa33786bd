//! How far a client's own token goes (RFC 6749 §4.4; MCP extension OAuth client credentials).

use serde::{Deserialize, Serialize};

use super::{Client, ErrorCode, KnownScopes, OAuthError, Resource, ResourceUri, Scope};

/// What a client may obtain for itself at one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineScopes {
    /// The resource.
    pub resource: ResourceUri,
    /// The scopes; none is a token without scopes.
    pub scopes: Scope,
}

impl Client {
    /// How far a token of its own for `resource` goes: what it asks for of what it was given there. When it asks for
    /// nothing, that is the resource's default scopes; when it was given none of those, it is all that it was given. A
    /// developer's own server, of which nobody knows the scopes, gets what is asked for.
    ///
    /// # Errors
    /// `unauthorized_client` for a client that proves nothing, secret or no secret (OAuth 2.1 §4.2). `invalid_target`
    /// when it was given nothing at the resource, or the resource serves some tenants and the client is of none of
    /// them: no scope that it could ask for would help, so it is the resource that is not acceptable (RFC 8707 §2).
    /// `invalid_scope` when it was given something there, and nothing of what it asks for (RFC 6749 §5.2).
    pub fn machine_scope(&self, resource: &Resource, asked: Option<&Scope>) -> Result<Scope, OAuthError> {
        if self.is_public() {
            let description = "client credentials are for clients that authenticate";
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
        }
        let invalid_target = |description| OAuthError::new(ErrorCode::InvalidTarget, description);
        let is_served = match &self.tenant {
            Some(tenant) => resource.admits_tenant(tenant),
            None => resource.tenants.is_empty(),
        };
        if !is_served {
            return Err(invalid_target("the resource does not serve this client's tenant"));
        }
        let given = self
            .given_at(resource)
            .ok_or(invalid_target("the resource is not one that this client may use"))?;
        let Some(asked) = asked.map(Scope::for_resource).filter(|scope| !scope.is_empty()) else {
            let default = resource.default_scopes.intersection(&given);
            return Ok(if default.is_empty() { given } else { default });
        };
        let granted = match resource.scopes {
            KnownScopes::Any => asked,
            KnownScopes::Listed(_) => asked.intersection(&given),
        };
        if granted.is_empty() {
            let description = "nothing of what was asked may be given to this client";
            return Err(OAuthError::new(ErrorCode::InvalidScope, description));
        }
        Ok(granted)
    }

    /// What it was given at `resource`: what is configured for that resource, else what the resource knows of what it
    /// was given everywhere. `None` when that is nothing at all; a resource of its own or that it is the server of, or one for which it was given
    /// no scopes in so many words, is something.
    fn given_at(&self, resource: &Resource) -> Option<Scope> {
        if let Some(single) = self.machine.iter().find(|single| resource.is_named_by(&single.resource)) {
            return Some(resource.known(&single.scopes));
        }
        let given = resource.known(&self.machine_scopes);
        let is_own =
            || resource.uri.client().as_ref() == Some(&self.id) || self.introspects.contains(&resource.uri);
        let is_something = !given.is_empty() || resource.scopes == KnownScopes::Any || is_own();
        is_something.then_some(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, scope};
    use crate::protocol::{ClientAuthMethod, SecretHash, TenantId};

    fn machine(scopes: &str) -> Client {
        Client {
            machine_scopes: scope(scopes),
            auth_methods: vec![ClientAuthMethod::ClientSecretPost],
            ..fixtures::client(&[])
        }
    }

    fn scope_of(client: &Client, resource: &Resource, asked: Option<&str>) -> Result<Scope, ErrorCode> {
        client.machine_scope(resource, asked.map(scope).as_ref()).map_err(|error| error.code())
    }

    #[test]
    fn a_machine_gets_what_it_asks_for_of_what_it_was_given() {
        // RFC 6749 §4.4
        let mut client = machine("read write other");
        let mut resource = fixtures::resource();
        for (asked, granted) in [
            (None, Ok("read")),
            (Some("read write"), Ok("read write")),
            (Some("read"), Ok("read")),
            (Some("read admin other"), Ok("read")),
            (Some("offline_access"), Ok("read")),
            (Some("read offline_access"), Ok("read")),
            (Some("admin"), Err(ErrorCode::InvalidScope)),
        ] {
            assert_eq!(scope_of(&client, &resource, asked), granted.map(scope), "{asked:?}");
        }
        client.machine_scopes = scope("write");
        assert_eq!(scope_of(&client, &resource, None), Ok(scope("write")), "given none of the defaults");
        resource.scopes = KnownScopes::Any;
        let own = "anything else";
        assert_eq!(scope_of(&client, &resource, Some(own)), Ok(scope(own)), "a developer's own server");
    }

    #[test]
    fn what_a_machine_was_given_at_one_resource_holds_there_and_nowhere_else() {
        // MCP extension OAuth client credentials; RFC 6749 §3.3
        let (here, mut there) = (fixtures::resource(), fixtures::resource());
        there.uri = ResourceUri::parse("https://other.example/mcp").unwrap();
        let mut client = machine("read");
        client.machine = vec![MachineScopes { resource: here.uri.clone(), scopes: scope("write") }];
        assert_eq!(scope_of(&client, &here, Some("read write")), Ok(scope("write")));
        assert_eq!(scope_of(&client, &here, Some("read")), Err(ErrorCode::InvalidScope));
        assert_eq!(scope_of(&client, &there, Some("read write")), Ok(scope("read")));
        client.machine[0].scopes = Scope::default();
        assert_eq!(scope_of(&client, &here, None), Ok(Scope::default()), "a token without scopes");
        assert_eq!(scope_of(&client, &here, Some("read")), Err(ErrorCode::InvalidScope));
    }

    #[test]
    fn a_resource_at_which_a_machine_was_given_nothing_is_no_target() {
        // RFC 8707 §2
        let mut resource = fixtures::resource();
        for client in [machine(""), machine("unheard_of")] {
            for asked in [None, Some("read"), Some("unheard_of")] {
                assert_eq!(scope_of(&client, &resource, asked), Err(ErrorCode::InvalidTarget), "{asked:?}");
            }
        }
        resource.scopes = KnownScopes::Any;
        assert_eq!(scope_of(&machine(""), &resource, None), Ok(Scope::default()), "a developer's own server");
        let own = Client { audience: Some("c".to_owned()), ..machine("") };
        assert_eq!(scope_of(&own, &own.own_resource().unwrap(), None), Ok(Scope::default()));
    }

    #[test]
    fn a_machine_is_served_where_its_tenant_is() {
        let (mut client, mut resource) = (machine("read"), fixtures::resource());
        assert!(scope_of(&client, &resource, None).is_ok());
        resource.tenants = vec![TenantId::parse("acme").unwrap()];
        let refused = Err(ErrorCode::InvalidTarget);
        assert_eq!(scope_of(&client, &resource, None), refused, "a client of no tenant");
        client.tenant = TenantId::parse("globex");
        assert_eq!(scope_of(&client, &resource, None), refused);
        client.tenant = TenantId::parse("acme");
        assert!(scope_of(&client, &resource, None).is_ok());
    }

    #[test]
    fn a_public_client_speaks_for_nobody_but_people() {
        // OAuth 2.1 §4.2
        let client = Client {
            auth_methods: vec![ClientAuthMethod::None],
            secret_hashes: vec![SecretHash::from_stored("left over".into())],
            ..machine("read")
        };
        let refused = scope_of(&client, &fixtures::resource(), None);
        assert_eq!(
            refused,
            Err(ErrorCode::UnauthorizedClient),
            "a secret that it need not show proves nothing"
        );
    }
}
