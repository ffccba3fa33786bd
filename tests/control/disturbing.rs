//! Clock, keys and faults.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, value};

#[tokio::test]
async fn the_clock_is_set_stopped_and_moved() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "now": 1_900_000_000 })).await;
    assert_eq!(
        issuer.ask(Method::GET, "/clock", None).await.1,
        json!({ "now": 1_900_000_000, "frozen": true })
    );
    let minted = issuer.post("/tokens", json!({})).await;
    assert_eq!(
        (&minted["claims"]["iat"], &minted["claims"]["exp"]),
        (&json!(1_900_000_000), &json!(1_900_000_900))
    );
    let callback = issuer.authorize("test-app").await;
    let moved = issuer.post("/clock/advance", json!({ "seconds": 61 })).await;
    assert_eq!(moved["now"], 1_900_000_061);
    // RFC 6749 §4.1.2: a code lives for a minute here.
    let (status, error) = issuer.redeem("test-app", value(&callback, "code").unwrap()).await;
    assert_eq!((status, &error["error"]), (400, &json!("invalid_grant")));
    let clock = issuer.put("/clock", json!({ "now": 5, "frozen": false })).await;
    assert!(clock["frozen"] == false && clock["now"].as_i64().unwrap() < 60, "{clock}");
}

#[tokio::test]
async fn a_key_that_is_due_is_rotated_when_the_clock_is_moved() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "now": 1_900_000_000 })).await;
    let first = issuer.jwks_kids().await;
    // Published a day before 90 days are over, and signs after them.
    issuer.post("/clock/advance", json!({ "seconds": 89 * 86400 + 1 })).await;
    assert_eq!(issuer.jwks_kids().await.len(), 2);
    issuer.post("/clock/advance", json!({ "seconds": 86400 })).await;
    let minted = issuer.post("/tokens", json!({})).await;
    assert_ne!(minted["header"]["kid"], first[0].as_str());
}

#[tokio::test]
async fn keys_are_exchanged_lost_and_published_late() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let first = issuer.jwks_kids().await;
    let change = async |action: &str| {
        let keys = issuer.post("/keys", json!({ "action": action })).await;
        let minted = issuer.post("/tokens", json!({})).await;
        assert_eq!(minted["header"]["kid"], keys["signing"]);
        (keys["signing"].as_str().unwrap().to_owned(), issuer.jwks_kids().await)
    };
    let (second, published) = change("rotate").await;
    assert!(published.contains(&first[0]) && published.contains(&second) && published.len() == 2);
    let (third, published) = change("lose").await;
    assert!(published.contains(&third) && !published.contains(&second), "{published:?}");
    let (fourth, published) = change("publish_late").await;
    assert!(!published.contains(&fourth), "{published:?}");
    let (_, published) = change("publish").await;
    assert!(published.contains(&fourth) && published.contains(&second), "{published:?}");
    let (fifth, published) = change("revoke").await;
    assert!(published.contains(&fifth) && !published.contains(&fourth), "{published:?}");
    // What is revoked is published by nothing any more.
    assert!(!change("publish").await.1.contains(&fourth));
}

#[tokio::test]
async fn a_fault_comes_as_often_as_it_is_asked_for() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let metadata = issuer.text("metadata_url").to_owned();
    issuer
        .post("/faults", json!({ "endpoint": "metadata", "status": 503, "headers": { "retry-after": "7" } }))
        .await;
    let answer = world.http.get(&metadata).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"7".parse().unwrap()));
    assert_eq!(issuer.get(&metadata).await.0, 200);

    let fault = issuer.post("/faults", json!({ "endpoint": "metadata", "times": null, "set": { "issuer": "https://evil.example", "jwks_uri": null } })).await;
    for _ in 0..3 {
        let (_, document) = issuer.get(&metadata).await;
        assert_eq!(
            (&document["issuer"], &document["jwks_uri"]),
            (&json!("https://evil.example"), &Value::Null)
        );
    }
    assert_eq!(issuer.ask(Method::DELETE, &format!("/faults/{}", fault["id"]), None).await.0, 204);
    assert_eq!(issuer.get(&metadata).await.1["issuer"], issuer.text("issuer"));
    assert_eq!(issuer.ask(Method::GET, "/faults", None).await.1, json!({ "faults": [] }));
}

#[tokio::test]
async fn an_answer_is_late_cut_or_lost() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let jwks = issuer.text("jwks_uri").to_owned();
    issuer.post("/faults", json!({ "endpoint": "jwks", "delay_ms": 300 })).await;
    let began = Instant::now();
    assert_eq!(issuer.get(&jwks).await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    issuer.post("/faults", json!({ "endpoint": "jwks", "drop": true })).await;
    let cut = world.http.get(&jwks).send().await;
    let is_cut = match cut {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(is_cut);
    // A code whose answer was lost was redeemed; one that never arrived was not.
    for (processed, status) in [(true, 400), (false, 200)] {
        let callback = issuer.authorize("test-app").await;
        let code = value(&callback, "code").unwrap();
        issuer.post("/faults", json!({ "endpoint": "token", "status": 502, "processed": processed })).await;
        assert_eq!(issuer.redeem("test-app", code).await.0, 502);
        assert_eq!(issuer.redeem("test-app", code).await.0, status, "processed: {processed}");
    }
}

#[tokio::test]
async fn the_answer_to_a_client_is_changed_on_its_way() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "auto": { "user": "alice" } })).await;
    let fault = json!({ "endpoint": "authorize", "times": null, "redirect_set": { "iss": "https://evil.example", "state": null } });
    issuer.post("/faults", fault).await;
    let callback = issuer.authorize("test-app").await;
    let check = |callback: &[(String, String)]| {
        assert_eq!(value(callback, "iss"), Some("https://evil.example"));
        assert_eq!(value(callback, "state"), None);
        assert!(value(callback, "code").is_some());
    };
    check(&callback);
    let answer = world.http.get(issuer.authorization("test-app")).send().await.unwrap();
    check(&crate::world::pairs(answer.headers()["location"].to_str().unwrap()));
}

#[tokio::test]
async fn a_persona_is_put_on_and_taken_off() {
    let world = World::start().await;
    let (_, personas) = world.ask(Method::GET, "/personas", None).await;
    assert!(personas["personas"].as_array().unwrap().iter().any(|one| one["name"] == "missing-iss"));
    let issuer = world.issuer(json!({ "persona": "missing-iss" })).await;
    assert_eq!(value(&issuer.authorize("test-app").await, "iss"), None);
    issuer.put("/persona", json!({ "persona": null })).await;
    assert_eq!(value(&issuer.authorize("test-app").await, "iss"), Some(issuer.text("issuer")));
}

#[tokio::test]
async fn a_fault_is_not_spent_on_what_is_no_request_of_the_test() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    // What a browser asks before it asks (Fetch, CORS preflight).
    issuer.post("/faults", json!({ "endpoint": "token", "status": 503 })).await;
    let preflight =
        world.http.request(Method::OPTIONS, issuer.endpoint("token")).header("origin", "https://app.example");
    let answer = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer = world
        .http
        .post(issuer.endpoint("token"))
        .header("origin", "https://app.example")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
        (503, &"*".parse().unwrap())
    );
    // An answer from a cache would be none (RFC 9110 §13.1.2).
    let jwks = issuer.text("jwks_uri").to_owned();
    let etag = world.http.get(&jwks).send().await.unwrap().headers()["etag"].clone();
    issuer.post("/faults", json!({ "endpoint": "jwks", "set": { "keys": [] } })).await;
    let answer = world.http.get(&jwks).header("if-none-match", etag).send().await.unwrap();
    assert!(answer.status() == 200 && !answer.headers().contains_key("etag"));
}

#[tokio::test]
async fn a_fault_is_the_same_by_every_method() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let jwks = issuer.text("jwks_uri").to_owned();
    let ask = |method: Method| world.http.request(method, &jwks).send();
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        // No answer at all: not its status line either.
        issuer.post("/faults", json!({ "endpoint": "jwks", "drop": true })).await;
        assert!(ask(method.clone()).await.is_err(), "{method}");
        issuer.post("/requests/expect", json!({ "endpoint": "jwks", "method": method.as_str() })).await;
        let fault = json!({ "endpoint": "jwks", "status": 503, "headers": { "retry-after": "7" } });
        issuer.post("/faults", fault).await;
        let answer = ask(method.clone()).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (503, &"7".parse().unwrap())
        );
        assert_eq!(issuer.ask(Method::GET, "/faults", None).await.1, json!({ "faults": [] }), "{method}");
    }
    // RFC 9110 §9.3.2: HEAD says what GET would say.
    issuer.post("/faults", json!({ "endpoint": "jwks", "times": 2, "set": { "keys": [] } })).await;
    let length = async |method: Method| ask(method).await.unwrap().headers()["content-length"].clone();
    assert_eq!(length(Method::HEAD).await, length(Method::GET).await);
}
