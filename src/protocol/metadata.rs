//! The discovery document (RFC 8414 §2), computed from the policy that the rules read.

use serde::Serialize;

use super::client_assertion::AssertionAlgorithm;
use super::userinfo::CLAIMS_SUPPORTED;
use super::{
    ACR_PASSWORD, ClientAuthMethod, ClientDocuments, GrantType, IntrospectionMode, Policy, RegistrationMode,
    Scope,
};

/// Authorization server metadata. Absent members are left out: some clients refuse a document with a `null` in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    scopes_supported: Vec<String>,
    response_types_supported: Vec<&'static str>,
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_id_metadata_document_supported: bool,
    code_challenge_methods_supported: Vec<&'static str>,
    authorization_response_iss_parameter_supported: bool,
    prompt_values_supported: Vec<&'static str>,
    acr_values_supported: Vec<&'static str>,
    // OpenID Connect Discovery §3. The last three are said because what is not said is `true` for one of them.
    userinfo_endpoint: String,
    end_session_endpoint: String,
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    claim_types_supported: Vec<&'static str>,
    claims_supported: Vec<&'static str>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
}

impl Metadata {
    /// What this server does.
    pub fn of(policy: &Policy) -> Self {
        let endpoint = |name| policy.issuer.endpoint(name);
        let methods = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str);
        let algorithms = AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str);
        Self {
            issuer: policy.issuer.to_string(),
            authorization_endpoint: endpoint("authorize"),
            token_endpoint: endpoint("token"),
            jwks_uri: endpoint("jwks"),
            registration_endpoint: match policy.registration {
                RegistrationMode::Open | RegistrationMode::Token => Some(endpoint("register")),
                RegistrationMode::Off => None,
            },
            scopes_supported: names(&policy.scopes_supported),
            response_types_supported: vec!["code"],
            response_modes_supported: vec!["query"],
            grant_types_supported: GrantType::ALL.map(GrantType::as_str).to_vec(),
            token_endpoint_auth_methods_supported: methods.to_vec(),
            token_endpoint_auth_signing_alg_values_supported: algorithms.to_vec(),
            revocation_endpoint: endpoint("revoke"),
            revocation_endpoint_auth_methods_supported: methods.to_vec(),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms.to_vec(),
            introspection_endpoint: endpoint("introspect"),
            introspection_endpoint_auth_methods_supported: introspection_methods(policy),
            introspection_endpoint_auth_signing_alg_values_supported: algorithms.to_vec(),
            introspection_signing_alg_values_supported: vec!["RS256"],
            client_id_metadata_document_supported: policy.client_documents != ClientDocuments::Off,
            code_challenge_methods_supported: vec!["S256"],
            authorization_response_iss_parameter_supported: true,
            prompt_values_supported: vec!["none", "login", "consent", "select_account"],
            acr_values_supported: vec![ACR_PASSWORD],
            subject_types_supported: vec!["public"],
            id_token_signing_alg_values_supported: vec!["RS256"],
            userinfo_endpoint: endpoint("userinfo"),
            end_session_endpoint: endpoint("end_session"),
            claim_types_supported: vec!["normal"],
            claims_supported: CLAIMS_SUPPORTED.to_vec(),
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
        }
    }
}

/// A name alone is no authentication there, unless everybody may ask; and a token will do (RFC 8414 §2 takes the names of
/// access token types here).
fn introspection_methods(policy: &Policy) -> Vec<&'static str> {
    let is_open = policy.introspection == IntrospectionMode::Open;
    let methods =
        ClientAuthMethod::ALL.into_iter().filter(|method| is_open || *method != ClientAuthMethod::None);
    methods.map(ClientAuthMethod::as_str).chain(["Bearer"]).collect()
}

fn names(scope: &Scope) -> Vec<String> {
    scope.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::fixtures::policy;

    #[test]
    fn the_document_says_what_the_policy_says() {
        // MCP 2025-11-25 Authorization Code Protection.
        // RFC 9700 §2.1.1; RFC 9207 §2.3; Client ID Metadata Documents §5; MCP Authorization Code Protection.
        // RFC 9701 §7, RFC 8414 §2, RFC 9207 §3, MCP 2026-07-28 authorization, OpenID Connect Discovery §3,
        // RFC 9470 §7
        let mut policy = policy();
        let document = serde_json::to_value(Metadata::of(&policy)).unwrap();
        assert_eq!(
            document,
            json!({
                "issuer": "https://id.example/oauth",
                "authorization_endpoint": "https://id.example/oauth/authorize",
                "token_endpoint": "https://id.example/oauth/token",
                "jwks_uri": "https://id.example/oauth/jwks",
                "registration_endpoint": "https://id.example/oauth/register",
                "scopes_supported": ["read", "write", "offline_access"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
                "token_endpoint_auth_methods_supported":
                    ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
                "revocation_endpoint": "https://id.example/oauth/revoke",
                "revocation_endpoint_auth_methods_supported":
                    ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
                "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
                "introspection_endpoint": "https://id.example/oauth/introspect",
                "introspection_endpoint_auth_methods_supported":
                    ["client_secret_basic", "client_secret_post", "private_key_jwt", "Bearer"],
                "introspection_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
                "introspection_signing_alg_values_supported": ["RS256"],
                "client_id_metadata_document_supported": true,
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": true,
                "prompt_values_supported": ["none", "login", "consent", "select_account"],
                "acr_values_supported": ["urn:gatelet:acr:password"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "userinfo_endpoint": "https://id.example/oauth/userinfo",
                "end_session_endpoint": "https://id.example/oauth/end_session",
                "claim_types_supported": ["normal"],
                "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "at_hash",
                    "name", "preferred_username", "email"],
                "claims_parameter_supported": false,
                "request_parameter_supported": false,
                "request_uri_parameter_supported": false,
            })
        );
        policy.registration = RegistrationMode::Token;
        let by_token = serde_json::to_value(Metadata::of(&policy)).unwrap();
        assert_eq!(by_token, document, "who has a token must find where to go");
        policy.introspection = IntrospectionMode::Open;
        let open = serde_json::to_value(Metadata::of(&policy)).unwrap();
        assert_eq!(open["introspection_endpoint_auth_methods_supported"][0], "none");
        policy.registration = RegistrationMode::Off;
        policy.client_documents = ClientDocuments::Off;
        let document = serde_json::to_value(Metadata::of(&policy)).unwrap();
        assert!(document.get("registration_endpoint").is_none(), "absent, not null");
        assert!(document.get("client_id_metadata_document_supported").is_none());
        policy.client_documents = ClientDocuments::Hosts(vec!["claude.ai".to_owned()]);
        let document = serde_json::to_value(Metadata::of(&policy)).unwrap();
        assert_eq!(document["client_id_metadata_document_supported"], true);
    }
}
