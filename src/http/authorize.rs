//! `GET` and `POST <issuer>/authorize` (RFC 6749 §3.1).

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::answer::{failure_page, see_other};
use super::cookies::{Cookie, browser};
use super::fallback::unreadable_page;
use super::guard::RequestId;
use super::read::form_body;
use super::site::Site;
use super::unanswerable::unanswerable_page;
use crate::flow::{Destination, Failure, LoggedIn, ParkedRequest, Unanswerable};

pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    answer(&site, &id, request.headers(), query.as_bytes()).await
}

pub(super) async fn post(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    match form_body(request).await {
        Ok(body) => answer(&site, &id, &headers, &body).await,
        Err(unreadable) => unreadable_page(&site, &id, unreadable),
    }
}

async fn answer(site: &Site, id: &RequestId, headers: &HeaderMap, encoded: &[u8]) -> Response {
    let who = match logged_in(site, headers).await {
        Ok(who) => who,
        Err(failure) => return failure_page(site, id, &failure),
    };
    let destination = site.engine().authorize(encoded, who.as_ref()).await;
    go(site, id, headers, destination)
}

/// Who is logged in to the browser that sent `headers`.
pub(super) async fn logged_in(site: &Site, headers: &HeaderMap) -> Result<Option<LoggedIn>, Failure> {
    let cookie = Cookie::Session.read(&site.engine().policy.issuer, headers);
    site.engine().logged_in(cookie.as_deref()).await
}

/// Sends the browser where the flow says.
pub(super) fn go(
    site: &Site,
    id: &RequestId,
    headers: &HeaderMap,
    destination: Result<Destination, Unanswerable>,
) -> Response {
    match destination {
        Ok(Destination::Client(url)) => see_other(&url),
        Ok(Destination::Consent(interaction)) => {
            see_other(&site.page(&format!("/consent?interaction={interaction}")))
        }
        Ok(Destination::Login(parked)) => to_login(site, id, headers, &parked),
        Err(unanswerable) => unanswerable_page(site, id, unanswerable),
    }
}

/// Sends the browser to log in, with the request sealed and tied to a cookie of the browser.
pub(super) fn to_login(site: &Site, id: &RequestId, headers: &HeaderMap, parked: &ParkedRequest) -> Response {
    let engine = site.engine();
    let (value, cookie) = browser(&engine.policy.issuer, &engine.policy.lifetimes, headers, &engine.random);
    match engine.continuation(Some(parked), &value) {
        Ok(continuation) => {
            let mut response = see_other(&site.page(&format!("/login?continue={continuation}")));
            if let Some(cookie) = cookie {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(failure) => failure_page(site, id, &failure),
    }
}
