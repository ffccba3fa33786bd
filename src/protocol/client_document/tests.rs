use serde_json::Value;

use super::*;
use crate::protocol::fixtures::at;
use crate::protocol::{GrantType, Scope};

const URL: &str = "https://app.example/client.json";

fn parse_at(url: &str, json: &Value) -> Result<ClientDocument, DocumentError> {
    let url = DocumentUrl::parse(url, true).unwrap();
    ClientDocument::parse(&url, json.to_string().as_bytes(), at(500), at(100))
}

fn parse(json: &Value) -> Result<ClientDocument, DocumentError> {
    parse_at(URL, json)
}

fn document(more: Value) -> Value {
    let mut document =
        json!({"client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example/cb"]});
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn client(more: Value) -> Client {
    parse(&document(more)).unwrap().client
}

fn error(more: Value) -> String {
    parse(&document(more.clone())).map(|_| ()).expect_err(&more.to_string()).to_string()
}

#[test]
fn a_document_with_what_mcp_demands_is_a_public_client() {
    // MCP 2026-07-28 authorization: client_id, client_name, redirect_uris; SEP-3149: neither method means none
    let client = client(json!({}));
    assert_eq!((client.id.as_str(), client.origin), (URL, ClientOrigin::Document));
    assert_eq!(client.name.as_deref(), Some("App"));
    assert_eq!(client.redirect_uris, [RedirectUri::parse("https://app.example/cb").unwrap()]);
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
    assert_eq!((client.auth_methods, client.keys), (vec![ClientAuthMethod::None], None));
    assert_eq!((client.first_party, client.tenant, client.default_resource), (false, None, None));
    assert_eq!((client.scope, client.machine_scopes, client.uri), (None, Scope::default(), None));
    assert_eq!((client.registered_at, client.document.unwrap().fresh_until), (at(100), at(500)));
}

#[test]
fn what_is_demanded_must_be_there_and_be_of_its_type() {
    for (member, value, words) in [
        ("client_id", json!(null), "client_id is missing"),
        ("client_id", json!(1), "client_id must be a text"),
        ("client_name", json!(null), "client_name is missing"),
        ("client_name", json!("  "), "client_name is missing"),
        ("client_name", json!(["App"]), "client_name must be a text"),
        ("client_name", json!("a\u{0}"), "client_name must be a text"),
        ("redirect_uris", json!(null), "redirect_uris is missing"),
        ("redirect_uris", json!("https://app.example/cb"), "redirect_uris must be a list of texts"),
        ("redirect_uris", json!(["https://app.example/cb", 1]), "redirect_uris must be a list of texts"),
        ("redirect_uris", json!([]), "none of its redirect URIs"),
        ("redirect_uris", json!(["javascript:x", "http://app.example"]), "none of its redirect URIs"),
        ("client_uri", json!(1), "client_uri must be a text"),
        ("scope", json!(["a"]), "scope must be a text"),
        ("scope", json!("\""), "scope is malformed"),
        ("grant_types", json!("authorization_code"), "grant_types must be a list of texts"),
        ("grant_types", json!(["client_credentials"]), "grant_types must contain authorization_code"),
        ("response_types", json!(["token"]), "response_types must contain code"),
        ("token_endpoint_auth_method", json!(["none"]), "token_endpoint_auth_method must be a text"),
        (
            "token_endpoint_auth_methods_supported",
            json!("none"),
            "token_endpoint_auth_methods_supported must be a list",
        ),
        ("jwks", json!([]), "jwks must be a JSON Web Key Set"),
        ("jwks", json!({"keys": {}}), "jwks must be a JSON Web Key Set"),
        ("jwks_uri", json!({}), "jwks_uri must be a text"),
    ] {
        let found = error(json!({member: value}));
        assert!(found.starts_with(words), "{member} {value}: {found}");
    }
    let url = DocumentUrl::parse(URL, false).unwrap();
    for text in ["", "nonsense", "[]", "null", "{\"client_id\":", "\u{feff}{}"] {
        let found = ClientDocument::parse(&url, text.as_bytes(), at(1), at(1));
        assert_eq!(found, Err(DocumentError::NotAnObject), "{text}");
    }
}

#[test]
fn a_document_speaks_for_its_own_url_alone() {
    // Client ID Metadata Documents §4.1: simple string comparison
    for other in [
        "https://app.example/client.json/",
        "https://app.example/Client.json",
        "https://evil.example/client.json",
        "x y",
    ] {
        let found = parse(&document(json!({"client_id": other})));
        assert_eq!(found, Err(DocumentError::OtherClient(other.to_owned())));
    }
}

#[test]
fn nobody_shares_a_secret_with_a_document() {
    // Client ID Metadata Documents §4.1
    for (member, value) in [
        ("client_secret", json!("s")),
        ("client_secret_expires_at", json!(0)),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("token_endpoint_auth_methods_supported", json!(["none", "client_secret_post"])),
    ] {
        assert!(
            error(json!({member: value})).ends_with("is a secret, which a published document cannot have")
        );
    }
    assert!(parse(&document(json!({"client_secret": null}))).is_ok(), "null is nothing");
}

#[test]
fn one_redirect_uri_that_is_not_accepted_does_not_lock_a_client_out() {
    let uris =
        ["odd://x", "http://localhost/callback", "http://evil.example", "", "http://127.0.0.1/callback"];
    let ClientDocument { client, left_out } = parse(&document(json!({"redirect_uris": uris}))).unwrap();
    let accepted: Vec<&str> = client.redirect_uris.iter().map(RedirectUri::as_str).collect();
    assert_eq!(accepted, ["http://localhost/callback", "http://127.0.0.1/callback"]);
    assert_eq!(left_out, ["odd://x", "http://evil.example", ""]);
}

#[test]
fn the_list_of_methods_is_read_before_the_preferred_one() {
    // SEP-3149; RFC 7591 §2
    use ClientAuthMethod::{None as Public, PrivateKeyJwt};
    let keys = json!({"jwks_uri": "https://app.example/jwks"});
    let methods = |preferred: Value, listed: Value| {
        let mut more = keys.clone();
        more["token_endpoint_auth_method"] = preferred;
        more["token_endpoint_auth_methods_supported"] = listed;
        parse(&document(more)).map(|document| document.client.auth_methods).ok()
    };
    let null = || Value::Null;
    for (preferred, listed, expected) in [
        (null(), null(), Some(vec![Public])),
        (json!("none"), null(), Some(vec![Public])),
        (json!("private_key_jwt"), null(), Some(vec![PrivateKeyJwt])),
        (json!("private_key_jwt"), json!(["none", "private_key_jwt"]), Some(vec![Public, PrivateKeyJwt])),
        (json!("tls_client_auth"), json!(["tls_client_auth", "none"]), Some(vec![Public])),
        (json!("none"), json!(["private_key_jwt"]), Some(vec![PrivateKeyJwt])),
        (json!("private_key_jwt"), json!([]), Some(vec![PrivateKeyJwt])),
        (json!("tls_client_auth"), null(), None),
        (json!("none"), json!(["tls_client_auth"]), None),
    ] {
        assert_eq!(methods(preferred.clone(), listed.clone()), expected, "{preferred} {listed}");
    }
}

#[test]
fn who_signs_has_keys_in_one_place() {
    // RFC 7591 §2
    let jwt = |more: Value| {
        let mut members = json!({"token_endpoint_auth_method": "private_key_jwt"});
        for (name, value) in more.as_object().unwrap() {
            members[name] = value.clone();
        }
        members
    };
    let jwks = json!({"keys": [{"kty": "RSA"}]});
    assert_eq!(client(jwt(json!({"jwks": jwks}))).keys, Some(ClientKeys::Inline { jwks: jwks.to_string() }));
    let remote = |uri: &str| ClientKeys::Remote { uri: uri.to_owned(), jwks: None, tried_at: None };
    let elsewhere = "https://keys.example:8443/jwks?a=b";
    assert_eq!(client(jwt(json!({"jwks_uri": elsewhere}))).keys, Some(remote(elsewhere)));
    assert!(error(jwt(json!({}))).contains("nor by private_key_jwt with keys"));
    assert!(error(jwt(json!({"jwks": jwks, "jwks_uri": elsewhere}))).contains("jwks_uri goes not with jwks"));
    for bad in ["http://app.example/jwks", "http://localhost/jwks", "data:,x", "jwks", "ftp://localhost/jwks"]
    {
        assert!(error(jwt(json!({"jwks_uri": bad}))).contains("jwks_uri must be an https URL"), "{bad}");
    }
    // A client that may also come without keys is not locked out by having none, and keys of one that never signs
    // are nobody's business.
    let methods = json!({"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]});
    assert_eq!(client(methods).auth_methods, [ClientAuthMethod::None]);
    assert_eq!(client(json!({"jwks_uri": elsewhere})).keys, None);
}

#[test]
fn a_document_on_loopback_has_keys_there_too() {
    let url = "http://localhost:9000/c.json";
    for (jwks_uri, accepted) in [
        ("http://localhost:9000/jwks", true),
        ("http://127.0.0.1:9000/jwks", true),
        ("http://[::1]:9000/jwks", true),
        ("https://keys.example/jwks", true),
        ("http://keys.example/jwks", false),
        ("http://10.0.0.1/jwks", false),
        ("http://[2001:db8::1]/jwks", false),
    ] {
        let json = document(json!({"client_id": url, "jwks_uri": jwks_uri,
            "token_endpoint_auth_method": "private_key_jwt"}));
        assert_eq!(parse_at(url, &json).is_ok(), accepted, "{jwks_uri}");
    }
}

#[test]
fn what_is_of_no_use_here_is_ignored() {
    let client = client(
        json!({"grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "authorization_code",
            "client_credentials"], "logo_uri": "https://tracker.example/logo.png", "made_up": {"deep": [1, null]},
        "client_uri": "javascript:alert(1)", "scope": " mcp:read ", "first_party": true, "tenant": "acme",
        "application_type": "web", "client_name": " App "}),
    );
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert!(client.about.is_empty(), "a logo is not kept");
    assert_eq!((client.uri, client.first_party, client.tenant), (None, false, None));
    assert_eq!(
        (client.scope, client.name.as_deref()),
        (Some(Scope::parse("mcp:read").unwrap()), Some("App"))
    );
    let page = self::client(json!({"client_uri": "https://app.example"}));
    assert_eq!(page.uri.as_deref(), Some("https://app.example"));
}

#[test]
fn the_digest_changes_with_what_a_person_agrees_to_and_with_nothing_else() {
    // Client ID Metadata Documents §6
    let digest = |more: Value| client(more).document.unwrap().digest;
    let jwt = |more: &str, value: Value| {
        digest(json!({"token_endpoint_auth_method": "private_key_jwt", more: value}))
    };
    let all = [
        digest(json!({})),
        digest(json!({"client_name": "Other"})),
        digest(json!({"client_uri": "https://app.example"})),
        digest(json!({"redirect_uris": ["https://app.example/cb", "https://app.example/2"]})),
        jwt("jwks_uri", json!("https://app.example/1")),
        jwt("jwks_uri", json!("https://app.example/2")),
        jwt("jwks", json!({"keys": []})),
        jwt("jwks", json!({"keys": [1]})),
        digest(json!({"jwks_uri": "https://app.example/1",
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]})),
    ];
    let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!((distinct.len(), all[0].len()), (all.len(), 64));
    for same in [
        json!({"logo_uri": "https://app.example/l"}),
        json!({"scope": "a", "software_version": "2"}),
        json!({"redirect_uris": ["https://app.example/cb", "odd://x"]}),
        json!({"grant_types": ["authorization_code"]}),
    ] {
        assert_eq!(digest(same.clone()), all[0], "{same}");
    }
    let turned = json!({"redirect_uris": ["https://app.example/2", "https://app.example/cb"]});
    assert_eq!(digest(turned), all[3], "their order says nothing");
}
