//! What all cases share: one browser, and the sites that it visits.

use gatelet::testkit::{TestClient, TestResource, TestServer, TestUser};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::axe::Axe;
use crate::chromium::Driver;
use crate::proxy::Proxy;
use crate::samples::Site;
use crate::webdriver::Browser;

/// Schemes of applications on the device (RFC 8252 §7.1).
pub(crate) const SCHEMES: [&str; 2] = ["cursor", "com.example.notes"];
/// Everybody who logs in. Consent is remembered, so each case that decides has a person of its own.
pub(crate) const PEOPLE: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) browser: Browser,
    /// The samples of all pages.
    pub(crate) samples: Site,
    /// Gatelet.
    pub(crate) server: TestServer,
    /// The server behind a proxy that changes nothing.
    pub(crate) honest: Proxy,
    /// The server behind a proxy that adds `form-action 'self'`.
    pub(crate) strict: Proxy,
    pub(crate) axe: Result<Axe, &'static str>,
}

impl Stage {
    pub(crate) fn set() -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let (browser, samples, server, honest, strict) = runtime.block_on(async {
            let server = server().await;
            let honest = Proxy::before(server.origin(), "").await;
            let strict = Proxy::before(server.origin(), "; form-action 'self'").await;
            let origins = [server.origin(), &honest.origin, &strict.origin].map(str::to_owned);
            let browser = Browser::start(Driver::start(&origins, &SCHEMES).await?).await?;
            Ok::<_, String>((browser, Site::open().await?, server, honest, strict))
        })?;
        Ok(Self { runtime, browser, samples, server, honest, strict, axe: Axe::load() })
    }

    /// A client that registers itself under `name` with `registered`, and receives its answers at `used`.
    pub(crate) async fn self_registered(&self, name: &str, registered: &str, used: &str) -> TestClient {
        let metadata = json!({
            "client_name": name, "redirect_uris": [registered], "token_endpoint_auth_method": "none",
        });
        let answer = self.server.register(&metadata).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        TestClient::new(&self.server, answer.text("client_id"), used)
    }
}

async fn server() -> TestServer {
    let notes = TestResource::new("https://mcp.example.com/mcp")
        .name("Notes")
        .scope("mcp:read", "Read notes")
        .scope("mcp:write", "Write notes")
        .default_scope("mcp:read");
    let people = PEOPLE.map(|name| TestUser::new(name).member_of("acme", ["member"]));
    people
        .into_iter()
        .fold(TestServer::builder(), gatelet::testkit::TestServerBuilder::user)
        .resource(notes)
        .public_client("editor", ["http://127.0.0.1/cb", "http://localhost/cb"])
        .public_client("web", ["https://web.example/cb"])
        .first_party_client("own", ["https://own.example/cb"])
        .start()
        .await
}
