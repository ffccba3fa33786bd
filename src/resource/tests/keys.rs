//! Finding the issuer's keys and keeping them fresh.

use super::*;

fn remote(stub: &StubIssuer, clock: &crate::clock::Clock) -> ResourceServer {
    ResourceServer::builder(RESOURCE, &stub.issuer).clock(clock.clone()).build().unwrap()
}

#[tokio::test]
async fn keys_are_found_through_the_metadata_and_fetched_once_for_all_who_wait() {
    let stub = StubIssuer::start(jwks([&KEY]), 300).await;
    let server = remote(&stub, &clock());
    let token = KEY.token(&claims(json!({"iss": stub.issuer})));
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let (server, token) = (server.clone(), token.clone());
            tokio::spawn(async move { with_token(&server, &token).await.status() })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(stub.jwks_fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_first_seen_and_made_up_ones_at_most_every_30_seconds() {
    let stub = StubIssuer::start(jwks([&KEY]), 3600).await;
    let clock = clock();
    let server = remote(&stub, &clock);
    let next = TestKey::rsa("key-2");
    let made_up = TestKey::rsa("key-3");
    let mine = claims(json!({"iss": stub.issuer}));
    assert_eq!(with_token(&server, &KEY.token(&mine)).await.status(), StatusCode::OK);

    stub.publish(Some(jwks([&KEY, &next])));
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let (server, token) = (server.clone(), next.token(&mine));
            tokio::spawn(async move { with_token(&server, &token).await.status() })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(stub.jwks_fetches(), 2);

    for _ in 0..3 {
        let response = with_token(&server, &made_up.token(&mine)).await;
        assert!(challenge(&response).contains("does not publish"), "{}", challenge(&response));
    }
    assert_eq!(stub.jwks_fetches(), 2);
    clock.advance(Duration::from_secs(30));
    for _ in 0..3 {
        assert_eq!(with_token(&server, &made_up.token(&mine)).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(stub.jwks_fetches(), 3);
}

#[tokio::test]
async fn tokens_that_are_foreign_or_expired_make_us_fetch_nothing() {
    let stub = StubIssuer::start(jwks([&KEY]), 3600).await;
    let server = remote(&stub, &clock());
    for changes in [json!({}), json!({"iss": stub.issuer, "exp": NOW - 1})] {
        let response = with_token(&server, &KEY.token(&claims(changes))).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(stub.jwks_fetches(), 0);
}

#[tokio::test]
async fn keys_are_renewed_when_they_age_and_used_on_through_an_outage() {
    let stub = StubIssuer::start(jwks([&KEY]), 60).await;
    let clock = clock();
    let server = remote(&stub, &clock);
    let token = KEY.token(&claims(json!({"iss": stub.issuer, "exp": NOW + 200_000})));
    let next = TestKey::rsa("key-2");
    assert_eq!(with_token(&server, &token).await.status(), StatusCode::OK);

    stub.publish(None);
    clock.advance(Duration::from_secs(60));
    for _ in 0..3 {
        assert_eq!(with_token(&server, &token).await.status(), StatusCode::OK);
    }
    assert_eq!(stub.jwks_fetches(), 2, "a failed fetch is not repeated at once");

    clock.advance(Duration::from_secs(24 * 60 * 60));
    let response = with_token(&server, &token).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "but not for ever");

    stub.publish(Some(jwks([&next])));
    clock.advance(Duration::from_secs(5));
    let withdrawn = with_token(&server, &token).await;
    assert!(challenge(&withdrawn).contains("does not publish"), "{}", challenge(&withdrawn));
}

#[tokio::test]
async fn without_keys_the_answer_is_503_and_not_the_clients_fault() {
    let stub = StubIssuer::start(jwks([&KEY]), 60).await;
    stub.publish(None);
    let clock = clock();
    let server = remote(&stub, &clock);
    let token = KEY.token(&claims(json!({"iss": stub.issuer})));
    for _ in 0..2 {
        let response = with_token(&server, &token).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "5");
        assert_eq!(challenge(&response), "");
        assert_eq!(json_body(response).await["error"], "temporarily_unavailable");
    }
    assert_eq!(stub.jwks_fetches(), 1);
    stub.publish(Some(jwks([&KEY])));
    clock.advance(Duration::from_secs(5));
    assert_eq!(with_token(&server, &token).await.status(), StatusCode::OK);
}
