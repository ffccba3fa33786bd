//! What a client is told about its registration (RFC 7591 §3.2.1, RFC 7592 §3).

use serde_json::{Map, Value};

use super::{Client, ClientKeys, GrantType, RedirectUri, Scope};

/// What a client is told beside what it registered.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// Its secret, when it was just given one: told this once and never again.
    pub secret: Option<&'a str>,
    /// The token by which it manages its registration, and where, if it may.
    pub management: Option<(&'a str, &'a str)>,
}

/// Everything that was registered, and no member that is `null`.
pub fn client_information(client: &Client, credentials: Credentials<'_>) -> Map<String, Value> {
    let mut answer = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            answer.insert(name.to_owned(), value);
        }
    };
    put("client_id", Some(client.id.as_str().into()));
    put("client_id_issued_at", Some(client.registered_at.seconds().into()));
    put("client_secret", credentials.secret.map(Value::from));
    put("client_secret_expires_at", credentials.secret.map(|_| 0.into()));
    put("registration_access_token", credentials.management.map(|(token, _)| token.into()));
    put("registration_client_uri", credentials.management.map(|(_, uri)| uri.into()));
    put("client_name", client.name.as_deref().map(Value::from));
    put("client_uri", client.uri.as_deref().map(Value::from));
    put("scope", client.scope.as_ref().map(Scope::to_string).map(Value::from));
    for (name, value) in &client.about {
        put(name, Some(value.as_str().into()));
    }
    put("contacts", list(&client.contacts, String::as_str));
    let uris: Vec<&str> = client.redirect_uris.iter().map(RedirectUri::as_str).collect();
    put("redirect_uris", Some(uris.into()));
    put("post_logout_redirect_uris", list(&client.post_logout_redirect_uris, RedirectUri::as_str));
    let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    put("grant_types", Some(grants.into()));
    let uses_codes = client.grant_types.contains(&GrantType::AuthorizationCode);
    let response_types = if uses_codes { vec!["code"] } else { Vec::new() };
    put("response_types", Some(response_types.into()));
    put("token_endpoint_auth_method", client.auth_methods.first().map(|method| method.as_str().into()));
    put("token_endpoint_auth_signing_alg", client.assertion_alg.map(|alg| alg.as_str().into()));
    match &client.keys {
        Some(ClientKeys::Inline { jwks }) => put("jwks", serde_json::from_str(jwks).ok()),
        Some(ClientKeys::Remote { uri, .. }) => put("jwks_uri", Some(uri.as_str().into())),
        None => {}
    }
    put("default_max_age", client.default_max_age.map(|age| age.as_secs().into()));
    put("require_auth_time", client.require_auth_time.then_some(Value::Bool(true)));
    answer
}

/// A list that is absent when it is empty.
fn list<T>(items: &[T], text: impl Fn(&T) -> &str) -> Option<Value> {
    (!items.is_empty()).then(|| items.iter().map(text).collect())
}
