//! An issuer is nobody else's.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use gatelet::resource::ResourceServer;
use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::world::{RESOURCE, World, value};

/// How many issuers at once.
const MANY: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_issuers_in_parallel_tests_do_not_interfere() {
    let world = Arc::new(World::start().await);
    let mut tests = JoinSet::new();
    for n in 0..MANY {
        let world = Arc::clone(&world);
        tests.spawn(async move { one_test(&world, n).await });
    }
    let mut issuers = Vec::new();
    while let Some(ended) = tests.join_next().await {
        issuers.push(ended.unwrap());
    }
    issuers.sort();
    issuers.dedup();
    assert_eq!(issuers.len(), MANY);
}

/// A container's port is another one outside; whoever is there makes an issuer that goes by that.
#[tokio::test]
async fn an_issuer_is_where_the_one_who_made_it_reaches_it() {
    let world = World::start().await;
    let origin = "http://localhost:32768";
    let issuer = world.issuer(json!({ "name": "mapped", "origin": origin })).await;
    assert_eq!(issuer.text("issuer"), format!("{origin}/t/mapped/oauth"));
    assert_eq!(issuer.text("control_url"), format!("{origin}/control/issuers/mapped"));
    let own = world.gatelet.mode().control_url().replace("/control", "");
    let metadata = issuer.text("metadata_url").replace(origin, &own);
    let request = world.http.get(metadata).header("host", "localhost:32768");
    let (status, metadata) = crate::world::answer(request).await;
    assert_eq!((status, &metadata["issuer"]), (200, &issuer.view["issuer"]));
    for (origin, why) in [
        ("http://localhost:32768/path", "without a path"),
        ("https://id.example", "--expose"),
        ("http://id.example", "plain http"),
        ("localhost", "absolute URL"),
    ] {
        let (status, refused) =
            world.ask(reqwest::Method::POST, "/issuers", Some(json!({ "origin": origin }))).await;
        let said = refused["error_description"].as_str().unwrap_or_default();
        assert!(status == 400 && said.starts_with("origin: ") && said.contains(why), "{status} {refused}");
    }
}

/// A test as somebody writes it: people, a client and a clock of its own, a flow, a fault, and what it was asked.
async fn one_test(world: &World, n: usize) -> String {
    let (tenant, user, now) = (format!("tenant-{n}"), format!("user-{n}"), 1_800_000_000 + 10_000 * n);
    let users = json!([{ "username": user, "memberships": [{ "tenant": tenant, "roles": [] }] }]);
    let issuer = world.issuer(json!({ "now": now, "config": { "users": users } })).await;
    if n.is_multiple_of(3) {
        issuer.post("/faults", json!({ "endpoint": "token", "status": 503 })).await;
    }
    if n.is_multiple_of(5) {
        issuer.post("/clock/advance", json!({ "seconds": 100 })).await;
    }
    let url = issuer.authorization("test-app");
    let sent = issuer.post("/authorize", json!({ "url": url, "user": user })).await;
    let callback = crate::world::pairs(sent["location"].as_str().unwrap());
    assert_eq!(value(&callback, "iss"), Some(issuer.text("issuer")));
    let code = value(&callback, "code").unwrap();
    if n.is_multiple_of(3) {
        assert_eq!(issuer.redeem("test-app", code).await.0, 503);
    }
    let (status, tokens) = issuer.redeem("test-app", code).await;
    assert_eq!(status, 200, "{n}: {tokens}");
    let minted = issuer.post("/tokens", json!({ "user": user })).await;
    let later = if n.is_multiple_of(5) { 100 } else { 0 };
    assert_eq!(minted["claims"]["iat"], json!(now + later));
    assert_eq!(minted["claims"]["tenant"], json!(tenant));
    let asked = if n.is_multiple_of(3) { 2 } else { 1 };
    issuer.post("/requests/expect", json!({ "endpoint": "token", "exactly": asked })).await;
    issuer.text("issuer").to_owned()
}

#[tokio::test]
async fn a_token_of_one_issuer_is_nothing_to_another() {
    let world = World::start().await;
    let (one, other) = (world.issuer(json!({})).await, world.issuer(json!({})).await);
    assert_ne!(one.jwks_kids().await, other.jwks_kids().await, "neighbours have different test keys");
    let server = ResourceServer::builder(RESOURCE, one.text("issuer")).build().unwrap();
    let app = Router::new().route("/mcp", get(|| async { "in" })).layer(server.layer());
    for (issuer, expected) in [(&one, 200), (&other, 401)] {
        let minted = issuer.post("/tokens", json!({})).await;
        let token = minted["token"].as_str().unwrap();
        let request = Request::get("/mcp").header("authorization", format!("Bearer {token}"));
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), expected);
    }
}

#[tokio::test]
async fn an_issuer_ends_when_its_time_is_over() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "expires_in": 1 })).await;
    assert_eq!(issuer.get(issuer.text("jwks_uri")).await.0, 200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(issuer.get(issuer.text("jwks_uri")).await.0, 404);
    // Its name is free again.
    world.issuer(json!({ "name": issuer.text("name") })).await;
}
