//! `POST <issuer>/token` (RFC 6749 §3.2).

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::json_no_store;
use super::client_request::ClientRequest;
use super::site::Site;
use crate::protocol::Endpoint;

pub(super) async fn post(State(site): State<Site>, request: Request) -> Response {
    let request = match ClientRequest::read(&site, Endpoint::Token, request).await {
        Ok(request) => request,
        Err(answer) => return *answer,
    };
    match site.engine().token(request.authorization.as_deref(), &request.params).await {
        Ok(answer) => json_no_store(StatusCode::OK, &answer),
        Err(error) => request.refused(&error),
    }
}
