//! Server secrets and signing keys: instances agree.

use gatelet::protocol::{Sealed, SigningAlg, Timestamp};
use gatelet::store::{Outcome, SigningKey, SigningKeyState};

use crate::world::*;
use crate::{Database, cases};

cases![
    instances_that_start_at_once_agree_on_the_server_secret,
    instances_that_start_at_once_agree_on_the_signing_key,
    each_algorithm_has_a_signing_key,
    a_signing_key_is_published_used_retired_and_deleted,
    a_signing_key_is_rotated_once,
];

fn signing_key(kid: &str, alg: &str) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        alg: SigningAlg::parse(alg).unwrap(),
        sealed: Sealed::from_stored(format!("sealed {kid}")),
        public_jwk: format!("{{\"kid\":\"{kid}\"}}"),
        state: SigningKeyState::Active,
        created_at: NOW,
        activated_at: Some(NOW),
        retired_at: None,
        expires_at: None,
    }
}

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
    let answers = race(|number| {
        let store = stores[number % 2].clone();
        async move { store.ensure_signing_key(signing_key(&format!("key {number}"), "RS256")).await.unwrap() }
    })
    .await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(stores[1].signing_keys().await.unwrap(), [answers[0].clone()]);
}

async fn each_algorithm_has_a_signing_key(database: Database) {
    let store = database.open().await;
    for alg in ["RS256", "ES256", "RS256"] {
        assert_eq!(store.ensure_signing_key(signing_key(alg, alg)).await.unwrap(), signing_key(alg, alg));
    }
    assert_eq!(store.signing_keys().await.unwrap().len(), 2);
}

async fn a_signing_key_is_published_used_retired_and_deleted(database: Database) {
    let store = database.open().await;
    store.ensure_signing_key(signing_key("old", "RS256")).await.unwrap();
    let states = async || -> Vec<(String, SigningKeyState, Option<Timestamp>)> {
        let keys = store.signing_keys().await.unwrap();
        keys.into_iter().map(|key| (key.kid, key.state, key.expires_at)).collect()
    };
    assert_eq!(store.publish_next_signing_key(signing_key("new", "RS256")).await.unwrap(), Outcome::Won(()));
    assert_eq!(store.publish_next_signing_key(signing_key("newer", "RS256")).await.unwrap(), Outcome::Lost);
    assert_eq!(
        states().await,
        [("new".into(), SigningKeyState::Next, None), ("old".into(), SigningKeyState::Active, None)]
    );
    assert_eq!(store.rotate_signing_key("new", "other", later(1), later(9)).await.unwrap(), Outcome::Lost);
    assert_eq!(store.rotate_signing_key("new", "old", later(1), later(9)).await.unwrap(), Outcome::Won(()));
    assert_eq!(
        states().await,
        [
            ("new".into(), SigningKeyState::Active, None),
            ("old".into(), SigningKeyState::Retired, Some(later(9)))
        ]
    );
    assert_eq!(store.ensure_signing_key(signing_key("newest", "RS256")).await.unwrap().kid, "new");
    assert_eq!(store.delete_expired_signing_keys(later(8)).await.unwrap(), 0);
    assert_eq!(store.delete_expired_signing_keys(later(9)).await.unwrap(), 1);
    assert_eq!(states().await, [("new".into(), SigningKeyState::Active, None)]);
}

async fn a_signing_key_is_rotated_once(database: Database) {
    let store = database.open().await;
    store.ensure_signing_key(signing_key("old", "RS256")).await.unwrap();
    assert_eq!(store.publish_next_signing_key(signing_key("new", "RS256")).await.unwrap(), Outcome::Won(()));
    let outcomes = race(|_| {
        let store = store.clone();
        async move { store.rotate_signing_key("new", "old", later(1), later(9)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
}
