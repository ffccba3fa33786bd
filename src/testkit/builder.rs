//! Describing a test server.

mod clients;
mod setup;

use std::collections::{HashMap, HashSet};

use super::TestServer;
use super::seed::{Seed, TestResource, TestUser};
use super::server::Place;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{Directory, START};
use crate::fetch::{Fetcher, Supplied};
use crate::protocol::{
    ClientDocuments, IntrospectionMode, Lifetimes, Network, Policy, PublicUrl, Rates, RegistrationMode,
    Timestamp,
};
use crate::random::Random;

/// What a [`TestServer`] is to be.
///
/// Where it names no person, no resource or no client, there are those of an issuer of `gatelet test`: `alice` and
/// `admin` of `acme` and `grace` of `globex`; `http://127.0.0.1:8000/mcp` with `mcp:read` (the default scope) and
/// `mcp:write`; `test-app`, a public client at `http://127.0.0.1/callback` and `http://localhost/callback` (on any
/// port), and `test-machine` with the secret `test-machine-secret`, which may have every scope there is.
#[derive(Clone, Debug)]
#[must_use = "call start()"]
pub struct TestServerBuilder {
    public_url: Option<PublicUrl>,
    issuer_path: String,
    clock: Option<Clock>,
    own_clock: Clock,
    port: u16,
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
    loopback_resources: Option<bool>,
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
            own_clock: Clock::fixed(Clock::system().now()),
            clock: None,
            port: 0,
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
            loopback_resources: None,
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
        self.clock = Some(clock);
        self
    }

    /// Draws all chance from a sequence that is the same for the same seed, and stops the clock at the same moment each
    /// time, 2027-01-15 08:00:00 UTC, unless it is given another. On the same port, everything that the server says is
    /// then the same to the byte.
    pub fn seed(mut self, seed: u64) -> Self {
        self.random = Random::seeded(seed);
        self.own_clock = Clock::fixed(Timestamp::from_seconds(START));
        self
    }

    /// Another port than any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
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

    /// Whether tokens are issued for resources on loopback that nobody registered, as dev mode does. Unless told
    /// otherwise they are where the test names no resource, and are not where it does.
    pub fn loopback_resources(mut self, admitted: bool) -> Self {
        self.loopback_resources = Some(admitted);
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

    /// Starts the server.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(self) -> TestServer {
        let directory = Directory::fresh().expect("a directory for the database of the test");
        let file = || format!("sqlite:{}", directory.path().join("gatelet.db").display());
        let database = self.database_url.clone().unwrap_or_else(file);
        let port = self.port;
        TestServer::launch(self, Place { directory, database, port, starts: 0 }).await
    }
}
