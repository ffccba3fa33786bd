//! `POST <issuer>/introspect` (RFC 7662), and the same at `/oauth/introspect`, where guides for resource servers look.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::answer::json_no_store;
use super::client_request::ClientRequest;
use super::site::Site;
use crate::flow::Introspected;
use crate::protocol::Endpoint;

/// The media type of a signed answer (RFC 9701 §5).
const SIGNED: &str = "application/token-introspection+jwt";

pub(super) async fn post(State(site): State<Site>, request: Request) -> Response {
    let signed = wants_signed(request.headers());
    let request = match ClientRequest::read(&site, Endpoint::Token, request).await {
        Ok(request) => request,
        Err(answer) => return *answer,
    };
    match site.engine().introspect(request.authorization.as_deref(), &request.params, signed).await {
        Ok(Introspected::Plain(answer)) => json_no_store(StatusCode::OK, &answer),
        Ok(Introspected::Signed(jwt)) => {
            let headers = [(header::CONTENT_TYPE, SIGNED), (header::CACHE_CONTROL, "no-store")];
            (StatusCode::OK, headers, jwt).into_response()
        }
        Err(error) => request.refused(&error),
    }
}

/// Whether a signed answer is asked for by name (RFC 9701 §4), and JSON is not preferred to it (RFC 9110 §12.5.1).
fn wants_signed(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut signed, mut plain) = (0.0, 0.0);
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = quality.map_or(1.0, |quality| quality.parse::<f32>().unwrap_or_default());
        if essence.eq_ignore_ascii_case(SIGNED) {
            signed = quality;
        } else if essence.eq_ignore_ascii_case("application/json") {
            plain = quality;
        }
    }
    signed > 0.0 && signed >= plain
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_signed_answer_is_for_those_who_ask_for_it_by_name() {
        // RFC 9701 §4
        let wants = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
            }
            wants_signed(&headers)
        };
        for accept in [
            SIGNED,
            "Application/Token-Introspection+JWT",
            "application/json, application/token-introspection+jwt",
            "application/token-introspection+jwt;q=0.9, application/json; q=0.5",
        ] {
            assert!(wants(&[accept]), "{accept}");
        }
        assert!(wants(&["application/json", SIGNED]));
        for accept in [
            "*/*",
            "application/*",
            "application/json",
            "application/jwt",
            "application/token-introspection+jwt;q=0",
            "application/token-introspection+jwt;q=0.5, application/json",
            "application/token-introspection+jwt;q=x",
        ] {
            assert!(!wants(&[accept]), "{accept}");
        }
        assert!(!wants(&[]));
    }
}
