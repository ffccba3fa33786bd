//! Suspending a person, a client or a tenant, and resuming: on one server, and on two that share a PostgreSQL database.

use std::time::{Duration, Instant};

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::protocol::{ClientId, TenantId, UserId};
use gatelet::store::Outcome;
use gatelet::testkit::{Browser, Callback, ClientAuth, RequestParams, TestServer, TokenResponse};

use crate::cases;
use crate::world::{Database, ROBOT_SECRET, app, consent_page, logged_in, world};

cases![
    a_suspended_person_is_out_at_once_and_everywhere,
    a_suspended_client_is_out_at_once_and_everywhere,
    a_suspended_tenant_is_closed_at_once_and_everywhere,
];

/// Acts through the first and looks at the last: the same server on SQLite, another one on PostgreSQL.
async fn instances(database: Database) -> Vec<TestServer> {
    let again = match &database {
        Database::Sqlite => None,
        Database::Postgres(url) => Some(Database::Postgres(url.clone())),
    };
    let mut servers = vec![world(database).start().await];
    if let Some(database) = again {
        servers.push(world(database).start().await);
    }
    servers
}

/// What alice had before.
struct Before {
    tokens: TokenResponse,
    waiting: Callback,
    browser: Browser,
}

fn ask(request: RequestParams) -> RequestParams {
    request.scope("mcp:read")
}

async fn before(server: &TestServer) -> Before {
    let client = app(server);
    let mut browser = logged_in(server, "alice").await;
    let tokens = client.redeem(&client.authorize(&mut browser, "alice", ask).await).await.granted();
    let waiting = client.authorize(&mut browser, "alice", ask).await;
    Before { tokens, waiting, browser }
}

impl Before {
    /// Neither the refresh token nor the code is good, at once and on this instance too.
    async fn is_over(&self, server: &TestServer, refusal: (u16, &str)) {
        let client = app(server);
        let began = Instant::now();
        assert_eq!(client.refresh(self.tokens.refresh_token()).await.refusal(), refusal);
        assert_eq!(client.redeem(&self.waiting).await.refusal(), refusal);
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}

fn event(server: &TestServer, kind: AuditKind) -> AuditEvent {
    AuditEvent::new(server.clock().now(), kind)
}

async fn robot(server: &TestServer) -> u16 {
    let auth = ClientAuth::Basic("robot".to_owned(), ROBOT_SECRET.to_owned());
    server.token(&[("grant_type", "client_credentials")], &auth).await.status
}

const INVALID_GRANT: (u16, &str) = (400, "invalid_grant");

async fn a_suspended_person_is_out_at_once_and_everywhere(database: Database) {
    let servers = instances(database).await;
    let (here, there) = (&servers[0], servers.last().unwrap());
    let mut had = before(there).await;
    let alice = UserId::parse("alice").unwrap();
    let store = here.app().engine().store.clone();
    let suspended = store.suspend_user(&alice, event(here, AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    had.is_over(there, INVALID_GRANT).await;
    let request = app(there).authorization(ask);
    let page = had.browser.get(&request.url).await.page();
    assert!(page.has_form_with("password"), "logged out: {}", page.text());
    assert!(
        had.browser.log_in(&page, "alice").await.page().has_form_with("password"),
        "and not let in again"
    );
    assert_eq!(robot(there).await, 200, "others go on");

    let resumed = store.resume_user(&alice, event(here, AuditKind::Resumed)).await.unwrap();
    assert_eq!(resumed, Outcome::Won(()));
    had.is_over(there, INVALID_GRANT).await;
    assert!(had.browser.get(&request.url).await.page().has_form_with("password"), "the session is gone");
    before(there).await;
}

async fn a_suspended_client_is_out_at_once_and_everywhere(database: Database) {
    let servers = instances(database).await;
    let (here, there) = (&servers[0], servers.last().unwrap());
    let mut had = before(there).await;
    let store = here.app().engine().store.clone();
    let ids = ["app", "robot"].map(|id| ClientId::parse(id).unwrap());
    for id in &ids {
        let suspended = store.suspend_client(id, event(here, AuditKind::Suspended)).await.unwrap();
        assert_eq!(suspended, Outcome::Won(()));
    }
    had.is_over(there, (401, "invalid_client")).await;
    assert_eq!(robot(there).await, 401);
    let request = app(there).authorization(ask);
    assert_eq!(had.browser.get(&request.url).await.page().status, 400, "an unknown client");

    for id in &ids {
        let resumed = store.resume_client(id, event(here, AuditKind::Resumed)).await.unwrap();
        assert_eq!(resumed, Outcome::Won(()));
    }
    had.is_over(there, INVALID_GRANT).await;
    assert_eq!(robot(there).await, 200);
    let page = consent_page(&mut had.browser, &request.url).await;
    request.callback(&had.browser.consent(&page).allow().await.left()).code();
}

async fn a_suspended_tenant_is_closed_at_once_and_everywhere(database: Database) {
    let servers = instances(database).await;
    let (here, there) = (&servers[0], servers.last().unwrap());
    let mut had = before(there).await;
    let request = app(there).authorization(ask);
    let page = consent_page(&mut had.browser, &request.url).await;
    let acme = TenantId::parse("acme").unwrap();
    let store = here.app().engine().store.clone();
    let suspended = store.suspend_tenant(&acme, event(here, AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    had.is_over(there, INVALID_GRANT).await;
    assert_eq!(robot(there).await, 401, "it acts in that tenant");
    let left = had.browser.consent(&page).allow().await.left();
    assert_eq!(request.callback(&left).error(), "access_denied", "a page that was open helps nobody");
    let mut bob = logged_in(there, "bob").await;
    let page = consent_page(&mut bob, &request.url).await;
    assert_eq!(page.form_with("decision").value("tenant"), Some("globex"), "other tenants go on");

    let resumed = store.resume_tenant(&acme, event(here, AuditKind::Resumed)).await.unwrap();
    assert_eq!(resumed, Outcome::Won(()));
    had.is_over(there, INVALID_GRANT).await;
    assert_eq!(robot(there).await, 200);
    before(there).await;
}
