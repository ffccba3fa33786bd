//! What is not registered, and in which words.

use super::*;

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
