//! Suspending ends what was given.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::{Client, ClientOrigin, GrantId};
use gatelet::store::Outcome;

use crate::world::*;
use crate::{Database, cases};

cases![
    a_suspended_person_loses_sessions_and_grants,
    a_suspended_client_loses_its_grants,
    a_suspended_tenant_loses_its_grants,
    a_grant_is_dead_as_soon_as_someone_it_names_no_longer_stands,
    suspending_happens_once,
    what_was_suspended_is_resumed_once_and_gets_nothing_back,
    what_was_withdrawn_from_configuration_is_not_resumed,
    what_a_machine_got_before_it_was_suspended_stays_ended,
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

async fn what_was_suspended_is_resumed_once_and_gets_nothing_back(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    let event = || audit(AuditKind::Resumed);
    let (alice, app, acme) = (user_id("alice"), client_id("app"), tenant_id("acme"));
    assert_eq!(world.store.resume_user(&alice, event()).await.unwrap(), Outcome::Lost, "not suspended");
    assert!(world.store.suspend_user(&alice, audit(AuditKind::Suspended)).await.unwrap().is_won());
    assert!(world.store.suspend_client(&app, audit(AuditKind::Suspended)).await.unwrap().is_won());
    assert!(world.store.suspend_tenant(&acme, audit(AuditKind::Suspended)).await.unwrap().is_won());
    let outcomes = race(|_| {
        let (world, alice) = (world.clone(), alice.clone());
        async move { world.store.resume_user(&alice, audit(AuditKind::Resumed)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(world.store.resume_client(&app, event()).await.unwrap(), Outcome::Won(()));
    assert_eq!(world.store.resume_tenant(&acme, event()).await.unwrap(), Outcome::Won(()));
    for outcome in [
        world.store.resume_client(&app, event()).await.unwrap(),
        world.store.resume_tenant(&acme, event()).await.unwrap(),
        world.store.resume_client(&client_id("nobody"), event()).await.unwrap(),
    ] {
        assert_eq!(outcome, Outcome::Lost);
    }
    assert_eq!(world.database.count("audit_events WHERE kind = 'resumed'").await, 3);
    assert_dead(&world, &grant).await;
    let session = world.store.browser_session(&world.session, NOW, Duration::from_secs(60)).await.unwrap();
    assert_eq!(session, None);
    assert_eq!(world.log_in(&world.session, "alice").await, Outcome::Won(()));
    assert_eq!(world.issue(&world.completed()).await, Outcome::Won(()), "and what comes now is good");
}

async fn what_was_withdrawn_from_configuration_is_not_resumed(database: Database) {
    let world = World::new(database).await;
    world.refreshable().await;
    world.store.reconcile(Default::default(), NOW).await.unwrap();
    let event = || audit(AuditKind::Resumed);
    for outcome in [
        world.store.resume_user(&user_id("alice"), event()).await.unwrap(),
        world.store.resume_client(&client_id("app"), event()).await.unwrap(),
        world.store.resume_tenant(&tenant_id("acme"), event()).await.unwrap(),
    ] {
        assert_eq!(outcome, Outcome::Lost);
    }
}

async fn what_a_machine_got_before_it_was_suspended_stays_ended(database: Database) {
    // RFC 7009 §2.1: there is no grant whose end would say so.
    let world = World::new(database).await;
    let machine = |id: &str| Client { tenant: Some(tenant_id("acme")), ..client(id, ClientOrigin::Config) };
    let mut declared = declarations();
    declared.clients.extend([machine("robot"), machine("twin")]);
    world.store.reconcile(declared.clone(), NOW).await.unwrap();
    let ended = async |id: &str, seconds: u64| {
        world.store.is_machine_token_ended("jti", &client_id(id), later(seconds)).await.unwrap()
    };
    assert!(!ended("robot", 0).await, "of the second in which it came");
    let at = |seconds: u64, kind: AuditKind| audit_at(later(seconds), kind);
    let (robot, acme) = (client_id("robot"), tenant_id("acme"));
    assert!(world.store.suspend_client(&robot, at(10, AuditKind::Suspended)).await.unwrap().is_won());
    assert!(world.store.resume_client(&robot, at(10, AuditKind::Resumed)).await.unwrap().is_won());
    assert_eq!(
        [ended("robot", 9).await, ended("robot", 10).await, ended("robot", 11).await],
        [true, true, false]
    );
    assert!(!ended("twin", 9).await);
    assert!(world.store.suspend_tenant(&acme, at(20, AuditKind::Suspended)).await.unwrap().is_won());
    assert!(world.store.resume_tenant(&acme, at(20, AuditKind::Resumed)).await.unwrap().is_won());
    assert_eq!(
        [ended("robot", 20).await, ended("twin", 20).await, ended("twin", 21).await],
        [true, true, false]
    );
    // One that configuration leaves out for a while.
    world.store.reconcile(declarations(), later(30)).await.unwrap();
    declared.clients.iter_mut().for_each(|client| client.registered_at = later(31));
    world.store.reconcile(declared, later(31)).await.unwrap();
    assert_eq!([ended("twin", 29).await, ended("twin", 31).await], [true, false]);
}
