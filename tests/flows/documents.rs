//! Clients that are known by a document at the URL that is their identifier (Client ID Metadata Documents; MCP 2026-07-28
//! authorization, client id metadata documents).

use std::time::Duration;

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::fetch::{FetchError, Supplied};
use gatelet::protocol::{ClientDocuments, ClientId, RegistrationMode};
use gatelet::testkit::{Browser, ClientKey, Landing, TestClient, TestServer};
use serde_json::{Value, json};

use crate::cases;
use crate::world::{Database, Watch, assert_error_page, consent_page, logged_in, server, world};

cases![
    released_clients_get_in_by_their_documents,
    nothing_is_fetched_or_written_for_a_stranger,
    the_person_sees_which_host_vouches,
    a_document_is_read_again_when_it_is_no_longer_fresh,
    a_document_that_is_gone_serves_for_a_week_and_no_longer,
    a_failure_is_not_remembered,
    a_document_that_cannot_be_used_has_one_page,
    only_the_documents_that_the_operator_takes_are_read,
    a_client_whose_document_is_no_longer_taken_is_out,
    a_redirect_uri_that_the_document_does_not_name_is_not_redirected_to,
    a_changed_document_is_asked_about_anew,
    a_document_that_changes_while_the_person_decides_is_not_agreed_to,
    a_client_that_proves_who_it_is_is_asked_about_once,
    a_suspended_client_stays_out_whatever_its_document_says,
    a_configured_client_is_what_the_configuration_says,
    nothing_but_authorization_fetches_a_document,
    a_developers_document_on_loopback_is_read,
];

/// What released clients publish, in the shape in which they were described, and where each really has answers sent.
const RELEASED: [(&str, &[&str]); 7] = [
    (
        include_str!("documents/claude-code.json"),
        &["http://localhost:3118/callback", "http://127.0.0.1:54545/callback"],
    ),
    (include_str!("documents/claude-ai.json"), &["https://claude.ai/api/mcp/auth_callback"]),
    (
        include_str!("documents/vscode.json"),
        &["http://127.0.0.1:33418/", "http://127.0.0.1:51234/", "https://vscode.dev/redirect"],
    ),
    (include_str!("documents/chatgpt.json"), &["https://chatgpt.com/connector_platform_oauth_redirect"]),
    (include_str!("documents/codex.json"), &["http://127.0.0.1:49823/callback"]),
    (include_str!("documents/opencode.json"), &["http://127.0.0.1:19876/mcp/oauth/callback"]),
    (include_str!("documents/grok.json"), &["https://grok.com/connectors-oauth-exchange-code/"]),
];
const CLAUDE_CODE: &str = "https://claude.ai/oauth/claude-code-client-metadata";
const CLAUDE_CODE_CALLBACK: &str = "http://localhost:3118/callback";
const UNKNOWN: &str = "This server does not know the application";
const UNUSABLE: &str = "The application’s description cannot be used";
const CHANGED: &str = "What it says about itself has changed";
const URL: &str = "https://app.example/client.json";
const CALLBACK: &str = "http://127.0.0.1:5000/cb";

fn released(number: usize) -> Value {
    serde_json::from_str(RELEASED[number].0).unwrap()
}

/// A document of the client [`URL`], changed.
fn document(change: Value) -> Value {
    let mut document =
        json!({"client_id": URL, "client_name": "App", "redirect_uris": ["http://127.0.0.1/cb"]});
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn supply(server: &TestServer, document: &Value) {
    server.supply_document(document["client_id"].as_str().unwrap(), Supplied::document(document.to_string()));
}

/// A server that finds the document of [`URL`], and its client.
async fn with_app(database: Database) -> (TestServer, TestClient) {
    let server = server(database).await;
    supply(&server, &document(json!({})));
    let client = TestClient::new(&server, URL, CALLBACK);
    (server, client)
}

fn url_of(client: &TestClient) -> String {
    client.authorization(|request| request.scope("mcp:read")).url
}

fn fetches(server: &TestServer) -> usize {
    server.asked_documents().len()
}

async fn released_clients_get_in_by_their_documents(database: Database) {
    // MCP 2025-11-25 Client ID Metadata Documents.
    // MCP Client Registration: the name, the host that vouches, and the host to which the browser goes are shown.
    let server = server(database).await;
    for (text, callbacks) in RELEASED {
        let document: Value = serde_json::from_str(text).unwrap();
        supply(&server, &document);
        let id = document["client_id"].as_str().unwrap();
        let host = id.strip_prefix("https://").unwrap().split('/').next().unwrap();
        for callback in callbacks {
            let client = TestClient::new(&server, id, callback);
            let mut browser = logged_in(&server, "alice").await;
            let request = client.authorization(|request| request.scope("mcp:read offline_access"));
            let landing = browser.get(&request.url).await;
            // The second callback of a client that is at home there is not asked about again.
            let url = match landing {
                Landing::Left(url) => url,
                Landing::Page(page) => {
                    let redirect_host = callback.split('/').nth(2).unwrap();
                    for shown in [document["client_name"].as_str().unwrap(), host, redirect_host] {
                        assert!(page.text().contains(shown), "{shown} on {}", page.text());
                    }
                    let warned = page.text().contains("Did you start this yourself?");
                    assert_eq!(warned, callback.starts_with("http://"), "{callback}");
                    let logo = document["logo_uri"].as_str().unwrap_or("no logo");
                    assert!(!page.html.contains(logo), "a logo is not shown");
                    browser.consent(&page).allow().await.left()
                }
            };
            let tokens = client.redeem(&request.callback(&url)).await.granted();
            assert_eq!(server.verify(tokens.access_token()).await["client_id"], id);
            let tokens = client.refresh(tokens.refresh_token()).await.granted();
            assert_eq!(tokens.scope(), "mcp:read offline_access");
        }
    }
    let documents =
        RELEASED.map(|(text, _)| serde_json::from_str::<Value>(text).unwrap()["client_id"].clone());
    let asked = server.asked_documents();
    for id in &documents {
        assert_eq!(asked.iter().filter(|url| **url == *id).count(), 1, "{id} is fresh the second time");
    }
    assert_eq!(asked.len(), documents.len() + 1, "beside them ChatGPT's keys and nothing else: {asked:?}");
}

async fn nothing_is_fetched_or_written_for_a_stranger(database: Database) {
    // SSRF by anybody who can open a page; RFC 9700 §4.11.2
    let (server, client) = with_app(database).await;
    let mut watch = Watch::on(&server).await;
    let mut browser = Browser::new(&server);
    let page = browser.get(&url_of(&client)).await.page();
    assert!(
        page.has_form_with("password") && page.text().contains("to connect app.example"),
        "{}",
        page.text()
    );
    let silent = client.authorization(|request| request.prompt("none")).url;
    assert!(browser.get(&silent).await.page().has_form_with("password"), "and is not redirected either");
    assert!(!watch.has_changed().await);
    assert_eq!(fetches(&server), 0);
    // The very same page goes on once somebody has logged in.
    let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
    client.redeem(&callback).await.granted();
    assert_eq!(server.asked_documents(), [URL]);
}

async fn the_person_sees_which_host_vouches(database: Database) {
    // Client ID Metadata Documents §6: whatever the client calls itself
    let server = server(database).await;
    let deceiver = document(json!({"client_name": "Claude", "client_uri": "https://claude.ai"}));
    supply(&server, &deceiver);
    let client = TestClient::new(&server, URL, CALLBACK);
    let mut browser = logged_in(&server, "alice").await;
    let page = consent_page(&mut browser, &url_of(&client)).await;
    assert!(page.text().contains("Published by app.example"), "{}", page.text());
    assert!(!page.text().contains("Published by claude.ai"));
}

async fn a_document_is_read_again_when_it_is_no_longer_fresh(database: Database) {
    // Client ID Metadata Documents §4.4; MCP 2026-07-28: by HTTP cache headers, within bounds of our own
    let (server, client) = with_app(database).await;
    let (minute, hour) = (60, 3600);
    for (fresh_for, kept, stale) in [
        (None, 4 * minute, 2 * minute),
        (Some(0), 4 * minute, 2 * minute),
        (Some(2 * hour), 2 * hour - minute, 2 * minute),
        (Some(1000 * hour), 24 * hour - minute, 2 * minute),
    ] {
        let supplied = Supplied::document(document(json!({})).to_string());
        let supplied = match fresh_for {
            Some(seconds) => supplied.fresh_for(Duration::from_secs(seconds)),
            None => supplied,
        };
        server.supply_document(URL, supplied);
        server.clock().advance(Duration::from_secs(25 * hour));
        let before = fetches(&server);
        for (wait, fetched) in [(0, 1), (kept, 1), (stale, 2)] {
            server.clock().advance(Duration::from_secs(wait));
            let mut browser = logged_in(&server, "alice").await;
            consent_page(&mut browser, &url_of(&client)).await;
            assert_eq!(fetches(&server) - before, fetched, "{fresh_for:?} after {wait}");
        }
    }
}

async fn a_document_that_is_gone_serves_for_a_week_and_no_longer(database: Database) {
    let (server, client) = with_app(database).await;
    let visit = async || {
        let mut browser = logged_in(&server, "alice").await;
        browser.get(&url_of(&client)).await
    };
    assert!(visit().await.page().has_form_with("decision"));
    for broken in [
        Supplied::failure(FetchError::Status(500)),
        Supplied::document("<html>moved</html>"),
        Supplied::document(document(json!({"client_id": "https://evil.example/c.json"})).to_string()),
    ] {
        server.supply_document(URL, broken);
        server.clock().advance(Duration::from_secs(2 * 86_400));
        assert!(visit().await.page().has_form_with("decision"));
    }
    server.clock().advance(Duration::from_secs(86_400 + 299));
    assert!(visit().await.page().has_form_with("decision"));
    server.clock().advance(Duration::from_secs(1));
    assert_error_page(visit().await, 400, UNUSABLE);
    supply(&server, &document(json!({})));
    assert!(visit().await.page().has_form_with("decision"), "and back it is");
}

async fn a_failure_is_not_remembered(database: Database) {
    // Client ID Metadata Documents §4.4
    let (server, client) = with_app(database).await;
    let mut browser = logged_in(&server, "alice").await;
    server.withdraw_document(URL);
    let mut watch = Watch::on(&server).await;
    assert_error_page(browser.get(&url_of(&client)).await, 400, UNUSABLE);
    assert!(!watch.has_changed().await, "nothing is kept of it");
    supply(&server, &document(json!({})));
    consent_page(&mut browser, &url_of(&client)).await;
}

async fn a_document_that_cannot_be_used_has_one_page(database: Database) {
    // Client ID Metadata Documents §4.1 and §4.3; what this server can reach is nobody's business
    let (server, client) = with_app(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let mut texts = Vec::new();
    for broken in [
        Supplied::failure(FetchError::Status(404)),
        Supplied::failure(FetchError::TimedOut),
        Supplied::failure(FetchError::Budget),
        Supplied::document("nonsense"),
        Supplied::document("[]"),
        Supplied::document("x".repeat(6000)),
        Supplied::document(document(json!({"client_id": "https://app.example/Client.json"})).to_string()),
        Supplied::document(document(json!({"client_name": null})).to_string()),
        Supplied::document(document(json!({"redirect_uris": []})).to_string()),
        Supplied::document(document(json!({"redirect_uris": ["javascript:alert(1)"]})).to_string()),
        Supplied::document(document(json!({"client_secret": "s"})).to_string()),
        Supplied::document(
            document(json!({"token_endpoint_auth_method": "client_secret_basic"})).to_string(),
        ),
        Supplied::document(document(json!({"token_endpoint_auth_method": "private_key_jwt"})).to_string()),
    ] {
        server.supply_document(URL, broken);
        let page = browser.get(&url_of(&client)).await.page();
        assert_eq!((page.status, page.heading()), (400, UNUSABLE), "{}", page.text());
        let id = page.header("x-request-id").to_owned();
        texts.push(page.text().replace(&id, ""));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert!(texts[0].contains(URL));
}

async fn only_the_documents_that_the_operator_takes_are_read(database: Database) {
    let Database::Sqlite = database else { panic!("asked of SQLite") };
    let hosts = ClientDocuments::Hosts(vec!["claude.ai".to_owned()]);
    for (whose, claude) in [(hosts, true), (ClientDocuments::Off, false)] {
        let server = world(Database::Sqlite).client_documents(whose).start().await;
        supply(&server, &document(json!({})));
        supply(&server, &released(0));
        let mut browser = logged_in(&server, "alice").await;
        for (id, callback, taken) in [(URL, CALLBACK, false), (CLAUDE_CODE, CLAUDE_CODE_CALLBACK, claude)] {
            let client = TestClient::new(&server, id, callback);
            let stranger = Browser::new(&server).get(&url_of(&client)).await.page();
            let landing = browser.get(&url_of(&client)).await;
            match taken {
                true => assert!(landing.page().has_form_with("decision")),
                false => {
                    assert_error_page(landing, 400, UNKNOWN);
                    assert_eq!(stranger.heading(), UNKNOWN);
                }
            }
        }
        assert!(!server.asked_documents().contains(&URL.to_owned()));
    }
}

async fn a_client_whose_document_is_no_longer_taken_is_out(database: Database) {
    let (server, client) = with_app(database).await;
    let callback =
        client.authorize(&mut Browser::new(&server), "alice", |request| request.scope("mcp:read")).await;
    let tokens = client.redeem(&callback).await.granted();
    let stricter = world(Database::Sqlite).client_documents(ClientDocuments::Off);
    let stricter = stricter.database_url(&server.database_url()).start().await;
    let there = TestClient::new(&stricter, URL, CALLBACK);
    assert_eq!(there.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
    assert_error_page(Browser::new(&stricter).get(&url_of(&there)).await, 400, UNKNOWN);
    client.refresh(tokens.refresh_token()).await.granted();
}

async fn a_redirect_uri_that_the_document_does_not_name_is_not_redirected_to(database: Database) {
    // Client ID Metadata Documents §4.5
    let server = server(database).await;
    supply(&server, &released(0));
    let mut browser = logged_in(&server, "alice").await;
    for other in [
        "https://evil.example/callback",
        "http://localhost:3118/callback/",
        "http://localhost:3118/callback?x=1",
        "http://[::1]:3118/callback",
        "https://localhost/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ] {
        let client = TestClient::new(&server, CLAUDE_CODE, other);
        assert_error_page(browser.get(&url_of(&client)).await, 400, "The way back is not registered");
    }
}

async fn a_changed_document_is_asked_about_anew(database: Database) {
    // Client ID Metadata Documents §6: a change may void consent
    let (server, client) = with_app(database).await;
    let mut browser = Browser::new(&server);
    client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
    let visit = async |browser: &mut Browser, change: Value| {
        supply(&server, &document(change));
        server.clock().advance(Duration::from_secs(600));
        consent_page(browser, &url_of(&client)).await
    };
    let before = "You have allowed this before";
    let page = visit(&mut browser, json!({"logo_uri": "https://app.example/logo"})).await;
    assert!(page.text().contains(before) && !page.text().contains(CHANGED), "{}", page.text());
    let page = visit(&mut browser, json!({"client_name": "Your bank"})).await;
    assert!(page.text().contains(CHANGED) && !page.text().contains(before), "{}", page.text());
    browser.consent(&page).allow().await.left();
    let page = visit(&mut browser, json!({"client_name": "Your bank"})).await;
    assert!(page.text().contains(before) && !page.text().contains(CHANGED), "{}", page.text());
}

async fn a_document_that_changes_while_the_person_decides_is_not_agreed_to(database: Database) {
    let (server, client) = with_app(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let page = consent_page(&mut browser, &url_of(&client)).await;
    supply(&server, &document(json!({"client_name": "Your bank"})));
    server.clock().advance(Duration::from_secs(400));
    // Nobody fetches it to decide: what was shown still counts.
    let mut meanwhile = browser.clone();
    assert!(meanwhile.get(&page.url).await.page().has_form_with("decision"));
    consent_page(&mut logged_in(&server, "bob").await, &url_of(&client)).await;
    assert_error_page(meanwhile.get(&page.url).await, 400, "This page has expired");
    assert_error_page(browser.consent(&page).allow().await, 400, "This page has expired");
}

async fn a_client_that_proves_who_it_is_is_asked_about_once(database: Database) {
    // RFC 8252 §8.6, OAuth 2.1 §7.9
    let server = server(database).await;
    let home = json!({"client_id": "https://home.example/c.json", "client_name": "At home",
        "redirect_uris": ["https://home.example/cb", "https://elsewhere.example/cb"]});
    let signing = json!({"client_id": "https://signing.example/c.json", "client_name": "Signing",
        "redirect_uris": ["https://elsewhere.example/cb"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": ClientKey::FIRST.jwks()});
    for (document, callback, is_asked_again) in [
        (&home, "https://home.example/cb", false),
        (&home, "https://elsewhere.example/cb", true),
        (&signing, "https://elsewhere.example/cb", false),
        (&released(0), CLAUDE_CODE_CALLBACK, true),
    ] {
        supply(&server, document);
        let client = TestClient::new(&server, document["client_id"].as_str().unwrap(), callback);
        let mut browser = logged_in(&server, "alice").await;
        let page = consent_page(&mut browser, &url_of(&client)).await;
        browser.consent(&page).allow().await.left();
        let landing = browser.get(&url_of(&client)).await;
        assert_eq!(matches!(landing, Landing::Page(_)), is_asked_again, "{callback}");
        let wider = client.authorization(|request| request.scope("mcp:read mcp:write")).url;
        assert!(consent_page(&mut browser, &wider).await.text().contains("not everything it asks for now"));
        let anew = client.authorization(|request| request.scope("mcp:read").prompt("consent")).url;
        consent_page(&mut browser, &anew).await;
    }
}

async fn a_suspended_client_stays_out_whatever_its_document_says(database: Database) {
    let (server, client) = with_app(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
    let tokens = client.redeem(&callback).await.granted();
    let store = server.app().engine().store.clone();
    let id = ClientId::parse(URL).unwrap();
    let audit = || AuditEvent::new(server.clock().now(), AuditKind::Suspended);
    assert!(store.suspend_client(&id, audit()).await.unwrap().is_won());
    supply(&server, &document(json!({"client_name": "Another"})));
    server.clock().advance(Duration::from_secs(86_400));
    let before = fetches(&server);
    let mut browser = logged_in(&server, "alice").await;
    assert_error_page(browser.get(&url_of(&client)).await, 400, UNKNOWN);
    assert_eq!(fetches(&server), before, "nor is it asked for");
    assert_eq!(client.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
}

async fn a_configured_client_is_what_the_configuration_says(database: Database) {
    let server = world(database)
        .public_client(URL, ["http://127.0.0.1/configured"])
        .registration(RegistrationMode::Off)
        .client_documents(ClientDocuments::Off)
        .start()
        .await;
    supply(&server, &document(json!({})));
    let client = TestClient::new(&server, URL, "http://127.0.0.1:1/configured");
    let callback =
        client.authorize(&mut Browser::new(&server), "alice", |request| request.scope("mcp:read")).await;
    client.redeem(&callback).await.granted();
    assert_eq!(fetches(&server), 0);
}

async fn nothing_but_authorization_fetches_a_document(database: Database) {
    // What was stored with the grant is used by token requests.
    let (server, client) = with_app(database).await;
    let callback =
        client.authorize(&mut Browser::new(&server), "alice", |request| request.scope("mcp:read")).await;
    server.withdraw_document(URL);
    let mut tokens = client.redeem(&callback).await.granted();
    for _ in 0..3 {
        server.clock().advance(Duration::from_secs(20 * 86_400));
        tokens = client.refresh(tokens.refresh_token()).await.granted();
    }
    assert_eq!(server.asked_documents(), [URL]);
    for unread in ["https://app.example/other.json", "https://169.254.169.254/latest/meta-data"] {
        let stranger = TestClient::new(&server, unread, CALLBACK);
        assert_eq!(stranger.refresh(tokens.refresh_token()).await.refusal(), (401, "invalid_client"));
    }
    assert_eq!(fetches(&server), 1);
}

async fn a_developers_document_on_loopback_is_read(database: Database) {
    // Client ID Metadata Documents §6: only for a server that runs on loopback itself
    let server = server(database).await;
    let url = "http://localhost:9000/client.json";
    supply(&server, &document(json!({"client_id": url})));
    let client = TestClient::new(&server, url, CALLBACK);
    let mut browser = logged_in(&server, "alice").await;
    let page = consent_page(&mut browser, &url_of(&client)).await;
    assert!(page.text().contains("Published by localhost:9000"), "{}", page.text());
}
