//! `GET` and `POST <issuer>/end_session` (OpenID Connect RP-Initiated Logout §2). `/logout` is the page by which people log
//! out themselves, and where those who are asked here answer.

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::{error_page, failure_page, page, see_other};
use super::authorize::logged_in;
use super::fallback::unreadable_page;
use super::guard::RequestId;
use super::login::client_view;
use super::logout::{confirmation, signed_out, without_session};
use super::read::page_form;
use super::site::Site;
use super::unanswerable::unanswerable_page;
use crate::flow::{LogoutAnswer, Unanswerable};
use crate::pages::{AskingView, ErrorPage, WayBackView};
use crate::protocol::Client;
use crate::protocol::logout::{LogoutRequest, WayBack};

/// More than any id token with all that may come with it.
const LONGEST: usize = 8 * 1024;

pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let who = match logged_in(&site, request.headers()).await {
        Ok(who) => who,
        Err(failure) => return failure_page(&site, &id, &failure),
    };
    let query = request.uri().query().unwrap_or_default().as_bytes();
    match (site.engine().end_session(query, who.as_ref()).await, who) {
        (Ok(LogoutAnswer::Ask { client, back, sealed }), Some(who)) => {
            let asking = AskingView {
                client: client.as_deref().map(client_view),
                redirect_host: back.map(|back| back.display_host()),
                sealed,
            };
            page(&site, &confirmation(&site, &who, Some(asking)))
        }
        (Ok(LogoutAnswer::Ask { .. }), None) => signed_out(&site, None),
        (Ok(LogoutAnswer::SentBack(url)), _) => without_session(&site, see_other(&url)),
        (Ok(LogoutAnswer::LoggedOut { client, back }), _) => {
            signed_out(&site, back.map(|back| way_back(client.as_deref(), &back)))
        }
        (Err(unanswerable), _) => unanswerable_page(&site, &id, unanswerable),
    }
}

/// A form of a client's page comes without the cookie that says who is logged in (`SameSite=Lax`), and may do nothing
/// (OWASP ASVS 10.6.2): the browser is told to come again by itself.
pub(super) async fn post(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let form = match page_form(request).await {
        Ok(form) => form,
        Err(unreadable) => return unreadable_page(&site, &id, unreadable),
    };
    let query = match LogoutRequest::parse(&form) {
        Ok(request) => request.encode(),
        Err(error) => return unanswerable_page(&site, &id, Unanswerable::Logout(error)),
    };
    if query.len() > LONGEST {
        return error_page(&site, &id, ErrorPage::too_large(LONGEST));
    }
    see_other(&format!("{}?{query}", site.issuer().endpoint("end_session")))
}

fn way_back(client: Option<&Client>, back: &WayBack) -> WayBackView {
    WayBackView { client: client.map(client_view), host: back.display_host(), url: back.url() }
}
