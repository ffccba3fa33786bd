//! What stands in the place of what a client said before (RFC 7592 §2.2).

use super::*;

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
