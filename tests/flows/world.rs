//! The server that most cases talk to, and shorthands.

use gatelet::testkit::{
    Browser, Callback, Landing, Page, RequestParams, TestClient, TestResource, TestServer, TestServerBuilder,
    TestUser, TokenResponse,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

pub(crate) const NOTES: &str = "https://mcp.example.com/mcp";
pub(crate) const WEB_SECRET: &str = "web0secret0of0more0than0128bits0aaaa";
pub(crate) const ROBOT_SECRET: &str = "robot0secret0of0more0than0128bits0bb";
/// Where the public client `app` listens today; it registered the same without a port.
pub(crate) const APP_CALLBACK: &str = "http://127.0.0.1:4711/cb";
pub(crate) const WEB_CALLBACK: &str = "https://web.example/cb";

/// The database of a case.
pub(crate) enum Database {
    Sqlite,
    Postgres(String),
}

/// Two tenants; alice, a member of acme, and bob, an admin of acme and a member of globex; one resource with three
/// scopes, of which admins alone may give the third; a client of each kind.
pub(crate) fn world(database: Database) -> TestServerBuilder {
    let notes = TestResource::new(NOTES)
        .name("Notes")
        .scope("mcp:read", "Read notes")
        .scope("mcp:write", "Write notes")
        .scope_for("mcp:admin", "Delete everything", ["admin"])
        .default_scope("mcp:read");
    let builder = TestServer::builder()
        .user(TestUser::new("alice").member_of("acme", ["member"]))
        .user(TestUser::new("bob").member_of("acme", ["admin", "member"]).member_of("globex", ["member"]))
        .resource(notes)
        .public_client("app", ["http://127.0.0.1/cb"])
        .confidential_client("web", WEB_SECRET, [WEB_CALLBACK])
        .first_party_client("own", ["http://127.0.0.1/own"])
        .machine_client("robot", ROBOT_SECRET, ["mcp:read", "mcp:write"], Some("acme"));
    match database {
        Database::Sqlite => builder,
        Database::Postgres(url) => builder.database_url(&url),
    }
}

/// The server of [`world`], started.
pub(crate) async fn server(database: Database) -> TestServer {
    world(database).start().await
}

pub(crate) fn app(server: &TestServer) -> TestClient {
    TestClient::new(server, "app", APP_CALLBACK)
}

pub(crate) fn web(server: &TestServer) -> TestClient {
    TestClient::new(server, "web", WEB_CALLBACK).secret(WEB_SECRET)
}

/// A browser in which alice is logged in and nothing else has happened.
pub(crate) async fn logged_in(server: &TestServer, username: &str) -> Browser {
    let mut browser = Browser::new(server);
    let page = browser.get("/login").await.page();
    assert_eq!(browser.log_in(&page, username).await.page().status, 200);
    browser
}

/// What alice grants `client` when it asks for reading and writing.
pub(crate) async fn granted(server: &TestServer, client: &TestClient) -> Callback {
    let ask = |request: RequestParams| request.scope("mcp:read mcp:write");
    client.authorize(&mut Browser::new(server), "alice", ask).await
}

/// The tokens that come of it.
pub(crate) async fn tokens(server: &TestServer, client: &TestClient) -> TokenResponse {
    client.redeem(&granted(server, client).await).await.granted()
}

/// The consent page of a person who is logged in.
pub(crate) async fn consent_page(browser: &mut Browser, url: &str) -> Page {
    let page = browser.get(url).await.page();
    assert!(page.has_form_with("decision"), "no consent page but {}: {}", page.status, page.text());
    page
}

/// A self-registered public client.
pub(crate) async fn self_registered(server: &TestServer) -> TestClient {
    let metadata = serde_json::json!({
        "redirect_uris": ["http://localhost/callback"], "client_name": "A stranger",
        "token_endpoint_auth_method": "none",
    });
    let registered = server.register(&metadata).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    TestClient::new(server, registered.text("client_id"), "http://localhost:50123/callback")
}

/// Tells whether anything was written to a server's SQLite database.
pub(crate) struct Watch {
    connection: SqliteConnection,
    version: i64,
}

impl Watch {
    pub(crate) async fn on(server: &TestServer) -> Self {
        let url = server.database_url();
        let file = url.strip_prefix("sqlite:").expect("a SQLite database");
        let connection = SqliteConnectOptions::new().filename(file).read_only(true).connect().await.unwrap();
        let mut watch = Self { connection, version: 0 };
        watch.version = watch.read().await;
        watch
    }

    /// Whether another connection has changed the file since the last look (`PRAGMA data_version`).
    pub(crate) async fn has_changed(&mut self) -> bool {
        let before = std::mem::replace(&mut self.version, 0);
        self.version = self.read().await;
        before != self.version
    }

    async fn read(&mut self) -> i64 {
        sqlx::query("PRAGMA data_version").fetch_one(&mut self.connection).await.unwrap().get(0)
    }
}

/// That the browser was shown an error page, and which.
pub(crate) fn assert_error_page(landing: Landing, status: u16, heading: &str) {
    let page = landing.page();
    assert_eq!((page.status, page.heading()), (status, heading), "{}", page.text());
    assert_eq!(page.header("cache-control"), "no-store");
}
