//! The server under test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::answer::{JsonAnswer, TokenResponse};
use super::builder::TestServerBuilder;
use super::client::ClientAuth;
use super::{claims, http};
use crate::app::App;
use crate::clock::Clock;
use crate::control::{Directory, TestIssuer};
use crate::fetch::Supplied;
use crate::serve;

/// A whole server in test mode on a loopback port of its own. It ends with this value, and its database with it.
#[derive(Debug)]
pub struct TestServer {
    builder: TestServerBuilder,
    directory: Directory,
    control: Arc<TestIssuer>,
    address: SocketAddr,
    starts: usize,
    running: Running,
    http: reqwest::Client,
}

/// Where a server is started.
pub(super) struct Place {
    pub(super) directory: Directory,
    pub(super) database: String,
    /// Any free one if it is 0.
    pub(super) port: u16,
    /// How often it was started before.
    pub(super) starts: usize,
}

/// The task that answers; told to stop when this is dropped.
#[derive(Debug)]
struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
    }
}

impl TestServer {
    /// Begins to describe a server.
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder::default()
    }

    /// Starts a server with what [`TestServerBuilder`] puts in where nothing is named: the people, the MCP server and the
    /// clients of an issuer of `gatelet test`.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Listens and serves.
    pub(super) async fn launch(builder: TestServerBuilder, place: Place) -> Self {
        let Place { directory, database, port, starts } = place;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = serve::bind(address).await.unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().expect("a bound listener has an address");
        let stem = directory.path().join(format!("{starts}.server"));
        let begun = TestIssuer::begin(builder.beginning(address, database, stem)).await;
        let control = begun.unwrap_or_else(|error| panic!("the server does not start: {error}"));
        let control = Arc::new(control);
        let (stop, stopped) = oneshot::channel::<()>();
        let router = control.router();
        let task = tokio::spawn(serve::serve(vec![listener], router, async move {
            // Sent or dropped, it is time.
            let _ = stopped.await;
        }));
        let running = Running { stop: Some(stop), task: Some(task) };
        Self { builder, directory, control, address, starts, running, http: http::client() }
    }

    /// Stops the server in good order and starts it again on the same port with the same database and clock.
    pub async fn restart(self) -> Self {
        self.restart_with(|builder| builder).await
    }

    /// The same, described otherwise from now on. Faults, captured requests and snapshots end with the server that had
    /// them.
    pub async fn restart_with(self, change: impl FnOnce(TestServerBuilder) -> TestServerBuilder) -> Self {
        let (builder, place) = self.stopped().await;
        Self::launch(change(builder), place).await
    }

    /// Stops the server in good order: what was asked is answered, and its port is free for another.
    pub async fn stop(self) {
        drop(self.stopped().await);
    }

    async fn stopped(self) -> (TestServerBuilder, Place) {
        let Self { builder, directory, control, address, starts, mut running, http } = self;
        // Connections that are kept alive would hold the old server up.
        drop(http);
        running.stop.take();
        if let Some(task) = running.task.take() {
            task.await.expect("the server ends without a panic");
        }
        control.app().close().await;
        let database = control.database();
        (builder, Place { directory, database, port: address.port(), starts: starts + 1 })
    }

    /// The issuer, byte for byte.
    pub fn issuer(&self) -> &str {
        self.control.issuer().as_str()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        self.control.issuer().origin()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path of its origin, such as `/login`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// The URL of a protocol endpoint, such as `token`.
    pub fn endpoint(&self, name: &str) -> String {
        self.control.issuer().endpoint(name)
    }

    /// The server's clock; it stands still until it is advanced. To move it moves time alone: [`TestIssuer::advance`] also
    /// does what is due by then.
    pub fn clock(&self) -> &Clock {
        self.control.clock()
    }

    /// Has the server find this at `url` from now on, when it fetches from there.
    pub fn supply_document(&self, url: &str, supplied: Supplied) {
        self.control.fetcher().supply(url, supplied);
    }

    /// Has the server find nothing at `url` any more.
    pub fn withdraw_document(&self, url: &str) {
        self.control.fetcher().withdraw(url);
    }

    /// The URLs that the server has fetched from, in order.
    pub fn asked_documents(&self) -> Vec<String> {
        self.control.fetcher().asked()
    }

    /// Where its database is, to look into it from outside.
    pub fn database_url(&self) -> String {
        self.control.database()
    }

    /// The server itself, for what cannot be seen from outside.
    pub fn app(&self) -> App {
        self.control.app()
    }

    /// What a test holds in its hands of the server: tokens minted without a flow, the clock, keys, faults, what was
    /// asked, snapshots, people without a browser.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gatelet::testkit::{FaultSpec, KeyAction, MintSpec, Pattern, TestClient, TestServer};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gatelet::testkit::Refused> {
    /// let server = TestServer::start().await;
    /// let control = server.control();
    ///
    /// let good = control.mint(&MintSpec::default()).await?;
    /// let expired = control.mint(&MintSpec { defect: Some("expired".to_owned()), ..MintSpec::default() }).await?;
    /// assert!(expired.claims["exp"].as_i64() < good.claims["exp"].as_i64());
    ///
    /// control.advance(Duration::from_secs(900)).await?;
    /// control.change_keys(KeyAction::Lose).await?;
    /// control.add_fault(FaultSpec { status: Some(503), ..FaultSpec::at("token") })?;
    ///
    /// let client = TestClient::new(&server, "test-app", "http://127.0.0.1:4711/callback");
    /// let callback = client.authorize_at_once(control, "alice", |request| request.scope("mcp:read")).await;
    /// assert_eq!(client.redeem(&callback).await.status, 503);
    /// client.redeem(&callback).await.granted();
    /// let asked = control.expect(&Pattern::at("token").form("grant_type", "authorization_code")).await?;
    /// assert_eq!(asked.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn control(&self) -> &Arc<TestIssuer> {
        &self.control
    }

    /// An HTTP client that follows no redirect, for requests that nothing here makes.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Sends a request that [`TestServer::http`] has made.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> JsonAnswer {
        JsonAnswer::read(request).await
    }

    /// Fetches a document.
    pub async fn get(&self, url: &str) -> JsonAnswer {
        JsonAnswer::read(self.http.get(url)).await
    }

    /// Registers a client (RFC 7591).
    pub async fn register(&self, metadata: &Value) -> JsonAnswer {
        JsonAnswer::read(self.http.post(self.endpoint("register")).json(metadata)).await
    }

    /// Sends a token request as it is.
    pub async fn token(&self, pairs: &[(&str, &str)], auth: &ClientAuth) -> TokenResponse {
        TokenResponse(self.post(&self.endpoint("token"), pairs, auth).await)
    }

    /// Posts a form to an endpoint at which clients authenticate.
    pub async fn post(&self, url: &str, pairs: &[(&str, &str)], auth: &ClientAuth) -> JsonAnswer {
        super::client::post_form(&self.http, url, pairs, auth).await
    }

    /// The claims of an access token, after checking it as a resource server does: `typ`, signature by a served key,
    /// issuer and expiry (RFC 9068 §4), the last by the server's clock.
    ///
    /// # Panics
    /// When the token is not valid.
    pub async fn verify(&self, access_token: &str) -> Value {
        let jwks = self.get(&self.endpoint("jwks")).await;
        claims::verified(access_token, "at+jwt", &jwks.json, self.issuer(), self.clock().now())
            .unwrap_or_else(|why| panic!("the access token is not valid: {why}"))
    }

    /// The claims of an id token, after checking it as a client does that gets it from the token endpoint: signature by
    /// a served key, issuer, audience and expiry (OpenID Connect Core §3.1.3.7).
    ///
    /// # Panics
    /// When the token is not valid.
    pub async fn verify_id_token(&self, id_token: &str, client_id: &str) -> Value {
        let jwks = self.get(&self.endpoint("jwks")).await;
        let claims = claims::verified(id_token, "JWT", &jwks.json, self.issuer(), self.clock().now())
            .unwrap_or_else(|why| panic!("the id token is not valid: {why}"));
        assert_eq!(claims["aud"], client_id, "the audience of an id token is its client");
        claims
    }
}
