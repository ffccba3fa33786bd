//! Revocation (RFC 7009), seen by the client that revokes and by the server of a resource.

use gatelet::testkit::{ClientAuth, TestClient, TestServer};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::cases;
use crate::introspecting::{SERVER_SECRET, is_active, notes_server, serving};
use crate::world::{Database, ROBOT_SECRET, Watch, app, granted, tokens, web};

cases![
    a_refresh_token_takes_its_grant_with_it,
    an_old_refresh_token_does_as_well,
    an_access_token_goes_alone,
    a_token_of_another_client_is_left_alone_and_the_client_told,
    what_is_not_known_is_as_revoked_as_it_can_be,
    a_client_proves_who_it_is_before_it_revokes,
    a_hint_makes_no_difference,
    nothing_is_called_revoked_that_the_database_did_not_take,
];

async fn a_refresh_token_takes_its_grant_with_it(database: Database) {
    // RFC 7009 §2 and §2.1
    let server = serving(database).await;
    let notes = notes_server(&server);
    for client in [app(&server), web(&server)] {
        let first = tokens(&server, &client).await;
        let second = client.refresh(first.refresh_token()).await.granted();
        let other = tokens(&server, &client).await;
        assert!(
            is_active(&notes, first.access_token()).await && is_active(&notes, second.access_token()).await
        );
        let answer = client.revoke(second.refresh_token()).await;
        // RFC 7009 §2.2: the status says it all.
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(client.refresh(second.refresh_token()).await.refusal(), (400, "invalid_grant"));
        for access_token in [first.access_token(), second.access_token()] {
            assert_eq!(notes.introspect(access_token).await.body, r#"{"active":false}"#);
        }
        // Another installation of the same client goes on.
        assert!(is_active(&notes, other.access_token()).await);
        client.refresh(other.refresh_token()).await.granted();
        // Once more is as good.
        assert_eq!(client.revoke(second.refresh_token()).await.status, 200);
    }
    let events = server.app().engine().store.audit_events(None, 1000).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.kind == "refresh_token_revoked").count(), 2);
}

async fn an_old_refresh_token_does_as_well(database: Database) {
    // RFC 7009 §2.1: whoever holds an old one held the chain.
    let server = serving(database).await;
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let mut last = first.clone();
    for _ in 0..3 {
        last = client.refresh(last.refresh_token()).await.granted();
    }
    assert_eq!(client.revoke(first.refresh_token()).await.status, 200);
    assert_eq!(client.refresh(last.refresh_token()).await.refusal(), (400, "invalid_grant"));
    assert!(!is_active(&notes_server(&server), last.access_token()).await);
}

async fn an_access_token_goes_alone(database: Database) {
    // RFC 7009 §2.1
    let server = serving(database).await;
    let notes = notes_server(&server);
    let client = app(&server);
    let first = tokens(&server, &client).await;
    let second = client.refresh(first.refresh_token()).await.granted();
    assert_eq!(client.revoke(first.access_token()).await.status, 200);
    assert_eq!(notes.introspect(first.access_token()).await.body, r#"{"active":false}"#);
    assert!(is_active(&notes, second.access_token()).await);
    client.refresh(second.refresh_token()).await.granted();
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    let machine = [robot.client_credentials(None).await, robot.client_credentials(None).await];
    assert_eq!(robot.revoke(machine[0].access_token()).await.status, 200);
    assert!(!is_active(&notes, machine[0].access_token()).await);
    assert!(is_active(&notes, machine[1].access_token()).await);
    // A second time writes nothing.
    let mut watch = Watch::on(&server).await;
    assert_eq!(robot.revoke(machine[0].access_token()).await.status, 200);
    assert!(!watch.has_changed().await);
    let events = server.app().engine().store.audit_events(None, 1000).await.unwrap();
    let revoked: Vec<_> = events.iter().filter(|event| event.kind == "access_token_revoked").collect();
    assert_eq!(revoked.len(), 2);
    assert_eq!(revoked.iter().filter(|event| event.grant.is_some()).count(), 1);
}

async fn a_token_of_another_client_is_left_alone_and_the_client_told(database: Database) {
    // RFC 7009 §2.1 and §2.2.1
    let server = serving(database).await;
    let notes = notes_server(&server);
    let (owner, other) = (app(&server), web(&server));
    let issued = tokens(&server, &owner).await;
    for token in [issued.refresh_token(), issued.access_token()] {
        for thief in [&other, &notes, &TestClient::new(&server, "own", "")] {
            let answer = thief.revoke(token).await;
            assert_eq!(answer.refusal(), (400, "invalid_grant"));
            assert!(!answer.body.contains("app") && !answer.body.contains("alice"), "{}", answer.body);
        }
    }
    assert!(is_active(&notes, issued.access_token()).await);
    owner.refresh(issued.refresh_token()).await.granted();
}

async fn what_is_not_known_is_as_revoked_as_it_can_be(database: Database) {
    // RFC 7009 §2.2
    let server = serving(database).await;
    let client = app(&server);
    let callback = granted(&server, &client).await;
    let issued = client.redeem(&callback).await.granted();
    let forged = |token: &str| {
        format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' })
    };
    let mut watch = Watch::on(&server).await;
    for token in [
        "x".to_owned(),
        "gtl_rt_".to_owned(),
        "a.b.c".to_owned(),
        callback.code().to_owned(),
        forged(issued.refresh_token()),
        // The last character of a signature holds bits that do not count.
        issued.access_token().replacen("eyJ", "eyK", 1),
        "\u{1f41a}".repeat(1000),
    ] {
        let answer = client.revoke(&token).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{token}");
    }
    server.clock().advance(std::time::Duration::from_secs(900));
    assert_eq!(client.revoke(issued.access_token()).await.status, 200, "expired");
    assert!(!watch.has_changed().await, "nothing that changes nothing is written");
    client.refresh(issued.refresh_token()).await.granted();
}

async fn a_client_proves_who_it_is_before_it_revokes(database: Database) {
    // RFC 7009 §2.1 and §2.2.1
    let server = serving(database).await;
    let client = web(&server);
    let issued = tokens(&server, &client).await;
    let url = server.endpoint("revoke");
    let pairs = [("token", issued.refresh_token())];
    for auth in [
        ClientAuth::Basic("web".to_owned(), "wrong".to_owned()),
        ClientAuth::Public("web".to_owned()),
        ClientAuth::Public("nobody".to_owned()),
        ClientAuth::Nothing,
    ] {
        assert_eq!(server.post(&url, &pairs, &auth).await.refusal(), (401, "invalid_client"), "{auth:?}");
    }
    let mine = ClientAuth::Post("web".to_owned(), crate::world::WEB_SECRET.to_owned());
    assert_eq!(server.post(&url, &[], &mine).await.refusal(), (400, "invalid_request"));
    let twice = [("token", "a"), ("token", "b")];
    assert_eq!(server.post(&url, &twice, &mine).await.refusal(), (400, "invalid_request"));
    client.refresh(issued.refresh_token()).await.granted();
    assert_eq!(server.post(&url, &pairs, &mine).await.status, 200);
    assert_eq!(client.refresh(issued.refresh_token()).await.refusal(), (400, "invalid_grant"));
}

async fn a_hint_makes_no_difference(database: Database) {
    // RFC 7009 §2.1: tokens of all types are looked for.
    let server = serving(database).await;
    let client = app(&server);
    for hint in ["access_token", "refresh_token", "id_token", "urn:unheard:of"] {
        let issued = tokens(&server, &client).await;
        let pairs = [("token", issued.refresh_token()), ("token_type_hint", hint)];
        assert_eq!(client.post(&server.endpoint("revoke"), &pairs).await.status, 200, "{hint}");
        assert_eq!(client.refresh(issued.refresh_token()).await.refusal(), (400, "invalid_grant"), "{hint}");
        let issued = tokens(&server, &client).await;
        let pairs = [("token", issued.access_token()), ("token_type_hint", hint)];
        assert_eq!(client.post(&server.endpoint("revoke"), &pairs).await.status, 200, "{hint}");
        assert!(!is_active(&notes_server(&server), issued.access_token()).await, "{hint}");
    }
}

async fn nothing_is_called_revoked_that_the_database_did_not_take(database: Database) {
    // RFC 7009 §2.2.1
    let server = serving(database).await;
    let (client, notes) = (app(&server), notes_server(&server));
    let issued = tokens(&server, &client).await;
    let file = server.database_url().strip_prefix("sqlite:").unwrap().to_owned();
    let mut other = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    for token in [issued.access_token(), issued.refresh_token()] {
        let answer = client.revoke(token).await;
        assert_eq!(answer.refusal(), (503, "temporarily_unavailable"));
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    }
    assert!(is_active(&notes, issued.access_token()).await, "what can be read is answered");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(client.revoke(issued.refresh_token()).await.status, 200);
    assert!(!is_active(&notes, issued.access_token()).await);
}

/// That of many revocations at once all are acknowledged, and one is told of.
pub(crate) async fn revoked_at_once(server: &TestServer, client: &TestClient, token: &str, kind: &str) {
    let before = told(server, kind).await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (client, token) = (client.clone(), token.to_owned());
        asked.spawn(async move { client.revoke(&token).await.status });
    }
    assert_eq!(asked.join_all().await, [200; 32]);
    assert_eq!(told(server, kind).await, before + 1);
    let notes = TestClient::new(server, "notes-server", "").secret(SERVER_SECRET);
    assert!(!is_active(&notes, token).await);
}

async fn told(server: &TestServer, kind: &str) -> usize {
    let events = server.app().engine().store.audit_events(None, 10_000).await.unwrap();
    events.iter().filter(|event| event.kind == kind).count()
}
