//! `POST <issuer>/register` (RFC 7591 §3).

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{json_error, json_no_store, oauth_error, refusal, too_many};
use super::bearer::{bearer, challenged};
use super::fallback::unreadable_json;
use super::limit::Sender;
use super::manage::information;
use super::read::json_body;
use super::site::Site;
use crate::flow::RegistrationRight;
use crate::protocol::{Endpoint, ErrorCode, RegistrationMode};

pub(super) async fn post(State(site): State<Site>, request: Request) -> Response {
    if site.engine().policy.registration == RegistrationMode::Off {
        return json_error(404, ErrorCode::InvalidRequest, "this server does not take registrations");
    }
    let sender = Sender::of(&request);
    let presented = match bearer(request.headers()) {
        Ok(presented) => presented,
        Err(error) => return oauth_error(Endpoint::Register, &error),
    };
    let body = match json_body(request).await {
        Ok(body) => body,
        Err(unreadable) => return unreadable_json(&unreadable, "the body must be application/json"),
    };
    let right = site.engine().registration_right(presented.as_deref()).await;
    // What is malformed counts too, and so does a wrong token; whoever has a good one is held to that one's own limits.
    // The body has been read, or the answer might not arrive.
    if !matches!(right, Ok(RegistrationRight::Token(_)))
        && let Err(refused) = site.limits().registration(sender, site.engine().clock.now())
    {
        return too_many(Endpoint::Register, refused);
    }
    let registered = match right {
        Ok(right) => site.engine().register(&body, right).await,
        Err(refused) => Err(refused),
    };
    match registered {
        Ok(registered) => json_no_store(StatusCode::CREATED, &information(&site, &registered)),
        Err(error) => challenged(refusal(Endpoint::Register, &error), presented.is_some()),
    }
}
