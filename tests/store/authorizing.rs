//! From login to a grant with its code.

use std::time::Duration;

use gatelet::audit::AuditKind;
use gatelet::protocol::{BrowserSessionId, Id, InteractionId, RoleName};
use gatelet::store::{Issue, Outcome, StoreError};

use crate::world::*;
use crate::{Database, cases};

const IDLE: Duration = Duration::from_secs(600);

cases![
    accounts_are_found_by_folded_name_and_by_id,
    memberships_name_live_tenants_in_order,
    a_browser_session_lives_until_it_ends_or_idles,
    a_browser_session_ends_once,
    nobody_logs_in_who_is_suspended_or_unknown,
    an_interaction_belongs_to_its_browser_session,
    an_interaction_is_dropped_once,
    an_authorization_leaves_grant_code_and_consent,
    an_interaction_is_completed_once,
    an_authorization_needs_its_interaction,
    an_authorization_needs_everyone_it_names,
    a_consent_replaces_the_one_before,
    security_facts_are_recorded_newest_first,
    a_stored_text_without_meaning_is_corruption,
];

async fn accounts_are_found_by_folded_name_and_by_id(database: Database) {
    let World { store, database: _alive, .. } = World::new(database).await;
    let account = store.account_by_username("alice").await.unwrap().unwrap();
    assert_eq!(account.user, person("alice", &[]).user);
    assert_eq!(account.password_hash, person("alice", &[]).password_hash);
    assert_eq!(store.account(&user_id("alice")).await.unwrap().unwrap(), account);
    assert_eq!(store.account_by_username("ALICE").await.unwrap(), None);
    assert_eq!(store.account(&user_id("carol")).await.unwrap(), None);
}

async fn memberships_name_live_tenants_in_order(database: Database) {
    let World { store, database: _alive, .. } = World::new(database).await;
    let memberships = store.memberships(&user_id("alice")).await.unwrap();
    assert_eq!(
        memberships.iter().map(|m| m.tenant.clone()).collect::<Vec<_>>(),
        [tenant("acme"), tenant("globex")]
    );
    assert_eq!(memberships[0].roles, person("alice", &["acme"]).memberships[0].roles);
    let suspended = store.suspend_tenant(&tenant_id("acme"), audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    assert_eq!(store.memberships(&user_id("alice")).await.unwrap().len(), 1);
}

async fn a_browser_session_lives_until_it_ends_or_idles(database: Database) {
    let World { store, session, database: _alive, .. } = World::new(database).await;
    let live = store.browser_session(&session, later(599), IDLE).await.unwrap().unwrap();
    assert_eq!((&live.session.id, live.user.id), (&session, user_id("alice")));
    assert_eq!(live.secret_hash, hash("cookie"));
    assert_eq!(store.browser_session(&session, later(600), IDLE).await.unwrap(), None, "idle");
    store.touch_browser_session(&session, later(500)).await.unwrap();
    store.touch_browser_session(&session, later(400)).await.unwrap();
    let live = store.browser_session(&session, later(600), IDLE).await.unwrap().unwrap();
    assert_eq!(live.session.seen_at, later(500), "it is never seen earlier than before");
    let day = Duration::from_secs(86_400);
    assert!(store.browser_session(&session, later(3599), day).await.unwrap().is_some());
    assert_eq!(store.browser_session(&session, later(3600), day).await.unwrap(), None, "ended");
}

async fn a_browser_session_ends_once(database: Database) {
    let World { store, session, database, .. } = World::new(database).await;
    let outcomes = race(|_| {
        let (store, session) = (store.clone(), session.clone());
        async move { store.end_browser_session(&session, audit(AuditKind::LoggedOut)).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(store.browser_session(&session, NOW, IDLE).await.unwrap(), None);
    assert_eq!(database.count("audit_events WHERE kind = 'logged_out'").await, 1);
}

async fn nobody_logs_in_who_is_suspended_or_unknown(database: Database) {
    let world = World::new(database).await;
    let suspended = world.store.suspend_user(&user_id("bob"), audit(AuditKind::Suspended)).await.unwrap();
    assert_eq!(suspended, Outcome::Won(()));
    for user in ["bob", "nobody"] {
        let id = BrowserSessionId::new(NOW, chance());
        assert_eq!(world.log_in(&id, user).await, Outcome::Lost);
        assert_eq!(world.store.browser_session(&id, NOW, IDLE).await.unwrap(), None);
    }
    assert_eq!(world.database.count("audit_events WHERE kind = 'logged_in'").await, 1);
}

async fn an_interaction_belongs_to_its_browser_session(database: Database) {
    let world = World::new(database).await;
    let id = world.park().await;
    let parked = world.store.interaction(&id, &world.session, later(599)).await.unwrap().unwrap();
    assert_eq!((parked.id, parked.request.as_str()), (id.clone(), "client_id=app&state=%00"));
    assert_eq!(world.store.interaction(&id, &world.session, later(600)).await.unwrap(), None);
    let other = BrowserSessionId::new(NOW, chance());
    assert_eq!(world.store.interaction(&id, &other, NOW).await.unwrap(), None);
    let dropped = world.store.drop_interaction(&id, &other, audit(AuditKind::ConsentRefused)).await.unwrap();
    assert_eq!(dropped, Outcome::Lost);
}

async fn an_interaction_is_dropped_once(database: Database) {
    let world = World::new(database).await;
    let id = world.park().await;
    let outcomes = race(|_| {
        let (world, id) = (world.clone(), id.clone());
        async move {
            let audit = audit(AuditKind::ConsentRefused);
            world.store.drop_interaction(&id, &world.session, audit).await.unwrap()
        }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    assert_eq!(world.database.count("interactions").await, 0);
    assert_eq!(world.database.count("audit_events WHERE kind = 'consent_refused'").await, 1);
}

async fn an_authorization_leaves_grant_code_and_consent(database: Database) {
    let world = World::new(database).await;
    let mut issue = world.completed();
    issue.interaction = Some(world.park().await);
    assert_eq!(world.issue(&issue).await, Outcome::Won(()));

    let known = world.store.authorization_code(&issue.code.id).await.unwrap().unwrap();
    assert_eq!(known.code, issue.code);
    assert_eq!(known.secret_hash, issue.code_secret_hash);
    assert_eq!((&known.grant.grant, known.grant.is_alive), (&issue.grant, true));
    assert_eq!(known.grant.roles, [RoleName::parse("editor").unwrap()]);
    assert_eq!(world.store.grant(&issue.grant.id).await.unwrap(), Some(known.grant));
    let consent = issue.consents.remove(0);
    let found = world.store.consents(&consent.user, &consent.client).await;
    assert_eq!(found.unwrap(), [consent]);
    assert_eq!(world.database.count("interactions").await, 0);
}

async fn an_interaction_is_completed_once(database: Database) {
    let world = World::new(database).await;
    let interaction = world.park().await;
    let outcomes = race(|_| {
        let (world, interaction) = (world.clone(), interaction.clone());
        async move {
            let mut issue = world.completed();
            issue.interaction = Some(interaction);
            world.issue(&issue).await
        }
    })
    .await;
    assert_eq!(winners(&outcomes), 1);
    for table in ["grants", "authorization_codes", "audit_events WHERE kind = 'grant_issued'"] {
        assert_eq!(world.database.count(table).await, 1, "{table}");
    }
}

async fn an_authorization_needs_its_interaction(database: Database) {
    let world = World::new(database).await;
    let mut issue = world.completed();
    issue.interaction = Some(InteractionId::new(NOW, chance()));
    assert_eq!(world.issue(&issue).await, Outcome::Lost);
    for table in ["grants", "authorization_codes", "consents", "audit_events WHERE kind = 'grant_issued'"] {
        assert_eq!(world.database.count(table).await, 0, "{table}");
    }
}

async fn an_authorization_needs_everyone_it_names(database: Database) {
    let world = World::new(database).await;
    let interaction = world.park().await;
    let broken: [fn(&mut Issue); 5] = [
        |issue| issue.grant.user = user_id("bob"),
        |issue| issue.grant.client = client_id("unknown"),
        |issue| issue.grant.tenant = tenant_id("unknown"),
        |issue| issue.session = BrowserSessionId::new(NOW, chance()),
        |issue| issue.grant.user = user_id("nobody"),
    ];
    for (number, spoil) in broken.into_iter().enumerate() {
        let mut issue = world.completed();
        issue.interaction = Some(interaction.clone());
        spoil(&mut issue);
        assert_eq!(world.issue(&issue).await, Outcome::Lost, "{number}");
        let parked = world.store.interaction(&interaction, &world.session, NOW).await.unwrap();
        assert!(parked.is_some(), "what lost has taken nothing ({number})");
    }
    assert_eq!(world.database.count("grants").await, 0);
    let audit = audit_at(later(3600), AuditKind::GrantIssued);
    assert_eq!(world.store.issue(world.completed(), audit).await.unwrap(), Outcome::Lost, "session over");
}

async fn a_consent_replaces_the_one_before(database: Database) {
    let world = World::new(database).await;
    world.issued().await;
    let mut replacing = world.completed();
    let consent = &mut replacing.consents[0];
    (consent.scope, consent.given_at) = (scope("read write"), later(5));
    let mut elsewhere = world.completed();
    elsewhere.grant.tenant = tenant_id("globex");
    elsewhere.consents[0].tenant = tenant_id("globex");
    for issue in [&replacing, &elsewhere] {
        assert_eq!(world.issue(issue).await, Outcome::Won(()));
    }
    let found = world.store.consents(&user_id("alice"), &client_id("app")).await;
    assert_eq!(
        found.unwrap(),
        [replacing.consents.remove(0), elsewhere.consents.remove(0)],
        "tenant by tenant"
    );
    let others = world.store.consents(&user_id("bob"), &client_id("app")).await;
    assert_eq!(others.unwrap(), []);
}

async fn security_facts_are_recorded_newest_first(database: Database) {
    let world = World::new(database).await;
    let issue = world.issued().await;
    let event = audit_at(later(9), AuditKind::ConsentRefused).user(&user_id("alice")).detail("said no");
    world.store.record(event).await.unwrap();
    let events = world.store.audit_events(None, 10).await.unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!((events[0].kind.as_str(), events[0].detail.as_deref()), ("consent_refused", Some("said no")));
    assert!(events.iter().any(|event| event.grant.as_ref() == Some(&issue.grant.id)));
    let older = world.store.audit_events(Some(&events[0].id), 1).await.unwrap();
    assert_eq!(older, [events[1].clone()]);
    assert_eq!(Id::parse(events[0].id.as_str()), Some(events[0].id.clone()));
}

async fn a_stored_text_without_meaning_is_corruption(database: Database) {
    let world = World::new(database).await;
    let issue = world.issued().await;
    for (broken, column) in [
        ("UPDATE grants SET resources = 'secret nonsense'", "resources"),
        ("UPDATE grants SET resources = '[]', refresh_expires_at = 1", "refresh_generation"),
        ("UPDATE grants SET refresh_generation = -1, refresh_rotated_at = 1", "refresh_generation"),
    ] {
        world.database.execute(broken).await;
        match world.store.grant(&issue.grant.id).await {
            Err(StoreError::Corrupt { detail }) => {
                assert!(detail.contains(column) && !detail.contains("nonsense"), "{detail}");
            }
            other => panic!("{broken}: {other:?}"),
        }
    }
    world.database.execute("UPDATE memberships SET roles = '[1'").await;
    let read = world.store.memberships(&user_id("alice")).await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
    world.database.execute("UPDATE clients SET auth_methods = '[\"magic\"]'").await;
    let read = world.store.client(&client_id("app")).await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
}
