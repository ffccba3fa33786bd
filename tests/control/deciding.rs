//! Authorization without a page, by request and beforehand.

use reqwest::Method;
use serde_json::json;

use crate::world::{CALLBACK, World, pairs, value};

#[tokio::test]
async fn a_person_is_logged_in_and_consents_without_a_page() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let url = issuer.authorization("test-app");
    let wish = json!({ "url": url, "user": "alice", "scopes": ["mcp:read"] });
    let location = issuer.post("/authorize", wish).await["location"].as_str().unwrap().to_owned();
    assert!(location.starts_with(CALLBACK), "{location}");
    let callback = pairs(&location);
    assert_eq!(value(&callback, "state"), Some("s t"), "RFC 6749 §4.1.2");
    assert_eq!(value(&callback, "iss"), Some(issuer.text("issuer")), "RFC 9207 §2");
    let (status, tokens) = issuer.redeem("test-app", value(&callback, "code").unwrap()).await;
    assert_eq!((status, &tokens["scope"]), (200, &json!("mcp:read")));
    assert!(tokens["refresh_token"].is_string());
}

#[tokio::test]
async fn a_person_refuses_or_cannot_be_asked() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let url = issuer.authorization("test-app");
    let denied = issuer.post("/authorize", json!({ "url": url, "decision": "deny" })).await;
    let denied = pairs(denied["location"].as_str().unwrap());
    assert_eq!(value(&denied, "error"), Some("access_denied"), "RFC 6749 §4.1.2.1");
    for (spec, why) in [
        (json!({ "url": issuer.authorization("nobody") }), "not known"),
        (json!({ "url": url.replace("4711%2Fcallback", "4711%2Fother") }), "not registered"),
        (json!({ "url": "https://other.example/authorize" }), "authorization endpoint"),
        (json!({ "url": url, "user": "nobody" }), "nobody"),
    ] {
        let (status, answer) = issuer.ask(Method::POST, "/authorize", Some(spec)).await;
        let description = answer["error_description"].as_str().unwrap();
        assert!((400..500).contains(&status) && description.contains(why), "{status} {description}");
    }
}

#[tokio::test]
async fn an_issuer_can_ask_nobody() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "auto": { "user": "alice" } })).await;
    let url = issuer.authorization("test-app");
    let answer = world.http.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with(CALLBACK) && value(&pairs(&location), "code").is_some(), "{location}");
    // And people again.
    issuer.put("/auto", json!(null)).await;
    let answer = world.http.get(&url).send().await.unwrap();
    let login = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(login.contains("/login"), "{login}");
    // The real page, which says what kind of server this is.
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let login = url::Url::parse(&url).unwrap().join(&login).unwrap();
    let page = world.http.get(login).header("cookie", cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("<strong>Test mode</strong>"));
}

#[tokio::test]
async fn a_client_is_known_by_a_document_that_the_test_supplies() {
    let world = World::start().await;
    let id = "https://client.example/metadata.json";
    let document = json!({ "client_id": id, "client_name": "Elsewhere", "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none" });
    let issuer = world.issuer(json!({ "documents": { id: document.clone() } })).await;
    let callback = issuer.authorize(id).await;
    let (status, _) = issuer.redeem(id, value(&callback, "code").unwrap()).await;
    assert_eq!(status, 200);
    // Nothing is dialled: what is not supplied is not there.
    let other = "https://client.example/other.json";
    let ask = || async {
        let url = issuer.authorization(other);
        issuer.ask(Method::POST, "/authorize", Some(json!({ "url": url, "user": "alice" }))).await.0
    };
    assert_eq!(ask().await, 400);
    let mut document = document.clone();
    document["client_id"] = other.into();
    issuer.put("/documents", json!({ "url": other, "document": document })).await;
    assert_eq!(ask().await, 200);
}

#[tokio::test]
async fn an_automatic_answer_comes_at_the_authorization_endpoint_alone() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "auto": { "user": "alice" } })).await;
    let url = issuer.authorization("test-app");
    // A client that guesses where it is finds out here, as it would in production.
    let elsewhere = url.replace("/oauth/authorize", "/authorize");
    assert_eq!(world.http.get(&elsewhere).send().await.unwrap().status(), 404);
    for request in [world.http.head(&url), world.http.get(&url).header("host", "evil.example")] {
        let answer = request.send().await.unwrap();
        let location = answer.headers().get("location").map_or("", |location| location.to_str().unwrap());
        assert!(!location.contains("code="), "{location}");
    }
}
