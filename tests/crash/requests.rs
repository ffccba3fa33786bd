//! The requests of a client.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelet::protocol::CodeVerifier;
use serde_json::{Value, json};
use url::Url;

use crate::chain::{Chain, Stage, Tokens};
use crate::http::{Sent, Wire};
use crate::server::{RESOURCE, SCOPE};

/// What a client registers.
pub(crate) fn metadata(name: &str, is_public: bool) -> Value {
    json!({
        "client_name": name,
        "redirect_uris": [format!("https://{name}.example/cb"), "http://127.0.0.1/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": if is_public { "none" } else { "client_secret_post" },
        "client_uri": format!("https://{name}.example/"),
    })
}

/// Puts other metadata in the place of what a client has registered (RFC 7592 §2.2).
pub(crate) async fn replace(wire: &Wire, chain: &Chain, name: &str) -> Sent {
    let mut body = metadata(name, false);
    body["client_id"] = chain.id().into();
    wire.manage("PUT", &chain.registered, Some(&body)).await
}

/// Ends a client's registration (RFC 7592 §2.3).
pub(crate) async fn delete(wire: &Wire, chain: &Chain) -> Sent {
    wire.manage("DELETE", &chain.registered, None).await
}

/// Path and query of an authorization request.
pub(crate) fn authorization(chain: &Chain, verifier: &str) -> String {
    let challenge = CodeVerifier::parse(verifier).expect("a verifier").challenge();
    let pairs = [
        ("response_type", "code"),
        ("client_id", chain.id()),
        ("redirect_uri", chain.redirect_uri()),
        ("scope", SCOPE),
        ("state", verifier),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/oauth/authorize?{query}")
}

/// Presents a chain's code.
pub(crate) async fn redeem(wire: &Wire, chain: &Chain) -> Sent {
    let (Stage::Agreed { code, verifier }
    | Stage::Connected(Tokens { code, verifier, .. })
    | Stage::Revoked(Tokens { code, verifier, .. })) = &chain.stage
    else {
        panic!("no code: {chain:?}")
    };
    let mut pairs = chain.credentials();
    pairs.extend([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", chain.redirect_uri()),
        ("code_verifier", verifier),
    ]);
    wire.post("/oauth/token", &pairs).await
}

/// Presents a chain's refresh token: the newest is 1.
pub(crate) async fn refresh(wire: &Wire, chain: &Chain, from_the_end: usize) -> Sent {
    let token = chain.refresh_token(from_the_end);
    let mut pairs = chain.credentials();
    pairs.extend([("grant_type", "refresh_token"), ("refresh_token", token)]);
    wire.post("/oauth/token", &pairs).await
}

/// Gives a token back.
pub(crate) async fn revoke(wire: &Wire, chain: &Chain, token: &str) -> Sent {
    let mut pairs = chain.credentials();
    pairs.push(("token", token));
    wire.post("/oauth/revoke", &pairs).await
}

/// The `jti` of an access token.
pub(crate) fn jti(access_token: &str) -> String {
    let claims = access_token.split('.').nth(1).expect("three parts");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["jti"].as_str().expect("a jti").to_owned()
}

/// A parameter that a client was sent in its redirect URI.
pub(crate) fn returned(location: &str, name: &str) -> Option<String> {
    let url = Url::parse(location).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
