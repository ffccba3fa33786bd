//! The answer of the token endpoint.

use serde::Serialize;

/// A successful answer (RFC 6749 §5.1). `expires_in` and `scope` are always there: released clients refresh by the one
/// and decide about step-up by the other. What is absent is left out, never `null`.
#[derive(Serialize)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer` (RFC 6750).
    pub token_type: &'static str,
    /// Lifetime of the access token in seconds.
    pub expires_in: u64,
    /// What was granted, `offline_access` included when it was asked for.
    pub scope: String,
    /// The refresh token, for clients that use them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The id token, when `openid` was granted (OpenID Connect Core §3.1.3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}
