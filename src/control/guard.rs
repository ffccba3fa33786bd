//! Who may use the control plane: whoever calls this machine by a name of its own and holds the key.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::answer::Refused;
use super::routes::OPENAPI_PATH;
use super::test_mode::TestMode;

pub(super) async fn check(State(mode): State<TestMode>, request: Request, next: Next) -> Response {
    match refusal(&mode, &request) {
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    }
}

/// Why a request is none of somebody's who may use the control plane.
pub(super) fn refusal(mode: &TestMode, request: &Request) -> Option<Refused> {
    // A web page can make a browser send requests here under any name that it controls (DNS rebinding).
    if !is_here(mode, request) {
        return Some(Refused::other_host());
    }
    // The document needs no key: it says nothing that the program does not.
    let is_open = request.uri().path() == OPENAPI_PATH && request.method().is_safe();
    (!is_open && !is_keeper(mode, request)).then(Refused::stranger)
}

/// Whether a request calls this process by a name of its own.
pub(super) fn is_here(mode: &TestMode, request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or(request.uri().authority().map(axum::http::uri::Authority::as_str));
    host.is_some_and(|host| mode.is_called(host))
}

fn is_keeper(mode: &TestMode, request: &Request) -> bool {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let (scheme, key) = header.and_then(|header| header.split_once(' ')).unwrap_or_default();
    scheme.eq_ignore_ascii_case("bearer") && bool::from(key.trim().as_bytes().ct_eq(mode.key().as_bytes()))
}
