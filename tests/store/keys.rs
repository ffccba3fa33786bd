//! Server secrets and signing keys: instances agree.

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::protocol::{Sealed, SigningAlg, Timestamp};
use gatelet::store::{
    KeyRevoked, KeyRotation, Outcome, Resealed, Rewrap, SigningKey, SigningKeyState, Store,
};

use crate::world::*;
use crate::{Database, cases};

cases![
    instances_that_start_at_once_agree_on_the_server_secret,
    instances_that_start_at_once_agree_on_the_signing_key,
    each_algorithm_has_a_signing_key,
    a_signing_key_is_published_used_retired_and_deleted,
    a_signing_key_is_published_once,
    a_signing_key_is_rotated_once,
    two_instances_rotate_once_each_time,
    a_key_does_not_sign_before_it_was_published_for_long_enough,
    a_waiting_key_can_be_told_when_to_take_over,
    a_key_that_is_brought_in_signs_at_once,
    a_revoked_key_is_gone_and_its_successor_signs,
    an_active_key_is_revoked_once,
    what_is_sealed_is_sealed_anew_all_or_nothing,
    no_key_is_added_under_a_key_encryption_key_that_was_replaced,
    sealing_anew_and_publishing_a_key_take_turns,
];

/// The name of the key under which everything is sealed, of eight characters as all of them.
const KEK: &str = "kek-0001";
const OTHER_KEK: &str = "kek-0002";

fn sealed(kek: &str, what: &str) -> Sealed {
    Sealed::from_stored(format!("{kek}.{what}"))
}

fn signing_key(kid: &str, alg: &str) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        alg: SigningAlg::parse(alg).unwrap(),
        sealed: sealed(KEK, kid),
        public_jwk: format!("{{\"kid\":\"{kid}\"}}"),
        state: SigningKeyState::Active,
        created_at: NOW,
        activate_at: None,
        activated_at: Some(NOW),
        retired_at: None,
        expires_at: None,
    }
}

/// A store with a server secret, and with an active key of that name.
async fn with_key(database: &Database, kid: &str) -> Store {
    let store = database.open().await;
    store.ensure_server_secret(server_secret(&format!("{KEK}.secret"))).await.unwrap();
    assert!(ensure(&store, kid, "RS256").await.is_won());
    store
}

async fn ensure(store: &Store, kid: &str, alg: &str) -> Outcome<SigningKey> {
    store.ensure_signing_key(signing_key(kid, alg)).await.unwrap()
}

fn fact(kind: AuditKind, seconds: u64) -> AuditEvent {
    AuditEvent::new(later(seconds), kind)
}

async fn publish(store: &Store, kid: &str) -> Outcome {
    store.publish_next_signing_key(signing_key(kid, "RS256"), fact(AuditKind::KeyPublished, 0)).await.unwrap()
}

async fn rotate(store: &Store, next: &str, active: &str, at: u64) -> Outcome {
    let rotation = KeyRotation {
        next: next.into(),
        active: active.into(),
        published_by: later(at),
        expires_at: later(at + 8),
        sealed_under: KEK.into(),
    };
    store.rotate_signing_key(rotation, fact(AuditKind::KeyRotated, at)).await.unwrap()
}

async fn revoke(store: &Store, kid: &str, was: SigningKeyState, fresh: &str) -> Outcome<KeyRevoked> {
    let audit = fact(AuditKind::KeyRevoked, 5);
    store.revoke_signing_key((kid, was), signing_key(fresh, "RS256"), later(99), audit).await.unwrap()
}

/// Name and state of every key, oldest first.
async fn states(store: &Store) -> Vec<(String, SigningKeyState)> {
    store.signing_keys().await.unwrap().into_iter().map(|key| (key.kid, key.state)).collect()
}

fn state(kid: &str, state: SigningKeyState) -> (String, SigningKeyState) {
    (kid.to_owned(), state)
}

use SigningKeyState::{Active, Next, Retired, Revoked};

async fn instances_that_start_at_once_agree_on_the_server_secret(database: Database) {
    let stores = [database.open().await, database.open().await];
    let answers = race(|number| {
        let store = stores[number % 2].clone();
        async move { store.ensure_server_secret(server_secret(&format!("secret {number}"))).await.unwrap() }
    })
    .await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(stores[0].server_secrets().await.unwrap(), [answers[0].clone()]);
}

async fn instances_that_start_at_once_agree_on_the_signing_key(database: Database) {
    let stores = [database.open().await, database.open().await];
    stores[0].ensure_server_secret(server_secret(&format!("{KEK}.secret"))).await.unwrap();
    let answers = race(|number| {
        let store = stores[number % 2].clone();
        async move { ensure(&store, &format!("key {number}"), "RS256").await.won().unwrap() }
    })
    .await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(stores[1].signing_keys().await.unwrap(), [answers[0].clone()]);
}

async fn each_algorithm_has_a_signing_key(database: Database) {
    let store = with_key(&database, "RS256").await;
    for alg in ["ES256", "RS256"] {
        assert_eq!(ensure(&store, alg, alg).await, Outcome::Won(signing_key(alg, alg)));
    }
    assert_eq!(store.signing_keys().await.unwrap().len(), 2);
}

async fn a_signing_key_is_published_used_retired_and_deleted(database: Database) {
    let store = with_key(&database, "old").await;
    assert_eq!(publish(&store, "new").await, Outcome::Won(()));
    assert_eq!(publish(&store, "newer").await, Outcome::Lost);
    assert_eq!(states(&store).await, [state("new", Next), state("old", Active)]);
    assert_eq!(rotate(&store, "new", "other", 1).await, Outcome::Lost);
    assert_eq!(rotate(&store, "new", "old", 1).await, Outcome::Won(()));
    assert_eq!(states(&store).await, [state("new", Active), state("old", Retired)]);
    let keys = store.signing_keys().await.unwrap();
    assert_eq!((keys[0].activated_at, keys[0].expires_at), (Some(later(1)), None));
    assert_eq!((keys[1].retired_at, keys[1].expires_at), (Some(later(1)), Some(later(9))));
    assert_eq!(ensure(&store, "newest", "RS256").await.won().unwrap().kid, "new");
    assert_eq!(store.delete_expired_signing_keys(later(8)).await.unwrap(), 0);
    assert_eq!(store.delete_expired_signing_keys(later(9)).await.unwrap(), 1);
    assert_eq!(states(&store).await, [state("new", Active)]);
    let kinds = database.texts("SELECT kind FROM audit_events ORDER BY at, id").await;
    assert_eq!(kinds, ["key_published", "key_rotated"]);
}

async fn a_signing_key_is_published_once(database: Database) {
    with_key(&database, "old").await;
    let stores = [database.open().await, database.open().await];
    let outcomes = race(|number| {
        let store = stores[number % 2].clone();
        async move { publish(&store, &format!("key {number}")).await }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(states(&stores[0]).await.iter().filter(|(_, state)| *state == Next).count(), 1);
}

async fn a_signing_key_is_rotated_once(database: Database) {
    let store = with_key(&database, "old").await;
    assert_eq!(publish(&store, "new").await, Outcome::Won(()));
    let outcomes = race(|_| {
        let store = store.clone();
        async move { rotate(&store, "new", "old", 1).await }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
}

async fn two_instances_rotate_once_each_time(database: Database) {
    let stores = [with_key(&database, "key 0").await, database.open().await];
    for round in 1..=32_u64 {
        let (active, next) = (format!("key {}", round - 1), format!("key {round}"));
        let (a, b) = tokio::join!(publish(&stores[0], &next), publish(&stores[1], &next));
        assert_eq!(winners(&[a, b]), 1, "publishing in round {round}");
        let (a, b) = tokio::join!(
            rotate(&stores[0], &next, &active, round),
            rotate(&stores[1], &next, &active, round)
        );
        assert_eq!(winners(&[a, b]), 1, "rotating in round {round}");
        let signing: Vec<_> =
            states(&stores[0]).await.into_iter().filter(|(_, state)| *state == Active).collect();
        assert_eq!(signing, [state(&next, Active)]);
    }
}

async fn a_key_does_not_sign_before_it_was_published_for_long_enough(database: Database) {
    // RFC 7517 §4.5: verifiers that keep the keys for a while know it by then
    let store = with_key(&database, "old").await;
    assert_eq!(publish(&store, "new").await, Outcome::Won(()));
    let rotation = KeyRotation {
        next: "new".into(),
        active: "old".into(),
        published_by: Timestamp::from_seconds(NOW.seconds() - 1),
        expires_at: later(9),
        sealed_under: KEK.into(),
    };
    let early = store.rotate_signing_key(rotation, fact(AuditKind::KeyRotated, 1)).await.unwrap();
    assert_eq!(early, Outcome::Lost);
    assert_eq!(states(&store).await, [state("new", Next), state("old", Active)]);
}

async fn a_waiting_key_can_be_told_when_to_take_over(database: Database) {
    let store = with_key(&database, "old").await;
    assert_eq!(store.hasten_signing_key("old", later(3)).await.unwrap(), Outcome::Lost, "it signs already");
    assert!(publish(&store, "new").await.is_won());
    assert_eq!(store.hasten_signing_key("new", later(3)).await.unwrap(), Outcome::Won(()));
    assert_eq!(store.signing_keys().await.unwrap()[0].activate_at, Some(later(3)));
    assert!(rotate(&store, "new", "old", 4).await.is_won());
    assert_eq!(store.signing_keys().await.unwrap()[0].activate_at, None);
}

async fn a_key_that_is_brought_in_signs_at_once(database: Database) {
    let store = with_key(&database, "old").await;
    let audit = || fact(AuditKind::KeyInstalled, 2);
    let install =
        async |kid| store.install_signing_key(signing_key(kid, "RS256"), later(9), audit()).await.unwrap();
    assert_eq!(install("old").await, Outcome::Lost, "the name is taken");
    assert_eq!(states(&store).await, [state("old", Active)], "and nothing has changed");
    assert_eq!(install("brought").await, Outcome::Won(()));
    assert_eq!(states(&store).await, [state("brought", Active), state("old", Retired)]);
    assert_eq!(store.signing_keys().await.unwrap()[1].expires_at, Some(later(9)));
}

async fn a_revoked_key_is_gone_and_its_successor_signs(database: Database) {
    let store = with_key(&database, "a").await;
    assert_eq!(revoke(&store, "a", Next, "f").await, Outcome::Lost, "it is in another state");
    assert_eq!(
        revoke(&store, "a", Active, "b").await,
        Outcome::Won(KeyRevoked::FreshTookOver { kid: "b".into() })
    );
    assert_eq!(states(&store).await, [state("a", Revoked), state("b", Active)]);
    let revoked = &store.signing_keys().await.unwrap()[0];
    assert_eq!(
        (revoked.sealed.as_str(), revoked.expires_at),
        ("", Some(later(99))),
        "the private part is gone"
    );
    assert_eq!(publish(&store, "a").await, Outcome::Lost, "its name is not given to another");
    assert!(publish(&store, "c").await.is_won());
    let took_over = KeyRevoked::NextTookOver { kid: "c".into(), published_at: NOW };
    assert_eq!(revoke(&store, "b", Active, "unused").await, Outcome::Won(took_over));
    assert!(publish(&store, "d").await.is_won());
    assert_eq!(revoke(&store, "d", Next, "unused").await, Outcome::Won(KeyRevoked::NotSigning));
    let expected = [state("a", Revoked), state("b", Revoked), state("c", Active), state("d", Revoked)];
    assert_eq!(states(&store).await, expected);
    assert_eq!(store.delete_expired_signing_keys(later(99)).await.unwrap(), 3);
}

async fn an_active_key_is_revoked_once(database: Database) {
    let store = with_key(&database, "old").await;
    let outcomes = race(|number| {
        let store = store.clone();
        async move { revoke(&store, "old", Active, &format!("fresh {number}")).await }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_won()).count(), 1);
    let states = states(&store).await;
    assert_eq!((states.len(), states.iter().filter(|(_, state)| *state == Active).count()), (2, 1));
}

/// Everything that is there, to be sealed under another key.
async fn rewrap(store: &Store) -> Rewrap {
    let keys = store.signing_keys().await.unwrap().into_iter().filter(|key| key.state != Revoked);
    let secrets = store.server_secrets().await.unwrap();
    Rewrap {
        keys: keys
            .map(|key| Resealed { to: sealed(OTHER_KEK, &key.kid), id: key.kid, from: key.sealed })
            .collect(),
        secrets: secrets
            .into_iter()
            .map(|secret| Resealed { id: secret.id, from: secret.sealed, to: sealed(OTHER_KEK, "secret") })
            .collect(),
        from: KEK.into(),
        to: OTHER_KEK.into(),
    }
}

/// The names of the keys under which something is sealed.
async fn names(database: &Database) -> Vec<String> {
    let all = "SELECT DISTINCT substr(sealed, 1, 8) FROM signing_keys WHERE sealed <> ''
        UNION SELECT substr(sealed, 1, 8) FROM server_secrets ORDER BY 1";
    database.texts(all).await
}

async fn what_is_sealed_is_sealed_anew_all_or_nothing(database: Database) {
    let store = with_key(&database, "old").await;
    assert!(publish(&store, "new").await.is_won());
    let stale = rewrap(&store).await;
    assert!(revoke(&store, "new", Next, "unused").await.is_won());
    assert!(publish(&store, "newer").await.is_won());
    let done = async |rewrap| store.rewrap(rewrap, fact(AuditKind::KeysRewrapped, 6)).await.unwrap();
    assert_eq!(done(stale).await, Outcome::Lost, "a key has come and one has gone since");
    let mut partly = rewrap(&store).await;
    partly.keys.pop();
    assert_eq!(done(partly).await, Outcome::Lost, "nothing may be left behind");
    assert_eq!(names(&database).await, [KEK]);
    let whole = rewrap(&store).await;
    assert_eq!(done(whole.clone()).await, Outcome::Won(()));
    assert_eq!(names(&database).await, [OTHER_KEK]);
    assert_eq!(done(whole).await, Outcome::Lost, "it is done");
}

async fn no_key_is_added_under_a_key_encryption_key_that_was_replaced(database: Database) {
    let store = with_key(&database, "old").await;
    assert!(publish(&store, "new").await.is_won());
    let audit = || fact(AuditKind::KeysRewrapped, 6);
    assert!(store.rewrap(rewrap(&store).await, audit()).await.unwrap().is_won());
    // What an instance tries that still has the old one:
    assert_eq!(rotate(&store, "new", "old", 7).await, Outcome::Lost);
    assert_eq!(ensure(&store, "es", "ES256").await, Outcome::Lost);
    assert_eq!(revoke(&store, "new", Next, "unused").await, Outcome::Lost);
    let brought = signing_key("brought", "RS256");
    assert_eq!(store.install_signing_key(brought, later(9), audit()).await.unwrap(), Outcome::Lost);
    database.execute("DELETE FROM signing_keys WHERE kid = 'new'").await;
    assert_eq!(publish(&store, "newer").await, Outcome::Lost);
    assert_eq!(states(&store).await, [state("old", Active)]);
}

async fn sealing_anew_and_publishing_a_key_take_turns(database: Database) {
    let stores = [with_key(&database, "old").await, database.open().await];
    for round in 0..16 {
        let whole = rewrap(&stores[0]).await;
        let next = format!("next {round}");
        let audit = fact(AuditKind::KeysRewrapped, 6);
        let (rewrapped, published) = tokio::join!(stores[0].rewrap(whole, audit), publish(&stores[1], &next));
        let kek = names(&database).await;
        assert_eq!(kek.len(), 1, "{kek:?}: {rewrapped:?}, {published:?}");
        assert!(rewrapped.unwrap().is_won() != published.is_won(), "one of them came first");
        // Back to the beginning.
        database.execute("DELETE FROM signing_keys WHERE state = 'next'").await;
        for table in ["signing_keys", "server_secrets"] {
            database.execute(&format!("UPDATE {table} SET sealed = '{KEK}' || substr(sealed, 9)")).await;
        }
    }
}
