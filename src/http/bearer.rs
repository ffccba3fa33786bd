//! Bearer tokens that a request presents, and how their absence is answered (RFC 6750).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::read::authorization;
use crate::protocol::{ErrorCode, OAuthError};

/// The token in the one `Authorization` header, if its scheme is `Bearer` (RFC 6750 §2.1). Tokens in a query or a form
/// are not looked at: they would get into logs.
///
/// # Errors
/// `invalid_request` for two headers.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<String>, OAuthError> {
    let Ok(header) = authorization(headers) else {
        let why = "one Authorization header can be sent at a time";
        return Err(OAuthError::new(ErrorCode::InvalidRequest, why));
    };
    let token = |header: String| {
        let (scheme, token) = header.split_once(' ').unwrap_or((&header, ""));
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    };
    Ok(header.and_then(token))
}

/// Adds the challenge to an answer that is 401; it names the error only to whoever presented a token (RFC 6750 §3).
pub(super) fn challenged(mut answer: Response, presented: bool) -> Response {
    if answer.status() == StatusCode::UNAUTHORIZED {
        let challenge = if presented {
            "Bearer realm=\"register\", error=\"invalid_token\""
        } else {
            "Bearer realm=\"register\""
        };
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    answer
}
