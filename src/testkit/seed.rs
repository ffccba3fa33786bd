//! What a test server is to know from the start: tenants, people, resources, clients.

use std::collections::BTreeSet;

use crate::config::{
    ConfigSecret, Declared, DeclaredClient, DeclaredMembership, DeclaredPassword, DeclaredUser,
};
use crate::control::PASSWORD_HASH;
use crate::protocol::{
    Attributes, Client, ClientAuthMethod, ClientId, ClientOrigin, GrantType, KnownScopes, PasswordHash,
    RedirectUri, Resource, ResourceScope, ResourceUri, Role, RoleName, ScopeToken, SigningAlg, Tenant,
    TenantId, Timestamp, UserId,
};

pub use crate::control::PASSWORD;

/// A person. Their `sub` is their user name.
#[derive(Clone, Debug)]
pub struct TestUser {
    pub(super) username: String,
    name: Option<String>,
    email: Option<String>,
    password: Option<String>,
    memberships: Vec<(String, Vec<String>)>,
}

impl TestUser {
    /// A person who logs in with [`PASSWORD`] and belongs nowhere yet.
    pub fn new(username: &str) -> Self {
        Self {
            username: username.to_owned(),
            name: None,
            email: None,
            password: None,
            memberships: Vec::new(),
        }
    }

    /// What they are called.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Their mail address.
    pub fn email(mut self, email: &str) -> Self {
        self.email = Some(email.to_owned());
        self
    }

    /// Another password than [`PASSWORD`]. It is hashed at the start, which takes its time.
    pub fn password(mut self, password: &str) -> Self {
        self.password = (password != PASSWORD).then(|| password.to_owned());
        self
    }

    /// Makes them a member of a tenant, which is made if need be.
    pub fn member_of<'a>(mut self, tenant: &str, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.memberships.push((tenant.to_owned(), roles.into_iter().map(str::to_owned).collect()));
        self
    }

    fn declared(&self) -> DeclaredUser {
        let known = || DeclaredPassword::Hash(PasswordHash::from_stored(PASSWORD_HASH.to_owned()));
        let other = |password: &String| DeclaredPassword::Plain(ConfigSecret::new(password));
        DeclaredUser {
            id: Some(word(&self.username, UserId::parse)),
            username: self.username.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            password: Some(self.password.as_ref().map_or_else(known, other)),
            attributes: Attributes::new(),
            memberships: self
                .memberships
                .iter()
                .map(|(tenant, roles)| DeclaredMembership {
                    tenant: word(tenant, TenantId::parse),
                    roles: roles.iter().map(|role| word(role, RoleName::parse)).collect(),
                    attributes: Attributes::new(),
                })
                .collect(),
        }
    }
}

/// An MCP server for which tokens are issued.
#[derive(Clone, Debug)]
pub struct TestResource {
    resource: Resource,
    scopes: Vec<ResourceScope>,
}

impl TestResource {
    /// The MCP server at `uri`, which knows no scope yet.
    pub fn new(uri: &str) -> Self {
        Self { resource: Resource::unregistered(resource_uri(uri)), scopes: Vec::new() }
    }

    /// Its name on pages.
    pub fn name(mut self, name: &str) -> Self {
        self.resource.name = name.to_owned();
        self
    }

    /// A scope, and what it allows in words.
    pub fn scope(self, token: &str, description: &str) -> Self {
        self.scope_for(token, description, [])
    }

    /// A scope that only members with one of `roles` may give away.
    pub fn scope_for<'a>(
        mut self,
        token: &str,
        description: &str,
        roles: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.scopes.push(ResourceScope {
            description: description.to_owned(),
            roles: roles.into_iter().map(|role| word(role, RoleName::parse)).collect(),
            ..ResourceScope::new(scope_token(token))
        });
        self
    }

    /// Sets a rule for the scope that was added last.
    ///
    /// # Panics
    /// When there is none.
    pub fn rule(mut self, set: impl FnOnce(&mut ResourceScope)) -> Self {
        set(self.scopes.last_mut().expect("a scope was added"));
        self
    }

    /// A scope that a client gets which asks for nothing in particular.
    pub fn default_scope(mut self, token: &str) -> Self {
        let more = std::iter::once(scope_token(token)).collect();
        self.resource.default_scopes = self.resource.default_scopes.union(&more);
        self
    }

    /// The `aud` of its tokens, when that is not its URI.
    pub fn audience(mut self, audience: &str) -> Self {
        self.resource.audience = Some(audience.to_owned());
        self
    }

    /// The algorithm by which its tokens are signed, when that is not RS256.
    pub fn signing_alg(mut self, alg: SigningAlg) -> Self {
        self.resource.signing_alg = alg;
        self
    }

    /// Another URI by which clients name it.
    pub fn alias(mut self, uri: &str) -> Self {
        self.resource.aliases.push(resource_uri(uri));
        self
    }

    /// Lets only members of this tenant (and of others named so) use it.
    pub fn only_for_tenant(mut self, tenant: &str) -> Self {
        self.resource.tenants.push(word(tenant, TenantId::parse));
        self
    }

    fn declared(&self) -> Resource {
        Resource { scopes: KnownScopes::Listed(self.scopes.clone()), ..self.resource.clone() }
    }
}

/// Everything that a test server is to know from the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Seed {
    pub(super) tenants: BTreeSet<String>,
    pub(super) users: Vec<TestUser>,
    pub(super) resources: Vec<TestResource>,
    pub(super) clients: Vec<DeclaredClient>,
}

impl Seed {
    /// In the words of a configuration. Tenants and roles are declared by being mentioned.
    pub(super) fn declared(&self) -> Declared {
        let memberships = || self.users.iter().flat_map(|user| &user.memberships);
        let mut tenants: BTreeSet<String> = self.tenants.clone();
        tenants.extend(memberships().map(|(tenant, _)| tenant.clone()));
        let of_clients = self.clients.iter().map(|client| &client.client);
        let of_clients = of_clients.flat_map(|client| client.tenant.iter().chain(&client.tenants));
        tenants.extend(of_clients.map(ToString::to_string));
        let of_resources = self.resources.iter().flat_map(|resource| &resource.resource.tenants);
        tenants.extend(of_resources.map(ToString::to_string));
        let mut roles: BTreeSet<String> =
            memberships().flat_map(|(_, roles)| roles.iter().cloned()).collect();
        let of_scopes = self.resources.iter().flat_map(|resource| &resource.scopes);
        roles.extend(of_scopes.flat_map(|scope| &scope.roles).map(ToString::to_string));
        Declared {
            tenants: tenants
                .into_iter()
                .map(|id| Tenant { id: word(&id, TenantId::parse), name: id })
                .collect(),
            roles: roles
                .into_iter()
                .map(|name| Role { name: word(&name, RoleName::parse), description: String::new() })
                .collect(),
            users: self.users.iter().map(TestUser::declared).collect(),
            resources: self.resources.iter().map(TestResource::declared).collect(),
            clients: self.clients.clone(),
            registration_tokens: Vec::new(),
        }
    }
}

/// A client of the operator's that uses codes and refresh tokens; without a secret it is public.
pub(super) fn code_client<'a>(
    id: &str,
    redirect_uris: impl IntoIterator<Item = &'a str>,
    secret: Option<&str>,
) -> DeclaredClient {
    let parse = |text| RedirectUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let client = Client {
        redirect_uris: redirect_uris.into_iter().map(parse).collect(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        ..client(id, secret)
    };
    DeclaredClient { client, secrets: secret.map(ConfigSecret::new).into_iter().collect() }
}

/// A client that acts for itself.
pub(super) fn machine_client<'a>(
    id: &str,
    secret: &str,
    scopes: impl IntoIterator<Item = &'a str>,
    tenant: Option<&str>,
) -> DeclaredClient {
    let client = Client {
        grant_types: vec![GrantType::ClientCredentials],
        machine_scopes: scopes.into_iter().map(scope_token).collect(),
        tenant: tenant.map(|tenant| word(tenant, TenantId::parse)),
        ..client(id, Some(secret))
    };
    DeclaredClient { client, secrets: vec![ConfigSecret::new(secret)] }
}

fn client(id: &str, secret: Option<&str>) -> Client {
    Client {
        auth_methods: vec![match secret {
            Some(_) => ClientAuthMethod::ClientSecretBasic,
            None => ClientAuthMethod::None,
        }],
        ..Client::new(word(id, ClientId::parse), ClientOrigin::Config, Timestamp::from_seconds(0))
    }
}

pub(super) fn resource_uri(text: &str) -> ResourceUri {
    ResourceUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(super) fn scope_token(text: &str) -> ScopeToken {
    ScopeToken::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A name that follows the rule of its kind.
fn word<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> T {
    parse(text).unwrap_or_else(|| panic!("`{text}` is not a name that Gatelet takes"))
}
