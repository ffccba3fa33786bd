//! Clients that change and delete their own registration (RFC 7592).

use gatelet::audit::AuditKind;
use gatelet::protocol::registration::{Registration, Terms};
use gatelet::protocol::{Client, ClientId, ClientOrigin, Id, SecretHash};
use gatelet::store::Outcome;
use serde_json::{Value, json};

use crate::world::*;
use crate::{Database, cases};

cases![
    a_replacement_is_what_is_there_afterwards,
    only_who_holds_the_token_of_a_client_that_may_act_replaces_or_deletes_it,
    what_an_operator_says_meanwhile_is_not_lost,
    people_are_asked_anew_when_the_client_looks_different,
    a_deleted_client_leaves_nothing_that_can_be_used,
    of_32_deletions_of_one_client_one_wins,
    of_32_replacements_of_one_client_none_is_mixed_with_another,
];

/// A registered client that may manage itself, with a secret.
async fn managed(world: &World) -> Client {
    let id = ClientId::from(Id::new(NOW, chance()));
    let mut client = client(id.as_str(), ClientOrigin::Dynamic);
    client.secret_hashes = vec![hash("secret")];
    client.management = Some(hash("management"));
    world.registered(client, "none").await
}

fn registration(body: Value) -> Registration {
    Registration::parse(body.to_string().as_bytes(), Terms::default()).unwrap()
}

/// The same as `managed` registered, as far as people see.
fn same(more: Value) -> Registration {
    let mut body = json!({"client_name": "An app", "redirect_uris": ["https://app.example/callback"],
        "token_endpoint_auth_method": "none"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    registration(body)
}

async fn replace(
    world: &World,
    id: &ClientId,
    management: &SecretHash,
    by: Registration,
    secret: Option<&str>,
) -> Outcome<Client> {
    let audit = audit(AuditKind::ClientReplaced).client(id);
    let replacement = (by, secret.map(hash));
    world.store.replace_registration(id, management, replacement, audit).await.unwrap()
}

async fn delete(world: &World, id: &ClientId, management: &SecretHash) -> Outcome {
    let audit = audit(AuditKind::ClientDeleted).client(id);
    world.store.delete_own_client(id, management, audit).await.unwrap()
}

async fn a_replacement_is_what_is_there_afterwards(database: Database) {
    // RFC 7592 §2.2
    let world = World::new(database).await;
    let client = managed(&world).await;
    let public = same(json!({"client_name": "B", "contacts": ["c"]}));
    let mut expected = client.clone();
    public.apply_to(&mut expected);
    expected.secret_hashes.clear();
    let replaced = replace(&world, &client.id, &hash("management"), public, Some("unused")).await;
    assert_eq!(replaced, Outcome::Won(expected.clone()));
    assert_eq!(world.store.client(&client.id).await.unwrap(), Some(expected));
    // Who needs a secret and has none gets one; who has one keeps it.
    for candidate in ["given", "another"] {
        let confidential = same(json!({"token_endpoint_auth_method": "client_secret_post"}));
        let replaced = replace(&world, &client.id, &hash("management"), confidential, Some(candidate)).await;
        assert_eq!(replaced.won().unwrap().secret_hashes, [hash("given")]);
        let stored = world.store.client(&client.id).await.unwrap().unwrap();
        assert_eq!(
            (stored.secret_hashes, stored.management),
            (vec![hash("given")], client.management.clone())
        );
    }
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_replaced'").await, 3);
}

async fn only_who_holds_the_token_of_a_client_that_may_act_replaces_or_deletes_it(database: Database) {
    // RFC 7592 §5: a token is good for one client
    let world = World::new(database).await;
    let (client, other) = (managed(&world).await, managed(&world).await);
    let shared = world.registered(Client { management: None, ..client_without_secret() }, "digest").await;
    for (id, management) in [
        (&client.id, "wrong"),
        (&shared.id, "management"),
        (&client_id("app"), "management"),
        (&client_id("unknown"), "management"),
    ] {
        let by = same(json!({}));
        assert_eq!(replace(&world, id, &hash(management), by, None).await, Outcome::Lost, "{id}");
        assert_eq!(delete(&world, id, &hash(management)).await, Outcome::Lost, "{id}");
    }
    let suspended = world.store.suspend_client(&other.id, audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    assert_eq!(replace(&world, &other.id, &hash("management"), same(json!({})), None).await, Outcome::Lost);
    assert_eq!(
        delete(&world, &other.id, &hash("management")).await,
        Outcome::Lost,
        "else it would come back"
    );
    assert_eq!(world.store.client(&client.id).await.unwrap(), Some(client));
    assert_eq!(
        world.database.count("audit_events WHERE kind IN ('client_replaced', 'client_deleted')").await,
        0
    );
}

fn client_without_secret() -> Client {
    client(ClientId::from(Id::new(NOW, chance())).as_str(), ClientOrigin::Dynamic)
}

async fn what_an_operator_says_meanwhile_is_not_lost(database: Database) {
    // What is replaced is what is there in the same transaction, not what the request had read before.
    let world = World::new(database).await;
    let client = managed(&world).await;
    let change =
        format!("UPDATE clients SET tenant_id = 'acme', first_party_at = 5 WHERE id = '{}'", client.id);
    world.database.execute(&change).await;
    replace(&world, &client.id, &hash("management"), same(json!({})), None).await.won().unwrap();
    let stored = world.store.client(&client.id).await.unwrap().unwrap();
    assert_eq!((stored.tenant, stored.first_party), (Some(tenant_id("acme")), true));
}

async fn people_are_asked_anew_when_the_client_looks_different(database: Database) {
    // RFC 7592 §2.2, RFC 7591 §5
    let world = World::new(database).await;
    let client = managed(&world).await;
    let management = hash("management");
    let is_remembered =
        || async { world.store.consents(&user_id("alice"), &client.id).await.unwrap().len() == 1 };
    // As it looks from now on.
    replace(&world, &client.id, &management, same(json!({})), None).await.won().unwrap();
    for (more, is_kept) in [
        (json!({"contacts": ["c"], "scope": "write", "logo_uri": "https://app.example/l"}), true),
        (json!({"redirect_uris": ["https://evil.example/callback"]}), false),
        (json!({"client_name": "Another app"}), false),
        (json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}}), false),
        (json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [1]}}), false),
    ] {
        let mut issue = world.completed();
        issue.grant.client = client.id.clone();
        issue.code.client = client.id.clone();
        issue.consents[0].client = client.id.clone();
        assert_eq!(world.issue(&issue).await, Outcome::Won(()));
        assert!(is_remembered().await);
        replace(&world, &client.id, &management, same(more.clone()), None).await.won().unwrap();
        assert_eq!(is_remembered().await, is_kept, "{more}");
    }
}

async fn a_deleted_client_leaves_nothing_that_can_be_used(database: Database) {
    // RFC 7592 §2.3
    let world = World::new(database).await;
    let client = managed(&world).await;
    let mut issue = world.completed();
    issue.grant.client = client.id.clone();
    issue.code.client = client.id.clone();
    issue.consents[0].client = client.id.clone();
    assert_eq!(world.issue(&issue).await, Outcome::Won(()));
    let others = world.refreshable().await;
    assert_eq!(delete(&world, &client.id, &hash("management")).await, Outcome::Won(()));
    assert_eq!(world.store.client(&client.id).await.unwrap(), None);
    assert_eq!(world.redeem(&issue.code.id).await, Outcome::Lost);
    let dead = world.store.grant(&issue.grant.id).await.unwrap().unwrap();
    assert_eq!((dead.grant.revoked_at, dead.is_alive), (Some(NOW), false));
    assert!(world.is_alive(&others).await, "the grants of others stay");
    for table in ["clients", "client_secrets", "consents"] {
        let column = if table == "clients" { "id" } else { "client_id" };
        assert_eq!(world.database.count(&format!("{table} WHERE {column} = '{}'", client.id)).await, 0);
    }
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_deleted'").await, 1);
}

async fn of_32_deletions_of_one_client_one_wins(database: Database) {
    let world = World::new(database).await;
    let client = managed(&world).await;
    let outcomes = race(|_| {
        let (world, id) = (world.clone(), client.id.clone());
        async move { delete(&world, &id, &hash("management")).await }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(world.database.count("audit_events WHERE kind = 'client_deleted'").await, 1);
}

async fn of_32_replacements_of_one_client_none_is_mixed_with_another(database: Database) {
    let world = World::new(database).await;
    let client = managed(&world).await;
    let outcomes = race(|number| {
        let (world, id) = (world.clone(), client.id.clone());
        async move {
            // Every other one needs a secret.
            let method = if number % 2 == 0 { "none" } else { "client_secret_post" };
            let by = same(json!({"client_name": number.to_string(), "contacts": [number.to_string()],
                "token_endpoint_auth_method": method}));
            let secret = format!("secret of {number}");
            replace(&world, &id, &hash("management"), by, Some(&secret)).await
        }
    })
    .await;
    assert!(outcomes.iter().all(Outcome::is_won));
    let stored = world.store.client(&client.id).await.unwrap().unwrap();
    assert_eq!(stored.name.as_ref(), stored.contacts.first());
    assert_eq!(stored.secret_hashes.is_empty(), stored.is_public());
    assert!(
        outcomes.into_iter().any(|outcome| outcome.won().unwrap() == stored),
        "it is what one of them said"
    );
}
