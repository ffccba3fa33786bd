//! Configuration in the database.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::{
    BrowserSessionId, Client, ClientKeys, ClientOrigin, KnownScopes, PasswordHash, Role, RoleName,
};
use gatelet::store::{Declarations, Outcome, StoreError};

use crate::world::*;
use crate::{Database, cases};

cases![
    what_is_declared_can_be_read,
    a_resource_is_found_by_every_spelling,
    the_same_declarations_again_change_nothing,
    changes_are_taken_over,
    what_is_declared_no_longer_is_removed,
    what_something_refers_to_is_withdrawn_and_can_come_back,
    what_is_left_out_for_a_while_gives_back_nothing_that_was_granted,
    a_resource_that_goes_on_under_another_name_keeps_its_grants,
    a_role_that_is_declared_no_longer_is_nobodys,
    who_was_suspended_stays_suspended,
    a_password_that_is_not_declared_is_left_alone,
    another_password_ends_what_the_old_one_reached,
    names_taken_by_others_are_refused,
    a_login_name_can_move_to_another_person,
    what_was_not_declared_is_never_touched,
    what_is_known_of_a_member_is_read_with_what_configuration_says,
    keys_that_were_found_stay_while_their_address_does,
];

const HOUR: Duration = Duration::from_secs(3600);
const TABLES: [&str; 8] =
    ["tenants", "roles", "users", "memberships", "resources", "resource_names", "clients", "client_secrets"];

/// Every row of what configuration can declare.
async fn contents(database: &Database) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, columns) in [
        ("tenants", "id, name, origin, created_at, suspended_at"),
        ("roles", "name, description, origin"),
        (
            "users",
            "id, username, username_folded, name, email, password_hash, origin, created_at, suspended_at, attributes",
        ),
        ("memberships", "user_id, tenant_id, roles, attributes"),
        (
            "resources",
            "uri, name, audience, aliases, known_scopes, scopes, default_scopes, tenants, access_token_ttl",
        ),
        ("resource_names", "lookup_key, resource_uri"),
        ("clients", "id, origin, name, redirect_uris, scope, first_party_at, registered_at, suspended_at"),
        ("client_secrets", "client_id, position, hash, created_at"),
    ] {
        let joined: Vec<String> =
            columns.split(", ").map(|column| format!("COALESCE(CAST({column} AS TEXT), '-')")).collect();
        rows.extend(
            database
                .texts(&format!(
                    "SELECT '{table} ' || {} FROM {table} ORDER BY 1",
                    joined.join(" || ' ' || ")
                ))
                .await,
        );
    }
    rows
}

fn confidential(secrets: &[&str]) -> Client {
    let secret_hashes = secrets.iter().map(|secret| hash(secret)).collect();
    Client { secret_hashes, first_party: true, ..client("backend", ClientOrigin::Config) }
}

async fn what_is_declared_can_be_read(database: Database) {
    let World { store, database: _alive, .. } = World::new(database).await;
    let declared = declarations();
    assert_eq!(store.resources().await.unwrap(), declared.resources);
    assert_eq!(store.roles().await.unwrap(), declared.roles);
    assert_eq!(store.client(&client_id("app")).await.unwrap().as_ref(), declared.clients.first());
}

async fn a_resource_is_found_by_every_spelling(database: Database) {
    let World { store, database: _alive, .. } = World::new(database).await;
    for uri in [
        "https://mcp.example.com/mcp",
        "https://MCP.example.com/mcp/",
        "https://mcp.example.com:443/mcp",
        "https://old.example.com/mcp",
        "https://old.example.com/mcp/",
    ] {
        assert_eq!(store.resource(&resource_uri(uri)).await.unwrap(), Some(notes()), "{uri}");
    }
    assert_eq!(store.resource(&resource_uri("https://mcp.example.com/other")).await.unwrap(), None);
}

async fn the_same_declarations_again_change_nothing(database: Database) {
    let world = World::new(database).await;
    let mut declared = declarations();
    declared.clients.push(confidential(&["one", "two"]));
    world.store.reconcile(declared.clone(), NOW).await.unwrap();
    let before = contents(&world.database).await;
    for client in &mut declared.clients {
        client.registered_at = later(100);
    }
    world.store.reconcile(declared, later(100)).await.unwrap();
    assert_eq!(contents(&world.database).await, before);
    assert!(before.len() > 10, "{before:?}");
}

async fn changes_are_taken_over(database: Database) {
    let world = World::new(database).await;
    let mut declared = declarations();
    declared.clients.push(confidential(&["one", "two"]));
    world.store.reconcile(declared.clone(), NOW).await.unwrap();
    assert_eq!(world.store.client(&client_id("backend")).await.unwrap(), Some(confidential(&["one", "two"])));

    declared.clients[1] = Client { first_party: false, ..confidential(&["three"]) };
    declared.clients[0].scope = None;
    declared.users[0] = person("alice", &["globex"]);
    declared.users[0].user.username = "Alicia".into();
    declared.resources[0].aliases = vec![resource_uri("https://new.example.com")];
    declared.resources[0].scopes = KnownScopes::Any;
    declared.resources[0].access_token_ttl = None;
    declared.tenants[0].name = "Acme".into();
    world.store.reconcile(declared.clone(), NOW).await.unwrap();
    assert_eq!(world.store.client(&client_id("backend")).await.unwrap().as_ref(), declared.clients.get(1));
    assert_eq!(world.store.client(&client_id("app")).await.unwrap().as_ref(), declared.clients.first());
    assert_eq!(world.store.resources().await.unwrap(), declared.resources);
    assert_eq!(world.store.resource(&resource_uri("https://old.example.com/mcp")).await.unwrap(), None);
    assert!(world.store.resource(&resource_uri("https://new.example.com/")).await.unwrap().is_some());
    let memberships = world.store.memberships(&user_id("alice")).await.unwrap();
    assert_eq!(memberships.iter().map(|m| m.tenant.id.as_str()).collect::<Vec<_>>(), ["globex"]);
    assert!(world.store.account_by_username("alicia").await.unwrap().is_some());
    assert!(world.store.account_by_username("alice").await.unwrap().is_none());
    assert_eq!(world.store.memberships(&user_id("bob")).await.unwrap()[0].tenant.name, "Acme");
}

async fn what_is_declared_no_longer_is_removed(database: Database) {
    let world = World::new(database).await;
    world.store.reconcile(Declarations::default(), NOW).await.unwrap();
    for table in TABLES {
        assert_eq!(world.database.count(table).await, 0, "{table}");
    }
    assert_eq!(world.database.count("browser_sessions").await, 0);
}

async fn what_something_refers_to_is_withdrawn_and_can_come_back(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    world.store.reconcile(Declarations::default(), later(1)).await.unwrap();
    let known = world.store.grant(&grant).await.unwrap().unwrap();
    assert_eq!((known.grant.revoked_at, known.is_alive), (Some(later(1)), false));
    assert_eq!(world.store.client(&client_id("app")).await.unwrap(), None);
    assert_eq!(world.store.account_by_username("alice").await.unwrap(), None);
    let account = world.store.account(&user_id("alice")).await.unwrap().unwrap();
    assert_eq!(account.user.suspended_at, Some(later(1)));
    assert_eq!(world.store.account(&user_id("bob")).await.unwrap(), None, "nothing refers to bob");

    world.store.reconcile(declarations(), later(2)).await.unwrap();
    assert!(world.store.client(&client_id("app")).await.unwrap().is_some());
    let account = world.store.account_by_username("alice").await.unwrap().unwrap();
    assert_eq!(account.user.suspended_at, None);
    assert_eq!(world.store.memberships(&user_id("alice")).await.unwrap().len(), 2);
    assert!(!world.is_alive(&grant).await, "a revoked grant stays revoked");
}

async fn what_is_left_out_for_a_while_gives_back_nothing_that_was_granted(database: Database) {
    // RFC 9700 §4.14.2: access that was taken away must not come back by itself.
    let world = World::new(database).await;
    type LeaveOut = fn(&mut Declarations);
    let cases: [(&str, LeaveOut); 5] = [
        ("membership", |declared| {
            declared.users[0].memberships.retain(|of| of.tenant != tenant_id("acme"));
        }),
        ("person", |declared| drop(declared.users.remove(0))),
        ("client", |declared| declared.clients.clear()),
        ("resource", |declared| declared.resources.clear()),
        ("tenant", |declared| {
            declared.tenants.retain(|tenant| tenant.id != tenant_id("acme"));
            let of_all = declared.users.iter_mut();
            of_all.for_each(|user| user.memberships.retain(|of| of.tenant != tenant_id("acme")));
        }),
    ];
    for (what, leave_out) in cases {
        if world.store.browser_session(&world.session, NOW, HOUR).await.unwrap().is_none() {
            assert_eq!(world.log_in(&world.session, "alice").await, Outcome::Won(()));
        }
        let mut elsewhere = world.completed();
        elsewhere.grant.tenant = tenant_id("globex");
        elsewhere.grant.resources.clear();
        elsewhere.consents.clear();
        assert_eq!(world.issue(&elsewhere).await, Outcome::Won(()));
        let grant = world.refreshable().await;
        let mut declared = declarations();
        leave_out(&mut declared);
        world.store.reconcile(declared, later(1)).await.unwrap();
        world.store.reconcile(declarations(), later(2)).await.unwrap();
        let known = world.store.grant(&grant).await.unwrap().unwrap();
        assert_eq!((known.grant.revoked_at, known.is_alive), (Some(later(1)), false), "{what}");
        assert_eq!(world.database.count("consents").await, 0, "{what}");
        let goes_on = ["membership", "resource", "tenant"].contains(&what);
        assert_eq!(world.is_alive(&elsewhere.grant.id).await, goes_on, "{what}: what was granted elsewhere");
    }
}

async fn a_resource_that_goes_on_under_another_name_keeps_its_grants(database: Database) {
    let world = World::new(database).await;
    let grant = world.refreshable().await;
    let mut declared = declarations();
    let moved = resource_uri("https://new.example.com/mcp");
    let before = std::mem::replace(&mut declared.resources[0].uri, moved);
    declared.resources[0].aliases.push(before);
    world.store.reconcile(declared, later(1)).await.unwrap();
    assert!(world.is_alive(&grant).await);
    assert_eq!(world.database.count("consents").await, 1);
}

async fn a_role_that_is_declared_no_longer_is_nobodys(database: Database) {
    // Resources give scopes to roles by name: whoever has the name has the scopes.
    let world = World::new(database).await;
    let insert = "INSERT INTO users (id, username, username_folded, origin, created_at)
        VALUES ('dave', 'dave', 'dave', 'admin', 1)";
    world.database.execute(insert).await;
    let joined = "INSERT INTO memberships (user_id, tenant_id, roles)
        VALUES ('dave', 'acme', '[\"editor\",\"owner\"]')";
    world.database.execute(joined).await;
    let mut declared = declarations();
    declared.roles.retain(|role| role.name.as_str() != "editor");
    declared.users.iter_mut().flat_map(|user| &mut user.memberships).for_each(|of| of.roles.clear());
    world.store.reconcile(declared, later(1)).await.unwrap();
    let roles = "SELECT roles FROM memberships WHERE user_id = 'dave'";
    assert_eq!(world.database.texts(roles).await, [r#"["owner"]"#]);
}

async fn who_was_suspended_stays_suspended(database: Database) {
    let world = World::new(database).await;
    let suspended = [
        world.store.suspend_user(&user_id("alice"), audit(AuditKind::Suspended)).await.unwrap(),
        world.store.suspend_client(&client_id("app"), audit(AuditKind::Suspended)).await.unwrap(),
        world.store.suspend_tenant(&tenant_id("acme"), audit(AuditKind::Suspended)).await.unwrap(),
    ];
    assert_eq!(suspended, [Outcome::Won(()); 3]);
    world.store.reconcile(declarations(), later(1)).await.unwrap();
    let account = world.store.account(&user_id("alice")).await.unwrap().unwrap();
    assert_eq!(account.user.suspended_at, Some(NOW));
    assert_eq!(world.store.client(&client_id("app")).await.unwrap(), None);
    assert_eq!(world.store.memberships(&user_id("alice")).await.unwrap().len(), 1);
}

async fn a_password_that_is_not_declared_is_left_alone(database: Database) {
    let world = World::new(database).await;
    let mut declared = declarations();
    declared.users[0].password_hash = None;
    world.store.reconcile(declared, NOW).await.unwrap();
    let account = world.store.account(&user_id("alice")).await.unwrap().unwrap();
    assert_eq!(account.password_hash, person("alice", &[]).password_hash);
}

async fn another_password_ends_what_the_old_one_reached(database: Database) {
    // RFC 9700 §4.14.2: whoever knew the old password may have let a client of their own in.
    let world = World::new(database).await;
    let of_bob = BrowserSessionId::new(NOW, chance());
    assert_eq!(world.log_in(&of_bob, "bob").await, Outcome::Won(()));
    let grant = world.refreshable().await;
    let is_live = |id: BrowserSessionId| {
        let store = world.store.clone();
        async move { store.browser_session(&id, later(2), HOUR).await.unwrap().is_some() }
    };
    // The same password, another name.
    let mut declared = declarations();
    declared.users[0].user.name = Some("Alice".into());
    world.store.reconcile(declared.clone(), later(1)).await.unwrap();
    assert!(is_live(world.session.clone()).await && world.is_alive(&grant).await);

    declared.users[0].password_hash = Some(PasswordHash::from_stored("$argon2id$of-another".into()));
    world.store.reconcile(declared.clone(), later(2)).await.unwrap();
    assert!(!is_live(world.session.clone()).await);
    assert!(is_live(of_bob).await, "nobody else's");
    assert!(!world.is_alive(&grant).await);
    assert_eq!(world.database.texts("SELECT revoked_why FROM grants").await, ["password_changed"]);
    world.store.reconcile(declared, later(3)).await.unwrap();
    let recorded = "SELECT user_id FROM audit_events WHERE kind = 'password_changed'";
    assert_eq!(world.database.texts(recorded).await, ["alice"]);
}

async fn names_taken_by_others_are_refused(database: Database) {
    let world = World::new(database).await;
    world
        .database
        .execute("INSERT INTO roles (name, description, origin) VALUES ('taken', '', 'admin')")
        .await;
    world
        .database
        .execute("INSERT INTO tenants (id, name, origin, created_at) VALUES ('taken', '', 'admin', 1)")
        .await;
    world
        .database
        .execute("INSERT INTO users (id, username, username_folded, origin, created_at) VALUES ('taken', 'Carol', 'carol', 'admin', 1)")
        .await;
    let mut registered = client("taken", ClientOrigin::Dynamic);
    registered.registered_at = NOW;
    world.registered(registered, "digest").await;

    type Declare = fn(&mut Declarations);
    let cases: [(&str, Declare); 6] = [
        ("role", |declared| {
            declared.roles.push(Role { name: RoleName::parse("taken").unwrap(), description: String::new() });
        }),
        ("tenant", |declared| declared.tenants.push(tenant("taken"))),
        ("user", |declared| declared.users.push(person("taken", &[]))),
        ("username", |declared| declared.users.push(person("carol", &[]))),
        ("client", |declared| declared.clients.push(client("taken", ClientOrigin::Config))),
        ("resource", |declared| {
            let mut twin = notes();
            twin.uri = resource_uri("https://twin.example.com/mcp");
            declared.resources.push(twin);
        }),
    ];
    let before = contents(&world.database).await;
    for (kind, declare) in cases {
        let mut declared = declarations();
        declared.tenants[0].name = "changed".into();
        declare(&mut declared);
        match world.store.reconcile(declared, NOW).await {
            Err(StoreError::TakenByAnother { what, .. }) => assert_eq!(what, kind),
            other => panic!("{kind}: {other:?}"),
        }
    }
    assert_eq!(contents(&world.database).await, before, "a refused configuration changes nothing");
}

async fn a_login_name_can_move_to_another_person(database: Database) {
    let world = World::new(database).await;
    world.issued().await;
    let mut declared = declarations();
    declared.users[0] = person("alice2", &["acme"]);
    declared.users[0].user.username = "alice".into();
    world.store.reconcile(declared, NOW).await.unwrap();
    let account = world.store.account_by_username("alice").await.unwrap().unwrap();
    assert_eq!(account.user.id, user_id("alice2"));
}

async fn what_was_not_declared_is_never_touched(database: Database) {
    let world = World::new(database).await;
    world.registered(client("self", ClientOrigin::Dynamic), "d").await;
    world
        .database
        .execute("INSERT INTO tenants (id, name, origin, created_at) VALUES ('own', 'Own', 'admin', 1)")
        .await;
    world
        .database
        .execute("INSERT INTO users (id, username, username_folded, origin, created_at) VALUES ('carol', 'carol', 'carol', 'admin', 1)")
        .await;
    world
        .database
        .execute("INSERT INTO memberships (user_id, tenant_id, roles) VALUES ('carol', 'acme', '[]')")
        .await;
    world.store.reconcile(Declarations::default(), later(1)).await.unwrap();
    assert!(world.store.client(&client_id("self")).await.unwrap().is_some());
    assert!(world.store.account(&user_id("carol")).await.unwrap().unwrap().user.suspended_at.is_none());
    assert_eq!(world.database.count("tenants WHERE id = 'own'").await, 1);
    assert_eq!(
        world.database.count("tenants WHERE id = 'acme' AND origin = 'withdrawn'").await,
        1,
        "carol is in it"
    );
}

async fn what_is_known_of_a_member_is_read_with_what_configuration_says(database: Database) {
    let World { store, database: _alive, .. } = World::new(database).await;
    let facts = async |user: &str, tenant: &str| {
        store.person_facts(&user_id(user), &tenant_id(tenant)).await.unwrap()
    };
    let alice = facts("alice", "globex").await.unwrap();
    assert_eq!(
        (alice.username.as_str(), alice.name.as_deref(), alice.email),
        ("ALICE", Some("alice Example"), None)
    );
    assert_eq!(alice.attributes, attributes(&[("department", "sales")]));
    assert_eq!(alice.membership, attributes(&[("seat", "globex")]));
    assert_eq!(facts("bob", "globex").await, None, "no member");
    let mut changed = declarations();
    changed.users[0].attributes = attributes(&[("department", "\"support\"")]);
    changed.users[0].memberships[1].attributes.clear();
    store.reconcile(changed, later(1)).await.unwrap();
    let alice = facts("alice", "globex").await.unwrap();
    assert_eq!(alice.attributes, attributes(&[("department", "\"support\"")]));
    assert_eq!(alice.membership, attributes(&[]));
    assert_eq!(facts("alice", "acme").await.unwrap().membership, attributes(&[("seat", "acme")]));
}

async fn keys_that_were_found_stay_while_their_address_does(database: Database) {
    // RFC 7591 §2, jwks_uri: a start at which the address does not answer shuts nobody out.
    let World { store, database: _alive, .. } = World::new(database).await;
    let id = client_id("agent");
    let declare = async |keys: Option<ClientKeys>, seconds: u64| {
        let mut declared = declarations();
        declared.clients.push(Client { keys, ..client("agent", ClientOrigin::Config) });
        store.reconcile(declared, later(seconds)).await.unwrap();
        store.client(&id).await.unwrap().unwrap().keys
    };
    let (here, there) = ("https://agent.example/1", "https://agent.example/2");
    assert_eq!(declare(ClientKeys::at(here, false), 0).await, ClientKeys::at(here, false));
    store.put_client_keys(&id, here, Some("{}"), later(5)).await.unwrap();
    let found = ClientKeys::Remote { uri: here.into(), jwks: Some("{}".into()), tried_at: Some(later(5)) };
    assert_eq!(declare(ClientKeys::at(here, false), 10).await, Some(found));
    assert_eq!(declare(ClientKeys::at(there, false), 20).await, ClientKeys::at(there, false));
    store.put_client_keys(&id, there, Some("{}"), later(25)).await.unwrap();
    let inline = ClientKeys::Inline { jwks: "{\"keys\": []}".into() };
    assert_eq!(declare(Some(inline.clone()), 30).await, Some(inline));
    assert_eq!(declare(None, 40).await, None);
}
