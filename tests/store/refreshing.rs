//! Chains of refresh tokens.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::refresh::MAX_RETRIES;
use gatelet::protocol::{GrantId, Timestamp};
use gatelet::store::{Outcome, RetryLimit};

use crate::world::*;
use crate::{Database, cases};

cases![
    a_refresh_token_is_rotated_once,
    rotation_moves_the_chain_on,
    rotation_needs_the_live_generation,
    a_chain_ends_for_want_of_use_and_by_age,
    a_retry_is_counted_up_to_its_limit,
    a_retry_outside_the_window_is_lost,
    rotation_begins_a_new_count_of_retries,
    a_grant_is_revoked_once_and_its_chain_with_it,
];

const LIMIT: RetryLimit = RetryLimit { window: Duration::from_secs(60), times: MAX_RETRIES };

async fn rotate(world: &World, grant: &GrantId, generation: u32, at: Timestamp) -> Outcome {
    let idle = at.plus(Duration::from_secs(1000));
    world
        .store
        .rotate_refresh(grant, generation, idle, audit_at(at, AuditKind::RefreshRotated))
        .await
        .unwrap()
}

async fn retry(world: &World, grant: &GrantId, generation: u32, at: Timestamp) -> Outcome {
    world
        .store
        .retry_refresh(grant, generation, LIMIT, audit_at(at, AuditKind::RefreshRetried))
        .await
        .unwrap()
}

async fn a_refresh_token_is_rotated_once(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    let outcomes = race(|_| {
        let (world, grant) = (world.clone(), grant.clone());
        async move { rotate(&world, &grant, 0, later(1)).await }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(world.database.count("audit_events WHERE kind = 'refresh_rotated'").await, 1);
    assert_eq!(world.store.grant(&grant).await.unwrap().unwrap().grant.refresh.unwrap().generation, 1);
}

async fn rotation_moves_the_chain_on(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    for generation in 0..5 {
        let at = later(900 * u64::from(generation) + 10);
        assert_eq!(rotate(&world, &grant, generation, at).await, Outcome::Won(()));
        let state = world.store.grant(&grant).await.unwrap().unwrap().grant.refresh.unwrap();
        assert_eq!((state.generation, state.rotated_at), (generation + 1, at));
        assert_eq!(state.idle_expires_at, at.plus(Duration::from_secs(1000)));
        assert_eq!(state.expires_at, first_refresh().expires_at, "the chain's end does not move");
    }
}

async fn rotation_needs_the_live_generation(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    assert_eq!(rotate(&world, &grant, 1, later(1)).await, Outcome::Lost);
    assert_eq!(rotate(&world, &grant, 0, later(1)).await, Outcome::Won(()));
    assert_eq!(rotate(&world, &grant, 0, later(1)).await, Outcome::Lost);
    let fresh = world.issued().await.grant.id;
    assert_eq!(rotate(&world, &fresh, 0, later(1)).await, Outcome::Lost, "no chain has been started");
}

async fn a_chain_ends_for_want_of_use_and_by_age(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    assert_eq!(rotate(&world, &grant, 0, later(1000)).await, Outcome::Lost);
    assert_eq!(rotate(&world, &grant, 0, later(999)).await, Outcome::Won(()));
    world.database.execute("UPDATE grants SET refresh_idle_expires_at = 4000000000").await;
    assert_eq!(rotate(&world, &grant, 1, later(5000)).await, Outcome::Lost);
    assert_eq!(rotate(&world, &grant, 1, later(4999)).await, Outcome::Won(()));
}

async fn a_retry_is_counted_up_to_its_limit(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    assert_eq!(rotate(&world, &grant, 0, later(1)).await, Outcome::Won(()));
    let outcomes = race(|_| {
        let (world, grant) = (world.clone(), grant.clone());
        async move {
            let mut won = 0;
            for _ in 0..4 {
                won += u32::from(retry(&world, &grant, 1, later(2)).await.is_won());
            }
            won
        }
    })
    .await;
    assert_eq!(outcomes.iter().sum::<u32>(), MAX_RETRIES);
    let recorded = world.database.count("audit_events WHERE kind = 'refresh_retried'").await;
    assert_eq!(recorded, MAX_RETRIES as usize);
    let state = world.store.grant(&grant).await.unwrap().unwrap().grant.refresh.unwrap();
    assert_eq!(state.retries, MAX_RETRIES);
}

async fn a_retry_outside_the_window_is_lost(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    assert_eq!(rotate(&world, &grant, 0, later(100)).await, Outcome::Won(()));
    assert_eq!(retry(&world, &grant, 1, later(160)).await, Outcome::Lost);
    assert_eq!(retry(&world, &grant, 0, later(101)).await, Outcome::Lost, "of another generation");
    assert_eq!(retry(&world, &grant, 1, later(159)).await, Outcome::Won(()));
}

async fn rotation_begins_a_new_count_of_retries(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    assert_eq!(rotate(&world, &grant, 0, later(1)).await, Outcome::Won(()));
    assert_eq!(retry(&world, &grant, 1, later(2)).await, Outcome::Won(()));
    assert_eq!(rotate(&world, &grant, 1, later(3)).await, Outcome::Won(()));
    assert_eq!(world.store.grant(&grant).await.unwrap().unwrap().grant.refresh.unwrap().retries, 0);
}

async fn a_grant_is_revoked_once_and_its_chain_with_it(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    assert_eq!(rotate(&world, &grant, 0, later(1)).await, Outcome::Won(()));
    let outcomes = race(|_| {
        let (store, grant) = (world.store.clone(), grant.clone());
        async move { store.revoke_grant(&grant, audit(AuditKind::RefreshReplayed)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    let known = world.store.grant(&grant).await.unwrap().unwrap();
    assert_eq!((known.grant.revoked_at, known.is_alive), (Some(NOW), false));
    assert_eq!(world.database.texts("SELECT revoked_why FROM grants").await, ["refresh_replayed"]);
    assert_eq!(rotate(&world, &grant, 1, later(2)).await, Outcome::Lost);
    assert_eq!(retry(&world, &grant, 1, later(2)).await, Outcome::Lost);
}
