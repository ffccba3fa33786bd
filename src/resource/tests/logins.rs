//! How the person must have logged in (RFC 9470).

use std::time::Duration;

use super::*;

const CODE: &str = r#"error="insufficient_user_authentication""#;

async fn called(server: &ResourceServer, tool: &str, changes: Value) -> Response<Body> {
    posted(server, &json!({"method": "tools/call", "params": {"name": tool}}), changes).await
}

async fn posted(server: &ResourceServer, body: &Value, changes: Value) -> Response<Body> {
    let bearer = format!("Bearer {}", KEY.token(&claims(changes)));
    let request = Request::post("/mcp").header("Authorization", bearer).body(Body::from(body.to_string()));
    send(server, request.unwrap()).await
}

#[tokio::test]
async fn a_tool_that_wants_a_fresh_login_challenges_older_ones() {
    // RFC 9470 §3, §6
    let age = Duration::from_secs(300);
    let server = builder().tool("erase", ["mcp:read"]).tool_max_age("erase", age).build().unwrap();
    for (auth_time, status) in [
        (json!(NOW), 200),
        (json!(NOW - 300), 200),
        (json!(NOW - 301), 401),
        (json!(NOW + 9999), 401),
        (Value::Null, 401),
    ] {
        let response = called(&server, "erase", json!({"auth_time": auth_time})).await;
        assert_eq!(response.status().as_u16(), status, "{auth_time}");
        if status == 401 {
            let said = challenge(&response);
            assert!(said.starts_with(&format!("{CHALLENGE}, {CODE}, error_description=")), "{said}");
            assert!(said.ends_with(r#", max_age="300", scope="mcp:read""#), "{said}");
            assert_eq!(json_body(response).await["error"], "insufficient_user_authentication");
        }
        let other = called(&server, "list", json!({"auth_time": auth_time})).await;
        assert_eq!(other.status(), StatusCode::OK, "another tool does not ask");
    }
}

#[tokio::test]
async fn a_tool_that_wants_a_class_of_login_challenges_others() {
    // RFC 9470 §3, §6
    let server = builder().tool_acr_values("erase", ["phr", "urn:x"]).build().unwrap();
    for (acr, status) in [(json!("urn:x"), 200), (json!("urn:y"), 401), (Value::Null, 401)] {
        let response = called(&server, "erase", json!({"acr": acr})).await;
        assert_eq!(response.status().as_u16(), status, "{acr}");
        if status == 401 {
            assert!(challenge(&response).contains(r#", acr_values="phr urn:x""#), "{}", challenge(&response));
        }
    }
    assert!(builder().tool_acr_values("erase", ["a b"]).build().is_err());
}

#[tokio::test]
async fn each_call_of_a_batch_is_judged_by_itself() {
    // RFC 9470 §3: two demands that no login meets at once are not the same as none.
    let server =
        builder().tool_acr_values("erase", ["phr"]).tool_acr_values("list", ["urn:x"]).build().unwrap();
    let call = |tool: &str| json!({"method": "tools/call", "params": {"name": tool}});
    for acr in [json!("phr"), json!("urn:x"), json!("urn:y"), Value::Null] {
        let both = posted(&server, &json!([call("erase"), call("list")]), json!({"acr": acr})).await;
        assert_eq!(both.status(), StatusCode::UNAUTHORIZED, "{acr}");
    }
    let twice = posted(&server, &json!([call("list"), call("list")]), json!({"acr": "urn:x"})).await;
    assert_eq!(twice.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_scope_that_is_missing_is_asked_for_first() {
    // A fresh login would not help without it.
    let server =
        builder().tool("erase", ["mcp:write"]).tool_max_age("erase", Duration::ZERO).build().unwrap();
    let response = called(&server, "erase", json!({"auth_time": NOW - 1})).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}
