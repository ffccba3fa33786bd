//! What was described, as what the server begins with.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::TestServerBuilder;
use crate::config::Declared;
use crate::control::{Beginning, Described, Description, Parts, ready_made};
use crate::http::SiteFacts;
use crate::protocol::{ClaimNames, Issuer, KnownScopes, Policy, PublicUrl, Scope};
use crate::testkit::seed::{Seed, scope_token};
use crate::tokens::{NewKeys, TestKeyPool, TestKeyShare};

/// How the server calls itself where it is told of.
const NAME: &str = "server";
/// As many as in production: tests of races want them at once.
const CONNECTIONS: u32 = 10;

impl TestServerBuilder {
    /// The server at this address, in front of this database, with files of its own whose names begin so.
    pub(in crate::testkit) fn beginning(
        &self,
        address: SocketAddr,
        database: String,
        stem: PathBuf,
    ) -> Beginning {
        let issuer = self.issuer(address);
        let declared = self.declared(&issuer);
        let policy = self.policy(&issuer, &declared);
        Beginning {
            name: NAME.to_owned(),
            issuer,
            control_url: None,
            description: Description::Built(Box::new(Described { policy, declared })),
            parts: Parts {
                clock: self.clock.clone().unwrap_or_else(|| self.own_clock.clone()),
                random: self.random.clone(),
                fetcher: self.fetcher.clone(),
                facts: SiteFacts {
                    hosts: self.hosts.clone(),
                    trusted_proxies: self.trusted_proxies.clone(),
                    ..SiteFacts::default()
                },
                new_keys: NewKeys::TestKeys(self.test_keys()),
                connections: CONNECTIONS,
            },
            database,
            stem,
            expires_in: None,
        }
    }

    fn issuer(&self, address: SocketAddr) -> Issuer {
        let own = || PublicUrl::parse(&format!("http://{address}")).expect("an address is a URL");
        let public_url = self.public_url.clone().unwrap_or_else(own);
        let text = public_url.page_url(&self.issuer_path);
        Issuer::within(&public_url, &text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// A database that a test names may be that of another server too.
    fn test_keys(&self) -> TestKeyShare {
        let share = TestKeyPool::default().share(None);
        if self.database_url.is_some() { share.first_alone() } else { share }
    }

    /// What the configuration declares, and the rest of what the test names; or what is ready-made, in place of what it
    /// does not name.
    fn declared(&self, issuer: &Issuer) -> Declared {
        let mut all = self.config.as_ref().map(|config| config.declared.clone()).unwrap_or_default();
        add(&mut all, self.seed.declared());
        let Seed { users, resources, clients, .. } = &self.seed;
        if self.config.is_some() || !(users.is_empty() || resources.is_empty() || clients.is_empty()) {
            return all;
        }
        let mut ready = ready_made(issuer).unwrap_or_else(|error| panic!("{error}"));
        if !resources.is_empty() {
            ready.resources.clear();
        }
        if !clients.is_empty() {
            ready.clients.clear();
        }
        if !users.is_empty() {
            ready.users.clear();
            ready.roles.clear();
            // They are of the tenants of those people.
            ready.tenants.clear();
            ready.clients.iter_mut().for_each(|declared| declared.client.tenant = None);
        }
        add(&mut all, ready);
        let every = scopes(&all);
        for declared in all.clients.iter_mut().filter(|_| clients.is_empty()) {
            if !declared.client.machine_scopes.is_empty() {
                declared.client.machine_scopes = every.clone();
            }
        }
        all
    }

    fn policy(&self, issuer: &Issuer, declared: &Declared) -> Policy {
        if let Some(config) = &self.config {
            return Policy { issuer: issuer.clone(), ..config.policy.clone() };
        }
        let ceiling = self.registration_scopes.as_ref();
        let ceiling: Option<Scope> =
            ceiling.map(|scopes| scopes.iter().map(|scope| scope_token(scope)).collect());
        Policy {
            issuer: issuer.clone(),
            lifetimes: self.lifetimes,
            registration: self.registration,
            max_unused_clients: self.max_unused_clients,
            rates: self.rates,
            client_documents: self.client_documents.clone(),
            introspection: self.introspection,
            loopback_resources: self.loopback_resources.unwrap_or(self.seed.resources.is_empty()),
            claims: ClaimNames::default(),
            default_resource: None,
            scopes_supported: Policy::nameable_scopes(&scopes(declared), ceiling.as_ref()),
            registration_scopes: ceiling,
        }
    }
}

/// Declares more; tenants and roles only once.
fn add(all: &mut Declared, more: Declared) {
    let Declared { tenants, roles, users, resources, clients, registration_tokens } = more;
    for tenant in tenants {
        if !all.tenants.iter().any(|known| known.id == tenant.id) {
            all.tenants.push(tenant);
        }
    }
    for role in roles {
        if !all.roles.iter().any(|known| known.name == role.name) {
            all.roles.push(role);
        }
    }
    all.users.extend(users);
    all.resources.extend(resources);
    all.clients.extend(clients);
    all.registration_tokens.extend(registration_tokens);
}

/// The scopes of all resources.
fn scopes(declared: &Declared) -> Scope {
    let listed = declared.resources.iter().filter_map(|resource| match &resource.scopes {
        KnownScopes::Listed(scopes) => Some(scopes),
        KnownScopes::Any => None,
    });
    listed.flatten().map(|scope| scope.token.clone()).collect()
}
