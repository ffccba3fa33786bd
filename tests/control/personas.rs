//! Personas: each does what it says of itself.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{CALLBACK, Issuer, World, value};

/// An issuer that is one.
async fn an_issuer<'a>(world: &'a World, persona: &str) -> Issuer<'a> {
    world.issuer(json!({ "persona": persona })).await
}

#[tokio::test]
async fn each_persona_says_what_it_does_what_a_client_must_and_where_that_is_written() {
    let world = World::start().await;
    let (_, listed) = world.ask(Method::GET, "/personas", None).await;
    let listed = listed["personas"].as_array().unwrap();
    let names: BTreeSet<&str> = listed.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), listed.len()), (11, 11));
    for persona in listed {
        for member in ["does", "client_must", "section"] {
            assert!(!persona[member].as_str().unwrap().is_empty(), "{persona}");
        }
    }
}

#[tokio::test]
async fn the_answer_of_a_mix_up_is_anothers() {
    // RFC 9207 §2.4
    let world = World::start().await;
    let issuer = an_issuer(&world, "mix-up").await;
    let callback = issuer.authorize("test-app").await;
    assert_eq!(value(&callback, "iss"), Some("https://other-issuer.example/oauth"));
    assert!(value(&callback, "code").is_some());
    let (_, metadata) = issuer.get(issuer.text("metadata_url")).await;
    assert_eq!(metadata["issuer"], issuer.text("issuer"));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn metadata_is_anothers_or_no_metadata_or_kept_for_ever() {
    // RFC 8414 §3.2, §3.3
    let world = World::start().await;
    for persona in ["wrong-issuer", "malformed-metadata", "html-metadata", "endless-cache"] {
        let issuer = an_issuer(&world, persona).await;
        let forms = [
            issuer.text("metadata_url").to_owned(),
            format!("{}/.well-known/openid-configuration", issuer.text("issuer")),
        ];
        for url in forms {
            let answer = world.http.get(&url).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{persona} {url}");
            let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (media_type, kept) = (header("content-type").unwrap(), header("cache-control"));
            let text = answer.text().await.unwrap();
            let metadata = serde_json::from_str::<Value>(&text);
            match persona {
                "wrong-issuer" => {
                    let metadata = metadata.unwrap();
                    assert_eq!(metadata["issuer"], "https://other-issuer.example/oauth");
                    assert_eq!(metadata["token_endpoint"], issuer.endpoint("token"));
                }
                "malformed-metadata" => assert!(media_type == "application/json" && metadata.is_err()),
                "html-metadata" => assert!(media_type == "text/html" && text.starts_with("<!doctype html>")),
                _ => assert_eq!(kept.unwrap(), "public, max-age=315360000, immutable"),
            }
        }
    }
}

#[tokio::test]
async fn the_key_is_another_between_login_and_token() {
    let world = World::start().await;
    let issuer = an_issuer(&world, "keys-rotated-mid-flow").await;
    let callback = issuer.authorize("test-app").await;
    let before = issuer.jwks_kids().await;
    let (status, _) = issuer.redeem("test-app", value(&callback, "code").unwrap()).await;
    let after = issuer.jwks_kids().await;
    assert_eq!(status, 200);
    assert!(after.iter().all(|kid| !before.contains(kid)), "{before:?} {after:?}");
    let callback = issuer.authorize("test-app").await;
    assert_eq!(issuer.redeem("test-app", value(&callback, "code").unwrap()).await.0, 200);
    assert_eq!(issuer.jwks_kids().await, after, "once");
}

#[tokio::test]
async fn a_client_that_registered_itself_is_forgotten_once() {
    // RFC 6749 §5.2
    let world = World::start().await;
    let issuer = an_issuer(&world, "purged-clients").await;
    let register = async || {
        let metadata = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
        let request = world.http.post(issuer.endpoint("register")).header("content-type", "application/json");
        let answer = request.body(metadata.to_string()).send().await.unwrap();
        let client: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        client["client_id"].as_str().unwrap().to_owned()
    };
    let redeem = async |client: &str| {
        let callback = issuer.authorize(client).await;
        issuer.redeem(client, value(&callback, "code").unwrap()).await
    };
    let (status, error) = redeem(&register().await).await;
    assert_eq!((status, &error["error"]), (401, &json!("invalid_client")));
    assert_eq!(redeem(&register().await).await.0, 200, "one that registers again gets in");
}

#[tokio::test]
async fn a_refresh_fails_and_nothing_else_does() {
    // RFC 6749 §5.2
    let world = World::start().await;
    let issuer = an_issuer(&world, "refresh-errors").await;
    for _ in 0..2 {
        let callback = issuer.authorize("test-app").await;
        let (status, tokens) = issuer.redeem("test-app", value(&callback, "code").unwrap()).await;
        assert_eq!(status, 200);
        let refresh = [
            ("grant_type", "refresh_token"),
            ("client_id", "test-app"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        let (status, error) = issuer.token(&refresh).await;
        assert_eq!((status, &error["error"]), (400, &json!("invalid_grant")));
    }
}

#[tokio::test]
async fn a_server_that_is_busy_once_spends_no_code() {
    let world = World::start().await;
    let issuer = an_issuer(&world, "server-errors").await;
    let callback = issuer.authorize("test-app").await;
    let code = value(&callback, "code").unwrap();
    assert_eq!(issuer.redeem("test-app", code).await.0, 503);
    assert_eq!(issuer.redeem("test-app", code).await.0, 200);
}

#[tokio::test]
async fn a_slow_server_answers_after_three_seconds() {
    let world = World::start().await;
    let issuer = an_issuer(&world, "slow").await;
    let began = Instant::now();
    assert_eq!(issuer.get(issuer.text("metadata_url")).await.0, 200);
    assert!(began.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn the_next_persona_takes_the_place_of_the_one_before() {
    let world = World::start().await;
    let issuer = an_issuer(&world, "purged-clients").await;
    issuer.put("/persona", json!({ "persona": "missing-iss" })).await;
    let callback = issuer.authorize("test-app").await;
    assert_eq!(value(&callback, "iss"), None);
    issuer.put("/persona", json!({ "persona": null })).await;
    assert_eq!(issuer.ask(Method::GET, "/faults", None).await.1, json!({ "faults": [] }));
    assert_eq!(value(&issuer.authorize("test-app").await, "iss"), Some(issuer.text("issuer")));
}
