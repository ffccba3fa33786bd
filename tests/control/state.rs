//! Snapshots, seeds, and what comes and goes.

use reqwest::Method;
use serde_json::json;

use crate::world::{Issuer, World, value};

#[tokio::test]
async fn a_state_is_kept_and_put_back() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "now": 1_900_000_000 })).await;
    let callback = issuer.authorize("test-app").await;
    let code = value(&callback, "code").unwrap();
    let kept = issuer.post("/snapshots", json!({ "name": "before" })).await;
    assert_eq!(kept["name"], "before");
    for _ in 0..2 {
        assert_eq!(issuer.redeem("test-app", code).await.0, 200);
        // RFC 6749 §4.1.2: once.
        assert_eq!(issuer.redeem("test-app", code).await.0, 400);
        issuer.post("/clock/advance", json!({ "seconds": 1000 })).await;
        issuer.post("/faults", json!({ "endpoint": "token", "status": 500 })).await;
        issuer.post("/resources", json!({ "uri": "http://127.0.0.1:9000/mcp" })).await;
        issuer.post("/snapshots/before/restore", json!({})).await;
        let (_, view) = issuer.ask(Method::GET, "", None).await;
        assert_eq!((&view["now"], view["resources"].as_array().unwrap().len()), (&json!(1_900_000_000), 1));
    }
    assert_eq!(issuer.ask(Method::GET, "/snapshots", None).await.1, json!({ "snapshots": ["before"] }));
    assert_eq!(issuer.ask(Method::POST, "/snapshots/after/restore", None).await.0, 404);
}

/// A whole flow, with everything in it that is drawn by chance.
async fn flow(issuer: &Issuer<'_>) -> [String; 4] {
    let minted = issuer.post("/tokens", json!({})).await["token"].as_str().unwrap().to_owned();
    let callback = issuer.authorize("test-app").await;
    let code = value(&callback, "code").unwrap().to_owned();
    let (_, tokens) = issuer.redeem("test-app", &code).await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    [minted, code, text("access_token"), text("refresh_token")]
}

#[tokio::test]
async fn the_same_seed_gives_the_same_flow_to_the_byte() {
    let world = World::start().await;
    let first = world.issuer(json!({ "name": "golden", "seed": 7 })).await;
    let golden = flow(&first).await;
    assert_eq!(first.view["now"], 1_800_000_000);
    world.issuer(json!({})).await;
    world.ask(Method::DELETE, "/issuers/golden", None).await;
    let second = world.issuer(json!({ "name": "golden", "seed": 7 })).await;
    assert_eq!(flow(&second).await, golden);
    world.ask(Method::DELETE, "/issuers/golden", None).await;
    let other = world.issuer(json!({ "name": "golden", "seed": 8 })).await;
    let other = flow(&other).await;
    assert!(other.iter().zip(&golden).all(|(one, two)| one != two));
}

#[tokio::test]
async fn people_clients_servers_and_tenants_come_and_go() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    issuer.post("/tenants", json!({ "id": "initech", "name": "Initech" })).await;
    let user = json!({ "username": "peter", "password": "tps-report", "memberships": [{ "tenant": "initech", "roles": ["clerk"] }] });
    let view = issuer.post("/users", user).await;
    assert!(view["people"].as_array().unwrap().iter().any(|one| one["password"] == "tps-report"));
    issuer
        .post(
            "/resources",
            json!({ "uri": "https://reports.example/mcp", "scopes": [{ "name": "report:file" }] }),
        )
        .await;
    let client = json!({ "id": "printer", "redirect_uris": ["http://127.0.0.1/callback"] });
    issuer.post("/clients", client).await;
    let wish = json!({ "user": "peter", "client": "printer", "resource": "https://reports.example/mcp", "scope": "report:file" });
    let minted = issuer.post("/tokens", wish).await;
    assert_eq!(
        (&minted["claims"]["tenant"], &minted["claims"]["roles"]),
        (&json!("initech"), &json!(["clerk"]))
    );
    // Its metadata names the new scope too.
    let (_, metadata) = issuer.get(issuer.text("metadata_url")).await;
    assert!(metadata["scopes_supported"].as_array().unwrap().contains(&json!("report:file")));

    assert_eq!(issuer.ask(Method::POST, "/users", Some(json!({ "username": "peter" }))).await.0, 400);
    let callback = issuer.authorize("printer").await;
    assert_eq!(issuer.ask(Method::DELETE, "/clients/printer", None).await.0, 204);
    // RFC 6749 §5.2: a purged client is told so, and registers again.
    let (status, error) = issuer.redeem("printer", value(&callback, "code").unwrap()).await;
    assert_eq!((status, &error["error"]), (401, &json!("invalid_client")));
    assert_eq!(issuer.ask(Method::DELETE, "/clients/printer", None).await.0, 404);
}

#[tokio::test]
async fn a_client_that_registered_itself_is_purged_too() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let metadata = json!({ "client_name": "Wanderer", "redirect_uris": [crate::world::CALLBACK], "token_endpoint_auth_method": "none" });
    let (status, client) =
        crate::world::answer(world.http.post(issuer.endpoint("register")).json(&metadata)).await;
    assert_eq!(status, 201, "RFC 7591 §3.2.1");
    let id = client["client_id"].as_str().unwrap();
    let callback = issuer.authorize(id).await;
    assert_eq!(issuer.ask(Method::DELETE, &format!("/clients/{id}"), None).await.0, 204);
    assert_eq!(issuer.redeem(id, value(&callback, "code").unwrap()).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_at_once_are_all_made_and_disturb_nobody() {
    let world = World::start().await;
    let issuer =
        world.issuer(json!({ "config": { "resources": [{ "uri": crate::world::RESOURCE }] } })).await;
    let add = async |n: usize| {
        let user = json!({ "username": format!("user-{n}"), "memberships": [{ "tenant": "acme" }] });
        issuer.ask(Method::POST, "/users", Some(user)).await.0
    };
    let mint = async || {
        for _ in 0..10 {
            assert_eq!(issuer.ask(Method::POST, "/tokens", Some(json!({}))).await.0, 201);
        }
    };
    let keep = async || {
        for _ in 0..3 {
            assert_eq!(issuer.ask(Method::POST, "/snapshots", Some(json!({}))).await.0, 201);
        }
    };
    let (one, two, three, four, (), ()) = tokio::join!(add(1), add(2), add(3), add(4), mint(), keep());
    assert_eq!([one, two, three, four], [201; 4]);
    let (_, view) = issuer.ask(Method::GET, "", None).await;
    let names: Vec<&str> =
        view["people"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap()).collect();
    for n in 1..=4 {
        assert!(names.contains(&&*format!("user-{n}")), "{names:?}");
    }
    // A change that makes no sense changes nothing.
    assert_eq!(issuer.ask(Method::POST, "/clients", Some(json!({ "id": "alice" }))).await.0, 400);
    mint().await;
}

#[tokio::test]
async fn what_was_supplied_later_is_gone_with_the_state() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let id = "https://client.example/metadata.json";
    let document =
        json!({ "client_id": id, "client_name": "Elsewhere", "redirect_uris": [crate::world::CALLBACK] });
    issuer.post("/snapshots", json!({ "name": "before" })).await;
    issuer.put("/documents", json!({ "url": id, "document": document })).await;
    issuer.post("/snapshots/before/restore", json!({})).await;
    let url = issuer.authorization(id);
    assert_eq!(issuer.ask(Method::POST, "/authorize", Some(json!({ "url": url }))).await.0, 400);
}
