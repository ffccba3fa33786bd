//! `<issuer>/register/<client_id>`: the client configuration endpoint (RFC 7592 §2). It is there whatever the mode of
//! registration: a client that has registered can always be taken back by itself.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::answer::{json_no_store, oauth_error, refusal, too_many};
use super::bearer::{bearer, challenged};
use super::fallback::unreadable_json;
use super::limit::Sender;
use super::read::json_body;
use super::site::Site;
use crate::flow::{Refusal, Registered};
use crate::protocol::Endpoint;
use crate::protocol::client_information::{Credentials, client_information};

/// What a client is told about its registration.
pub(super) fn information(site: &Site, registered: &Registered) -> Map<String, Value> {
    let Registered { client, secret, token } = registered;
    let uri = site.issuer().endpoint(&format!("register/{}", client.id));
    let management = token.as_deref().map(|token| (token, uri.as_str()));
    client_information(client, Credentials { secret: secret.as_deref(), management })
}

pub(super) async fn get(State(site): State<Site>, Path(id): Path<String>, request: Request) -> Response {
    let presented = match bearer(request.headers()) {
        Ok(presented) => presented,
        Err(error) => return oauth_error(Endpoint::Register, &error),
    };
    let read = site.engine().read_registration(&id, presented.as_deref()).await;
    answered(&site, read, presented.is_some())
}

pub(super) async fn put(State(site): State<Site>, Path(id): Path<String>, request: Request) -> Response {
    let sender = Sender::of(&request);
    let presented = match bearer(request.headers()) {
        Ok(presented) => presented,
        Err(error) => return oauth_error(Endpoint::Register, &error),
    };
    let body = match json_body(request).await {
        Ok(body) => body,
        Err(unreadable) => return unreadable_json(&unreadable, "the body must be application/json"),
    };
    // It writes as much as a registration does.
    if let Err(refused) = site.limits().registration(sender, site.engine().clock.now()) {
        return too_many(Endpoint::Register, refused);
    }
    let replaced = site.engine().replace_registration(&id, presented.as_deref(), &body).await;
    answered(&site, replaced, presented.is_some())
}

pub(super) async fn delete(State(site): State<Site>, Path(id): Path<String>, request: Request) -> Response {
    let presented = match bearer(request.headers()) {
        Ok(presented) => presented,
        Err(error) => return oauth_error(Endpoint::Register, &error),
    };
    match site.engine().delete_registration(&id, presented.as_deref()).await {
        // RFC 7592 §2.3
        Ok(()) => (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(error) => challenged(refusal(Endpoint::Register, &error), presented.is_some()),
    }
}

fn answered(site: &Site, outcome: Result<Registered, Refusal>, presented: bool) -> Response {
    match outcome {
        Ok(registered) => json_no_store(StatusCode::OK, &information(site, &registered)),
        Err(error) => challenged(refusal(Endpoint::Register, &error), presented),
    }
}
