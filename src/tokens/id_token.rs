//! Id tokens: what a client learns about a login (OpenID Connect Core §2).

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use super::base64url;
use crate::protocol::{ClientId, Timestamp};

/// What an id token says (OpenID Connect Core §2, §3.1.3.6). Name and mail address are not in it: with the code flow
/// they come from the userinfo endpoint (§5.4). What is absent is omitted, never null.
#[derive(Clone, Debug, Serialize)]
pub struct IdTokenClaims {
    /// The issuer, byte for byte as configured.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The person, the same as in access tokens.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The client that it is for; an audience of one, as a plain string.
    #[serde(rename = "aud")]
    pub audience: ClientId,
    /// When it was made.
    #[serde(rename = "iat")]
    pub issued_at: Timestamp,
    /// When it ends.
    #[serde(rename = "exp")]
    pub expires_at: Timestamp,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// What the request wanted to be repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How the person proved who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// What ties it to the access token beside it: see [`at_hash`].
    pub at_hash: String,
}

/// The left half of the hash of an access token (OpenID Connect Core §3.1.3.6), for `alg` RS256.
pub fn at_hash(access_token: &str) -> String {
    let hash = digest(&SHA256, access_token.as_bytes());
    base64url::encode(&hash.as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_of_an_access_token_is_the_one_of_the_specification() {
        // OpenID Connect Core §3.1.3.6; §A.3 and §A.6: this access token goes with this at_hash.
        assert_eq!(at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn an_id_token_says_who_for_whom_and_when_and_no_more() {
        // OpenID Connect Core §2
        let mut claims = IdTokenClaims {
            issuer: "https://id.example/oauth".to_owned(),
            subject: "ada".to_owned(),
            audience: ClientId::parse("editor").unwrap(),
            issued_at: Timestamp::from_seconds(100),
            expires_at: Timestamp::from_seconds(1000),
            auth_time: Timestamp::from_seconds(90),
            nonce: None,
            acr: None,
            at_hash: "x".to_owned(),
        };
        let least = json!({
            "iss": "https://id.example/oauth", "sub": "ada", "aud": "editor", "iat": 100, "exp": 1000,
            "auth_time": 90, "at_hash": "x",
        });
        assert_eq!(serde_json::to_value(&claims).unwrap(), least);
        (claims.nonce, claims.acr) = (Some("n".to_owned()), Some("a".to_owned()));
        let full = serde_json::to_value(&claims).unwrap();
        assert_eq!((&full["nonce"], &full["acr"]), (&json!("n"), &json!("a")));
    }
}
