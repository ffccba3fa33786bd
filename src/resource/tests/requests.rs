//! What requests are told.

use super::*;

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

#[tokio::test]
async fn the_token_is_not_printed_with_the_request() {
    let server = builder().build().unwrap();
    let print = any(|headers: axum::http::HeaderMap| async move { format!("{headers:?}") });
    let token = KEY.token(&claims(json!({})));
    let request = Request::get("/mcp").header("Authorization", format!("Bearer {token}"));
    let app = Router::new().route("/mcp", print).layer(server.layer());
    let printed = text(app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()).await;
    assert_eq!(printed, r#"{"authorization": Sensitive}"#);
}
