//! Taking out what has ended.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::ClientOrigin;
use gatelet::store::{Outcome, SweepPolicy, Swept};

use crate::world::*;
use crate::{Database, cases};

cases![
    nothing_is_swept_that_lives,
    what_has_ended_is_swept_in_batches,
    a_dead_grant_goes_with_its_code_after_a_while,
    only_clients_that_never_got_a_grant_are_swept,
    registering_again_renews_an_unused_client,
    a_client_that_was_consented_to_or_suspended_is_not_swept,
    old_audit_events_are_swept,
    failed_logins_are_forgotten,
];

const WEEK: u64 = 7 * 86_400;
pub(crate) const POLICY: SweepPolicy = SweepPolicy {
    dead_grant_kept: Duration::from_secs(86_400),
    unused_client_kept: Duration::from_secs(WEEK),
    audit_kept: Duration::from_secs(400 * 86_400),
    batch: 2,
};

async fn nothing_is_swept_that_lives(database: Database) {
    let world = World::new(database).await;
    world.park().await;
    world.refreshable().await;
    world.issued().await;
    let swept = world.store.sweep(later(59), POLICY).await.unwrap();
    assert!(swept.is_nothing(), "{swept:?}");
}

async fn what_has_ended_is_swept_in_batches(database: Database) {
    let world = World::new(database).await;
    for _ in 0..3 {
        world.park().await;
    }
    let first = world.store.sweep(later(600), POLICY).await.unwrap();
    assert_eq!(first, Swept { interactions: 2, ..Swept::default() });
    let second = world.store.sweep(later(3600), POLICY).await.unwrap();
    assert_eq!(second, Swept { interactions: 1, browser_sessions: 1, ..Swept::default() });
    assert!(world.store.sweep(later(3600), POLICY).await.unwrap().is_nothing());
}

async fn a_dead_grant_goes_with_its_code_after_a_while(database: Database) {
    let world = World::new(database).await;
    let (revoked, refreshed, waiting) =
        (world.refreshable().await, world.refreshable().await, world.issued().await);
    let outcome = world.store.revoke_grant(&revoked, audit(AuditKind::RefreshReplayed)).await.unwrap();
    assert_eq!(outcome, Outcome::Won(()));
    assert_eq!(world.store.sweep(later(86_399), POLICY).await.unwrap().grants, 0);
    assert_eq!(world.store.sweep(later(86_400), POLICY).await.unwrap().grants, 2);
    assert_eq!(world.store.grant(&revoked).await.unwrap(), None);
    assert_eq!(world.store.authorization_code(&waiting.code.id).await.unwrap(), None);
    assert_eq!(world.store.sweep(later(86_400 + 4999), POLICY).await.unwrap().grants, 0);
    assert!(world.is_alive(&refreshed).await);
    assert_eq!(world.store.sweep(later(86_400 + 5000), POLICY).await.unwrap().grants, 1);
    assert_eq!(world.database.count("authorization_codes").await, 0);
}

async fn only_clients_that_never_got_a_grant_are_swept(database: Database) {
    let world = World::new(database).await;
    for id in ["used", "unused"] {
        world.registered(client(id, ClientOrigin::Dynamic), id).await;
    }
    let mut issue = world.completed();
    issue.grant.client = client_id("used");
    issue.consents.clear();
    assert_eq!(world.issue(&issue).await, Outcome::Won(()));
    let outcome = world.store.revoke_grant(&issue.grant.id, audit(AuditKind::CodeReplayed)).await.unwrap();
    assert_eq!(outcome, Outcome::Won(()));
    assert_eq!(world.store.sweep(later(WEEK - 1), POLICY).await.unwrap().clients, 0);
    assert_eq!(world.store.sweep(later(WEEK), POLICY).await.unwrap().clients, 1);
    assert_eq!(world.database.count("grants").await, 0, "its grant is long gone");
    assert!(world.store.client(&client_id("used")).await.unwrap().is_some());
    assert!(world.store.client(&client_id("app")).await.unwrap().is_some(), "declared");
    assert_eq!(world.store.client(&client_id("unused")).await.unwrap(), None);
}

async fn registering_again_renews_an_unused_client(database: Database) {
    let world = World::new(database).await;
    let mut candidate = client("first", ClientOrigin::Dynamic);
    for seconds in [0, 6 * 86_400] {
        candidate.registered_at = later(seconds);
        let registered = world.registered(candidate, "digest").await;
        assert_eq!((registered.id, registered.registered_at), (client_id("first"), NOW));
        candidate = client("second", ClientOrigin::Dynamic);
    }
    assert_eq!(world.store.sweep(later(WEEK), POLICY).await.unwrap().clients, 0);
    assert_eq!(world.store.sweep(later(WEEK + 6 * 86_400), POLICY).await.unwrap().clients, 1);
}

async fn old_audit_events_are_swept(database: Database) {
    let world = World::new(database).await;
    world.store.record(audit_at(later(100), AuditKind::LoggedOut)).await.unwrap();
    let policy = SweepPolicy { audit_kept: Duration::from_secs(50), ..POLICY };
    assert_eq!(world.store.sweep(later(50), policy).await.unwrap().audit_events, 0);
    assert_eq!(world.store.sweep(later(51), policy).await.unwrap().audit_events, 1);
    assert_eq!(world.store.audit_events(None, 9).await.unwrap().len(), 1);
}

async fn a_client_that_was_consented_to_or_suspended_is_not_swept(database: Database) {
    let world = World::new(database).await;
    for id in ["consented", "suspended", "unused"] {
        world.registered(client(id, ClientOrigin::Dynamic), id).await;
    }
    world
        .database
        .execute(
            "INSERT INTO consents (user_id, client_id, tenant_id, resource, scope, redirect_host, given_at)
             VALUES ('alice', 'consented', 'acme', 'https://mcp.example.com/mcp', 'read', 'app.example', 1)",
        )
        .await;
    // Who registers the same again must still be known as suspended.
    let outcome = world.store.suspend_client(&client_id("suspended"), audit(AuditKind::Suspended)).await;
    assert_eq!(outcome.unwrap(), Outcome::Won(()));
    assert_eq!(world.store.sweep(later(WEEK), POLICY).await.unwrap().clients, 1);
    assert_eq!(
        world.database.texts("SELECT id FROM clients WHERE origin = 'dynamic' ORDER BY id").await,
        ["consented", "suspended"]
    );
}

async fn failed_logins_are_forgotten(database: Database) {
    let world = World::new(database).await;
    for (name, seconds) in [("a", 0), ("b", 0), ("c", 0), ("d", 1)] {
        let counted = world.store.count_login_failure(name.to_owned(), later(seconds)).await.unwrap();
        assert_eq!(counted, Outcome::Won(()));
    }
    assert_eq!(world.store.sweep(later(3599), POLICY).await.unwrap().login_failures, 0);
    // The browser session goes at the same moment.
    assert_eq!(world.store.sweep(later(3600), POLICY).await.unwrap().login_failures, 2);
    assert_eq!(world.store.sweep(later(3600), POLICY).await.unwrap().login_failures, 1);
    assert_eq!(world.database.texts("SELECT name_hash FROM login_failures").await, ["d"]);
}
