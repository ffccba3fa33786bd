//! Tokens without a flow, and the zoo.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use gatelet::resource::{Algorithm, ResourceServer};
use reqwest::Method;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{Issuer, RESOURCE, World, answer, with_form};

async fn is_active(issuer: &Issuer<'_>, token: &str) -> bool {
    let url = issuer.endpoint("introspect");
    let request = issuer.world.http.post(url).basic_auth("rs", Some("introspecting-secret"));
    answer(with_form(request, &[("token", token)])).await.1["active"].as_bool().unwrap()
}

fn introspected() -> Value {
    json!({ "config": { "clients": [
        { "id": "app", "redirect_uris": ["http://127.0.0.1/callback"] },
        { "id": "rs", "secret": "introspecting-secret", "introspects": [RESOURCE] },
        { "id": "job", "secret": "a-secret-of-a-job", "grant_types": ["client_credentials"],
          "machine_scopes": ["mcp:write"], "tenant": "acme" },
    ] } })
}

#[tokio::test]
async fn a_minted_token_is_one_of_the_servers_own() {
    let world = World::start().await;
    let issuer = world.issuer(introspected()).await;
    let minted = issuer.post("/tokens", json!({ "user": "admin", "scope": "mcp:write" })).await;
    assert_eq!(minted["header"]["typ"], "at+jwt", "RFC 9068 §2.1");
    for (claim, value) in [
        ("iss", json!(issuer.text("issuer"))),
        ("sub", json!("admin")),
        ("aud", json!(RESOURCE)),
        ("client_id", json!("app")),
        ("scope", json!("mcp:write")),
        ("tenant", json!("acme")),
        ("roles", json!(["admin", "member"])),
    ] {
        assert_eq!(minted["claims"][claim], value, "{claim}");
    }
    let token = minted["token"].as_str().unwrap();
    assert!(is_active(&issuer, token).await);
    issuer.post("/revoke", json!({ "token": token })).await;
    assert!(!is_active(&issuer, token).await);

    let job = issuer.post("/tokens", json!({ "client": "job", "scope": "mcp:write" })).await;
    assert_eq!(job["claims"]["sub"], "job", "RFC 9068 §2.2");
    assert!(is_active(&issuer, job["token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn a_minted_token_says_what_the_test_wants() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "now": 1_800_000_000 })).await;
    let spec = json!({ "ttl": -60, "claims": { "roles": null, "plan": "gold" }, "header": { "typ": "JWT" } });
    let minted = issuer.post("/tokens", spec).await;
    assert_eq!(minted["claims"]["exp"], 1_799_999_940);
    assert_eq!((&minted["claims"]["roles"], &minted["claims"]["plan"]), (&Value::Null, &json!("gold")));
    assert_eq!(minted["header"]["typ"], "JWT");
    for (spec, status) in [
        (json!({ "user": "nobody" }), 404),
        (json!({ "defect": "nothing" }), 404),
        (json!({ "scope": "mcp:read\n" }), 400),
        (json!({ "resource": "https://unknown.example/mcp" }), 400),
        (json!({ "client": "test-machine", "scope": "other:scope" }), 400),
    ] {
        assert_eq!(issuer.ask(Method::POST, "/tokens", Some(spec.clone())).await.0, status, "{spec}");
    }
}

#[tokio::test]
async fn every_animal_of_the_zoo_is_what_it_says_to_a_server_that_knows_the_issuer() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let server = ResourceServer::builder(RESOURCE, issuer.text("issuer"))
        .required_scopes(["mcp:read"])
        .tenant("acme")
        .build()
        .unwrap();
    let app = Router::new().route("/mcp", get(|| async { "in" })).layer(server.layer());
    let zoo = issuer.post("/zoo", json!({ "scope": "mcp:read" })).await;
    let zoo = zoo["specimens"].as_array().unwrap();
    assert!(zoo.len() > 20);
    for specimen in zoo {
        let token = specimen["token"].as_str().unwrap();
        let request = Request::get("/mcp").header("authorization", format!("Bearer {token}"));
        let status = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status();
        // A server that asks nobody does not hear of a revocation.
        let expected =
            if specimen["depends_on"] == "introspection" { &json!(200) } else { &specimen["status"] };
        assert_eq!(json!(status.as_u16()), *expected, "{}", specimen["name"]);
    }
    let (_, listed) = issuer.ask(Method::GET, "/zoo", None).await;
    assert_eq!(listed["specimens"].as_array().unwrap().len(), zoo.len());
}

#[tokio::test]
async fn the_attackers_key_is_none_of_the_issuers() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    for _ in 0..3 {
        issuer.post("/keys", json!({ "action": "rotate" })).await;
    }
    let minted = issuer.post("/tokens", json!({ "defect": "unknown-key" })).await;
    let kid = minted["header"]["kid"].as_str().unwrap().to_owned();
    assert!(!issuer.jwks_kids().await.contains(&kid));
}

#[tokio::test]
async fn the_zoo_of_a_server_with_es256_is_signed_so() {
    let world = World::start().await;
    let resources = json!([{ "uri": RESOURCE, "signing_alg": "ES256", "scopes": [{ "name": "mcp:read" }] }]);
    let issuer = world.issuer(json!({ "config": { "resources": resources } })).await;
    let server = ResourceServer::builder(RESOURCE, issuer.text("issuer"))
        .algorithms([Algorithm::Es256])
        .build()
        .unwrap();
    let app = Router::new().route("/mcp", get(|| async { "in" })).layer(server.layer());
    for (defect, expected) in [("valid", 200), ("foreign-key-same-kid", 401)] {
        let minted = issuer.post("/tokens", json!({ "scope": "mcp:read", "defect": defect })).await;
        assert_eq!(minted["header"]["alg"], "ES256");
        let token = minted["token"].as_str().unwrap();
        let request = Request::get("/mcp").header("authorization", format!("Bearer {token}"));
        let status = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status();
        assert_eq!(status, expected, "{defect}");
    }
}

#[tokio::test]
async fn the_other_tenant_stands_in_the_claim_that_the_issuer_has_for_it() {
    let world = World::start().await;
    let own = "https://reports.example/mcp";
    let config = json!({
        "claims": { "tenant": "https://id.example/org" },
        "resources": [
            { "uri": crate::world::RESOURCE },
            { "uri": own, "claims": [{ "name": "org_id", "from": "tenant" }] },
        ],
    });
    let issuer = world.issuer(json!({ "config": config })).await;
    for (resource, claim) in [(crate::world::RESOURCE, "https://id.example/org"), (own, "org_id")] {
        let good = issuer.post("/tokens", json!({ "resource": resource })).await;
        assert_eq!(good["claims"][claim], "acme");
        let bad = issuer.post("/tokens", json!({ "resource": resource, "defect": "other-tenant" })).await;
        assert!(bad["claims"][claim].is_string() && bad["claims"][claim] != "acme", "{bad}");
        assert_eq!(bad["claims"]["tenant"], serde_json::Value::Null, "it has no other");
    }
}
