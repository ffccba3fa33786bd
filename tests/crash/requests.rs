//! The requests of a client.

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
    let (Stage::Connected(tokens) | Stage::Revoked(tokens)) = &chain.stage else {
        panic!("no token: {chain:?}")
    };
    let token = &tokens.refresh[tokens.refresh.len() - from_the_end];
    let mut pairs = chain.credentials();
    pairs.extend([("grant_type", "refresh_token"), ("refresh_token", token)]);
    wire.post("/oauth/token", &pairs).await
}

/// A parameter that a client was sent in its redirect URI.
pub(crate) fn returned(location: &str, name: &str) -> Option<String> {
    let url = Url::parse(location).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
