//! What administrators change: guarded, recorded, and with everything that hangs on it.

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::protocol::*;
use gatelet::store::{
    AuditFilter, Changed, ClientFilter, MembershipChange, NewUser, Origin, Outcome, Store, StoreError,
    UserChange, WhichSecret,
};

use crate::world::*;
use crate::{Database, cases};

cases![
    facts_of_one_second_are_in_their_order,
    a_person_is_added_once,
    an_identifier_that_was_somebodys_is_never_given_again,
    deleting_a_person_ends_all_that_was_theirs,
    what_configuration_declares_is_left_alone,
    a_password_that_configuration_gives_is_left_alone,
    leaving_a_tenant_takes_back_what_was_let_in_there,
    a_tenant_is_deleted_with_what_is_in_it,
    a_role_that_is_deleted_is_nobodys,
    a_resource_is_changed_as_it_is_at_that_moment,
    a_client_has_two_secrets_at_most_and_one_at_least,
    attributes_that_are_changed_at_once_are_all_kept,
    a_client_is_not_called_like_a_person,
    what_was_suspended_is_resumed_once,
    lists_go_on_where_they_ended,
    what_must_exist_is_neither_made_nor_claimed,
];

fn fact(kind: AuditKind) -> AuditEvent {
    audit(kind)
}

fn new_user(id: &str, username: &str) -> NewUser {
    let user = User {
        id: user_id(id),
        username: username.to_owned(),
        name: Some("Carol".to_owned()),
        email: None,
        suspended_at: None,
    };
    let password_hash = Some(PasswordHash::from_stored("$argon2id$hers".to_owned()));
    let memberships = vec![(tenant_id("acme"), vec![RoleName::parse("editor").unwrap()])];
    NewUser { user, password_hash, memberships, attributes: Attributes::new() }
}

async fn add(store: &Store, user: NewUser) -> Outcome {
    store.add_user(user, fact(AuditKind::Added)).await.unwrap()
}

/// A world with carol in it, whom an administrator added, and who let the client in.
async fn with_carol(database: Database) -> (World, GrantId) {
    let world = World::new(database).await;
    assert_eq!(add(&world.store, new_user("carol", "Carol")).await, Outcome::Won(()));
    let session = BrowserSessionId::new(NOW, chance());
    assert_eq!(world.log_in(&session, "carol").await, Outcome::Won(()));
    let mut issue = world.completed();
    issue.session = session;
    issue.grant.user = user_id("carol");
    for consent in &mut issue.consents {
        consent.user = user_id("carol");
    }
    assert_eq!(world.issue(&issue).await, Outcome::Won(()));
    (world, issue.grant.id)
}

async fn a_person_is_added_once(database: Database) {
    let world = World::new(database).await;
    let outcomes = race(|number| {
        let store = world.store.clone();
        async move { add(&store, new_user(&format!("u{number}"), "Carol")).await }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(add(&world.store, new_user("alice", "Other")).await, Outcome::Lost, "the identifier is taken");
    assert_eq!(add(&world.store, new_user("other", "ALICE")).await, Outcome::Lost, "the name is taken");
    assert_eq!(add(&world.store, new_user("app", "App")).await, Outcome::Lost, "RFC 9700 §4.15");
    let mut nowhere = new_user("dave", "Dave");
    nowhere.memberships.push((tenant_id("nowhere"), Vec::new()));
    assert_eq!(add(&world.store, nowhere).await, Outcome::Lost);
    assert!(world.store.known_user(&user_id("dave")).await.unwrap().is_none(), "nothing of it was written");
    assert_eq!(world.database.count("audit_events WHERE kind = 'added'").await, 1);
}

async fn an_identifier_that_was_somebodys_is_never_given_again(database: Database) {
    let (world, _) = with_carol(database).await;
    let store = &world.store;
    let deleted = store.delete_user(&user_id("carol"), fact(AuditKind::Deleted)).await.unwrap();
    assert_eq!(deleted, Outcome::Won(()));
    assert!(store.is_deleted_user(&user_id("carol")).await.unwrap());
    assert_eq!(add(store, new_user("carol", "Carol")).await, Outcome::Lost);
    let mut declarations = declarations();
    declarations.users.push(person("carol", &["acme"]));
    let refused = store.reconcile(declarations, NOW).await;
    assert!(matches!(refused, Err(StoreError::TakenByAnother { what: "user", .. })), "{refused:?}");
    assert_eq!(add(store, new_user("carol2", "Carol")).await, Outcome::Won(()), "the name is free");
}

async fn deleting_a_person_ends_all_that_was_theirs(database: Database) {
    let (world, grant) = with_carol(database).await;
    let outcomes = race(|_| {
        let store = world.store.clone();
        async move { store.delete_user(&user_id("carol"), fact(AuditKind::Deleted)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert!(!world.is_alive(&grant).await);
    for table in ["users", "memberships", "browser_sessions", "consents"] {
        let column = if table == "users" { "id" } else { "user_id" };
        assert_eq!(world.database.count(&format!("{table} WHERE {column} = 'carol'")).await, 0, "{table}");
    }
    assert_eq!(world.database.count("audit_events WHERE kind = 'deleted'").await, 1);
}

async fn what_configuration_declares_is_left_alone(database: Database) {
    let world = World::new(database).await;
    let (store, alice, acme) = (&world.store, user_id("alice"), tenant_id("acme"));
    let grant = world.refreshable().await;
    let changed = fact(AuditKind::Changed);
    let deleted = fact(AuditKind::Deleted);
    let change = UserChange { name: Some("A".to_owned()), ..UserChange::default() };
    assert_eq!(store.change_user(&alice, change, changed.clone()).await.unwrap(), Outcome::Lost);
    assert_eq!(store.delete_user(&alice, deleted.clone()).await.unwrap(), Outcome::Lost);
    assert_eq!(
        store.put_membership(&alice, &acme, MembershipChange::default(), changed.clone()).await.unwrap(),
        Outcome::Lost
    );
    assert_eq!(store.drop_membership(&alice, &acme, changed.clone()).await.unwrap(), Outcome::Lost);
    assert_eq!(store.rename_tenant(tenant("acme"), changed.clone()).await.unwrap(), Outcome::Lost);
    assert_eq!(store.delete_tenant(&acme, deleted.clone()).await.unwrap(), Outcome::Lost);
    let editor = declarations().roles.remove(0);
    assert_eq!(store.describe_role(editor.clone(), changed.clone()).await.unwrap(), Outcome::Lost);
    assert_eq!(store.delete_role(&editor.name, deleted.clone()).await.unwrap(), Outcome::Lost);
    let uri = notes().uri;
    let lost = store.change_resource(&uri, ResourceChange::default(), changed.clone()).await.unwrap();
    assert_eq!(lost, Changed::Lost);
    assert_eq!(store.delete_resource(&uri, deleted.clone()).await.unwrap(), Outcome::Lost);
    let app = client_id("app");
    let lost = store.change_client(&app, ClientChange::default(), changed).await.unwrap();
    assert_eq!(lost, Changed::Lost);
    assert_eq!(store.delete_client(&app, deleted.clone()).await.unwrap(), Outcome::Lost);
    assert_eq!(store.add_client_secret(&app, hash("s"), deleted).await.unwrap(), Outcome::Lost);
    assert!(world.is_alive(&grant).await, "who has lost has written nothing");
    assert_eq!(world.database.count("audit_events WHERE kind IN ('changed', 'deleted')").await, 0);
}

async fn a_password_that_configuration_gives_is_left_alone(database: Database) {
    let (world, grant) = with_carol(database).await;
    let set = async |id: &str| {
        let hash = PasswordHash::from_stored("$argon2id$new".to_owned());
        world.store.set_password(&user_id(id), hash, fact(AuditKind::PasswordChanged)).await.unwrap()
    };
    assert_eq!(set("alice").await, Outcome::Lost);
    assert_eq!(set("carol").await, Outcome::Won(()));
    assert!(!world.is_alive(&grant).await, "RFC 9700 §4.14.2");
    // Configuration that leaves the password to the database leaves it to administrators.
    let mut declarations = declarations();
    declarations.users[0].password_hash = None;
    world.store.reconcile(declarations.clone(), NOW).await.unwrap();
    assert_eq!(set("alice").await, Outcome::Won(()));
    world.store.reconcile(declarations, NOW).await.unwrap();
    let account = world.store.account(&user_id("alice")).await.unwrap().unwrap();
    assert_eq!(account.password_hash, Some(PasswordHash::from_stored("$argon2id$new".to_owned())));
}

async fn leaving_a_tenant_takes_back_what_was_let_in_there(database: Database) {
    let (world, grant) = with_carol(database).await;
    let (store, carol, acme) = (&world.store, user_id("carol"), tenant_id("acme"));
    let left = store.drop_membership(&carol, &acme, fact(AuditKind::Changed)).await.unwrap();
    assert_eq!(left, Outcome::Won(()));
    let joined = store
        .put_membership(&carol, &acme, MembershipChange::default(), fact(AuditKind::Changed))
        .await
        .unwrap();
    assert_eq!(joined, Outcome::Won(()));
    assert!(!world.is_alive(&grant).await, "coming back gives nothing back");
    assert_eq!(world.database.count("consents WHERE user_id = 'carol'").await, 0);
}

async fn a_tenant_is_deleted_with_what_is_in_it(database: Database) {
    let world = World::new(database).await;
    let (store, lab) = (&world.store, tenant_id("lab"));
    let added = race(|_| {
        let store = world.store.clone();
        async move { store.add_tenant(tenant("lab"), fact(AuditKind::Added)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&added), 1);
    let mut carol = new_user("carol", "Carol");
    carol.memberships = vec![(lab.clone(), Vec::new())];
    assert_eq!(add(store, carol).await, Outcome::Won(()));
    let machine = Client { tenant: Some(lab.clone()), ..client("machine", ClientOrigin::Admin) };
    assert!(store.add_client(machine, fact(AuditKind::Added)).await.unwrap().is_won());
    assert_eq!(store.client_of_tenant(&lab).await.unwrap().as_deref(), Some("machine"));
    assert_eq!(store.delete_tenant(&lab, fact(AuditKind::Deleted)).await.unwrap(), Outcome::Lost);
    assert!(store.delete_client(&client_id("machine"), fact(AuditKind::Deleted)).await.unwrap().is_won());
    assert!(store.delete_tenant(&lab, fact(AuditKind::Deleted)).await.unwrap().is_won());
    assert!(store.known_user(&user_id("carol")).await.unwrap().unwrap().memberships.is_empty());
}

async fn a_role_that_is_deleted_is_nobodys(database: Database) {
    let world = World::new(database).await;
    let store = &world.store;
    let auditor = Role { name: RoleName::parse("auditor").unwrap(), description: "Reads".to_owned() };
    assert!(store.add_role(auditor.clone(), fact(AuditKind::Added)).await.unwrap().is_won());
    assert_eq!(store.add_role(auditor.clone(), fact(AuditKind::Added)).await.unwrap(), Outcome::Lost);
    let mut carol = new_user("carol", "Carol");
    carol.memberships[0].1.push(auditor.name.clone());
    assert_eq!(add(store, carol).await, Outcome::Won(()));
    assert!(store.delete_role(&auditor.name, fact(AuditKind::Deleted)).await.unwrap().is_won());
    let known = store.known_user(&user_id("carol")).await.unwrap().unwrap();
    assert_eq!(known.memberships[0].1, [RoleName::parse("editor").unwrap()]);
}

async fn a_resource_is_changed_as_it_is_at_that_moment(database: Database) {
    let world = World::new(database).await;
    let store = &world.store;
    let uri = resource_uri("https://other.example.com/mcp");
    let other = Resource { aliases: Vec::new(), uri: uri.clone(), ..notes() };
    assert!(store.add_resource(other.clone(), fact(AuditKind::Added)).await.unwrap().is_won());
    assert_eq!(store.add_resource(other.clone(), fact(AuditKind::Added)).await.unwrap(), Outcome::Lost);
    let alias =
        Resource { uri: resource_uri("https://third.example.com"), aliases: vec![uri.clone()], ..other };
    let taken = store.add_resource(alias, fact(AuditKind::Added)).await;
    assert!(matches!(taken, Err(StoreError::TakenByAnother { what: "resource", .. })), "{taken:?}");
    // Each adds a scope to what the others have added.
    let added = race(|number| {
        let (store, uri) = (world.store.clone(), uri.clone());
        async move {
            let token = ScopeToken::parse(&format!("scope{number}")).unwrap();
            let scope = ResourceScope { description: token.to_string(), ..ResourceScope::new(token) };
            let change = ResourceChange { put_scopes: vec![scope], ..ResourceChange::default() };
            store.change_resource(&uri, change, fact(AuditKind::Changed)).await.unwrap()
        }
    })
    .await;
    assert!(added.iter().all(Changed::is_done), "{added:?}");
    let known = store.known_resource(&uri).await.unwrap().unwrap();
    assert_eq!(known.origin, Origin::Admin);
    let KnownScopes::Listed(scopes) = &known.thing.scopes else { panic!("its scopes are listed") };
    assert_eq!(scopes.len(), 2 + RACERS, "no change is lost");
    let change = ResourceChange { default_scopes: Some(scope("unknown")), ..ResourceChange::default() };
    let refused = store.change_resource(&uri, change, fact(AuditKind::Changed)).await.unwrap();
    assert!(matches!(refused, Changed::Refused(_)), "{refused:?}");
    assert_eq!(store.known_resource(&uri).await.unwrap().unwrap(), known);
    let mut issue = world.completed();
    issue.grant.resources[0].resource = uri.clone();
    issue.consents[0].resource = uri.clone();
    let untouched = world.issued().await.grant.id;
    assert!(world.issue(&issue).await.is_won());
    assert!(store.delete_resource(&uri, fact(AuditKind::Deleted)).await.unwrap().is_won());
    assert!(store.resource(&uri).await.unwrap().is_none());
    assert!(!world.is_alive(&issue.grant.id).await && world.is_alive(&untouched).await);
    assert_eq!(world.database.count("consents").await, 1);
}

async fn a_client_has_two_secrets_at_most_and_one_at_least(database: Database) {
    let world = World::new(database).await;
    let (store, id) = (&world.store, client_id("web"));
    let web = Client {
        auth_methods: vec![ClientAuthMethod::ClientSecretBasic],
        secret_hashes: vec![hash("first")],
        ..client("web", ClientOrigin::Admin)
    };
    assert!(store.add_client(web, fact(AuditKind::Added)).await.unwrap().is_won());
    let outcomes = race(|number| {
        let (store, id) = (world.store.clone(), id.clone());
        async move {
            let added = hash(&format!("second {number}"));
            store.add_client_secret(&id, added, fact(AuditKind::ClientSecretChanged)).await.unwrap()
        }
    })
    .await;
    assert_eq!(winners(&outcomes), 1, "there is room for one");
    let secrets = store.client(&id).await.unwrap().unwrap().secret_hashes;
    assert_eq!((secrets.len(), &secrets[1]), (2, &hash("first")));
    let outcomes =
        race(|number| {
            let (store, id) = (world.store.clone(), id.clone());
            let which = if number % 2 == 0 { WhichSecret::Older } else { WhichSecret::Newer };
            async move {
                store.drop_client_secret(&id, which, fact(AuditKind::ClientSecretChanged)).await.unwrap()
            }
        })
        .await;
    assert_eq!(winners(&outcomes), 1, "the last one stays");
    assert_eq!(store.client_secret_times(&id).await.unwrap().len(), 1);
    assert_eq!(store.client(&id).await.unwrap().unwrap().secret_hashes.len(), 1);
    // One that becomes public loses it.
    let public = ClientChange { auth_methods: Some(vec![ClientAuthMethod::None]), ..ClientChange::default() };
    let changed = store.change_client(&id, public, fact(AuditKind::Changed)).await.unwrap();
    assert_eq!(changed, Changed::Done);
    assert!(store.client_secret_times(&id).await.unwrap().is_empty());
    // One that needs a secret again is given its first in the same change, and is never left without.
    let by_secret = ClientChange {
        auth_methods: Some(vec![ClientAuthMethod::ClientSecretPost]),
        ..ClientChange::default()
    };
    let changed = store.change_client(&id, by_secret.clone(), fact(AuditKind::Changed)).await.unwrap();
    assert!(matches!(changed, Changed::Refused(_)), "{changed:?}");
    let given = ClientChange { first_secret: Some(hash("new")), ..by_secret };
    let changed = store.change_client(&id, given, fact(AuditKind::Changed)).await.unwrap();
    assert_eq!(changed, Changed::Done);
    assert_eq!(store.client(&id).await.unwrap().unwrap().secret_hashes, [hash("new")]);
}

async fn attributes_that_are_changed_at_once_are_all_kept(database: Database) {
    let (world, _) = with_carol(database).await;
    let name = |number: usize| AttributeName::parse(&format!("a{number}")).unwrap();
    let outcomes = race(|number| {
        let store = world.store.clone();
        let one = Some(Attribute::One(number.to_string()));
        let change = UserChange { attributes: [(name(number), one)].into(), ..UserChange::default() };
        async move { store.change_user(&user_id("carol"), change, fact(AuditKind::Changed)).await.unwrap() }
    })
    .await;
    let all = winners(&outcomes);
    let attributes = async || {
        let carol = world.store.known_user(&user_id("carol")).await.unwrap().unwrap();
        assert_eq!(carol.known.thing.name.as_deref(), Some("Carol"), "what is not named stays");
        carol.attributes
    };
    assert_eq!((all, attributes().await.len()), (outcomes.len(), outcomes.len()));
    let gone = UserChange { attributes: [(name(0), None)].into(), ..UserChange::default() };
    assert!(
        world.store.change_user(&user_id("carol"), gone, fact(AuditKind::Changed)).await.unwrap().is_won()
    );
    let left = attributes().await;
    assert_eq!((left.len(), left.get(&name(1))), (all - 1, Some(&Attribute::One("1".to_owned()))));
}

async fn a_client_is_not_called_like_a_person(database: Database) {
    let (world, _) = with_carol(database).await;
    let store = &world.store;
    let add = async |id: &str| {
        let client = client(id, ClientOrigin::Admin);
        store.add_client(client, fact(AuditKind::Added)).await.unwrap()
    };
    assert_eq!(add("carol").await, Outcome::Lost, "RFC 9700 §4.15");
    assert!(store.delete_user(&user_id("carol"), fact(AuditKind::Deleted)).await.unwrap().is_won());
    assert_eq!(add("carol").await, Outcome::Lost, "her tokens live a little longer");
    assert_eq!(add("app").await, Outcome::Lost, "the identifier is taken");
    assert_eq!(add("other").await, Outcome::Won(()));
}

async fn what_was_suspended_is_resumed_once(database: Database) {
    let world = World::new(database).await;
    let (store, alice, app, acme) = (&world.store, user_id("alice"), client_id("app"), tenant_id("acme"));
    let (down, up) = (fact(AuditKind::Suspended), fact(AuditKind::Resumed));
    let grant = world.refreshable().await;
    assert_eq!(store.resume_user(&alice, up.clone()).await.unwrap(), Outcome::Lost, "nobody is suspended");
    assert!(store.suspend_user(&alice, down.clone()).await.unwrap().is_won());
    assert!(store.suspend_client(&app, down.clone()).await.unwrap().is_won());
    assert!(store.suspend_tenant(&acme, down.clone()).await.unwrap().is_won());
    let outcomes = race(|_| {
        let store = world.store.clone();
        async move { store.resume_user(&user_id("alice"), fact(AuditKind::Resumed)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert!(store.resume_client(&app, up.clone()).await.unwrap().is_won());
    assert!(store.resume_tenant(&acme, up.clone()).await.unwrap().is_won());
    assert!(!world.is_alive(&grant).await, "nothing is given back");
    assert!(store.client(&app).await.unwrap().is_some());
    // What is declared no longer comes back with its declaration alone.
    let mut fewer = declarations();
    fewer.clients.clear();
    store.reconcile(fewer, NOW).await.unwrap();
    assert_eq!(store.resume_client(&app, up).await.unwrap(), Outcome::Lost);
    let known = store.known_client(&app).await.unwrap().unwrap();
    assert_eq!((known.known.origin, known.known.suspended_at), (Origin::Withdrawn, Some(NOW)));
}

async fn lists_go_on_where_they_ended(database: Database) {
    let (world, grant) = with_carol(database).await;
    let store = &world.store;
    let first = store.known_users(None, None, 2).await.unwrap();
    let ids: Vec<&str> = first.iter().map(|user| user.known.thing.id.as_str()).collect();
    assert_eq!(ids, ["alice", "bob"]);
    assert_eq!(first[0].memberships.len(), 2, "those of each and of nobody else");
    let second = store.known_users(Some("bob"), None, 2).await.unwrap();
    assert_eq!((second.len(), second[0].known.thing.id.as_str()), (1, "carol"));
    let globex = store.known_users(None, Some(&tenant_id("globex")), 9).await.unwrap();
    assert_eq!(globex.len(), 1);
    assert_eq!(store.known_tenants(Some("acme"), 9).await.unwrap().len(), 1);
    assert_eq!(store.known_resources(None, 9).await.unwrap().len(), 1);
    world.registered(client("stranger", ClientOrigin::Dynamic), "f").await;
    let unused = ClientFilter { unused: true, ..ClientFilter::default() };
    assert_eq!(store.known_clients(None, unused, 9).await.unwrap().len(), 1);
    let declared = ClientFilter { origin: Some(Origin::Config), ..ClientFilter::default() };
    assert_eq!(store.known_clients(None, declared, 9).await.unwrap().len(), 1);
    let grants = store.known_grants(Some(&user_id("carol")), Some(&client_id("app")), None, 9).await.unwrap();
    assert_eq!((grants.len(), &grants[0].grant.id), (1, &grant));
    assert!(store.known_grants(None, None, Some(&grant), 9).await.unwrap().is_empty(), "nothing is older");
    let filter = AuditFilter {
        user: Some(user_id("carol")),
        kind: Some(AuditKind::GrantIssued),
        since: Some(NOW),
        ..AuditFilter::default()
    };
    assert_eq!(store.matching_audit_events(&filter, None, 9).await.unwrap().len(), 1);
    let later = AuditFilter { since: Some(later(1)), ..AuditFilter::default() };
    assert!(store.matching_audit_events(&later, None, 9).await.unwrap().is_empty());
}

async fn facts_of_one_second_are_in_their_order(database: Database) {
    let world = World::new(database).await;
    let kinds = [AuditKind::LoggedIn, AuditKind::GrantIssued, AuditKind::CodeRedeemed, AuditKind::Suspended];
    for kind in kinds {
        world.store.record(fact(kind)).await.unwrap();
    }
    let listed = world.store.audit_events(None, 4).await.unwrap();
    let listed: Vec<&str> = listed.iter().rev().map(|event| event.kind.as_str()).collect();
    assert_eq!(listed, kinds.map(AuditKind::as_str));
}

async fn what_must_exist_is_neither_made_nor_claimed(database: Database) {
    use gatelet::store::{Mode, StoreOptions};
    let options = |mode| StoreOptions { must_exist: true, ..StoreOptions::new(&database.url, mode) };
    let missing = Store::open(&options(Mode::Test)).await;
    assert!(matches!(missing, Err(StoreError::Missing)), "{missing:?}");
    let store = database.open().await;
    let beside = Store::open(&options(Mode::Test)).await.unwrap();
    beside.record_issuer("http://localhost/oauth").await.unwrap();
    assert_eq!(store.recorded_issuer().await.unwrap().as_deref(), Some("http://localhost/oauth"));
    beside.close().await;
    let other = Store::open(&options(Mode::Serve)).await;
    assert!(matches!(other, Err(StoreError::ModeMismatch { .. })), "{other:?}");
    database.execute("DELETE FROM _sqlx_migrations WHERE version = 18").await;
    let older = Store::open(&options(Mode::Test)).await;
    assert!(matches!(older, Err(StoreError::OlderSchema { .. })), "{older:?}");
}
