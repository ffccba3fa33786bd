//! Dynamic client registration (RFC 7591) with what released clients send, and what comes of it.

use gatelet::testkit::{Browser, ClientAuth, TestClient, TestServer};
use serde_json::{Value, json};

use crate::cases;
use crate::world::{Database, NOTES, Watch, consent_page, logged_in, server, world};

cases![
    released_clients_register_and_get_through_a_whole_flow,
    a_client_that_names_no_method_gets_a_secret_and_needs_it,
    a_registered_scope_is_a_start_and_no_ceiling,
    the_ceiling_is_the_operators,
    a_self_registered_client_never_gets_client_credentials,
    the_same_registration_twice_is_one_client,
    what_cannot_be_registered_is_refused_in_words,
];

/// Name, registration, and the redirect URI that it uses.
fn released_clients() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "Cursor",
            json!({"client_name": "Cursor", "application_type": "web", "redirect_uris": [
                "cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback",
                "http://localhost:8787/callback"], "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]}),
            "cursor://anysphere.cursor-mcp/oauth/callback",
        ),
        (
            "Visual Studio Code",
            json!({"client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
                "grant_types": ["authorization_code", "refresh_token",
                    "urn:ietf:params:oauth:grant-type:device_code"],
                "response_types": ["code"], "token_endpoint_auth_method": "none", "application_type": "native",
                "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
                    "http://127.0.0.1/", "http://127.0.0.1:33418/"]}),
            "http://127.0.0.1:51999/",
        ),
        (
            "Claude Code",
            json!({"client_name": "Claude Code (notes)", "redirect_uris": ["http://localhost:3118/callback"],
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
                "token_endpoint_auth_method": "none", "scope": "mcp:read"}),
            "http://localhost:40123/callback",
        ),
        (
            "FastMCP",
            json!({"client_name": "FastMCP Client", "redirect_uris": ["http://localhost:51234/callback"],
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
                "token_endpoint_auth_method": "none", "scope": ""}),
            "http://localhost:51234/callback",
        ),
        (
            "Gemini CLI",
            json!({"client_name": "Gemini CLI MCP Client", "redirect_uris": ["http://localhost:7777/oauth/callback"],
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
                "token_endpoint_auth_method": "none", "code_challenge_method": ["S256"]}),
            "http://localhost:34567/oauth/callback",
        ),
        (
            "mcp-remote",
            json!({"client_name": "MCP CLI Proxy", "client_uri": "https://github.com/modelcontextprotocol/mcp-cli",
                "redirect_uris": ["http://localhost:3335/oauth/callback"], "software_version": "0.15.1",
                "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d", "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
                "scope": "mcp:read offline_access"}),
            "http://localhost:3343/oauth/callback",
        ),
        (
            "a client without a port",
            json!({"redirect_uris": ["http://[::1]/cb"], "token_endpoint_auth_method": "none", "logo_uri": null,
                "client_uri": "", "contacts": []}),
            "http://[::1]:61000/cb",
        ),
    ]
}

/// A client that has just registered.
async fn registered(server: &TestServer, metadata: &Value, redirect_uri: &str) -> TestClient {
    let answer = server.register(metadata).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let client = TestClient::new(server, answer.text("client_id"), redirect_uri);
    match answer.json["client_secret"].as_str() {
        Some(secret) => client.secret(secret),
        None => client,
    }
}

async fn released_clients_register_and_get_through_a_whole_flow(database: Database) {
    // MCP 2025-03-26 Dynamic Client Registration; MCP Client Registration; RFC 7591 §3.2.1, RFC 8252 §7.3
    let server = server(database).await;
    for (name, metadata, redirect_uri) in released_clients() {
        let answer = server.register(&metadata).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.json["redirect_uris"], metadata["redirect_uris"], "{name}");
        assert!(
            answer.json["client_id_issued_at"].is_i64() && !answer.body.contains("null"),
            "{}",
            answer.body
        );
        let id = answer.text("client_id");
        assert!(id.bytes().all(|b| b.is_ascii_alphanumeric()), "no encoding can spoil {id}");
        let client = TestClient::new(&server, id, redirect_uri);
        let mut browser = Browser::new(&server);
        let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
        let tokens = client.redeem(&callback).await.granted();
        assert_eq!(server.verify(tokens.access_token()).await["client_id"], id, "{name}");
        client.refresh(tokens.refresh_token()).await.granted();
    }
}

async fn a_client_that_names_no_method_gets_a_secret_and_needs_it(database: Database) {
    // RFC 7591 §3.2.1.
    // RFC 7591 §2; Python's SDK, which then sends Basic with the secret percent-encoded and client_id in the form.
    let server = server(database).await;
    let metadata = json!({"client_name": "Python", "redirect_uris": ["http://localhost:3030/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "scope": "mcp:read"});
    let answer = server.register(&metadata).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.json["client_secret_expires_at"], 0);
    assert_eq!(answer.text("token_endpoint_auth_method"), "client_secret_basic");
    let (id, secret) = (answer.text("client_id"), answer.text("client_secret"));
    assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric()), "no encoding can spoil {secret}");
    let client = TestClient::new(&server, id, "http://localhost:3030/callback").secret(secret);
    let mut browser = Browser::new(&server);
    let callback = client.authorize(&mut browser, "alice", |request| request).await;
    let mut pairs = client.redemption(&callback).to_vec();
    pairs.push(("client_id", id));
    let tokens = client.token(&pairs).await.granted();
    for auth in [ClientAuth::Public(id.to_owned()), ClientAuth::Basic(id.to_owned(), "wrong".to_owned())] {
        let refused = client.clone().auth(auth).refresh(tokens.refresh_token()).await;
        assert_eq!(refused.refusal(), (401, "invalid_client"));
    }
    let posted = client.clone().auth(ClientAuth::Post(id.to_owned(), secret.to_owned()));
    posted.refresh(tokens.refresh_token()).await.granted();
}

async fn a_registered_scope_is_a_start_and_no_ceiling(database: Database) {
    // SDKs register with the scope of the first challenge and step up with the same client.
    let server = server(database).await;
    let metadata = json!({"redirect_uris": ["http://localhost/cb"], "token_endpoint_auth_method": "none",
        "scope": "mcp:write"});
    let client = registered(&server, &metadata, "http://localhost:1/cb").await;
    let mut browser = logged_in(&server, "alice").await;
    for (asked, granted) in [(None, "mcp:write"), (Some("mcp:read mcp:write"), "mcp:read mcp:write")] {
        let callback = client
            .authorize(&mut browser, "alice", |request| match asked {
                Some(scope) => request.scope(scope),
                None => request,
            })
            .await;
        assert_eq!(client.redeem(&callback).await.granted().scope(), granted);
    }
}

async fn the_ceiling_is_the_operators(database: Database) {
    let server = world(database).registration_scopes(["mcp:read"]).start().await;
    let metadata = json!({"redirect_uris": ["http://localhost/cb"], "token_endpoint_auth_method": "none"});
    let client = registered(&server, &metadata, "http://localhost:1/cb").await;
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| request.scope("mcp:read mcp:write"));
    let page = consent_page(&mut browser, &request.url).await;
    assert_eq!(page.form_with("decision").options("scope"), [(&*format!("{NOTES} mcp:read"), true)]);
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read");
}

async fn a_self_registered_client_never_gets_client_credentials(database: Database) {
    let server = server(database).await;
    let metadata = json!({"redirect_uris": ["http://localhost/cb"], "scope": "mcp:read mcp:admin",
        "grant_types": ["authorization_code", "client_credentials"]});
    let client = registered(&server, &metadata, "http://localhost:1/cb").await;
    assert_eq!(client.client_credentials(None).await.refusal(), (400, "unauthorized_client"));
    let alone = json!({"redirect_uris": ["http://localhost/cb"], "grant_types": ["client_credentials"]});
    assert_eq!(server.register(&alone).await.refusal(), (400, "invalid_client_metadata"));
}

async fn the_same_registration_twice_is_one_client(database: Database) {
    let server = server(database).await;
    let (_, metadata, _) = released_clients().remove(0);
    let first = server.register(&metadata).await;
    let mut watch = Watch::on(&server).await;
    let again = server.register(&metadata).await;
    assert_eq!(again.text("client_id"), first.text("client_id"));
    assert!(!watch.has_changed().await);
    let mut other = metadata.clone();
    other["client_name"] = json!("Another");
    assert_ne!(server.register(&other).await.text("client_id"), first.text("client_id"));
    // Secrets are not shared.
    let confidential = json!({"redirect_uris": ["http://localhost/cb"]});
    let (one, two) = (server.register(&confidential).await, server.register(&confidential).await);
    assert_ne!(one.text("client_id"), two.text("client_id"));
    assert_ne!(one.text("client_secret"), two.text("client_secret"));
}

async fn what_cannot_be_registered_is_refused_in_words(database: Database) {
    // RFC 7591 §2.1; RFC 7591 §3.2.2
    let server = server(database).await;
    for uri in [
        "http://example.com/cb",
        "https://a.example/cb#fragment",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user@a.example/",
        "nonsense",
        "",
    ] {
        let refused = server.register(&json!({"redirect_uris": [uri]})).await;
        assert_eq!(refused.refusal(), (400, "invalid_redirect_uri"), "{uri}");
    }
    assert_eq!(server.register(&json!({})).await.refusal(), (400, "invalid_redirect_uri"));
    for (member, value) in [
        ("token_endpoint_auth_method", json!("magic")),
        ("client_uri", json!("javascript:alert(1)")),
        ("client_name", json!(7)),
        ("response_types", json!(["token"])),
        ("grant_types", json!("authorization_code")),
        ("scope", json!("a\"b")),
    ] {
        let refused = server.register(&json!({"redirect_uris": ["http://127.0.0.1/"], member: value})).await;
        assert_eq!(refused.refusal(), (400, "invalid_client_metadata"), "{member}");
    }
    for body in [json!([]), json!("x"), json!(null)] {
        assert_eq!(server.register(&body).await.refusal(), (400, "invalid_client_metadata"));
    }
    let post = |media_type: &'static str, body: String| {
        server.http().post(server.endpoint("register")).header("content-type", media_type).body(body).send()
    };
    assert_eq!(post("application/json", "{".to_owned()).await.unwrap().status(), 400);
    assert_eq!(post("text/plain", "{}".to_owned()).await.unwrap().status(), 415);
    assert_eq!(post("application/json", " ".repeat(70_000)).await.unwrap().status(), 413);
}
