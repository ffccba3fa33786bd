//! Suspending ends what was given.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::GrantId;
use gatelet::store::Outcome;

use crate::world::*;
use crate::{Database, cases};

cases![
    a_suspended_person_loses_sessions_and_grants,
    a_suspended_client_loses_its_grants,
    a_suspended_tenant_loses_its_grants,
    a_grant_is_dead_as_soon_as_someone_it_names_no_longer_stands,
    suspending_happens_once,
];

async fn assert_dead(world: &World, grant: &GrantId) {
    let known = world.store.grant(grant).await.unwrap().unwrap();
    assert_eq!((known.grant.revoked_at, known.is_alive), (Some(NOW), false));
    assert_eq!(rotate(world, grant).await, Outcome::Lost);
}

async fn rotate(world: &World, grant: &GrantId) -> Outcome {
    let audit = audit_at(later(1), AuditKind::RefreshRotated);
    world.store.rotate_refresh(grant, 0, later(900), audit).await.unwrap()
}

async fn a_suspended_person_loses_sessions_and_grants(database: Database) {
    let world = World::new(database).await;
    let (grant, waiting) = (world.refreshable().await, world.issued().await);
    let suspended = world.store.suspend_user(&user_id("alice"), audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    assert_dead(&world, &grant).await;
    assert_eq!(world.redeem(&waiting.code.id).await, Outcome::Lost);
    assert_eq!(world.issue(&world.completed()).await, Outcome::Lost);
    let session = world.store.browser_session(&world.session, NOW, Duration::from_secs(60)).await.unwrap();
    assert_eq!(session, None);
    let account = world.store.account_by_username("alice").await.unwrap().unwrap();
    assert_eq!(account.user.suspended_at, Some(NOW));
}

async fn a_suspended_client_loses_its_grants(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    let suspended = world.store.suspend_client(&client_id("app"), audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    assert_dead(&world, &grant).await;
    assert_eq!(world.store.client(&client_id("app")).await.unwrap(), None);
    assert_eq!(world.issue(&world.completed()).await, Outcome::Lost);
}

async fn a_suspended_tenant_loses_its_grants(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    let mut elsewhere = world.completed();
    elsewhere.grant.tenant = tenant_id("globex");
    assert_eq!(world.issue(&elsewhere).await, Outcome::Won(()));
    let suspended =
        world.store.suspend_tenant(&tenant_id("acme"), audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    assert_dead(&world, &grant).await;
    assert_eq!(world.issue(&world.completed()).await, Outcome::Lost);
    assert!(world.is_alive(&elsewhere.grant.id).await, "other tenants go on");
}

/// The race that revocation can lose: the grant was inserted a moment after. Every use asks again.
async fn a_grant_is_dead_as_soon_as_someone_it_names_no_longer_stands(database: Database) {
    let world = World::new(database).await;
    let (grant, waiting) = (world.refreshable().await, world.issued().await);
    for (down, up) in [
        ("UPDATE users SET suspended_at = 1 WHERE id = 'alice'", "UPDATE users SET suspended_at = NULL"),
        ("UPDATE clients SET suspended_at = 1 WHERE id = 'app'", "UPDATE clients SET suspended_at = NULL"),
        ("UPDATE tenants SET suspended_at = 1 WHERE id = 'acme'", "UPDATE tenants SET suspended_at = NULL"),
        (
            "UPDATE clients SET id = 'gone' WHERE id = 'app'",
            "UPDATE clients SET id = 'app' WHERE id = 'gone'",
        ),
        (
            "DELETE FROM memberships WHERE user_id = 'alice' AND tenant_id = 'acme'",
            "INSERT INTO memberships (user_id, tenant_id, roles) VALUES ('alice', 'acme', '[]')",
        ),
    ] {
        world.database.execute(down).await;
        assert!(!world.is_alive(&grant).await, "{down}");
        assert_eq!(rotate(&world, &grant).await, Outcome::Lost, "{down}");
        assert_eq!(world.redeem(&waiting.code.id).await, Outcome::Lost, "{down}");
        world.database.execute(up).await;
        assert!(world.is_alive(&grant).await, "{up}");
    }
    assert_eq!(rotate(&world, &grant).await, Outcome::Won(()));
    assert_eq!(world.redeem(&waiting.code.id).await, Outcome::Won(()));
}

async fn suspending_happens_once(database: Database) {
    let world = World::new(database).await;
    let outcomes = race(|_| {
        let store = world.store.clone();
        async move { store.suspend_user(&user_id("alice"), audit(AuditKind::Suspended)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    let unknown = world.store.suspend_user(&user_id("nobody"), audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(unknown, Outcome::Lost);
    assert_eq!(world.database.count("audit_events WHERE kind = 'suspended'").await, 1);
}
