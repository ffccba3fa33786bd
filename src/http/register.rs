//! `POST <issuer>/register` (RFC 7591 §3).

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{json_error, json_no_store, refusal, too_many};
use super::fallback::unreadable_json;
use super::limit::Sender;
use super::read::json_body;
use super::site::Site;
use crate::protocol::registration::client_information;
use crate::protocol::{Endpoint, ErrorCode, RegistrationMode};

pub(super) async fn post(State(site): State<Site>, request: Request) -> Response {
    if site.engine().policy.registration == RegistrationMode::Off {
        return json_error(404, ErrorCode::InvalidRequest, "this server does not take registrations");
    }
    let sender = Sender::of(&request);
    let body = match json_body(request).await {
        Ok(body) => body,
        Err(unreadable) => return unreadable_json(&unreadable, "the body must be application/json"),
    };
    // What is malformed counts too. The body has been read, or the answer might not arrive.
    if let Err(refused) = site.limits().registration(sender, site.engine().clock.now()) {
        return too_many(Endpoint::Register, refused);
    }
    match site.engine().register(&body).await {
        Ok(registered) => {
            let information = client_information(&registered.client, registered.secret.as_deref());
            json_no_store(StatusCode::CREATED, &information)
        }
        Err(error) => refusal(Endpoint::Register, &error),
    }
}
