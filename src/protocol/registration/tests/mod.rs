//! What a client may say about itself.

mod fingerprint;
mod refused;
mod replacement;

use serde_json::Value;

use super::*;
use crate::protocol::client_information::{Credentials, client_information};
use crate::protocol::fixtures::{at, scope};

fn parse(body: &Value) -> Result<Registration, OAuthError> {
    Registration::parse(body.to_string().as_bytes(), Terms::default())
}

fn client(body: &Value) -> Client {
    let hash = Some(SecretHash::from_stored("h".into()));
    parse(body).unwrap().into_client(ClientId::parse("id").unwrap(), hash, at(7))
}

fn error(body: &Value) -> (ErrorCode, String) {
    let error = parse(body).unwrap_err();
    (error.code(), error.description())
}

#[test]
fn what_released_clients_send_is_taken() {
    for body in [
        // Cursor
        json!({"client_name": "Cursor", "application_type": "web", "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback"], "token_endpoint_auth_method": "none"}),
        // Visual Studio Code
        json!({"client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code"], "token_endpoint_auth_method": "none", "application_type": "native",
            "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
                "http://127.0.0.1/", "http://127.0.0.1:33418/"]}),
        // FastMCP and Gemini CLI
        json!({"client_name": "FastMCP Client", "redirect_uris": ["http://localhost:51234/callback"],
            "token_endpoint_auth_method": "none", "scope": ""}),
        // mcp-remote
        json!({"redirect_uris": ["http://localhost:3335/oauth/callback"], "software_id": "x", "software_version": "1",
            "token_endpoint_auth_method": "none", "made_up": {"deep": [1, null]}}),
        json!({"redirect_uris": ["http://127.0.0.1/cb"], "client_uri": "", "logo_uri": null}),
    ] {
        assert!(parse(&body).is_ok(), "{body}: {:?}", parse(&body));
    }
}

#[test]
fn everything_registered_is_echoed_and_nothing_is_null() {
    // RFC 7591 §3.2.1
    let body = json!({"client_name": "  A ", "client_uri": "https://a.example", "logo_uri": "https://b.example/l.png",
        "scope": "mcp:read", "grant_types": ["authorization_code", "client_credentials"], "contacts": null,
        "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "client_secret_post"});
    let answer = Value::Object(client_information(
        &client(&body),
        Credentials { secret: Some("s"), management: Some(("t", "u")) },
    ));
    assert_eq!(
        answer,
        json!({"client_id": "id", "client_id_issued_at": 7, "client_secret": "s", "client_secret_expires_at": 0,
            "registration_access_token": "t", "registration_client_uri": "u", "client_name": "A", "client_uri": "https://a.example", "logo_uri": "https://b.example/l.png",
            "scope": "mcp:read", "grant_types": ["authorization_code"], "response_types": ["code"],
            "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "client_secret_post"})
    );
    let bare = json!({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none"});
    let answer = Value::Object(client_information(&client(&bare), Credentials::default()));
    assert_eq!(
        answer,
        json!({"client_id": "id", "client_id_issued_at": 7, "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"], "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none"})
    );
}

#[test]
fn everything_that_informs_is_kept_and_nothing_else() {
    // RFC 7591 §2: members that are not understood are ignored
    let informative = json!({"logo_uri": "https://a.example/l", "tos_uri": "http://a.example/t",
        "policy_uri": "https://a.example/p", "software_id": "s", "software_version": "1", "application_type": "web"});
    let mut body = json!({"redirect_uris": ["https://a.example/cb"], "jwks_uri": "https://a.example/j",
        "contacts": ["a@b"], "client_secret": "s"});
    for (name, value) in informative.as_object().unwrap() {
        body[name] = value.clone();
    }
    assert_eq!(serde_json::to_value(client(&body).about).unwrap(), informative);
}

#[test]
fn a_name_is_cut_to_what_a_page_can_show_and_a_blank_one_is_none() {
    let name =
        |name: &str| client(&json!({"redirect_uris": ["https://a.example/cb"], "client_name": name})).name;
    assert_eq!(name(&format!(" {} ", "ä".repeat(201))), Some("ä".repeat(200)));
    assert_eq!(name("  "), None);
}

#[test]
fn a_client_that_names_no_method_gets_a_secret() {
    // RFC 7591 §2
    let uris = ["https://a.example/cb"];
    assert!(parse(&json!({"redirect_uris": uris})).unwrap().needs_secret());
    assert_eq!(client(&json!({"redirect_uris": uris})).auth_methods, [ClientAuthMethod::ClientSecretBasic]);
    assert!(
        !parse(&json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"})).unwrap().needs_secret()
    );
}

#[test]
fn a_client_that_signs_registers_its_keys_or_where_they_are() {
    // RFC 7591 §2
    let jwks = json!({"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]});
    let body = |more: &str, value: &Value| json!({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "private_key_jwt", more: value});
    let good = body("jwks", &jwks);
    assert!(!parse(&good).unwrap().needs_secret());
    let client = client(&good);
    assert_eq!(client.keys, Some(ClientKeys::Inline { jwks: jwks.to_string() }));
    let answer = client_information(&client, Credentials::default());
    assert_eq!((&answer["jwks"], &answer["token_endpoint_auth_method"]), (&jwks, &json!("private_key_jwt")));
    for (bad, about) in [
        (body("x", &jwks), "jwks: private_key_jwt needs keys"),
        (body("jwks", &json!({})), "jwks: must be"),
        (body("jwks_uri", &json!("http://127.0.0.1/jwks")), "jwks_uri: must be an https URL"),
    ] {
        let (code, description) = error(&bad);
        assert_eq!(code, ErrorCode::InvalidClientMetadata);
        assert!(description.starts_with(about), "{description}");
    }
    let unsigned = json!({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none", "jwks": jwks});
    assert_eq!(self::client(&unsigned).keys, None);
}

#[test]
fn a_self_registered_client_is_nothing_special() {
    let body = json!({"redirect_uris": ["https://a.example/cb"], "first_party": true, "tenant": "acme", "client_id": "x",
        "client_secret": "chosen", "scope": " a  b "});
    let client = client(&body);
    assert_eq!((client.origin, client.first_party, client.id.as_str()), (ClientOrigin::Dynamic, false, "id"));
    assert_eq!(
        (client.scope, client.machine_scopes, client.tenant),
        (Some(scope("a b")), Scope::default(), None)
    );
    assert_eq!(client.secret_hashes, [SecretHash::from_stored("h".into())]);
}

fn with(more: Value) -> Value {
    let mut body = json!({"redirect_uris": ["https://a.example/cb"]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn keys_stand_in_one_place_and_nothing_is_fetched_for_whoever_registers() {
    // RFC 7591 §2: jwks and jwks_uri must not both be there
    let keys = json!({"keys": []});
    let signs = |more: Value| {
        let mut body = with(more);
        body["token_endpoint_auth_method"] = json!("private_key_jwt");
        body
    };
    let at_address = client(&signs(json!({"jwks_uri": "https://a.example/jwks"})));
    let uri = "https://a.example/jwks".to_owned();
    assert_eq!(at_address.keys, Some(ClientKeys::Remote { uri, jwks: None, tried_at: None }));
    let answer = client_information(&at_address, Credentials::default());
    assert_eq!(answer["jwks_uri"], "https://a.example/jwks");
    for method in ["private_key_jwt", "none"] {
        let mut both = signs(json!({"jwks_uri": "https://a.example/jwks", "jwks": keys}));
        both["token_endpoint_auth_method"] = json!(method);
        assert_eq!(error(&both).1, "jwks_uri: goes not with jwks", "{method}");
    }
    let loopback = signs(json!({"jwks_uri": "http://localhost:1/jwks"})).to_string();
    let parse = |loopback_server| {
        Registration::parse(loopback.as_bytes(), Terms { loopback: loopback_server, ..Terms::default() })
    };
    assert!(parse(true).is_ok() && parse(false).is_err());
}

#[test]
fn a_client_that_commits_itself_to_an_algorithm_is_held_to_one_of_ours() {
    // RFC 7591 §2; OpenID Connect Registration §2
    let signs = |alg: &str| {
        with(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []},
            "token_endpoint_auth_signing_alg": alg}))
    };
    let committed = client(&signs("ES256"));
    assert_eq!(committed.assertion_alg, Some(AssertionAlgorithm::Es256));
    let answer = client_information(&committed, Credentials::default());
    assert_eq!(answer["token_endpoint_auth_signing_alg"], "ES256");
    for other in ["HS256", "none", "es256", "RS1"] {
        assert_eq!(error(&signs(other)).1, "token_endpoint_auth_signing_alg: is not supported");
    }
    let unsigned = client(&with(json!({"token_endpoint_auth_signing_alg": "HS256"})));
    assert_eq!(unsigned.assertion_alg, None, "of no meaning for who does not sign");
}

#[test]
fn names_in_other_languages_are_kept_and_take_no_names_place() {
    // RFC 7591 §2.2
    let body =
        with(json!({"client_name": "Notes", "client_name#de": "Notizen", "client_name#ja-Hani-JP": "記",
        "tos_uri#fr": "https://a.example/cgu", "client_name#": "x", "client_name#d e": "x", "scope#de": "x",
        "client_name#it": null, "client_name#es": " "}));
    let client = client(&body);
    assert_eq!(client.name.as_deref(), Some("Notes"));
    let kept = json!({"client_name#de": "Notizen", "client_name#ja-Hani-JP": "記",
        "tos_uri#fr": "https://a.example/cgu"});
    assert_eq!(serde_json::to_value(&client.about).unwrap(), kept);
    assert_eq!(client_information(&client, Credentials::default())["client_name#de"], "Notizen");
    for (member, value) in [
        ("client_name#de", json!(1)),
        ("logo_uri#de", json!("javascript:x")),
        ("client_name#de", json!("a\u{0}")),
    ] {
        let (code, _) = error(&with(json!({member: value})));
        assert_eq!(code, ErrorCode::InvalidClientMetadata, "{member}");
    }
    let many: serde_json::Map<String, Value> =
        (0..21).map(|i| (format!("client_name#x{i}"), json!("x"))).collect();
    assert_eq!(error(&with(Value::Object(many))).1, "client_name: comes in too many languages");
}

#[test]
fn a_software_statement_is_ignored_and_its_absence_says_so() {
    // RFC 7591 §2.3, §3.1.1: a server that does not use statements may ignore them; §3.2.1
    let statement = "eyJhbGciOiJSUzI1NiJ9.eyJjbGllbnRfbmFtZSI6IkZha2UiLCJmaXJzdF9wYXJ0eSI6dHJ1ZX0.c2ln";
    let stated = client(&with(json!({"client_name": "A", "software_statement": statement})));
    assert_eq!(stated, client(&with(json!({"client_name": "A"}))));
    assert!(!client_information(&stated, Credentials::default()).contains_key("software_statement"));
}
