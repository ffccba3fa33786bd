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

#[test]
fn what_breaks_a_rule_is_refused_in_its_own_words() {
    // OAuth 2.1 §4.1.2.1
    use ErrorCode::{InvalidClientMetadata, InvalidRedirectUri};
    let uris = json!(["https://a.example/cb"]);
    let many: Vec<String> = (0..21).map(|i| format!("https://a.example/{i}")).collect();
    for (body, code, about) in [
        (json!([]), InvalidClientMetadata, "the body"),
        (json!({}), InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": []}), InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": many}), InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": "https://a.example/cb"}), InvalidClientMetadata, "redirect_uris"),
        (json!({"redirect_uris": [1]}), InvalidClientMetadata, "redirect_uris"),
        (json!({"redirect_uris": ["javascript:alert(1)"]}), InvalidRedirectUri, "redirect_uris"),
        (
            json!({"redirect_uris": ["https://a.example/cb", "http://a.example"]}),
            InvalidRedirectUri,
            "redirect_uris",
        ),
        (json!({"redirect_uris": uris, "client_name": 1}), InvalidClientMetadata, "client_name"),
        (json!({"redirect_uris": uris, "client_name": "a\u{0}"}), InvalidClientMetadata, "client_name"),
        (
            json!({"redirect_uris": uris, "client_name": "x".repeat(2049)}),
            InvalidClientMetadata,
            "client_name",
        ),
        (json!({"redirect_uris": uris, "client_uri": "javascript:x"}), InvalidClientMetadata, "client_uri"),
        (json!({"redirect_uris": uris, "logo_uri": "data:x"}), InvalidClientMetadata, "logo_uri"),
        (json!({"redirect_uris": uris, "tos_uri": "x"}), InvalidClientMetadata, "tos_uri"),
        (json!({"redirect_uris": uris, "policy_uri": "x"}), InvalidClientMetadata, "policy_uri"),
        (json!({"redirect_uris": uris, "scope": "\""}), InvalidClientMetadata, "scope"),
        (json!({"redirect_uris": uris, "scope": ["a"]}), InvalidClientMetadata, "scope"),
        (
            json!({"redirect_uris": uris, "grant_types": ["refresh_token"]}),
            InvalidClientMetadata,
            "grant_types",
        ),
        (
            json!({"redirect_uris": uris, "grant_types": ["client_credentials"]}),
            InvalidClientMetadata,
            "grant_types",
        ),
        (
            json!({"redirect_uris": uris, "response_types": ["token"]}),
            InvalidClientMetadata,
            "response_types",
        ),
        (
            json!({"redirect_uris": uris, "token_endpoint_auth_method": "tls"}),
            InvalidClientMetadata,
            "token_endpoint",
        ),
    ] {
        let (found, description) = error(&body);
        assert_eq!(found, code, "{body}");
        assert!(description.starts_with(about), "{body}: {description}");
    }
    assert_eq!(Registration::parse(b"nonsense", Terms::default()).unwrap_err().code(), InvalidClientMetadata);
    assert!(parse(&json!({"redirect_uris": uris, "client_name": "x".repeat(2048)})).is_ok());
    let twenty = &many[..20];
    assert!(parse(&json!({"redirect_uris": twenty})).is_ok());
}

#[test]
fn a_member_of_another_type_is_refused_and_not_guessed_at() {
    for (name, value) in [
        ("client_name", json!("a\nb")),
        ("client_uri", json!(["https://a.example"])),
        ("software_id", json!(1)),
        ("grant_types", json!("authorization_code")),
        ("response_types", json!({"code": true})),
        ("token_endpoint_auth_method", json!(true)),
    ] {
        let mut body = json!({"redirect_uris": ["https://a.example/cb"]});
        body[name] = value;
        let (code, description) = error(&body);
        assert_eq!(code, ErrorCode::InvalidClientMetadata, "{body}");
        assert!(description.starts_with(name), "{body}: {description}");
    }
}

#[test]
fn identical_registrations_share_a_fingerprint_and_others_do_not() {
    let base = json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A"});
    let print = |body: &Value| parse(body).unwrap().fingerprint();
    assert_eq!(
        print(&base),
        print(&json!({"client_name": "A", "redirect_uris": ["https://a.example/cb"], "x": 1}))
    );
    assert_eq!(print(&base).len(), 64);
    for other in [
        json!({"redirect_uris": ["https://a.example/cb"], "client_name": "B"}),
        json!({"redirect_uris": ["https://a.example/cb2"], "client_name": "A"}),
        json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A", "scope": "a"}),
        json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A", "token_endpoint_auth_method": "none"}),
    ] {
        assert_ne!(print(&base), print(&other));
    }
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
fn what_this_server_cannot_do_is_not_promised() {
    // OpenID Connect Registration §2; RFC 7591 §3.2.1 and §3.2.2
    let kept = with(
        json!({"id_token_signed_response_alg": "RS256", "subject_type": "public", "contacts": ["a@b"],
        "default_max_age": 60, "require_auth_time": true, "post_logout_redirect_uris": ["https://a.example/bye"]}),
    );
    let answer = Value::Object(client_information(&client(&kept), Credentials::default()));
    for (member, value) in kept.as_object().unwrap() {
        assert_eq!(answer[member], *value, "{member}");
    }
    for (member, value) in [
        ("id_token_signed_response_alg", json!("ES256")),
        ("id_token_signed_response_alg", json!("none")),
        ("id_token_encrypted_response_alg", json!("RSA-OAEP")),
        ("userinfo_signed_response_alg", json!("RS256")),
        ("userinfo_encrypted_response_alg", json!("RSA-OAEP")),
        ("subject_type", json!("pairwise")),
        ("default_max_age", json!(-1)),
        ("default_max_age", json!("60")),
        ("default_max_age", json!(1_u64 << 32)),
        ("require_auth_time", json!("true")),
        ("contacts", json!("a@b")),
        ("contacts", json!(["a\nb"])),
        ("contacts", json!(vec!["a"; 11])),
        ("contacts", json!(["a".repeat(257)])),
        ("post_logout_redirect_uris", json!(["http://a.example/"])),
        ("post_logout_redirect_uris", json!(vec!["https://a.example/"; 21])),
    ] {
        let (code, description) = error(&with(json!({member: value})));
        assert_eq!(code, ErrorCode::InvalidClientMetadata, "{member}");
        assert!(description.starts_with(member), "{description}");
    }
    let absent = client_information(&client(&with(json!({}))), Credentials::default());
    for member in ["contacts", "post_logout_redirect_uris", "default_max_age", "require_auth_time"] {
        assert!(!absent.contains_key(member), "{member}");
    }
}

#[test]
fn a_machine_registers_only_where_an_operator_has_said_so() {
    // RFC 7591 §2.1: grant types and response types fit together
    let parse = |body: Value| {
        Registration::parse(body.to_string().as_bytes(), Terms { machines: true, ..Terms::default() })
    };
    let machine = json!({"grant_types": ["client_credentials"]});
    assert_eq!(error(&machine).0, ErrorCode::InvalidClientMetadata);
    let mut client = Client::new(ClientId::parse("id").unwrap(), ClientOrigin::Dynamic, at(7));
    let registration = parse(machine).unwrap();
    registration.apply_to(&mut client);
    assert_eq!(client.grant_types, [GrantType::ClientCredentials]);
    assert_eq!(client.machine_scopes, Scope::default(), "nobody has said for what");
    let answer = client_information(&client, Credentials::default());
    assert_eq!((&answer["response_types"], &answer["redirect_uris"]), (&json!([]), &json!([])));
    client.ceiling = Some(scope("a b"));
    registration.apply_to(&mut client);
    assert_eq!(client.machine_scopes, scope("a b"));
    let both = with(
        json!({"grant_types": ["client_credentials", "authorization_code"], "response_types": ["code"]}),
    );
    assert!(parse(both).is_ok());
    parse(with(json!({}))).unwrap().apply_to(&mut client);
    assert_eq!(client.machine_scopes, Scope::default(), "it no longer is one");
    for (body, about) in [
        (json!({"grant_types": ["client_credentials"], "response_types": ["code"]}), "response_types"),
        (json!({"grant_types": ["client_credentials"], "response_types": ["token"]}), "response_types"),
        (json!({"grant_types": ["refresh_token"]}), "grant_types"),
        (
            json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}),
            "token_endpoint_auth_method",
        ),
        (with(json!({"grant_types": ["authorization_code"], "response_types": []})), "response_types"),
        (json!({"grant_types": ["client_credentials", "authorization_code"]}), "redirect_uris"),
    ] {
        let description = parse(body.clone()).unwrap_err().description();
        assert!(description.starts_with(about), "{body}: {description}");
    }
}

#[test]
fn a_software_statement_is_ignored_and_its_absence_says_so() {
    // RFC 7591 §2.3, §3.1.1: a server that does not use statements may ignore them; §3.2.1
    let statement = "eyJhbGciOiJSUzI1NiJ9.eyJjbGllbnRfbmFtZSI6IkZha2UiLCJmaXJzdF9wYXJ0eSI6dHJ1ZX0.c2ln";
    let stated = client(&with(json!({"client_name": "A", "software_statement": statement})));
    assert_eq!(stated, client(&with(json!({"client_name": "A"}))));
    assert!(!client_information(&stated, Credentials::default()).contains_key("software_statement"));
}

#[test]
fn a_replacement_is_the_clients_own_and_chooses_no_secret() {
    // RFC 7592 §2.2
    use ErrorCode::{InvalidClientMetadata, InvalidRequest};
    let owner = client(&with(json!({"client_name": "A"})));
    let replacement = |more: Value| {
        let body = with(more).to_string();
        Registration::parse_replacement(body.as_bytes(), &owner, Terms::default(), |text| text == "own")
            .map_err(|error| (error.code(), error.description()))
    };
    assert!(replacement(json!({"client_id": "id"})).is_ok());
    assert!(replacement(json!({"client_id": "id", "client_secret": "own"})).is_ok());
    for (more, code, about) in [
        (json!({}), InvalidClientMetadata, "client_id"),
        (json!({"client_id": "other"}), InvalidClientMetadata, "client_id"),
        (json!({"client_id": "id", "client_secret": "chosen"}), InvalidClientMetadata, "client_secret"),
        (json!({"client_id": "id", "registration_access_token": "x"}), InvalidRequest, "registration_a"),
        (json!({"client_id": "id", "registration_client_uri": "x"}), InvalidRequest, "registration_c"),
        (json!({"client_id": "id", "client_secret_expires_at": 0}), InvalidRequest, "client_secret_e"),
        (json!({"client_id": "id", "client_id_issued_at": 7}), InvalidRequest, "client_id_issued_at"),
        (json!({"client_id": "id", "grant_types": ["x"]}), InvalidClientMetadata, "grant_types"),
    ] {
        let (found, description) = replacement(more).unwrap_err();
        assert_eq!(found, code, "{description}");
        assert!(description.starts_with(about), "{description}");
    }
}

#[test]
fn a_replacement_leaves_nothing_of_what_was_said_before_and_all_that_others_said() {
    // RFC 7592 §2.2: the values replace and do not augment
    let full = with(
        json!({"client_name": "A", "client_uri": "https://a.example", "logo_uri": "https://a.example/l",
        "contacts": ["c"], "post_logout_redirect_uris": ["https://a.example/bye"], "scope": "a",
        "default_max_age": 1, "require_auth_time": true, "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "RS256", "jwks_uri": "https://a.example/jwks"}),
    );
    let mut client = client(&full);
    client.ceiling = Some(scope("a"));
    client.first_party = true;
    client.tenant = crate::protocol::TenantId::parse("acme");
    let others = client.clone();
    let bare = json!({"redirect_uris": ["https://b.example/cb"], "token_endpoint_auth_method": "none"});
    parse(&bare).unwrap().apply_to(&mut client);
    let mut fresh = self::client(&bare);
    (fresh.ceiling, fresh.first_party, fresh.tenant) = (others.ceiling, true, others.tenant);
    assert_eq!(client, fresh);
}

#[test]
fn keys_that_were_found_stay_while_their_address_does() {
    let signs = |uri: &str| {
        parse(&with(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri}))).unwrap()
    };
    let mut client = signs("https://a.example/1").into_client(ClientId::parse("id").unwrap(), None, at(1));
    let found = ClientKeys::Remote {
        uri: "https://a.example/1".into(),
        jwks: Some("{}".into()),
        tried_at: Some(at(5)),
    };
    client.keys = Some(found.clone());
    signs("https://a.example/1").apply_to(&mut client);
    assert_eq!(client.keys, Some(found));
    signs("https://a.example/2").apply_to(&mut client);
    assert_eq!(client.keys.as_ref().and_then(ClientKeys::jwks), None);
}

#[test]
fn what_an_earlier_version_registered_keeps_its_fingerprint() {
    let body = with(json!({"client_name": "A", "scope": "a", "token_endpoint_auth_method": "none"}));
    let fingerprint = parse(&body).unwrap().fingerprint();
    let grants = ["authorization_code", "refresh_token"];
    let earlier = json!(["A", null, {}, ["https://a.example/cb"], grants, "none", null, "a"]);
    assert_eq!(fingerprint, digest(&earlier));
    for more in [
        json!({"contacts": ["a"]}),
        json!({"post_logout_redirect_uris": ["https://a.example/"]}),
        json!({"default_max_age": 1}),
        json!({"require_auth_time": true}),
    ] {
        let mut other = body.clone();
        for (name, value) in more.as_object().unwrap() {
            other[name] = value.clone();
        }
        assert_ne!(parse(&other).unwrap().fingerprint(), fingerprint, "{more}");
    }
}
