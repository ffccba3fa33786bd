//! Describing a test server.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use super::TestServer;
use super::directory::Directory;
use super::seed::{Seed, TestResource, TestUser, code_client, machine_client, resource_uri, scope_token};
use crate::app::Setup;
use crate::clock::Clock;
use crate::config::{Config, Declared};
use crate::fetch::{Fetcher, Supplied};
use crate::http::SiteFacts;
use crate::protocol::{
    ClaimNames, ClientDocuments, IntrospectionMode, Issuer, Lifetimes, Network, Policy, PublicUrl, Rates,
    RedirectUri, RegistrationMode, Scope, TenantId,
};
use crate::random::Random;
use crate::store::{Mode, StoreOptions};
use crate::tokens::{KeyEncryptionKey, PasswordHasher, TEST_KEYS};

/// What a [`TestServer`] is to be. Where it names no person there is `alice` of `acme`; where it names no resource
/// there is `https://mcp.example.com/mcp` with `mcp:read` (the default scope) and `mcp:write`.
#[derive(Clone, Debug)]
#[must_use = "call start()"]
pub struct TestServerBuilder {
    public_url: Option<PublicUrl>,
    issuer_path: String,
    clock: Clock,
    random: Random,
    database_url: Option<String>,
    lifetimes: Lifetimes,
    registration: RegistrationMode,
    registration_scopes: Option<Vec<String>>,
    max_unused_clients: u32,
    rates: Rates,
    trusted_proxies: Vec<Network>,
    client_documents: ClientDocuments,
    fetcher: Fetcher,
    introspection: IntrospectionMode,
    loopback_resources: bool,
    hosts: HashSet<String>,
    config: Option<Config>,
    seed: Seed,
}

impl Default for TestServerBuilder {
    fn default() -> Self {
        Self {
            public_url: None,
            issuer_path: "/oauth".to_owned(),
            // From the present, so that programs with a clock of their own take the tokens too.
            clock: Clock::fixed(Clock::system().now()),
            random: Random::system(),
            database_url: None,
            lifetimes: Lifetimes::default(),
            registration: RegistrationMode::Open,
            registration_scopes: None,
            max_unused_clients: Policy::MAX_UNUSED_CLIENTS,
            rates: Rates::on_loopback(),
            trusted_proxies: Vec::new(),
            client_documents: ClientDocuments::Any,
            fetcher: Fetcher::supplied(HashMap::new()),
            introspection: IntrospectionMode::Authenticated,
            loopback_resources: false,
            hosts: HashSet::new(),
            config: None,
            seed: Seed::default(),
        }
    }
}

impl TestServerBuilder {
    /// Where the server is reached, if something stands between it and everybody else: an origin, and a path if it has
    /// no origin of its own. The server itself listens at [`TestServer::address`].
    ///
    /// # Panics
    /// When it is no https URL, or http URL on loopback, in normal form.
    pub fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(PublicUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")));
        self
    }

    /// The path of the issuer, under the public URL: `/oauth` unless told otherwise, `""` and `"/"` for one at the root.
    pub fn issuer_path(mut self, path: &str) -> Self {
        self.issuer_path = path.to_owned();
        self
    }

    /// Another clock than one that stands still at the present.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Draws all chance from a sequence that is the same for the same seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.random = Random::seeded(seed);
        self
    }

    /// Another database than a throw-away SQLite file: `postgres://…`. It has to be empty, or of an earlier test
    /// server, and is left as it is at the end.
    pub fn database_url(mut self, url: &str) -> Self {
        self.database_url = Some(url.to_owned());
        self
    }

    /// How long things last.
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }

    /// Who may register clients; everybody unless told otherwise.
    pub fn registration(mut self, mode: RegistrationMode) -> Self {
        self.registration = mode;
        self
    }

    /// The most that self-registered clients can be given; no limit unless told otherwise.
    pub fn registration_scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.registration_scopes = Some(scopes.into_iter().map(str::to_owned).collect());
        self
    }

    /// The most self-registered clients that may wait for their first grant; 10 000 unless told otherwise.
    pub fn max_unused_clients(mut self, most: u32) -> Self {
        self.max_unused_clients = most;
        self
    }

    /// How often a peer may do what costs the server something; more registrations than in production unless told
    /// otherwise. They come back by the server's clock, so after it was advanced.
    pub fn rates(mut self, rates: Rates) -> Self {
        self.rates = rates;
        self
    }

    /// Proxies whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = Network>) -> Self {
        self.trusted_proxies = proxies.into_iter().collect();
        self
    }

    /// Whose client id metadata documents are taken; anybody's unless told otherwise.
    pub fn client_documents(mut self, whose: ClientDocuments) -> Self {
        self.client_documents = whose;
        self
    }

    /// A document that the server finds at `url` when it fetches from there. Nothing is dialled: where no document is
    /// supplied, there is none.
    pub fn client_document(self, url: &str, body: impl Into<bytes::Bytes>) -> Self {
        self.fetcher.supply(url, Supplied::document(body));
        self
    }

    /// Another fetcher than one that dials nothing.
    pub fn fetcher(mut self, fetcher: Fetcher) -> Self {
        self.fetcher = fetcher;
        self
    }

    /// Who may introspect tokens; only who authenticates unless told otherwise.
    pub fn introspection(mut self, mode: IntrospectionMode) -> Self {
        self.introspection = mode;
        self
    }

    /// Whether tokens are issued for resources on loopback that nobody registered, as dev mode does.
    pub fn loopback_resources(mut self, admitted: bool) -> Self {
        self.loopback_resources = admitted;
        self
    }

    /// A further host name by which the server may be called.
    pub fn host(mut self, host: &str) -> Self {
        self.hosts.insert(host.to_owned());
        self
    }

    /// The rules and everything declared of a configuration for production ([`crate::config::load_from`]), with the
    /// path of its issuer. Where it listens, its database and its keys are the test's own; what else is described here
    /// is there beside what it declares, and its rules stand above those that are set here. There is no resource and
    /// nobody but whom it or the test names.
    pub fn configuration(mut self, config: Config) -> Self {
        let issuer = &config.policy.issuer;
        self.issuer_path = issuer.as_str().strip_prefix(issuer.origin()).unwrap_or_default().to_owned();
        self.config = Some(config);
        self
    }

    /// A tenant. Those that people, clients or resources mention are there already.
    pub fn tenant(mut self, id: &str) -> Self {
        self.seed.tenants.insert(id.to_owned());
        self
    }

    /// A person, in place of one who was called so before.
    pub fn user(mut self, user: TestUser) -> Self {
        self.seed.users.retain(|known| known.username != user.username);
        self.seed.users.push(user);
        self
    }

    /// A resource.
    pub fn resource(mut self, resource: TestResource) -> Self {
        self.seed.resources.push(resource);
        self
    }

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

    /// Starts the server.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(mut self) -> TestServer {
        if self.config.is_none() {
            self.seed = self.seed.completed();
        }
        TestServer::launch(self, Directory::fresh(), 0).await
    }

    pub(super) fn issuer(&self, address: SocketAddr) -> Issuer {
        let own = || PublicUrl::parse(&format!("http://{address}")).expect("an address is a URL");
        let public_url = self.public_url.clone().unwrap_or_else(own);
        let text = public_url.page_url(&self.issuer_path);
        Issuer::within(&public_url, &text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    pub(super) fn setup(&self, issuer: &Issuer, directory: &Directory) -> Setup {
        let mut store = StoreOptions::new(self.database(directory), Mode::Test);
        store.durable = false;
        store.random = self.random.clone();
        Setup {
            policy: self.policy(issuer),
            store,
            key: KeyEncryptionKey::from_bytes(&[0x67; 32]),
            signing_key: Some(TEST_KEYS[0].signing_key()),
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

    pub(super) fn database(&self, directory: &Directory) -> String {
        let file = || format!("sqlite:{}", directory.path().join("gatelet.db").display());
        self.database_url.clone().unwrap_or_else(file)
    }

    pub(super) fn fetcher_in_use(&self) -> &Fetcher {
        &self.fetcher
    }

    pub(super) fn clock_in_use(&self) -> &Clock {
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
