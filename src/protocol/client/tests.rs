use super::*;
use crate::protocol::fixtures;

#[test]
fn registered_and_stored_names_are_read_back_as_they_are_written() {
    // RFC 7591 §2
    let methods = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str);
    assert_eq!(methods, ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]);
    let grants = GrantType::ALL.map(GrantType::as_str);
    assert_eq!(grants, ["authorization_code", "refresh_token", "client_credentials"]);
    let origins = ClientOrigin::ALL;
    assert_eq!(origins.map(ClientOrigin::as_str), ["config", "admin", "dynamic", "document"]);
    assert_eq!(origins.map(|origin| ClientOrigin::parse(origin.as_str())), origins.map(Some));
    assert_eq!(methods.map(ClientAuthMethod::parse), ClientAuthMethod::ALL.map(Some));
    assert_eq!(grants.map(GrantType::parse), GrantType::ALL.map(Some));
    for unknown in ["", "None", "client_secret_jwt", "password", "urn:x", "CONFIG"] {
        assert_eq!(ClientAuthMethod::parse(unknown), None);
        assert_eq!(GrantType::parse(unknown), None);
        assert_eq!(ClientOrigin::parse(unknown), None);
    }
}

#[test]
fn an_operator_vouches_for_every_client_that_did_not_register_itself() {
    // RFC 9700 §4.11.2
    assert!(ClientOrigin::Config.is_vouched_for());
    assert!(ClientOrigin::Admin.is_vouched_for());
    assert!(!ClientOrigin::Dynamic.is_vouched_for());
    assert!(!ClientOrigin::Document.is_vouched_for(), "a host vouches for it, and that could be anybody's");
}

#[test]
fn a_client_uses_only_the_grant_types_that_it_registered() {
    // RFC 6749 §5.2, unauthorized_client
    let client = fixtures::client(&[]);
    assert_eq!(client.require_grant_type(GrantType::RefreshToken), Ok(()));
    let error = client.require_grant_type(GrantType::ClientCredentials).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnauthorizedClient);
}

#[test]
fn a_client_without_a_name_is_shown_by_its_identifier() {
    let mut client = fixtures::client(&[]);
    assert_eq!(client.display_name(), "Client");
    client.name = None;
    assert_eq!(client.display_name(), "c");
}
