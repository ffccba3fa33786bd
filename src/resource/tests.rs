//! The layer as a client sees it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use axum::routing::{any, get};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::fixture::{ISSUER, KEY, NOW, RESOURCE, StubIssuer, TestKey, claims, clock, jwks, unsigned};
use super::*;

const CHALLENGE: &str =
    r#"Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp""#;

fn builder() -> Builder {
    ResourceServer::builder(RESOURCE, ISSUER)
        .scopes_supported(["mcp:read", "mcp:write", "offline_access"])
        .required_scopes(["mcp:read"])
        .jwks(jwks([&KEY]))
        .clock(clock())
}

fn app(server: &ResourceServer) -> Router {
    let whoami = |token: AccessToken| async move {
        format!("{} {:?} {:?}", token.subject(), token.tenant(), token.roles())
    };
    let write = |token: AccessToken| async move { token.require(&["mcp:write"]).map(|()| "written") };
    Router::new()
        .route("/mcp", any(whoami))
        .route("/write", get(write))
        .layer(server.layer())
        .merge(server.metadata_router())
}

async fn send(server: &ResourceServer, request: Request<Body>) -> Response<Body> {
    app(server).oneshot(request).await.unwrap()
}

async fn with_token(server: &ResourceServer, token: &str) -> Response<Body> {
    let request = Request::get("/mcp").header("Authorization", format!("Bearer {token}"));
    send(server, request.body(Body::empty()).unwrap()).await
}

fn challenge(response: &Response<Body>) -> &str {
    response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap())
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn json_body(response: Response<Body>) -> Value {
    serde_json::from_str(&text(response).await).unwrap()
}

#[tokio::test]
async fn a_good_token_reaches_the_handler() {
    let server = builder().build().unwrap();
    for changes in [
        json!({}),
        json!({"aud": ["https://other.example", RESOURCE]}),
        json!({"exp": NOW + 1}),
        json!({"exp": NOW as f64 + 5.5, "nbf": NOW, "iat": NOW + 59}),
        json!({"roles": "editor"}),
        json!({"scope": "mcp:read  mcp:write"}),
    ] {
        let response = with_token(&server, &KEY.token(&claims(changes.clone()))).await;
        assert_eq!(response.status(), StatusCode::OK, "{changes}");
        assert_eq!(text(response).await, r#"user-1 Some("acme") ["editor"]"#);
    }
    for typ in ["AT+JWT", "application/at+jwt"] {
        let token = KEY.sign(&json!({"typ": typ, "alg": "RS256", "kid": "key-1"}), &claims(json!({})));
        assert_eq!(with_token(&server, &token).await.status(), StatusCode::OK, "{typ}");
    }
    let without_kid = KEY.sign(&json!({"typ": "at+jwt", "alg": "RS256"}), &claims(json!({})));
    assert_eq!(with_token(&server, &without_kid).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_bad_token_is_answered_401_with_the_reason() {
    let server = builder().build().unwrap();
    let stranger = TestKey::rsa("key-1");
    let unpublished = TestKey::rsa("key-2");
    let with = |changes: Value| KEY.token(&claims(changes));
    let headed = |header: Value| KEY.sign(&header, &claims(json!({})));
    let good = with(json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let hmac_header = json!({"typ": "at+jwt", "alg": "HS256", "kid": "key-1"});
    let none_header = json!({"typ": "at+jwt", "alg": "none", "kid": "key-1"});
    let cases = [
        (with(json!({"aud": "https://other.example/mcp"})), TokenError::WrongAudience),
        (with(json!({"aud": format!("{RESOURCE}/")})), TokenError::WrongAudience),
        (with(json!({"aud": []})), TokenError::WrongAudience),
        (with(json!({"iss": "https://evil.example"})), TokenError::WrongIssuer),
        (with(json!({"iss": format!("{ISSUER}/")})), TokenError::WrongIssuer),
        (with(json!({"exp": NOW})), TokenError::Expired),
        (with(json!({"nbf": NOW + 1})), TokenError::NotYetValid),
        (with(json!({"iat": NOW + 61})), TokenError::NotYetValid),
        (with(json!({"exp": null})), TokenError::MissingClaim("exp")),
        (with(json!({"iat": null})), TokenError::MissingClaim("iat")),
        (with(json!({"jti": null})), TokenError::MissingClaim("jti")),
        (with(json!({"sub": null})), TokenError::MissingClaim("sub")),
        (with(json!({"sub": ""})), TokenError::MissingClaim("sub")),
        (with(json!({"client_id": null})), TokenError::MissingClaim("client_id")),
        (with(json!({"aud": null})), TokenError::MissingClaim("aud")),
        (with(json!({"exp": "soon"})), TokenError::Malformed),
        (with(json!({"scope": ["mcp:read"]})), TokenError::Malformed),
        (headed(json!({"typ": "JWT", "alg": "RS256", "kid": "key-1"})), TokenError::WrongType),
        (headed(json!({"alg": "RS256", "kid": "key-1"})), TokenError::WrongType),
        (
            headed(json!({"typ": "at+jwt", "alg": "RS256", "kid": "key-1", "crit": ["b64"], "b64": false})),
            TokenError::UnknownCriticalHeader,
        ),
        (headed(json!({"typ": "at+jwt", "alg": "RS256", "kid": 1})), TokenError::Malformed),
        (headed(json!({"typ": "at+jwt", "alg": "PS256", "kid": "key-1"})), TokenError::WrongAlgorithm),
        (headed(none_header.clone()), TokenError::WrongAlgorithm),
        (format!("{}.", unsigned(&none_header, &claims(json!({})))), TokenError::WrongAlgorithm),
        (hmac_with_public_key(&unsigned(&hmac_header, &claims(json!({})))), TokenError::WrongAlgorithm),
        (unpublished.token(&claims(json!({}))), TokenError::UnknownKey),
        (stranger.token(&claims(json!({}))), TokenError::BadSignature),
        (format!("{signed}."), TokenError::BadSignature),
        (format!("{good}.x"), TokenError::Malformed),
        (signed.to_owned(), TokenError::Malformed),
        ("garbage".to_owned(), TokenError::Malformed),
        ("...".to_owned(), TokenError::Malformed),
        (format!("{good}, {good}"), TokenError::Malformed),
        (String::new(), TokenError::Malformed),
        (with(json!({"padding": "x".repeat(16 * 1024)})), TokenError::Malformed),
    ];
    for (token, why) in cases {
        let response = with_token(&server, &token).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{why:?}");
        let expected =
            format!(r#"{CHALLENGE}, error="invalid_token", error_description="{why}", scope="mcp:read""#);
        assert_eq!(challenge(&response), expected);
        assert_eq!(
            json_body(response).await,
            json!({"error": "invalid_token", "error_description": why.to_string()})
        );
    }
}

/// The classic confusion: the published key as the secret of an HMAC.
fn hmac_with_public_key(message: &str) -> String {
    use base64::Engine as _;
    let secret = KEY.public()["n"].as_str().unwrap().to_owned();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn a_request_without_a_token_gets_a_challenge_without_an_error() {
    let server = builder().initial_scopes(["mcp:list"]).build().unwrap();
    for authorization in [None, Some("Basic dXNlcjpwYXNz")] {
        let mut request = Request::post("/mcp");
        if let Some(value) = authorization {
            request = request.header("Authorization", value);
        }
        let response = send(&server, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(challenge(&response), format!(r#"{CHALLENGE}, scope="mcp:read mcp:list""#));
        assert_eq!(json_body(response).await.get("error"), None);
    }
}

#[tokio::test]
async fn a_token_in_the_url_or_sent_twice_is_an_invalid_request() {
    let server = builder().build().unwrap();
    let token = KEY.token(&claims(json!({})));
    let bearer = format!("Bearer {token}");
    let twice = Request::get("/mcp").header("Authorization", &bearer).header("Authorization", &bearer);
    let in_query = Request::get(format!("/mcp?access_token={token}"));
    let in_both = Request::get("/mcp?a=b&access%5Ftoken=x").header("Authorization", &bearer);
    for request in [twice, in_query, in_both] {
        let response = send(&server, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(challenge(&response).contains(r#"error="invalid_request""#), "{}", challenge(&response));
    }
}

#[tokio::test]
async fn a_missing_scope_is_answered_403_with_all_that_is_needed() {
    let server = builder().build().unwrap();
    for (held, needed) in [(json!("mcp:other"), "mcp:read mcp:other"), (Value::Null, "mcp:read")] {
        let response = with_token(&server, &KEY.token(&claims(json!({"scope": held})))).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let end = format!(r#", scope="{needed}""#);
        assert!(challenge(&response).starts_with(&format!(r#"{CHALLENGE}, error="insufficient_scope""#)));
        assert!(challenge(&response).ends_with(&end), "{}", challenge(&response));
        assert_eq!(json_body(response).await["error"], "insufficient_scope");
    }
}

#[tokio::test]
async fn a_handler_can_demand_more() {
    let server = builder().build().unwrap();
    for (scope, status) in [("mcp:read", 403), ("mcp:read mcp:write", 200)] {
        let token = KEY.token(&claims(json!({ "scope": scope })));
        let request = Request::get("/write").header("Authorization", format!("bearer {token}"));
        let response = send(&server, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status().as_u16(), status);
        if status == 403 {
            assert!(challenge(&response).ends_with(r#", scope="mcp:read mcp:write""#));
        }
    }
}

#[tokio::test]
async fn a_tool_call_is_stopped_before_the_server_sees_it() {
    let server = builder().tool("write_note", ["mcp:write"]).max_body(500).build().unwrap();
    let echo = Router::new().route(
        "/mcp",
        any(|call: axum::Extension<RpcCall>, body: String| async move {
            format!("{:?} {}", call.0.tool, body.len())
        }),
    );
    let app = echo.layer(server.layer());
    let call = |tool: &str| format!(r#"{{"method":"tools/call","params":{{"name":"{tool}"}}}}"#);
    let oversized = format!(r#"{{"method":"x","params":{{"text":"{}"}}}}"#, "x".repeat(500));
    let cases = [
        ("mcp:read", call("read_note"), 200),
        ("mcp:read", call("write_note"), 403),
        ("mcp:read mcp:write", call("write_note"), 200),
        ("mcp:write", call("write_note"), 403),
        ("mcp:read", "not json".to_owned(), 400),
        ("mcp:read", oversized, 413),
    ];
    for (scope, body, status) in cases {
        let token = KEY.token(&claims(json!({ "scope": scope })));
        let request = Request::post("/mcp")
            .header("Authorization", format!("Bearer {token}"))
            .body(Body::from(body.clone()))
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{scope} {body}");
        match status {
            200 => assert!(text(response).await.ends_with(&body.len().to_string())),
            403 => assert!(challenge(&response).ends_with(r#", scope="mcp:read mcp:write""#)),
            _ => assert_eq!(challenge(&response), ""),
        }
    }
}

#[tokio::test]
async fn a_token_of_another_tenant_is_refused_where_one_is_configured() {
    let server = builder().tenant("acme").build().unwrap();
    for (tenant, status) in [(json!("acme"), 200), (json!("globex"), 401), (Value::Null, 401)] {
        let response = with_token(&server, &KEY.token(&claims(json!({"tenant": tenant})))).await;
        assert_eq!(response.status().as_u16(), status, "{tenant}");
    }
}

#[tokio::test]
async fn leeway_and_audience_and_claim_names_are_configurable() {
    let server = builder()
        .leeway(Duration::from_secs(30))
        .audience("mcp-server-api")
        .claim_names("org", "role")
        .build()
        .unwrap();
    let changes = |exp: i64| json!({"aud": "mcp-server-api", "exp": exp, "org": "globex", "role": "admin"});
    let response = with_token(&server, &KEY.token(&claims(changes(NOW - 29)))).await;
    assert_eq!(text(response).await, r#"user-1 Some("globex") ["admin"]"#);
    let expired = with_token(&server, &KEY.token(&claims(changes(NOW - 30)))).await;
    assert_eq!(expired.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_algorithm_is_accepted_only_where_allowed_and_with_its_own_key() {
    let ec = TestKey::p256("ec");
    let token = ec.token(&claims(json!({})));
    let rs_only = builder().jwks(jwks([&KEY, &ec])).build().unwrap();
    assert_eq!(with_token(&rs_only, &token).await.status(), StatusCode::UNAUTHORIZED);
    let both = builder().jwks(jwks([&KEY, &ec])).algorithms([Algorithm::Rs256, Algorithm::Es256]);
    assert_eq!(with_token(&both.build().unwrap(), &token).await.status(), StatusCode::OK);
    let rsa_named_ec = ec.sign(&json!({"typ": "at+jwt", "alg": "RS256", "kid": "ec"}), &claims(json!({})));
    assert_eq!(with_token(&rs_only, &rsa_named_ec).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn keys_for_other_purposes_do_not_verify() {
    for change in [json!({"use": "enc"}), json!({"alg": "PS256"}), json!({"alg": "RSA-OAEP"})] {
        let mut document = jwks([&TestKey::rsa("other"), &KEY]);
        for (name, value) in change.as_object().unwrap() {
            document["keys"][1][name] = value.clone();
        }
        let server = builder().jwks(document).build().unwrap();
        let response = with_token(&server, &KEY.token(&claims(json!({})))).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{change}");
    }
}

#[tokio::test]
async fn metadata_is_public_at_both_paths() {
    let server = builder().name("Notes").tool("x", ["mcp:admin"]).build().unwrap();
    assert_eq!(server.metadata_path(), "/.well-known/oauth-protected-resource/mcp");
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        let response = send(&server, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(
            json_body(response).await,
            json!({
                "resource": RESOURCE,
                "authorization_servers": [ISSUER],
                "scopes_supported": ["mcp:read", "mcp:write", "mcp:admin"],
                "bearer_methods_supported": ["header"],
                "resource_name": "Notes",
            })
        );
        let preflight = Request::options(path).body(Body::empty()).unwrap();
        let allowed = send(&server, preflight).await.headers()["access-control-allow-headers"].clone();
        assert_eq!(allowed, "Authorization, Content-Type, MCP-Protocol-Version");
    }
    let root = ResourceServer::builder("https://mcp.example", ISSUER).build().unwrap();
    assert_eq!(root.metadata_path(), "/.well-known/oauth-protected-resource");
    assert_eq!(
        send(&root, Request::get(root.metadata_path()).body(Body::empty()).unwrap()).await.status(),
        200
    );
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_pages_can_read_challenges() {
    let preflight = || {
        Request::builder()
            .method(Method::OPTIONS)
            .uri("/mcp")
            .header("Origin", "https://app.example")
            .header("Access-Control-Request-Method", "POST")
            .body(Body::empty())
            .unwrap()
    };
    let open = builder().browser_clients().build().unwrap();
    let response = send(&open, preflight()).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(response.headers()["access-control-allow-headers"].to_str().unwrap().contains("Authorization"));
    let refused = send(&open, Request::get("/mcp").body(Body::empty()).unwrap()).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(
        refused.headers()["access-control-expose-headers"].to_str().unwrap().contains("WWW-Authenticate")
    );

    let plain = builder().build().unwrap();
    let inner = Router::new().route("/mcp", any(|| async { "inner" })).layer(plain.layer());
    assert_eq!(text(inner.clone().oneshot(preflight()).await.unwrap()).await, "inner");
    let mut no_preflight = preflight();
    no_preflight.headers_mut().remove("access-control-request-method");
    assert_eq!(inner.oneshot(no_preflight).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn what_cannot_work_is_refused_when_built() {
    let resource = |resource: &str| ResourceServer::builder(resource, ISSUER).build().is_ok();
    for good in ["https://mcp.example", "https://mcp.example/", "http://localhost:8710/demo/mcp", RESOURCE] {
        assert!(resource(good), "{good}");
    }
    for bad in [
        "",
        "mcp",
        "HTTPS://mcp.example/",
        "https://MCP.example/",
        "https://mcp.example:443/mcp",
        "https://mcp.example/mcp#x",
        "https://mcp.example/mcp?x",
        "https://u@mcp.example/",
        "urn:mcp",
        "https://mcp.example/a/../mcp",
    ] {
        assert!(!resource(bad), "{bad}");
    }
    assert!(ResourceServer::builder(RESOURCE, "https://id.example/?x").build().is_err());
    assert!(builder().tool("x", ["a b"]).build().is_err());
    assert!(builder().algorithms([]).build().is_err());
    assert!(builder().jwks(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})).build().is_err());
}

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
