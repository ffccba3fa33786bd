//! Initial access tokens (RFC 7591 §1.2).

use gatelet::audit::AuditKind;
use gatelet::protocol::{
    Client, ClientId, ClientOrigin, Id, InitialAccessToken, InitialAccessTokenId, Timestamp,
};
use gatelet::store::{Admission, Declarations, Outcome, RegistrationOutcome, StoreError, SweepPolicy};

use crate::world::*;
use crate::{Database, cases};

cases![
    a_token_comes_back_as_it_was_until_it_is_revoked,
    two_tokens_have_two_names,
    of_32_registrations_with_a_token_for_five_five_are_let_in,
    a_token_that_is_not_good_lets_nobody_in,
    who_came_by_a_token_takes_no_place_and_stays,
    what_configuration_declares_keeps_its_count,
];

fn token(name: &str) -> InitialAccessToken {
    InitialAccessToken::new(InitialAccessTokenId::new(NOW, chance()), name, hash(name), NOW)
}

async fn issue(world: &World, token: &InitialAccessToken) -> Outcome {
    let audit = audit(AuditKind::InitialAccessTokenIssued);
    world.store.issue_initial_access_token(token.clone(), audit).await.unwrap()
}

async fn revoke(world: &World, token: &InitialAccessToken) -> Outcome {
    let audit = audit(AuditKind::InitialAccessTokenRevoked);
    world.store.revoke_initial_access_token(&token.id, audit).await.unwrap()
}

async fn register_at(world: &World, token: &InitialAccessToken, at: Timestamp) -> RegistrationOutcome {
    let id = ClientId::from(Id::new(at, chance()));
    let candidate = Client { registered_at: at, ..client(id.as_str(), ClientOrigin::Dynamic) };
    let admission = Admission::Token(Box::new(token.clone()));
    let event = audit_at(at, AuditKind::ClientRegistered).client(&id);
    world.store.register_client(candidate, admission, event).await.unwrap()
}

async fn stored(world: &World, token: &InitialAccessToken) -> InitialAccessToken {
    world.store.initial_access_token(&token.id).await.unwrap().unwrap()
}

async fn a_token_comes_back_as_it_was_until_it_is_revoked(database: Database) {
    let world = World::new(database).await;
    let mut full = token("b");
    full.scopes = Some(scope("read write"));
    full.machines = true;
    full.max_uses = Some(3);
    full.expires_at = Some(later(100));
    let bare = token("a");
    for token in [&full, &bare] {
        assert_eq!(issue(&world, token).await, Outcome::Won(()));
        assert_eq!(stored(&world, token).await, *token);
    }
    assert_eq!(world.store.initial_access_tokens().await.unwrap(), [bare.clone(), full.clone()]);
    assert_eq!(revoke(&world, &full).await, Outcome::Won(()));
    assert_eq!(revoke(&world, &full).await, Outcome::Lost);
    assert_eq!(world.store.initial_access_token(&full.id).await.unwrap(), None);
    assert_eq!(world.store.initial_access_tokens().await.unwrap(), [bare]);
    assert_eq!(world.database.count("audit_events WHERE kind LIKE 'initial_access_token_%'").await, 3);
}

async fn two_tokens_have_two_names(database: Database) {
    let world = World::new(database).await;
    let outcomes = race(|_| {
        let world = world.clone();
        async move { issue(&world, &token("ci")).await }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
}

async fn of_32_registrations_with_a_token_for_five_five_are_let_in(database: Database) {
    // RFC 7591 §3
    let world = World::new(database).await;
    let five = InitialAccessToken { max_uses: Some(5), ..token("five") };
    assert_eq!(issue(&world, &five).await, Outcome::Won(()));
    let outcomes = race(|_| {
        let (world, token) = (world.clone(), five.clone());
        async move { register_at(&world, &token, NOW).await }
    })
    .await;
    let spent = outcomes.iter().filter(|outcome| **outcome == RegistrationOutcome::TokenSpent).count();
    assert_eq!(spent, RACERS - 5);
    assert_eq!(world.database.count("clients WHERE origin = 'dynamic'").await, 5);
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_registered'").await, 5);
    let five = stored(&world, &five).await;
    assert_eq!((five.uses, five.remaining(), five.last_used_at), (5, Some(0), Some(NOW)));
}

async fn a_token_that_is_not_good_lets_nobody_in(database: Database) {
    // RFC 6750 §3.1: expired, revoked, or invalid for other reasons
    let world = World::new(database).await;
    let expiring = InitialAccessToken { expires_at: Some(later(10)), ..token("expiring") };
    let revoked = token("revoked");
    for token in [&expiring, &revoked] {
        assert_eq!(issue(&world, token).await, Outcome::Won(()));
        assert!(matches!(register_at(&world, token, later(9)).await, RegistrationOutcome::Registered(_)));
    }
    assert_eq!(register_at(&world, &expiring, later(10)).await, RegistrationOutcome::TokenSpent);
    assert_eq!(revoke(&world, &revoked).await, Outcome::Won(()));
    assert_eq!(register_at(&world, &revoked, later(9)).await, RegistrationOutcome::TokenSpent);
    let exchanged = InitialAccessToken { secret_hash: hash("another"), ..expiring.clone() };
    assert_eq!(register_at(&world, &exchanged, later(9)).await, RegistrationOutcome::TokenSpent);
    assert_eq!(stored(&world, &expiring).await.uses, 1, "what was refused is not counted");
}

async fn who_came_by_a_token_takes_no_place_and_stays(database: Database) {
    let world = World::new(database).await;
    let token = token("ci");
    assert_eq!(issue(&world, &token).await, Outcome::Won(()));
    for _ in 0..20 {
        // More than may wait, were they to wait.
        let outcome = register_at(&world, &token, NOW).await;
        assert!(matches!(outcome, RegistrationOutcome::Registered(_)), "{outcome:?}");
    }
    let day = std::time::Duration::from_secs(86_400);
    let policy =
        SweepPolicy { dead_grant_kept: day, unused_client_kept: day, audit_kept: 1000 * day, batch: 100 };
    world.store.sweep(later(100 * 86_400), policy).await.unwrap();
    assert_eq!(world.database.count("clients WHERE origin = 'dynamic'").await, 20);
}

fn declaring(tokens: Vec<InitialAccessToken>) -> Declarations {
    Declarations { registration_tokens: tokens, ..declarations() }
}

async fn what_configuration_declares_keeps_its_count(database: Database) {
    let world = World::new(database).await;
    let declared = InitialAccessToken { max_uses: Some(3), ..token("declared") };
    let admins = token("admins");
    assert_eq!(issue(&world, &admins).await, Outcome::Won(()));
    world.store.reconcile(declaring(vec![declared.clone()]), NOW).await.unwrap();
    let known = stored(&world, &declared).await;
    assert_eq!(known, InitialAccessToken { is_declared: true, ..declared.clone() });
    assert!(matches!(register_at(&world, &known, NOW).await, RegistrationOutcome::Registered(_)));
    // The next start draws another identifier, and the operator has another text and another limit.
    let again = InitialAccessToken { max_uses: Some(1), secret_hash: hash("new"), ..token("declared") };
    world.store.reconcile(declaring(vec![again.clone()]), later(5)).await.unwrap();
    let known = stored(&world, &declared).await;
    assert_eq!((known.uses, known.remaining(), &known.secret_hash), (1, Some(0), &hash("new")));
    assert_eq!(revoke(&world, &known).await, Outcome::Lost, "it would be back at the next start");
    let taken = world.store.reconcile(declaring(vec![token("admins")]), NOW).await;
    assert!(matches!(taken, Err(StoreError::TakenByAnother { .. })), "{taken:?}");
    world.store.reconcile(declaring(Vec::new()), NOW).await.unwrap();
    assert_eq!(world.store.initial_access_tokens().await.unwrap(), [admins]);
}
