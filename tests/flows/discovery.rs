//! The discovery document and the keys (RFC 8414; RFC 7517; MCP 2026-07-28 authorization server discovery).

use std::collections::BTreeSet;

use gatelet::protocol::RegistrationMode;
use gatelet::testkit::TestServer;
use serde_json::Value;

use crate::cases;
use crate::world::{Database, server, world};

cases![
    every_address_that_clients_try_gives_the_same_document,
    what_the_document_promises_is_there,
    the_keys_are_complete_and_found_everywhere,
    who_has_the_document_or_the_keys_is_not_sent_them_again,
    what_is_not_there_is_not_found_in_json,
    scripts_of_other_origins_reach_what_is_for_them_and_nothing_else,
    the_issuer_tells_people_what_it_is,
];

async fn every_address_that_clients_try_gives_the_same_document(_: Database) {
    // MCP 2025-03-26 Server Metadata Discovery.
    // RFC 8414 §3.3; MCP Authorization Server Discovery; RFC 8414 §3.1, OpenID Connect Discovery §4
    for path in ["/oauth", "", "/", "/a/b", "/a/"] {
        let server = world(Database::Sqlite).issuer_path(path).start().await;
        let base = path.trim_end_matches('/');
        let mut documents = BTreeSet::new();
        for name in ["oauth-authorization-server", "openid-configuration"] {
            for address in [
                format!("/.well-known/{name}"),
                format!("/.well-known/{name}{base}"),
                format!("{base}/.well-known/{name}"),
            ] {
                let answer = server.get(&server.url(&address)).await;
                assert_eq!(
                    (answer.status, answer.header("content-type")),
                    (200, "application/json"),
                    "{address}"
                );
                documents.insert(answer.body);
            }
        }
        assert_eq!(documents.len(), 1, "{path}: {documents:?}");
        let document: Value = serde_json::from_str(documents.first().unwrap()).unwrap();
        assert_eq!(document["issuer"], server.issuer());
        assert!(!documents.first().unwrap().contains("null"));
    }
}

async fn what_the_document_promises_is_there(database: Database) {
    // RFC 9700 §2.6
    let server = server(database).await;
    let document = metadata(&server).await;
    for (member, status) in [("token_endpoint", 405), ("registration_endpoint", 405), ("jwks_uri", 200)] {
        assert_eq!(server.get(document[member].as_str().unwrap()).await.status, status, "{member}");
    }
    assert_eq!(server.get(document["authorization_endpoint"].as_str().unwrap()).await.status, 400);
    let closed = world(Database::Sqlite).registration(RegistrationMode::Off).start().await;
    let document = metadata(&closed).await;
    assert_eq!(document.get("registration_endpoint"), None);
    let refused = closed.register(&serde_json::json!({"redirect_uris": ["http://127.0.0.1/"]})).await;
    assert_eq!(refused.status, 404);
}

async fn metadata(server: &TestServer) -> Value {
    server.get(&server.url("/.well-known/oauth-authorization-server/oauth")).await.json
}

async fn the_keys_are_complete_and_found_everywhere(database: Database) {
    let server = server(database).await;
    let jwks = server.get(&server.endpoint("jwks")).await;
    assert_eq!(jwks.header("cache-control"), "public, max-age=300");
    let key = &jwks.json["keys"][0];
    assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&"RSA".into(), &"sig".into(), &"RS256".into()));
    assert_eq!(key["kid"], gatelet::tokens::TEST_KEYS[0].thumbprint);
    assert_eq!(key.get("d"), None, "the private part stays at home");
    for address in ["/oauth/.well-known/jwks.json", "/.well-known/jwks.json"] {
        assert_eq!(server.get(&server.url(address)).await.body, jwks.body, "{address}");
    }
}

async fn who_has_the_document_or_the_keys_is_not_sent_them_again(database: Database) {
    // RFC 9110 §8.8.3, §13.1.2, §15.4.5
    let server = server(database).await;
    let ask = async |address: &str, validator: &str| {
        server.http().get(address).header("if-none-match", validator).send().await.unwrap()
    };
    for address in [server.endpoint("jwks"), server.url("/.well-known/oauth-authorization-server/oauth")] {
        let first = server.get(&address).await;
        let validator = first.header("etag").to_owned();
        assert!(
            validator.starts_with('"') && validator.ends_with('"') && validator.len() > 20,
            "{validator}"
        );
        for known in
            [validator.clone(), format!("W/{validator}"), format!("\"x\", {validator}"), "*".to_owned()]
        {
            let again = ask(&address, &known).await;
            assert_eq!(again.status(), 304, "{known}");
            assert_eq!(again.headers()["etag"], validator);
            assert_eq!(again.headers()["cache-control"], "public, max-age=300");
            assert_eq!(again.text().await.unwrap(), "");
        }
        for other in ["\"x\"", validator.trim_matches('"'), ""] {
            let answer = ask(&address, other).await;
            assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, first.body.clone()));
        }
    }
}

async fn what_is_not_there_is_not_found_in_json(database: Database) {
    // Clients read a page as metadata of an unknown kind, and a 5xx as the end.
    let server = server(database).await;
    for address in [
        "/.well-known/oauth-authorization-server/other",
        "/.well-known/oauth-protected-resource",
        "/.well-known/webfinger",
        "/oauth/.well-known/nothing",
    ] {
        let answer = server.get(&server.url(address)).await;
        assert_eq!(answer.refusal(), (404, "invalid_request"), "{address}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    let page = server.get(&server.url("/nothing/here")).await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
}

async fn scripts_of_other_origins_reach_what_is_for_them_and_nothing_else(database: Database) {
    // RFC 9700 §2.6; OAuth 2.1 §3.1, §3.2; clients in a browser send MCP-Protocol-Version with every request.
    let server = server(database).await;
    let preflight = async |address: &str, method: &str| {
        let request = server.http().request(reqwest::Method::OPTIONS, server.url(address));
        let request = request.header("origin", "https://inspector.example");
        let request = request.header("access-control-request-method", method);
        let request = request.header("access-control-request-headers", "content-type,mcp-protocol-version");
        request.send().await.unwrap()
    };
    for (address, method) in [
        ("/.well-known/oauth-authorization-server/oauth", "GET"),
        ("/oauth/.well-known/openid-configuration", "GET"),
        ("/oauth/jwks", "GET"),
        ("/oauth/token", "POST"),
        ("/oauth/register", "POST"),
    ] {
        let answer = preflight(address, method).await;
        assert_eq!(answer.status(), 200, "{address}");
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], "*", "{address}");
        assert_eq!(headers.get("access-control-allow-credentials"), None, "{address}");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap().to_lowercase();
        assert!(allowed.contains("mcp-protocol-version") && allowed.contains("authorization"), "{allowed}");
    }
    for address in ["/oauth/authorize", "/login", "/consent", "/logout", "/"] {
        for method in ["GET", "POST"] {
            let headers = preflight(address, method).await.headers().clone();
            assert_eq!(headers.get("access-control-allow-headers"), None, "{address}");
        }
        let request = server.http().get(server.url(address)).header("origin", "https://evil.example");
        let headers = request.send().await.unwrap().headers().clone();
        assert_eq!(headers.get("access-control-allow-origin"), None, "{address}");
    }
    let request = server.http().post(server.endpoint("token")).header("origin", "https://inspector.example");
    let answer = request.header("authorization", "Basic eDp5").form_urlencoded().send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
}

/// A body for a request of which only the headers matter.
trait Form {
    fn form_urlencoded(self) -> Self;
}

impl Form for reqwest::RequestBuilder {
    fn form_urlencoded(self) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body("grant_type=refresh_token")
    }
}

async fn the_issuer_tells_people_what_it_is(database: Database) {
    let server = server(database).await;
    for address in ["/oauth", "/oauth/"] {
        let answer = server.get(&server.url(address)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{address}"
        );
        assert!(answer.body.contains(server.issuer()), "{address}");
    }
}
