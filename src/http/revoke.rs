//! `POST <issuer>/revoke` (RFC 7009).

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::client_request::ClientRequest;
use super::site::Site;
use crate::protocol::Endpoint;

pub(super) async fn post(State(site): State<Site>, request: Request) -> Response {
    let request = match ClientRequest::read(&site, Endpoint::Token, request).await {
        Ok(request) => request,
        Err(answer) => return *answer,
    };
    match site.engine().revoke(request.authorization.as_deref(), &request.params).await {
        // RFC 7009 §2.2: the status says it all.
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(error) => request.refused(&error),
    }
}
