//! Finding the bearer token in a request (RFC 6750 §2).

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};

use super::challenge::Refusal;
use super::verify::TokenError;

/// The bearer token of a request. MCP allows the `Authorization` header only: a token in a URL ends up in logs.
pub(super) fn bearer<'a>(headers: &'a HeaderMap, uri: &Uri) -> Result<&'a str, Refusal> {
    if has_token_in_query(uri) {
        return Err(Refusal::BadRequest(
            "the access token belongs in the Authorization header, not in the URL",
        ));
    }
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Err(Refusal::NoToken) };
    if values.next().is_some() {
        return Err(Refusal::BadRequest("more than one Authorization header"));
    }
    let malformed = Refusal::BadToken(TokenError::Malformed);
    let Ok(text) = value.to_str() else { return Err(malformed) };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoToken);
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.contains([' ', ',']) { Err(malformed) } else { Ok(token) }
}

fn has_token_in_query(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
    })
}
