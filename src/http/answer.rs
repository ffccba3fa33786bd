//! Answers: JSON, pages, redirects.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::guard::RequestId;
use super::site::Site;
use crate::flow::{Failure, Refusal};
use crate::pages::{ErrorPage, Page};
use crate::protocol::{Answer, Endpoint, ErrorCode, OAuthError, TooMany};

/// How long somebody should wait who was told that we are busy, in seconds.
pub(super) const RETRY_AFTER: u64 = 2;

/// JSON that nobody may keep (RFC 6749 §5.1).
pub(super) fn json_no_store(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}

/// An error in OAuth's own form (RFC 6749 §5.2), with the status that the table of errors gives.
pub(super) fn oauth_error(endpoint: Endpoint, error: &OAuthError) -> Response {
    let status = match error.code().answer(endpoint) {
        Answer::Json(status) | Answer::Page(status) | Answer::Redirect { page: status } => status,
        Answer::Never => {
            tracing::error!(%error, ?endpoint, "an error that does not belong here");
            return server_error(endpoint);
        }
    };
    tracing::info!(%error, detail = error.detail(), status, "refused");
    json_error(status, error.code(), &error.description())
}

/// An error answer with a status of HTTP's own making (405, 413, 415).
pub(super) fn json_error(status: u16, code: ErrorCode, description: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer =
        json_no_store(status, &json!({ "error": code.as_str(), "error_description": description }));
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
    }
    answer
}

/// Tells somebody who asks too often when to ask again.
pub(super) fn too_many(endpoint: Endpoint, TooMany { retry_after }: TooMany) -> Response {
    let error = OAuthError::new(ErrorCode::TooManyRequests, "too many requests; try again later");
    let mut answer = oauth_error(endpoint, &error);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
    answer
}

/// Answers a refusal or a fault of the token or registration endpoint.
pub(super) fn refusal(endpoint: Endpoint, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Refused(error) | Refusal::WrongProof(error) => oauth_error(endpoint, error),
        Refusal::TooMany(too_many) => self::too_many(endpoint, *too_many),
        Refusal::Failed(failure @ Failure::Unavailable(_)) => {
            tracing::warn!(error = %failure, "unavailable");
            let code = ErrorCode::TemporarilyUnavailable;
            oauth_error(endpoint, &OAuthError::new(code, "the server is busy; try again in a moment"))
        }
        Refusal::Failed(failure @ Failure::Fault(_)) => {
            tracing::error!(error = %failure, "fault");
            server_error(endpoint)
        }
    }
}

pub(super) fn server_error(endpoint: Endpoint) -> Response {
    let error = OAuthError::new(ErrorCode::ServerError, "the server could not answer; its log tells why");
    let status = match error.code().answer(endpoint) {
        Answer::Json(status) => status,
        _ => 500,
    };
    json_error(status, error.code(), &error.description())
}

/// A page, with the headers that keep it from being framed, kept or leaked (RFC 9700 §4.16, §4.2.4).
pub(super) fn page<P: Page>(site: &Site, page: &P) -> Response {
    let status = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, page.content_security_policy()),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = (status, headers, page.html(site.issuer().public_url().path())).into_response();
    if !P::LEADS_TO_CLIENT {
        // Clients in a browser run the flow in a window that they open, and that tells them how it ended. With this
        // header on a page of the flow, the two windows would know nothing of one another for good.
        let policy = HeaderName::from_static("cross-origin-opener-policy");
        response.headers_mut().insert(policy, HeaderValue::from_static("same-origin"));
    }
    response
}

/// A page about an error.
pub(super) fn error_page(site: &Site, id: &RequestId, error: ErrorPage) -> Response {
    page(site, &error.within(id.as_str(), site.mode_notice()))
}

/// A page about a fault of ours, which the log explains.
pub(super) fn failure_page(site: &Site, id: &RequestId, failure: &Failure) -> Response {
    match failure {
        Failure::Unavailable(_) => {
            tracing::warn!(error = %failure, "unavailable");
            let mut answer = error_page(site, id, ErrorPage::unavailable(RETRY_AFTER));
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
            answer
        }
        Failure::Fault(_) => {
            tracing::error!(error = %failure, "fault");
            error_page(site, id, ErrorPage::server_error())
        }
    }
}

/// A redirect that turns every method into GET, so that a form with a password is never sent on (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        tracing::error!("a redirect to what is no URL");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers =
        [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers).into_response()
}
