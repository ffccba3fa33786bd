//! What was described, as the parts that a server is made of.

use std::net::SocketAddr;

use super::TestServerBuilder;
use crate::app::Setup;
use crate::clock::Clock;
use crate::config::Declared;
use crate::control::Directory;
use crate::fetch::Fetcher;
use crate::http::SiteFacts;
use crate::protocol::{ClaimNames, Issuer, Policy, PublicUrl, Scope};
use crate::store::{Mode, StoreOptions};
use crate::testkit::seed::scope_token;
use crate::tokens::{KeyEncryptionKey, NewKeys, PasswordHasher, TestKeyPool};

impl TestServerBuilder {
    pub(in crate::testkit) fn issuer(&self, address: SocketAddr) -> Issuer {
        let own = || PublicUrl::parse(&format!("http://{address}")).expect("an address is a URL");
        let public_url = self.public_url.clone().unwrap_or_else(own);
        let text = public_url.page_url(&self.issuer_path);
        Issuer::within(&public_url, &text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    pub(in crate::testkit) fn setup(&self, issuer: &Issuer, directory: &Directory) -> Setup {
        let mut store = StoreOptions::new(self.database(directory), Mode::Test);
        store.durable = false;
        store.random = self.random.clone();
        Setup {
            policy: self.policy(issuer),
            store,
            key: KeyEncryptionKey::from_bytes(&[0x67; 32]),
            new_keys: NewKeys::TestKeys(TestKeyPool::default().share(None)),
            declared: self.declared(),
            facts: SiteFacts {
                hosts: self.hosts.clone(),
                trusted_proxies: self.trusted_proxies.clone(),
                ..SiteFacts::default()
            },
            one_click_login: false,
            fetcher: self.fetcher.clone(),
            passwords: PasswordHasher::new(self.random.clone()),
            clock: self.clock.clone(),
            random: self.random.clone(),
        }
    }

    /// What the configuration declares, and the rest of what the test names.
    fn declared(&self) -> Declared {
        let mut all = self.config.as_ref().map(|config| config.declared.clone()).unwrap_or_default();
        let Declared { tenants, roles, users, resources, clients, registration_tokens } =
            self.seed.declared();
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
        all.registration_tokens.extend(registration_tokens);
        all.clients.extend(clients);
        all
    }

    pub(in crate::testkit) fn database(&self, directory: &Directory) -> String {
        let file = || format!("sqlite:{}", directory.path().join("gatelet.db").display());
        self.database_url.clone().unwrap_or_else(file)
    }

    pub(in crate::testkit) fn fetcher_in_use(&self) -> &Fetcher {
        &self.fetcher
    }

    pub(in crate::testkit) fn clock_in_use(&self) -> &Clock {
        &self.clock
    }

    fn policy(&self, issuer: &Issuer) -> Policy {
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
            loopback_resources: self.loopback_resources,
            claims: ClaimNames::default(),
            default_resource: None,
            scopes_supported: Policy::nameable_scopes(&self.seed.scopes(), ceiling.as_ref()),
            registration_scopes: ceiling,
        }
    }
}
