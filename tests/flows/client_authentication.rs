//! How clients prove at the token endpoint who they are, and what is wrong with a request before that matters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelet::testkit::{ClientAuth, TestClient, TestServer};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cases;
use crate::world::{Database, ROBOT_SECRET, server, world};

cases![
    a_secret_is_taken_as_clients_send_it,
    a_wrong_secret_is_refused_and_the_scheme_named_to_who_used_the_header,
    two_ways_at_once_are_refused,
    a_public_client_has_no_secret_to_present,
    the_grant_type_has_to_be_one_the_client_has,
    the_token_endpoint_answers_in_json_whatever_is_wrong,
    a_repeated_parameter_is_refused,
    a_body_of_unknown_length_is_not_read_without_end,
];

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn basic(text: &str) -> ClientAuth {
    ClientAuth::Header(format!("Basic {}", STANDARD.encode(text)))
}

async fn a_secret_is_taken_as_clients_send_it(database: Database) {
    // OAuth 2.1 §2.4.1.
    // RFC 6749 §2.3.1 form-encodes before joining; released SDKs send it raw, percent-encoded or form-encoded.
    let odd = "a+b%20c:d~e-f/g=h&ij0123456789";
    let server = world(database).machine_client("odd-machine", odd, ["mcp:read"], None).start().await;
    let raw = format!("robot:{ROBOT_SECRET}");
    let form_encoded = "odd%2Dmachine:a%2Bb%2520c%3Ad%7Ee%2Df%2Fg%3Dh%26ij0123456789";
    for auth in [
        basic(&raw),
        ClientAuth::Header(format!("basic {}", STANDARD.encode(&raw))),
        basic(&format!("%72obot:{ROBOT_SECRET}")),
        ClientAuth::Post("robot".to_owned(), ROBOT_SECRET.to_owned()),
        basic(&format!("odd-machine:{odd}")),
        basic(form_encoded),
        basic("odd-machine:a%2Bb%2520c%3Ad~e-f%2Fg%3Dh%26ij0123456789"),
        ClientAuth::Post("odd-machine".to_owned(), odd.to_owned()),
    ] {
        let answer = server.token(&[GRANT], &auth).await;
        assert_eq!(answer.status, 200, "{auth:?}: {}", answer.body);
    }
    // Python's SDK repeats its identifier in the form.
    let answer = server.token(&[GRANT, ("client_id", "robot")], &basic(&raw)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn a_wrong_secret_is_refused_and_the_scheme_named_to_who_used_the_header(database: Database) {
    // RFC 9700 §2.5; OAuth 2.1 §3.2.4; RFC 6749 §5.2
    let server = server(database).await;
    let named = "Basic realm=\"token\"";
    for (auth, challenge) in [
        (basic("robot:wrong"), named),
        (basic(&format!("robot:{ROBOT_SECRET}x")), named),
        (basic("robot:"), named),
        (basic(&format!("nobody:{ROBOT_SECRET}")), named),
        (basic("robot"), named),
        (ClientAuth::Header("Basic !!!".to_owned()), named),
        (ClientAuth::Header("Bearer abc".to_owned()), named),
        (ClientAuth::Post("robot".to_owned(), "wrong".to_owned()), ""),
        (ClientAuth::Public("robot".to_owned()), ""),
        (ClientAuth::Public("nobody".to_owned()), ""),
        (ClientAuth::Nothing, ""),
    ] {
        let answer = server.token(&[GRANT], &auth).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{auth:?}");
        assert_eq!(answer.header("www-authenticate"), challenge, "{auth:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

async fn two_ways_at_once_are_refused(database: Database) {
    // OAuth 2.1 §2.4
    let server = server(database).await;
    let raw = basic(&format!("robot:{ROBOT_SECRET}"));
    let answer = server.token(&[GRANT, ("client_secret", ROBOT_SECRET)], &raw).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
    let answer = server.token(&[GRANT, ("client_id", "web")], &raw).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
    let request = server.http().post(server.endpoint("token"));
    let request = request.header("authorization", "Basic YTpi").header("authorization", "Basic YTpj");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(request.body("grant_type=client_credentials").send().await.unwrap().status(), 400);
}

async fn a_public_client_has_no_secret_to_present(database: Database) {
    // RFC 8252 §8.4, §8.5
    let server = server(database).await;
    for auth in [basic("app:x"), ClientAuth::Post("app".to_owned(), "x".to_owned())] {
        let answer = server.token(&[("grant_type", "refresh_token"), ("refresh_token", "x")], &auth).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{auth:?}");
    }
}

async fn the_grant_type_has_to_be_one_the_client_has(database: Database) {
    // RFC 6749 §5.2
    let server = server(database).await;
    let app = TestClient::new(&server, "app", "http://127.0.0.1/cb");
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    let ask = async |client: &TestClient, grant: &str| {
        let answer = client.token(&[("grant_type", grant), ("code", "x"), ("code_verifier", "x")]).await;
        (answer.status, answer.refusal().1.to_owned())
    };
    let refused = |error: &str| (400, error.to_owned());
    assert_eq!(ask(&app, "client_credentials").await, refused("unauthorized_client"));
    assert_eq!(ask(&robot, "authorization_code").await, refused("unauthorized_client"));
    for unknown in ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "\u{1f41a}"] {
        assert_eq!(ask(&robot, unknown).await, refused("unsupported_grant_type"), "{unknown}");
    }
    assert_eq!(ask(&robot, "").await, refused("invalid_request"));
}

async fn the_token_endpoint_answers_in_json_whatever_is_wrong(database: Database) {
    // OAuth 2.1 §3.2.
    // The table of errors: 405, 415 and 413 as JSON.
    let server = server(database).await;
    let (http, url) = (server.http(), server.endpoint("token"));
    let form = "application/x-www-form-urlencoded";
    let large = format!("grant_type={}", "x".repeat(65 * 1024));
    let post = |media_type: &'static str, body: String| {
        http.post(&url).header("content-type", media_type).body(body)
    };
    for (request, status) in [
        (http.get(&url), 405),
        (http.put(&url), 405),
        (http.delete(&url), 405),
        (http.post(&url).json(&json!({"grant_type": "client_credentials"})), 415),
        (http.post(&url), 415),
        (post("multipart/form-data; boundary=x", "--x--".to_owned()), 415),
        (post("text/plain", "grant_type=x".to_owned()), 415),
        (post(form, large), 413),
        (post(form, "grant_type=%ff%fe".to_owned()), 400),
        (post(form, "grant_type=a%00b".to_owned()), 400),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.headers()["content-type"], "application/json", "{status}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{status}");
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(body["error"].is_string() && body["error_description"].is_string(), "{body}");
    }
    let with_charset = post("application/x-www-form-urlencoded;charset=UTF-8", robot_body());
    assert_eq!(with_charset.send().await.unwrap().status(), 200);
}

fn robot_body() -> String {
    format!("grant_type=client_credentials&client_id=robot&client_secret={ROBOT_SECRET}")
}

async fn a_repeated_parameter_is_refused(database: Database) {
    // RFC 6749 §3.2
    let server: TestServer = server(database).await;
    let robot = TestClient::new(&server, "robot", "").secret(ROBOT_SECRET);
    for pair in [GRANT, ("scope", "mcp:read")] {
        let answer = robot.token(&[GRANT, pair, pair]).await;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{pair:?}");
    }
    // What is not known is ignored, however often.
    assert_eq!(robot.token(&[GRANT, ("x", "1"), ("x", "2")]).await.status, 200);
}

async fn a_body_of_unknown_length_is_not_read_without_end(database: Database) {
    // RFC 9112 §7.1: chunked, so that no Content-Length announces it.
    let server = server(database).await;
    let host = server.origin().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
    for _ in 0..17 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}
