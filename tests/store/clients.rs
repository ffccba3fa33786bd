//! Clients that register themselves.

use gatelet::audit::AuditKind;
use gatelet::protocol::{Client, ClientAuthMethod, ClientId, ClientKeys, ClientOrigin, Id};

use crate::world::*;
use crate::{Database, cases};

cases![
    a_registered_client_comes_back_as_it_was,
    identical_public_registrations_share_a_client,
    confidential_registrations_are_kept_apart,
    an_unknown_client_is_not_found,
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
    full.machine_scopes = scope("read write");
    full.tenant = Some(tenant_id("acme"));
    full.first_party = true;
    let mut sparse = dynamic();
    (sparse.name, sparse.scope) = (None, None);
    for candidate in [full, sparse] {
        let event = audit(AuditKind::ClientRegistered).client(&candidate.id);
        let fingerprint = candidate.id.to_string();
        let registered = world.store.register_client(candidate.clone(), &fingerprint, event).await.unwrap();
        assert_eq!(registered, candidate);
        assert_eq!(world.store.client(&candidate.id).await.unwrap(), Some(candidate));
    }
}

async fn identical_public_registrations_share_a_client(database: Database) {
    let world = World::new(database).await;
    let answers = race(|_| {
        let store = world.store.clone();
        async move {
            store.register_client(dynamic(), "digest", audit(AuditKind::ClientRegistered)).await.unwrap()
        }
    })
    .await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(world.database.count("clients WHERE origin = 'dynamic'").await, 1);
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_registered'").await, 1);
    let other = world.store.register_client(dynamic(), "another", audit(AuditKind::ClientRegistered)).await;
    assert_ne!(other.unwrap().id, answers[0].id);
}

async fn confidential_registrations_are_kept_apart(database: Database) {
    let world = World::new(database).await;
    for secret in ["one", "two"] {
        let mut candidate = dynamic();
        candidate.secret_hashes = vec![hash(secret)];
        let event = audit(AuditKind::ClientRegistered);
        let registered = world.store.register_client(candidate.clone(), "digest", event).await.unwrap();
        assert_eq!(registered, candidate);
    }
    assert_eq!(world.database.count("clients WHERE origin = 'dynamic'").await, 2);
}

async fn an_unknown_client_is_not_found(database: Database) {
    let world = World::new(database).await;
    assert_eq!(world.store.client(&client_id("unknown")).await.unwrap(), None);
}
