//! What an issuer was asked.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::world::{World, value};

#[tokio::test]
async fn a_request_is_kept_as_it_came() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let callback = issuer.authorize("test-app").await;
    let code = value(&callback, "code").unwrap();
    issuer.redeem("test-app", code).await;
    world.http.post(issuer.endpoint("register")).json(&json!({ "redirect_uris": [] })).send().await.unwrap();
    let (_, seen) = issuer.ask(Method::GET, "/requests", None).await;
    let [token, register] = seen["requests"].as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert_eq!(
        (&token["n"], &token["endpoint"], &token["method"]),
        (&json!(1), &json!("token"), &json!("POST"))
    );
    assert_eq!((&token["form"]["code"], &token["status"]), (&json!(code), &json!(200)));
    assert_eq!((&register["json"]["redirect_uris"], &register["status"]), (&json!([]), &json!(400)));
    assert_eq!(seen["next"], 2);
    let (_, later) = issuer.ask(Method::GET, "/requests?after=1&endpoint=token", None).await;
    assert_eq!(later, json!({ "requests": [], "next": 1 }));
    issuer.ask(Method::DELETE, "/requests", None).await;
    assert_eq!(issuer.ask(Method::GET, "/requests", None).await.1["requests"], json!([]));
}

#[tokio::test]
async fn a_test_waits_for_a_request() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let url = issuer.text("jwks_uri").to_owned();
    let later = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        issuer.get(&url).await
    };
    let began = Instant::now();
    let waiting = issuer.ask(Method::GET, "/requests?endpoint=jwks&wait=20", None);
    let ((_, seen), _) = tokio::join!(waiting, later);
    assert_eq!(seen["requests"][0]["endpoint"], "jwks");
    assert!((Duration::from_millis(150)..Duration::from_secs(10)).contains(&began.elapsed()));
}

#[tokio::test]
async fn an_expectation_is_met_or_told_what_came_instead() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    issuer.redeem("test-app", "nothing").await;
    let expect = async |pattern| issuer.ask(Method::POST, "/requests/expect", Some(pattern)).await;
    let fits = json!({ "endpoint": "token", "form": { "grant_type": "authorization_code" }, "status": 400 });
    assert_eq!(expect(fits).await.0, 200);
    assert_eq!(expect(json!({ "endpoint": "token", "exactly": 1 })).await.0, 200);
    for pattern in [
        json!({ "endpoint": "token", "form": { "grant_type": "refresh_token" } }),
        json!({ "endpoint": "token", "exactly": 0 }),
        json!({ "endpoint": "token", "count": 2, "wait": 0.05 }),
        json!({ "endpoint": "token", "headers": { "Authorization": "Basic" } }),
    ] {
        let (status, answer) = expect(pattern).await;
        assert_eq!((status, &answer["error"]), (417, &json!("expectation_failed")));
        assert!(answer["error_description"].as_str().unwrap().contains("POST token (400)"), "{answer}");
    }
}

#[tokio::test]
async fn a_request_whose_client_went_away_is_kept_too() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    issuer.post("/faults", json!({ "endpoint": "jwks", "delay_ms": 20_000 })).await;
    let impatient = world.http.get(issuer.text("jwks_uri")).timeout(Duration::from_millis(200));
    assert!(impatient.send().await.is_err());
    let seen = issuer.post("/requests/expect", json!({ "endpoint": "jwks", "wait": 10 })).await;
    assert!(seen["requests"][0]["status"].is_null(), "{seen}");
}
