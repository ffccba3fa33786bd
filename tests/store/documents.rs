//! Clients that are known by a document, and client assertions that were used.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::client_assertion::Spending;
use gatelet::protocol::{Client, ClientAuthMethod, ClientKeys, ClientOrigin, DocumentState, Timestamp};
use gatelet::store::{Outcome, SweepPolicy};

use crate::world::*;
use crate::{Database, cases};

cases![
    a_client_that_is_known_by_its_document_comes_back_as_it_was,
    keys_of_the_same_address_stay_when_none_are_found,
    long_keys_are_kept_for_clients_that_somebody_let_in,
    what_became_known_in_another_way_is_not_overwritten,
    configuration_takes_the_place_of_a_document,
    reading_a_document_sets_no_suspended_client_free,
    what_a_document_says_anew_is_audited_once,
    documents_of_clients_that_nobody_let_in_are_swept,
    ten_thousand_documents_of_unused_clients_are_kept,
    a_consent_remembers_the_document_it_was_given_for,
    of_32_uses_of_an_assertion_one_wins,
    a_used_assertion_is_remembered_for_as_long_as_it_is_good,
];

const ID: &str = "https://app.example/client.json";
const KEYS: &str = "https://app.example/jwks";
const WEEK: u64 = 7 * 86_400;
const POLICY: SweepPolicy = SweepPolicy {
    dead_grant_kept: Duration::from_secs(86_400),
    unused_client_kept: Duration::from_secs(WEEK),
    audit_kept: Duration::from_secs(1_000_000_000),
    batch: 100,
};

fn document(id: &str, digest: &str, read_at: Timestamp) -> Client {
    Client {
        auth_methods: vec![ClientAuthMethod::None, ClientAuthMethod::PrivateKeyJwt],
        keys: Some(remote(KEYS, Some("one"))),
        document: Some(DocumentState { digest: digest.to_owned(), fresh_until: later(300) }),
        registered_at: read_at,
        ..client(id, ClientOrigin::Document)
    }
}

fn remote(uri: &str, jwks: Option<&str>) -> ClientKeys {
    ClientKeys::Remote { uri: uri.to_owned(), jwks: jwks.map(str::to_owned), tried_at: Some(NOW) }
}

async fn put(world: &World, client: &Client) -> Outcome {
    let event = audit(AuditKind::ClientDocumentRead).client(&client.id);
    world.store.put_client_document(client.clone(), event).await.unwrap()
}

async fn found(world: &World) -> Option<Client> {
    world.store.client(&client_id(ID)).await.unwrap()
}

async fn a_client_that_is_known_by_its_document_comes_back_as_it_was(database: Database) {
    let world = World::new(database).await;
    assert!(!world.store.is_client_known(&client_id(ID)).await.unwrap());
    let first = document(ID, "one", NOW);
    assert_eq!(put(&world, &first).await, Outcome::Won(()));
    assert_eq!(found(&world).await, Some(first.clone()));
    assert!(world.store.is_client_known(&client_id(ID)).await.unwrap());
    let mut second = document(ID, "two", later(9));
    second.name = Some("Renamed".into());
    (second.scope, second.uri) = (None, Some("https://app.example".into()));
    second.auth_methods = vec![ClientAuthMethod::PrivateKeyJwt];
    second.grant_types.truncate(1);
    second.keys = Some(ClientKeys::Inline { jwks: "inline".into() });
    assert_eq!(put(&world, &second).await, Outcome::Won(()));
    second.registered_at = NOW;
    assert_eq!(found(&world).await, Some(second.clone()), "known since it was read first");
    second.keys = None;
    assert_eq!(put(&world, &second).await, Outcome::Won(()));
    assert_eq!(found(&world).await.unwrap().keys, None);
}

async fn keys_of_the_same_address_stay_when_none_are_found(database: Database) {
    let world = World::new(database).await;
    let mut candidate = document(ID, "one", NOW);
    assert_eq!(put(&world, &candidate).await, Outcome::Won(()));
    for (uri, jwks, expected) in [
        (KEYS, None, Some("one")),
        (KEYS, Some("two"), Some("two")),
        ("https://other.example/jwks", None, None),
        (KEYS, None, None),
    ] {
        candidate.keys = Some(remote(uri, jwks));
        assert_eq!(put(&world, &candidate).await, Outcome::Won(()));
        assert_eq!(found(&world).await.unwrap().keys, Some(remote(uri, expected)), "{uri} {jwks:?}");
    }
    let keys = async |uri: &str, jwks: Option<&str>, at: Timestamp| {
        world.store.put_client_keys(&candidate.id, uri, jwks, at).await.unwrap();
        found(&world).await.unwrap().keys.unwrap()
    };
    let at = |jwks: &str, tried_at: Timestamp| ClientKeys::Remote {
        uri: KEYS.into(),
        jwks: Some(jwks.into()),
        tried_at: Some(tried_at),
    };
    assert_eq!(keys(KEYS, Some("three"), later(1)).await, at("three", later(1)));
    assert_eq!(keys(KEYS, None, later(2)).await, at("three", later(2)), "that they were looked for is kept");
    assert_eq!(keys("https://other.example/jwks", Some("four"), later(3)).await, at("three", later(2)));
}

async fn long_keys_are_kept_for_clients_that_somebody_let_in(database: Database) {
    // Ten thousand documents are kept of clients that nobody let in, and their keys are at most 64 KiB each.
    let world = World::new(database).await;
    let (short, long) = ("s".repeat(5 * 1024), "l".repeat(5 * 1024 + 1));
    let candidate = |jwks: &str| Client { keys: Some(remote(KEYS, Some(jwks))), ..document(ID, "one", NOW) };
    let kept = async || match found(&world).await.unwrap().keys.unwrap() {
        ClientKeys::Remote { jwks, tried_at, .. } => (jwks, tried_at),
        ClientKeys::Inline { .. } => panic!("the keys are at an address"),
    };
    let found_now = async |jwks: &str, at: Timestamp| {
        world.store.put_client_keys(&client_id(ID), KEYS, Some(jwks), at).await.unwrap();
        kept().await
    };
    put(&world, &candidate(&long)).await.won().unwrap();
    assert_eq!(kept().await, (None, None), "so that they are looked for when they are needed");
    assert_eq!(found_now(&long, later(1)).await, (None, Some(later(1))));
    assert_eq!(found_now(&short, later(2)).await, (Some(short.clone()), Some(later(2))));
    put(&world, &candidate(&short)).await.won().unwrap();
    assert_eq!(kept().await, (Some(short.clone()), Some(NOW)));
    let mut issue = world.completed();
    issue.grant.client = client_id(ID);
    assert_eq!(world.issue(&issue).await, Outcome::Won(()));
    assert_eq!(found_now(&long, later(3)).await, (Some(long.clone()), Some(later(3))));
    put(&world, &candidate(&long)).await.won().unwrap();
    assert_eq!(kept().await, (Some(long), Some(NOW)));
}

async fn what_became_known_in_another_way_is_not_overwritten(database: Database) {
    let world = World::new(database).await;
    let before = world.store.client(&client_id("app")).await.unwrap();
    assert_eq!(put(&world, &document("app", "one", NOW)).await, Outcome::Lost);
    assert_eq!(world.store.client(&client_id("app")).await.unwrap(), before);
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_document_read'").await, 0);
}

async fn configuration_takes_the_place_of_a_document(database: Database) {
    let world = World::new(database).await;
    put(&world, &document(ID, "one", NOW)).await.won().unwrap();
    let mut declared = declarations();
    declared.clients.push(client(ID, ClientOrigin::Config));
    world.store.reconcile(declared, NOW).await.unwrap();
    assert_eq!(
        found(&world).await,
        Some(client(ID, ClientOrigin::Config)),
        "nothing of the document is left"
    );
    assert_eq!(put(&world, &document(ID, "two", NOW)).await, Outcome::Lost);
    // Withdrawn, it does not come back by its document.
    let mut issue = world.completed();
    issue.grant.client = client_id(ID);
    assert_eq!(world.issue(&issue).await, Outcome::Won(()));
    world.store.reconcile(declarations(), NOW).await.unwrap();
    assert_eq!(put(&world, &document(ID, "two", NOW)).await, Outcome::Lost);
    assert_eq!(found(&world).await, None);
}

async fn reading_a_document_sets_no_suspended_client_free(database: Database) {
    let world = World::new(database).await;
    put(&world, &document(ID, "one", NOW)).await.won().unwrap();
    let event = audit(AuditKind::Suspended);
    assert_eq!(world.store.suspend_client(&client_id(ID), event).await.unwrap(), Outcome::Won(()));
    put(&world, &document(ID, "two", later(1))).await.won().unwrap();
    assert_eq!(found(&world).await, None);
    assert!(world.store.is_client_known(&client_id(ID)).await.unwrap());
    assert_eq!(world.store.sweep(later(2 * WEEK), POLICY).await.unwrap().clients, 0, "nor does sweeping");
    assert_eq!(found(&world).await, None);
    assert!(world.store.is_client_known(&client_id(ID)).await.unwrap());
}

async fn what_a_document_says_anew_is_audited_once(database: Database) {
    let world = World::new(database).await;
    for (digest, events) in [("one", 1), ("one", 1), ("two", 2), ("two", 2), ("one", 3)] {
        put(&world, &document(ID, digest, NOW)).await.won().unwrap();
        let count = world.database.count("audit_events WHERE kind = 'client_document_read'").await;
        assert_eq!(count, events, "{digest}");
    }
}

async fn documents_of_clients_that_nobody_let_in_are_swept(database: Database) {
    let world = World::new(database).await;
    let other = "https://other.example/client.json";
    for id in [ID, other] {
        put(&world, &document(id, "one", NOW)).await.won().unwrap();
    }
    let mut issue = world.completed();
    (issue.grant.client, issue.consents) = (client_id(ID), Vec::new());
    assert_eq!(world.issue(&issue).await, Outcome::Won(()));
    let outcome = world.store.revoke_grant(&issue.grant.id, audit(AuditKind::CodeReplayed)).await.unwrap();
    assert_eq!(outcome, Outcome::Won(()));
    assert_eq!(world.store.sweep(later(WEEK - 1), POLICY).await.unwrap().clients, 0);
    put(&world, &document(other, "one", later(5))).await.won().unwrap();
    assert_eq!(world.store.sweep(later(WEEK + 4), POLICY).await.unwrap().clients, 0, "it was read again");
    assert_eq!(world.store.sweep(later(WEEK + 5), POLICY).await.unwrap().clients, 1);
    assert!(found(&world).await.is_some(), "it was used once");
    assert!(!world.store.is_client_known(&client_id(other)).await.unwrap());
}

async fn ten_thousand_documents_of_unused_clients_are_kept(database: Database) {
    let world = World::new(database).await;
    put(&world, &document(ID, "one", NOW)).await.won().unwrap();
    world
        .database
        .execute(
            "INSERT INTO clients (id, origin, about, redirect_uris, grant_types, auth_methods, machine_scopes,
                registered_at, last_registered_at, used_at)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
            SELECT 'https://many.example/' || i, 'document', '{}', '[]', '[]', '[\"none\"]', '', 1900000000 + i,
                1900000000 + i, CASE WHEN i < 3 THEN 1 ELSE NULL END FROM n",
        )
        .await;
    let unused = "clients WHERE origin = 'document' AND used_at IS NULL";
    assert_eq!(world.database.count(unused).await, 10_000);
    put(&world, &document("https://new.example/c.json", "one", later(1_000_000_000))).await.won().unwrap();
    assert_eq!(world.database.count(unused).await, 10_000);
    assert_eq!(found(&world).await, None, "the oldest has gone");
    assert_eq!(world.database.count("clients WHERE used_at = 1").await, 2, "used ones are not counted");
    assert!(world.store.is_client_known(&client_id("https://new.example/c.json")).await.unwrap());
}

async fn a_consent_remembers_the_document_it_was_given_for(database: Database) {
    let world = World::new(database).await;
    for digest in [Some("one".to_owned()), Some("two".to_owned()), None] {
        let mut issue = world.completed();
        issue.consents[0].document_digest.clone_from(&digest);
        assert_eq!(world.issue(&issue).await, Outcome::Won(()));
        let found = world.store.consents(&user_id("alice"), &client_id("app")).await.unwrap();
        assert_eq!(found.iter().map(|consent| &consent.document_digest).collect::<Vec<_>>(), [&digest]);
    }
}

fn spending(id: &str) -> Spending {
    Spending { id: id.to_owned(), good_until: later(60) }
}

async fn of_32_uses_of_an_assertion_one_wins(database: Database) {
    let world = World::new(database).await;
    let outcomes = race(|_| {
        let store = world.store.clone();
        async move { store.spend_assertion(spending("one")).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(world.store.spend_assertion(spending("two")).await.unwrap(), Outcome::Won(()));
}

async fn a_used_assertion_is_remembered_for_as_long_as_it_is_good(database: Database) {
    let world = World::new(database).await;
    world.store.spend_assertion(spending("one")).await.unwrap().won().unwrap();
    assert_eq!(world.store.sweep(later(59), POLICY).await.unwrap().client_assertions, 0);
    assert_eq!(world.store.spend_assertion(spending("one")).await.unwrap(), Outcome::Lost);
    assert_eq!(world.store.sweep(later(60), POLICY).await.unwrap().client_assertions, 1);
}
