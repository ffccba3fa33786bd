//! `/logout`.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;

use super::answer::{error_page, failure_page, page, see_other};
use super::authorize::logged_in;
use super::cookies::Cookie;
use super::fallback::unreadable_page;
use super::guard::RequestId;
use super::read::page_form;
use super::site::Site;
use crate::flow::LoggedIn;
use crate::pages::{AskingView, ErrorPage, LogoutPage, SignedOutPage, WayBackView};

pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    match logged_in(&site, request.headers()).await {
        Ok(Some(who)) => page(&site, &confirmation(&site, &who, None)),
        Ok(None) => signed_out(&site, None),
        Err(failure) => failure_page(&site, &id, &failure),
    }
}

pub(super) async fn post(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let who = match logged_in(&site, request.headers()).await {
        Ok(Some(who)) => who,
        Ok(None) => return signed_out(&site, None),
        Err(failure) => return failure_page(&site, &id, &failure),
    };
    let form = match page_form(request).await {
        Ok(form) => form,
        Err(unreadable) => return unreadable_page(&site, &id, unreadable),
    };
    let value = |name| form.optional(name).ok().flatten().unwrap_or_default();
    if !site.engine().is_session_csrf(&who, value("csrf")) {
        return error_page(&site, &id, ErrorPage::forged_form());
    }
    let after = site.engine().after_logout(&who, value("after"));
    match (site.engine().log_out(&who).await, after) {
        (Ok(()), Some(url)) => without_session(&site, see_other(&url)),
        (Ok(()), None) => signed_out(&site, None),
        (Err(failure), _) => failure_page(&site, &id, &failure),
    }
}

/// The question whether to log out; `asking` when a client wants it.
pub(super) fn confirmation(site: &Site, who: &LoggedIn, asking: Option<AskingView>) -> LogoutPage {
    LogoutPage {
        csrf: site.engine().session_csrf(who),
        cancel: site.page("/"),
        user_name: who.user.display_name().to_owned(),
        username: who.user.username.clone(),
        asking,
        mode_notice: site.mode_notice(),
    }
}

pub(super) fn signed_out(site: &Site, back: Option<WayBackView>) -> Response {
    without_session(site, page(site, &SignedOutPage { back, mode_notice: site.mode_notice() }))
}

/// Takes the session's cookie away.
pub(super) fn without_session(site: &Site, mut response: Response) -> Response {
    if let Some(cookie) = Cookie::Session.clear(&site.engine().policy.issuer) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
