//! A client's own audience: tokens that are for no registered resource, but for whoever checks for the client's name or
//! for a word that was agreed upon. It is a resource like any other, with scopes that were given to the client, so that
//! nothing else has to know of it.

use super::{Client, KnownScopes, Resource, ResourceScope, ResourceUri};

impl Client {
    /// What its tokens are for when nothing else is named, if that is configured.
    pub fn own_resource(&self) -> Option<Resource> {
        let audience = self.audience.clone()?;
        let asks_for = self.scope.clone().unwrap_or_default().for_resource();
        let known = asks_for.union(&self.machine_scopes.for_resource());
        let scopes = known.iter().map(|token| ResourceScope {
            description: token.to_string(),
            ..ResourceScope::new(token.clone())
        });
        Some(Resource {
            name: self.display_name().to_owned(),
            audience: Some(audience),
            scopes: KnownScopes::Listed(scopes.collect()),
            default_scopes: asks_for,
            ..Resource::unregistered(ResourceUri::of_client(&self.id)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, scope};
    use crate::protocol::{ClientId, Scope};

    #[test]
    fn a_clients_own_audience_knows_the_scopes_that_the_client_was_given() {
        let mut client = fixtures::client(&[]);
        assert_eq!(client.own_resource(), None, "it is configured or not there");
        client.audience = Some("mcp-server-api".to_owned());
        let bare = client.own_resource().unwrap();
        assert_eq!((bare.audience(), bare.name.as_str()), ("mcp-server-api", "Client"));
        assert_eq!(bare.requested_scope(Some(&scope("read")), None), Scope::default());
        client.scope = Some(scope("tools:read offline_access"));
        client.machine_scopes = scope("tools:write");
        let own = client.own_resource().unwrap();
        assert_eq!(own.requested_scope(None, None), scope("tools:read"));
        let asked = scope("tools:read tools:write admin offline_access");
        assert_eq!(own.known(&asked), scope("tools:read tools:write"));
    }

    #[test]
    fn its_name_as_a_resource_leads_back_to_the_client() {
        for id in ["agent", "Agent/2:x%20", "https://client.example/c.json?a=b#c", "a+b c"] {
            let Some(id) = ClientId::parse(id) else { continue };
            let uri = ResourceUri::of_client(&id).unwrap();
            assert_eq!((uri.client(), ResourceUri::parse(uri.as_str())), (Some(id), Ok(uri.clone())));
            assert_eq!(uri.lookup_key(), uri.as_str(), "{uri}");
        }
        for other in
            ["client://audience/a%62", "client://audience/", "client://other/a", "https://audience/a"]
        {
            assert_eq!(ResourceUri::parse(other).unwrap().client(), None, "{other}");
        }
        assert_eq!(ResourceUri::of_client(&ClientId::parse(&":".repeat(700)).unwrap()), None);
    }
}
