//! Clients that register themselves.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::client_assertion::AssertionAlgorithm;
use gatelet::protocol::{
    Client, ClientAuthMethod, ClientId, ClientKeys, ClientOrigin, Id, MachineScopes, RedirectUri, Timestamp,
};
use gatelet::store::{Outcome, RegistrationOutcome, all_statements};

use crate::world::*;
use crate::{Database, cases};

cases![
    a_registered_client_comes_back_as_it_was,
    identical_public_registrations_share_a_client,
    confidential_registrations_are_kept_apart,
    an_unknown_client_is_not_found,
    what_was_suspended_is_not_registered_again,
    the_oldest_waiting_clients_make_room,
    clients_that_have_just_registered_are_spared,
    a_client_that_was_let_in_takes_no_place_and_makes_no_room,
    waiting_clients_stay_bounded_when_many_register_at_once,
    waiting_clients_are_counted_in_their_index,
];

fn dynamic() -> Client {
    let id = ClientId::from(Id::new(NOW, chance()));
    client(id.as_str(), ClientOrigin::Dynamic)
}

async fn a_registered_client_comes_back_as_it_was(database: Database) {
    let world = World::new(database).await;
    let mut full = dynamic();
    full.about.insert("software_id".into(), "a \"quoted\" one".into());
    full.uri = Some("https://app.example/".into());
    full.auth_methods = vec![ClientAuthMethod::ClientSecretBasic, ClientAuthMethod::PrivateKeyJwt];
    full.keys = Some(ClientKeys::Inline { jwks: "{\"keys\":[]}".into() });
    full.secret_hashes = vec![hash("newer"), hash("older")];
    full.default_resource = Some(notes().uri);
    full.introspects = vec![notes().uri];
    full.machine_scopes = scope("read write");
    full.machine = vec![MachineScopes { resource: notes().uri, scopes: scope("write") }];
    full.audience = Some("notes-api".into());
    full.attributes = attributes(&[("tier", "gold")]);
    full.tenant = Some(tenant_id("acme"));
    full.first_party = true;
    full.contacts = vec!["ops@app.example".into()];
    full.post_logout_redirect_uris = vec![RedirectUri::parse("https://app.example/bye").unwrap()];
    full.assertion_alg = Some(AssertionAlgorithm::Es256);
    full.ceiling = Some(scope("read"));
    full.default_max_age = Some(Duration::from_secs(600));
    full.require_auth_time = true;
    full.management = Some(hash("management"));
    let mut sparse = dynamic();
    (sparse.name, sparse.scope) = (None, None);
    for candidate in [full, sparse] {
        let fingerprint = candidate.id.to_string();
        let registered = world.registered(candidate.clone(), &fingerprint).await;
        assert_eq!(registered, candidate);
        assert_eq!(world.store.client(&candidate.id).await.unwrap(), Some(candidate));
    }
}

async fn identical_public_registrations_share_a_client(database: Database) {
    let world = World::new(database).await;
    let answers = race(|_| {
        let world = world.clone();
        async move { world.registered(dynamic(), "digest").await }
    })
    .await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(world.database.count("clients WHERE origin = 'dynamic'").await, 1);
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_registered'").await, 1);
    assert_ne!(world.registered(dynamic(), "another").await.id, answers[0].id);
}

async fn confidential_registrations_are_kept_apart(database: Database) {
    let world = World::new(database).await;
    for secret in ["one", "two"] {
        let mut candidate = dynamic();
        candidate.secret_hashes = vec![hash(secret)];
        let registered = world.registered(candidate.clone(), "digest").await;
        assert_eq!(registered, candidate);
    }
    assert_eq!(world.database.count("clients WHERE origin = 'dynamic'").await, 2);
}

async fn an_unknown_client_is_not_found(database: Database) {
    let world = World::new(database).await;
    assert_eq!(world.store.client(&client_id("unknown")).await.unwrap(), None);
}

/// The clients of [`World::registers`] that wait for their first grant: at most this many.
const PLACES: u64 = 10;
const SPARED: u64 = 600;
const WAITING: &str = "clients WHERE origin = 'dynamic' AND used_at IS NULL AND suspended_at IS NULL";

/// A public client that registers at a moment, under a fingerprint of its own.
async fn registers_at(world: &World, at: Timestamp) -> RegistrationOutcome {
    let candidate = Client { registered_at: at, ..dynamic() };
    let fingerprint = candidate.id.to_string();
    world.registers(candidate, &fingerprint).await
}

async fn registered_at(world: &World, at: Timestamp) -> ClientId {
    match registers_at(world, at).await {
        RegistrationOutcome::Registered(client) => client.id,
        other => panic!("{other:?}"),
    }
}

async fn what_was_suspended_is_not_registered_again(database: Database) {
    let world = World::new(database).await;
    let client = world.registered(dynamic(), "digest").await;
    let suspended = world.store.suspend_client(&client.id, audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    for seconds in [0, 86_401] {
        let again = Client { registered_at: later(seconds), ..dynamic() };
        assert_eq!(world.registers(again, "digest").await, RegistrationOutcome::Suspended);
    }
    assert_eq!(world.database.count("clients WHERE last_registered_at > registered_at").await, 0);
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_registered'").await, 1);
}

async fn the_oldest_waiting_clients_make_room(database: Database) {
    // RFC 7591 §5; clients register for each connection, so the bound must not shut anybody out for long.
    let world = World::new(database).await;
    let mut clients = Vec::new();
    for seconds in 0..PLACES {
        clients.push(registered_at(&world, later(seconds)).await);
    }
    // All of them have registered just now.
    let full = registers_at(&world, later(SPARED - 1)).await;
    assert_eq!(full, RegistrationOutcome::Full { until: later(SPARED) });
    // Who is known already is answered all the same.
    let known = Client { registered_at: later(SPARED - 1), ..dynamic() };
    assert_eq!(world.registered(known, clients[3].as_str()).await.id, clients[3]);

    registered_at(&world, later(SPARED)).await;
    assert_eq!(world.store.client(&clients[0]).await.unwrap(), None, "the oldest");
    assert!(world.store.client(&clients[1]).await.unwrap().is_some());
    assert_eq!(world.database.count(WAITING).await as u64, PLACES);
    // Confidential clients, which never share a row, take a place as well.
    let secret = vec![hash("secret")];
    let confidential = Client { registered_at: later(SPARED), secret_hashes: secret, ..dynamic() };
    assert!(matches!(world.registers(confidential, "x").await, RegistrationOutcome::Full { .. }));
}

async fn clients_that_have_just_registered_are_spared(database: Database) {
    // Somebody may be reading their consent page.
    let world = World::new(database).await;
    for _ in 0..PLACES {
        registered_at(&world, NOW).await;
    }
    let young = registered_at(&world, later(SPARED)).await;
    for _ in 1..PLACES {
        registered_at(&world, later(SPARED + 1)).await;
    }
    let full = registers_at(&world, later(SPARED + 1)).await;
    assert_eq!(full, RegistrationOutcome::Full { until: later(2 * SPARED) });
    assert!(world.store.client(&young).await.unwrap().is_some());
}

async fn a_client_that_was_let_in_takes_no_place_and_makes_no_room(database: Database) {
    let world = World::new(database).await;
    let mut let_in = Vec::new();
    for _ in 0..3 {
        let mut issue = world.completed();
        issue.grant.client = registered_at(&world, NOW).await;
        issue.code.client = issue.grant.client.clone();
        issue.consents.clear();
        assert_eq!(world.issue(&issue).await, Outcome::Won(()));
        let_in.push(issue.grant.client);
    }
    for round in 0..3 * PLACES {
        registered_at(&world, later(SPARED * (1 + round))).await;
    }
    for client in let_in {
        assert!(world.store.client(&client).await.unwrap().is_some());
    }
    assert_eq!(world.database.count(WAITING).await as u64, PLACES);
}

async fn waiting_clients_stay_bounded_when_many_register_at_once(database: Database) {
    let world = World::new(database).await;
    for _ in 0..PLACES {
        registered_at(&world, NOW).await;
    }
    let answers = race(|_| {
        let world = world.clone();
        async move { registers_at(&world, later(SPARED)).await }
    })
    .await;
    let registered = answers.iter().filter(|answer| matches!(answer, RegistrationOutcome::Registered(_)));
    let (registered, waiting) = (registered.count() as u64, world.database.count(WAITING).await as u64);
    // As many writers as there are connections may each have seen the last free place (PostgreSQL).
    assert!(waiting <= PLACES + 4, "{waiting}");
    assert!((1..=PLACES + 4).contains(&registered), "{registered}");
}

async fn waiting_clients_are_counted_in_their_index(database: Database) {
    let world = World::new(database).await;
    if !world.database.is_sqlite() {
        // PostgreSQL plans by the size of the table, and this one is empty.
        return;
    }
    let unused = all_statements().find(|statement| statement.name() == "UNUSED").unwrap();
    let plan = world.database.plan(unused.text()).await;
    assert!(plan.iter().any(|step| step.contains("COVERING INDEX clients_unused")), "{plan:?}");
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
}
