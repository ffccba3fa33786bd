//! Authorization codes.

use gatelet::audit::AuditKind;
use gatelet::protocol::code::MAX_WRONG_VERIFIERS;
use gatelet::store::Outcome;

use crate::world::*;
use crate::{Database, cases};

cases![
    a_code_is_redeemed_once,
    redeeming_starts_the_chain_of_refresh_tokens,
    a_code_without_refresh_starts_none,
    a_code_expires,
    a_code_dies_of_wrong_verifiers,
    a_code_of_a_revoked_grant_is_not_redeemed,
    a_spent_code_is_still_found,
    an_unknown_code_is_not_found,
];

async fn a_code_is_redeemed_once(database: Database) {
    let world = World::new(database).await;
    for refresh in [None, Some(first_refresh())] {
        let code = world.issued().await.code.id;
        let outcomes = race(|_| {
            let (store, code) = (world.store.clone(), code.clone());
            async move { store.redeem_code(&code, refresh, audit(AuditKind::CodeRedeemed)).await.unwrap() }
        })
        .await;
        assert_eq!(winners(&outcomes), 1, "{refresh:?}");
    }
    assert_eq!(world.database.count("audit_events WHERE kind = 'code_redeemed'").await, 2);
}

async fn redeeming_starts_the_chain_of_refresh_tokens(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    assert_eq!(world.store.grant(&grant).await.unwrap().unwrap().grant.refresh, Some(first_refresh()));
}

async fn a_code_without_refresh_starts_none(database: Database) {
    let world = World::new(database).await;
    let issue = world.issued().await;
    let redeemed =
        world.store.redeem_code(&issue.code.id, None, audit(AuditKind::CodeRedeemed)).await.unwrap();
    assert_eq!(redeemed, Outcome::Won(()));
    assert_eq!(world.store.grant(&issue.grant.id).await.unwrap().unwrap().grant.refresh, None);
}

async fn a_code_expires(database: Database) {
    let world = World::new(database).await;
    for (seconds, outcome) in [(60, Outcome::Lost), (59, Outcome::Won(()))] {
        let code = world.issued().await.code.id;
        let audit = audit_at(later(seconds), AuditKind::CodeRedeemed);
        assert_eq!(world.store.redeem_code(&code, None, audit).await.unwrap(), outcome, "{seconds}");
    }
}

async fn a_code_dies_of_wrong_verifiers(database: Database) {
    let world = World::new(database).await;
    let code = world.issued().await.code.id;
    let outcomes = race(|_| {
        let (store, code) = (world.store.clone(), code.clone());
        async move { store.count_wrong_verifier(&code, audit(AuditKind::WrongVerifier)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), MAX_WRONG_VERIFIERS as usize);
    let known = world.store.authorization_code(&code).await.unwrap().unwrap();
    assert_eq!(known.code.wrong_verifiers, MAX_WRONG_VERIFIERS);
    assert_eq!(world.redeem(&code).await, Outcome::Lost);

    let code = world.issued().await.code.id;
    for _ in 1..MAX_WRONG_VERIFIERS {
        let counted = world.store.count_wrong_verifier(&code, audit(AuditKind::WrongVerifier)).await.unwrap();
        assert_eq!(counted, Outcome::Won(()));
    }
    assert_eq!(world.redeem(&code).await, Outcome::Won(()), "one guess is left");
    let counted = world.store.count_wrong_verifier(&code, audit(AuditKind::WrongVerifier)).await.unwrap();
    assert_eq!(counted, Outcome::Lost, "a spent code is not counted against");
}

async fn a_code_of_a_revoked_grant_is_not_redeemed(database: Database) {
    let world = World::new(database).await;
    let issue = world.issued().await;
    let revoked = world.store.revoke_grant(&issue.grant.id, audit(AuditKind::CodeReplayed)).await.unwrap();
    assert_eq!(revoked, Outcome::Won(()));
    assert_eq!(world.redeem(&issue.code.id).await, Outcome::Lost);
    let known = world.store.authorization_code(&issue.code.id).await.unwrap().unwrap();
    assert_eq!((known.code.redeemed_at, known.grant.is_alive), (None, false));
}

async fn a_spent_code_is_still_found(database: Database) {
    let world = World::new(database).await;
    let code = world.issued().await.code.id;
    assert_eq!(world.redeem(&code).await, Outcome::Won(()));
    let known = world.store.authorization_code(&code).await.unwrap().unwrap();
    assert_eq!((known.code.redeemed_at, known.grant.is_alive), (Some(NOW), true));
}

async fn an_unknown_code_is_not_found(database: Database) {
    let world = World::new(database).await;
    let code = world.completed().code.id;
    assert_eq!(world.store.authorization_code(&code).await.unwrap(), None);
    assert_eq!(world.redeem(&code).await, Outcome::Lost);
}
