//! Answers to what no endpoint answers.

use std::any::Any;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;

use super::answer::{error_page, json_error, page, server_error};
use super::guard::RequestId;
use super::read::{MAX_BODY, Unreadable};
use super::site::Site;
use crate::pages::ErrorPage;
use crate::protocol::{Endpoint, ErrorCode};

/// Whether programs and not people ask here: they are answered in JSON.
pub(super) fn is_protocol_path(site: &Site, path: &str) -> bool {
    let issuer = &site.engine().policy.issuer;
    let under_issuer = path.strip_prefix(issuer.base_path()).and_then(|rest| rest.strip_prefix('/'));
    let is_endpoint = under_issuer.is_some_and(|name| {
        matches!(name, "token" | "register" | "jwks" | "introspect" | "revoke" | "userinfo" | "openapi.json")
            || name.starts_with(".well-known/")
            || name.strip_prefix("register/").is_some_and(|id| !id.is_empty() && !id.contains('/'))
    });
    is_endpoint || path.starts_with("/.well-known/") || path.starts_with(&site.page("/.well-known/"))
}

pub(super) async fn not_found(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    if !is_protocol_path(&site, path) {
        return error_page(&site, &id, ErrorPage::not_found(path));
    }
    let mut answer = json_error(404, ErrorCode::InvalidRequest, "there is nothing at this address");
    // Clients in a browser probe for metadata and must see that there is none.
    answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer
}

/// Refuses a method that an endpoint for programs does not know.
pub(super) async fn method_not_allowed() -> Response {
    json_error(405, ErrorCode::InvalidRequest, "this endpoint does not know this method")
}

/// The same for people: `allowed` is what `Allow` and the page say (RFC 9110 §15.5.6).
pub(super) fn method_not_allowed_page(
    site: &Site,
    id: &RequestId,
    method: &Method,
    allowed: &'static str,
) -> Response {
    let mut answer = error_page(site, id, ErrorPage::method_not_allowed(method.as_str(), allowed));
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Answers a body that could not be read, in JSON.
pub(super) fn unreadable_json(unreadable: &Unreadable, expected: &'static str) -> Response {
    match unreadable {
        Unreadable::TooLarge => json_error(413, ErrorCode::InvalidRequest, "the body is too large"),
        Unreadable::MediaType(_) => json_error(415, ErrorCode::InvalidRequest, expected),
        Unreadable::Broken => {
            json_error(400, ErrorCode::InvalidRequest, "the body ended early or took too long")
        }
    }
}

/// Answers a body that could not be read, with a page.
pub(super) fn unreadable_page(site: &Site, id: &RequestId, unreadable: Unreadable) -> Response {
    let page = match unreadable {
        Unreadable::TooLarge => ErrorPage::too_large(MAX_BODY),
        Unreadable::MediaType(sent) => ErrorPage::unsupported_media_type(&sent),
        Unreadable::Broken => ErrorPage::page_expired(),
    };
    error_page(site, id, page)
}

/// A panic is a fault of ours like any other: logged, and answered without its text.
pub(super) fn panicked(cause: Box<dyn Any + Send>) -> Response {
    log_panic(&*cause);
    server_error(Endpoint::Token)
}

/// The same for people.
pub(super) fn panicked_page(site: &Site, cause: &(dyn Any + Send)) -> Response {
    log_panic(cause);
    page(site, &ErrorPage::server_error())
}

fn log_panic(cause: &(dyn Any + Send)) {
    let text =
        cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("of unknown kind"), "a handler panicked");
}
