//! What is asked of the control plane over HTTP, asked of a [`TestServer`] in the same process.

use std::time::Duration;

use gatelet::testkit::{
    Auto, Browser, ClockSetting, DecideSpec, Decision, DocumentSpec, FaultSpec, IssuerSpec, KeyAction,
    MintSpec, Pattern, TestClient, TestIssuers, TestResource, TestServer, TestUser,
};
use gatelet::zoo::SPECIMENS;
use serde_json::{Value, json};

use crate::world::{CALLBACK, RESOURCE};

#[tokio::test]
async fn a_server_of_which_nothing_is_said_is_an_issuer_of_gatelet_test() {
    let (server, gatelet) = (TestServer::start().await, TestIssuers::start().await);
    let theirs = gatelet.issuer(IssuerSpec::default()).await.view().await;
    let ours = server.control().view().await;
    let told = |people: Vec<Value>, clients: Vec<Value>, resources: Vec<Value>| json!({ "people": people, "clients": clients, "resources": resources });
    assert_eq!(
        told(ours.people, ours.clients, ours.resources),
        told(theirs.people, theirs.clients, theirs.resources)
    );
    assert_eq!((ours.issuer.as_str(), ours.control_url), (server.issuer(), None));

    // Whatever it is asked for on loopback is its own too, until a test says which servers there are.
    let elsewhere = MintSpec { resource: Some("http://127.0.0.1:9/mcp".to_owned()), ..MintSpec::default() };
    let minted = server.control().mint(&MintSpec { scope: Some("x".to_owned()), ..elsewhere.clone() }).await;
    assert_eq!(minted.unwrap().claims["aud"], "http://127.0.0.1:9/mcp");
    let own = TestResource::new("https://mcp.example.com/mcp").scope("notes:read", "Read notes");
    let server = TestServer::builder().resource(own.default_scope("notes:read")).start().await;
    assert_eq!(server.control().mint(&elsewhere).await.unwrap_err().code(), "invalid_request");
    let machine = MintSpec { client: Some("test-machine".to_owned()), ..MintSpec::default() };
    let minted = server.control().mint(&machine).await.unwrap();
    assert_eq!((&minted.claims["scope"], &minted.claims["tenant"]), (&json!("notes:read"), &json!("acme")));
}

#[tokio::test]
async fn what_a_test_names_stands_in_place_of_what_is_ready_made() {
    let server =
        TestServer::builder().user(TestUser::new("zoe").member_of("initech", ["clerk"])).start().await;
    let view = server.control().view().await;
    let memberships = json!([{ "tenant": "initech", "roles": ["clerk"] }]);
    assert_eq!(
        view.people,
        [json!({ "username": "zoe", "memberships": memberships, "password": "wonderland" })]
    );
    let zoe = MintSpec { user: Some("zoe".to_owned()), ..MintSpec::default() };
    let minted = server.control().mint(&zoe).await.unwrap();
    assert_eq!(
        (&minted.claims["tenant"], &minted.claims["client_id"]),
        (&json!("initech"), &json!("test-app"))
    );
}

const RS_SECRET: &str = "a0secret0of0a0resource0server0aaaa";

/// A server with a client for people, and whoever introspects tokens for [`RESOURCE`].
async fn introspected() -> (TestServer, TestClient) {
    let builder = TestServer::builder().public_client("app", ["http://127.0.0.1/callback"]);
    let server = builder.resource_server("rs", RS_SECRET, [RESOURCE]).start().await;
    let rs = TestClient::new(&server, "rs", CALLBACK).secret(RS_SECRET);
    (server, rs)
}

#[tokio::test]
async fn tokens_are_minted_spoilt_and_revoked() {
    let (server, rs) = introspected().await;
    let minted = server.control().mint(&MintSpec::default()).await.unwrap();
    assert_eq!(server.verify(&minted.token).await, Value::Object(minted.claims), "RFC 9068 §4");
    assert_eq!(rs.introspect(&minted.token).await.json["active"], true, "RFC 7662 §2.2");
    server.control().revoke(&minted.token).await.unwrap();
    assert_eq!(rs.introspect(&minted.token).await.json["active"], false, "RFC 7009 §2.1");
    let zoo = server.control().zoo(&MintSpec::default()).await.unwrap();
    assert_eq!(zoo.len(), SPECIMENS.len());
    for token in zoo.iter().filter(|token| token.specimen.valid) {
        server.verify(token.token.as_ref().unwrap()).await;
    }
}

#[tokio::test]
async fn the_clock_is_set_stopped_and_moved() {
    let (server, rs) = introspected().await;
    let control = server.control();
    let setting = ClockSetting { now: Some(1_900_000_000), frozen: Some(true) };
    control.set_time(setting).await.unwrap();
    let minted = control.mint(&MintSpec { ttl: Some(60), ..MintSpec::default() }).await.unwrap();
    assert_eq!(minted.claims["exp"], 1_900_000_060);
    assert_eq!(rs.introspect(&minted.token).await.json["active"], true);
    let shown = control.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!((shown.now, shown.frozen), (1_900_000_060, true));
    assert_eq!(server.clock().now().seconds(), 1_900_000_060);
    assert_eq!(rs.introspect(&minted.token).await.json["active"], false, "RFC 7662 §2.2");
}

#[tokio::test]
async fn keys_are_exchanged_lost_and_published_late() {
    let server = TestServer::start().await;
    let kids = async || {
        let jwks = server.get(&server.endpoint("jwks")).await.json;
        let keys = jwks["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = kids().await;
    let rotated = server.control().change_keys(KeyAction::Rotate).await.unwrap();
    assert_eq!((rotated.keys, kids().await.len()), (kids().await, 2));
    let late = server.control().change_keys(KeyAction::PublishLate).await.unwrap();
    assert!(!kids().await.contains(&late.signing));
    let published = server.control().change_keys(KeyAction::Publish).await.unwrap();
    assert!(kids().await.contains(&published.signing));
    let lost = server.control().change_keys(KeyAction::Lose).await.unwrap();
    assert!(!kids().await.contains(&late.signing) && kids().await.contains(&lost.signing));
    assert!(kids().await.contains(&first[0]));
}

#[tokio::test]
async fn answers_fail_and_requests_are_kept() {
    let server = TestServer::start().await;
    let machine = TestClient::new(&server, "test-machine", CALLBACK).secret("test-machine-secret");
    let fault = FaultSpec { status: Some(503), ..FaultSpec::at("token") };
    server.control().add_fault(fault).unwrap();
    assert_eq!(machine.client_credentials(None).await.0.status, 503);
    machine.client_credentials(Some("mcp:write")).await.granted();
    let asked = Pattern { exactly: Some(1), ..Pattern::at("token").form("scope", "mcp:write") };
    let asked = server.control().expect(&asked).await.unwrap();
    assert_eq!(asked[0].status, Some(200));

    server.control().put_on(Some("missing-iss")).unwrap();
    let request = TestClient::new(&server, "test-app", CALLBACK).authorization(|request| request);
    let sent = server.control().decide_and_spoil(&DecideSpec::allow(&request.url, "alice")).await.unwrap();
    assert!(sent.contains("code=") && !sent.contains("iss="), "{sent}");
}

#[tokio::test]
async fn people_answer_without_a_page() {
    let server = TestServer::start().await;
    let app = TestClient::new(&server, "test-app", CALLBACK);
    let scope = "mcp:read mcp:write";
    let granted = app.authorize_at_once(server.control(), "alice", |request| request.scope(scope)).await;
    assert_eq!(app.redeem(&granted).await.granted().scope(), scope);

    let refused = app.authorization(|request| request);
    let deny = DecideSpec { decision: Decision::Deny, ..DecideSpec::allow(&refused.url, "alice") };
    let sent = server.control().decide(&deny).await.unwrap();
    assert_eq!(refused.callback(&sent).error(), "access_denied");

    // The authorization endpoint itself answers, to whatever opens a browser.
    let auto = Auto { user: "grace".to_owned(), decision: Decision::Allow };
    server.control().set_auto(Some(auto));
    let granted = app.authorization(|request| request);
    let sent = Browser::new(&server).get(&granted.url).await.left();
    let tokens = app.redeem(&granted.callback(&sent)).await.granted();
    assert_eq!(server.verify(tokens.access_token()).await["sub"], "grace");
}

#[tokio::test]
async fn a_state_is_kept_and_put_back_and_outlives_a_restart() {
    let server = TestServer::start().await;
    let app = TestClient::new(&server, "test-app", CALLBACK);
    let granted = app.authorize_at_once(server.control(), "alice", |request| request).await;
    let before = server.control().keep(None).await.unwrap();
    app.redeem(&granted).await.granted();
    assert_eq!(app.redeem(&granted).await.refusal(), (400, "invalid_grant"));
    for _ in 0..2 {
        server.control().put_back(&before).await.unwrap();
        app.redeem(&granted).await.granted();
    }
    let server = server.restart().await;
    assert_eq!(
        app.redeem(&granted).await.refusal(),
        (400, "invalid_grant"),
        "the state that was there at the end"
    );
    let before = server.control().keep(None).await.unwrap();
    server.control().put_back(&before).await.unwrap();
    assert_eq!(app.redeem(&granted).await.refusal(), (400, "invalid_grant"));
}

#[tokio::test]
async fn documents_are_found_offline() {
    let server = TestServer::start().await;
    let id = "https://app.example/client.json";
    let document = json!({ "client_id": id, "client_name": "App", "redirect_uris": [CALLBACK] });
    let spec = DocumentSpec::found(id, document);
    server.control().supply(&spec).unwrap();
    let app = TestClient::new(&server, id, CALLBACK);
    let granted = app.authorize_at_once(server.control(), "alice", |request| request).await;
    app.redeem(&granted).await.granted();
    assert_eq!(server.asked_documents(), [id]);
}

#[tokio::test]
async fn what_has_a_seed_says_the_same_each_time() {
    let first = TestServer::builder().seed(7).start().await;
    let port = first.address().port();
    let minted = first.control().mint(&MintSpec::default()).await.unwrap().token;
    // Ended, so that the port is free.
    first.stop().await;
    let second = TestServer::builder().seed(7).port(port).start().await;
    assert_eq!(second.clock().now().seconds(), 1_800_000_000);
    assert_eq!(second.control().mint(&MintSpec::default()).await.unwrap().token, minted);
    let other = TestServer::builder().seed(8).start().await;
    assert_ne!(other.control().mint(&MintSpec::default()).await.unwrap().token, minted);
}
