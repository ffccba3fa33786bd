//! What holds for every verb: all or nothing, alone, and answered after the commit.

use std::time::Duration;

use gatelet::store::{Outcome, StoreError};
use tokio::task::JoinSet;

use crate::world::*;
use crate::{Database, cases};

cases![
    a_failing_verb_does_not_hurt_its_neighbours,
    the_answer_comes_after_the_commit,
    a_dropped_request_leaves_nothing_half_done,
    many_requests_at_once_all_succeed,
];

async fn a_failing_verb_does_not_hurt_its_neighbours(database: Database) {
    let world = World::new(database).await;
    let existing = world.issued().await;
    let answers = race(|number| {
        let (world, existing) = (world.clone(), existing.clone());
        async move {
            let mut issue = world.completed();
            if number % 2 == 0 {
                // The grant is inserted, then the code's identifier is found taken.
                issue.code.id = existing.code.id.clone();
            }
            let event = audit(gatelet::audit::AuditKind::GrantIssued);
            (number, issue.grant.id.clone(), world.store.issue(issue, event).await)
        }
    })
    .await;
    for (number, grant, answer) in answers {
        let stored = world.store.grant(&grant).await.unwrap();
        if number % 2 == 0 {
            assert!(matches!(answer, Err(StoreError::Database(_))), "{answer:?}");
            assert_eq!(stored, None);
        } else {
            assert!(matches!(answer, Ok(Outcome::Won(()))), "{answer:?}");
            assert!(stored.is_some());
        }
    }
    assert_eq!(world.issue(&world.completed()).await, Outcome::Won(()), "the store goes on");
}

async fn the_answer_comes_after_the_commit(database: Database) {
    let world = World::new(database).await;
    let seen = race(|_| {
        let world = world.clone();
        async move {
            let grant = world.issued().await.grant.id;
            // A connection of its own, which sees only what has been committed.
            world.database.count(&format!("grants WHERE id = '{grant}'")).await
        }
    })
    .await;
    assert_eq!(seen, [1; RACERS]);
}

async fn a_dropped_request_leaves_nothing_half_done(database: Database) {
    let world = World::new(database).await;
    let mut tasks = JoinSet::new();
    for number in 0..96u64 {
        let mut issue = world.completed();
        issue.interaction = Some(world.park().await);
        let racer = world.clone();
        tasks.spawn(async move {
            let impatient = Duration::from_micros(number * number);
            let _ = tokio::time::timeout(impatient, racer.issue(&issue)).await;
            issue
        });
    }
    let issues = tasks.join_all().await;
    world.store.close().await;

    let store = world.database.open().await;
    let events = store.audit_events(None, 1000).await.unwrap();
    let mut done = 0;
    for issue in issues {
        let parked = store.interaction(&issue.interaction.unwrap(), &world.session, NOW).await.unwrap();
        let code = store.authorization_code(&issue.code.id).await.unwrap();
        let grant = store.grant(&issue.grant.id).await.unwrap();
        let recorded = events.iter().any(|event| event.grant.as_ref() == Some(&issue.grant.id));
        let is_done = grant.is_some();
        assert_eq!((code.is_some(), recorded, parked.is_none()), (is_done, is_done, is_done));
        done += usize::from(is_done);
    }
    assert!(done > 0, "some requests were patient enough");
}

async fn many_requests_at_once_all_succeed(database: Database) {
    let world = World::new(database).await;
    let grants = race(|_| {
        let world = world.clone();
        async move {
            let mut grants = Vec::new();
            for _ in 0..8 {
                grants.push(world.refreshable().await);
            }
            grants
        }
    })
    .await;
    assert_eq!(grants.concat().len(), 8 * RACERS);
    assert_eq!(world.database.count("grants WHERE refresh_generation = 0").await, 8 * RACERS);
}
