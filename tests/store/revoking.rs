//! Access tokens that are revoked one by one.

use gatelet::audit::AuditKind;
use gatelet::store::Outcome;

use crate::sweeping::POLICY;
use crate::world::*;
use crate::{Database, cases};

cases![
    an_access_token_is_revoked_once,
    of_32_revocations_one_wins,
    a_revoked_token_finds_no_grant_and_the_others_do,
    an_expired_one_is_forgotten_by_every_clock,
];

async fn an_access_token_is_revoked_once(database: Database) {
    // RFC 7009 §2.1
    let world = World::new(database).await;
    assert!(!world.store.is_access_token_revoked("a").await.unwrap());
    assert_eq!(world.revoke_token("a").await, Outcome::Won(()));
    assert_eq!(world.revoke_token("a").await, Outcome::Lost);
    assert!(world.store.is_access_token_revoked("a").await.unwrap());
    assert!(!world.store.is_access_token_revoked("b").await.unwrap());
    let events = world.store.audit_events(None, 100).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.kind == "access_token_revoked").count(), 1);
}

async fn of_32_revocations_one_wins(database: Database) {
    let world = World::new(database).await;
    let outcomes = race(|_| {
        let world = world.clone();
        async move { world.revoke_token("a").await }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(world.database.count("revoked_tokens").await, 1);
}

async fn a_revoked_token_finds_no_grant_and_the_others_do(database: Database) {
    // RFC 7662 §4
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    let (known, username) = world.store.grant_behind("a", &grant).await.unwrap().unwrap();
    assert_eq!(Some(&known), world.store.grant(&grant).await.unwrap().as_ref());
    assert_eq!(username.as_deref(), Some("ALICE"));
    assert!(world.revoke_token("a").await.is_won());
    assert_eq!(world.store.grant_behind("a", &grant).await.unwrap(), None);
    let (known, _) = world.store.grant_behind("b", &grant).await.unwrap().unwrap();
    assert!(known.is_alive);
    let audit = audit(AuditKind::RefreshTokenRevoked);
    assert_eq!(world.store.revoke_grant(&grant, audit).await.unwrap(), Outcome::Won(()));
    let (known, _) = world.store.grant_behind("b", &grant).await.unwrap().unwrap();
    assert!(!known.is_alive);
}

async fn an_expired_one_is_forgotten_by_every_clock(database: Database) {
    let world = World::new(database).await;
    assert!(world.revoke_token("a").await.is_won());
    // It expires after 900 seconds; another instance may be a minute behind.
    assert_eq!(world.store.sweep(later(959), POLICY).await.unwrap().revoked_tokens, 0);
    assert!(world.store.is_access_token_revoked("a").await.unwrap());
    assert_eq!(world.store.sweep(later(960), POLICY).await.unwrap().revoked_tokens, 1);
    assert!(!world.store.is_access_token_revoked("a").await.unwrap());
}
