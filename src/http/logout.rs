//! `/logout`.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;

use super::answer::{error_page, failure_page, page};
use super::authorize::logged_in;
use super::cookies::Cookie;
use super::fallback::unreadable_page;
use super::guard::RequestId;
use super::read::page_form;
use super::site::Site;
use crate::pages::{ErrorPage, LogoutPage, SignedOutPage};

pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    match logged_in(&site, request.headers()).await {
        Ok(Some(who)) => page(
            &site,
            &LogoutPage {
                csrf: site.engine().session_csrf(&who),
                cancel: site.page("/"),
                user_name: who.user.display_name().to_owned(),
                username: who.user.username,
                mode_notice: site.mode_notice(),
            },
        ),
        Ok(None) => signed_out(&site),
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
        Ok(None) => return signed_out(&site),
        Err(failure) => return failure_page(&site, &id, &failure),
    };
    let form = match page_form(request).await {
        Ok(form) => form,
        Err(unreadable) => return unreadable_page(&site, &id, unreadable),
    };
    let csrf = form.optional("csrf").ok().flatten().unwrap_or_default();
    if !site.engine().is_session_csrf(&who, csrf) {
        return error_page(&site, &id, ErrorPage::forged_form());
    }
    match site.engine().log_out(&who).await {
        Ok(()) => signed_out(&site),
        Err(failure) => failure_page(&site, &id, &failure),
    }
}

fn signed_out(site: &Site) -> Response {
    let mut response = page(site, &SignedOutPage { mode_notice: site.mode_notice() });
    if let Some(cookie) = Cookie::Session.clear(&site.engine().policy.issuer) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
