//! The clients of a test server.

use super::TestServerBuilder;
use crate::protocol::{RedirectUri, TenantId};
use crate::testkit::seed::{code_client, machine_client, resource_uri};

impl TestServerBuilder {
    /// A configured client without a secret.
    pub fn public_client<'a>(mut self, id: &str, redirect_uris: impl IntoIterator<Item = &'a str>) -> Self {
        self.seed.clients.push(code_client(id, redirect_uris, None));
        self
    }

    /// A configured client with a secret.
    pub fn confidential_client<'a>(
        mut self,
        id: &str,
        secret: &str,
        redirect_uris: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.seed.clients.push(code_client(id, redirect_uris, Some(secret)));
        self
    }

    /// A configured client of the operator's own, about which people are not asked.
    pub fn first_party_client<'a>(
        mut self,
        id: &str,
        redirect_uris: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut declared = code_client(id, redirect_uris, None);
        declared.client.first_party = true;
        self.seed.clients.push(declared);
        self
    }

    /// Lets people use the client that was added last in this tenant (and in others named so) alone.
    ///
    /// # Panics
    /// When there is none.
    pub fn client_only_for_tenant(mut self, tenant: &str) -> Self {
        let tenant = TenantId::parse(tenant).unwrap_or_else(|| panic!("{tenant} is no tenant's id"));
        self.seed.clients.last_mut().expect("a client was added").client.tenants.push(tenant);
        self
    }

    /// Lets the configured client `id` have browsers sent to `uri` after a logout (OpenID Connect RP-Initiated Logout
    /// §3.1).
    ///
    /// # Panics
    /// When there is no such client yet.
    pub fn post_logout_redirect_uri(mut self, id: &str, uri: &str) -> Self {
        let declared = self.seed.clients.iter_mut().find(|declared| declared.client.id.as_str() == id);
        let declared = declared.unwrap_or_else(|| panic!("there is no client {id}"));
        let uri = RedirectUri::parse(uri).unwrap_or_else(|error| panic!("{uri}: {error}"));
        declared.client.post_logout_redirect_uris.push(uri);
        self
    }

    /// A configured client that acts for itself, in `tenant` if there is one.
    pub fn machine_client<'a>(
        mut self,
        id: &str,
        secret: &str,
        scopes: impl IntoIterator<Item = &'a str>,
        tenant: Option<&str>,
    ) -> Self {
        self.seed.clients.push(machine_client(id, secret, scopes, tenant));
        self
    }

    /// A configured client that is the server of `resources` and no more: it may introspect their tokens.
    pub fn resource_server<'a>(
        self,
        id: &str,
        secret: &str,
        resources: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.machine_client(id, secret, [], None).introspects(id, resources)
    }

    /// Makes the client `id`, which was named before, the server of `resources`.
    ///
    /// # Panics
    /// When there is no such client.
    pub fn introspects<'a>(mut self, id: &str, resources: impl IntoIterator<Item = &'a str>) -> Self {
        let declared = self.seed.clients.iter_mut().find(|declared| declared.client.id.as_str() == id);
        let declared = declared.unwrap_or_else(|| panic!("there is no client `{id}`"));
        declared.client.introspects = resources.into_iter().map(resource_uri).collect();
        self
    }
}
