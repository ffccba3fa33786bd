//! `/login`.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::answer::{error_page, failure_page, page, see_other};
use super::authorize::{go, logged_in};
use super::cookies::{Cookie, browser};
use super::fallback::unreadable_page;
use super::guard::RequestId;
use super::limit::Sender;
use super::read::page_form;
use super::site::Site;
use super::unanswerable::unanswerable_page;
use crate::flow::{LoginAttempt, LoginOutcome, LoginView, Password};
use crate::pages::{ClientView, ErrorPage, LoginError, LoginPage, Verification};
use crate::protocol::{Client, ClientOrigin, DocumentUrl, Params, TooMany};

pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (engine, headers) = (site.engine(), request.headers());
    let params = Params::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let (value, cookie) = browser(&engine.policy.issuer, &engine.policy.lifetimes, headers, &engine.random);
    let mut response = match params.optional("continue").ok().flatten() {
        Some(continuation) => login_page(&site, &id, continuation, &value, "", None).await,
        None => match logged_in(&site, headers).await {
            Ok(Some(_)) => return see_other(&site.page("/")),
            Ok(None) => match engine.continuation(None, &value) {
                Ok(continuation) => login_page(&site, &id, &continuation, &value, "", None).await,
                Err(failure) => return failure_page(&site, &id, &failure),
            },
            Err(failure) => return failure_page(&site, &id, &failure),
        },
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn post(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (engine, headers, sender) = (site.engine(), request.headers().clone(), Sender::of(&request));
    let form = match page_form(request).await {
        Ok(form) => form,
        Err(unreadable) => return unreadable_page(&site, &id, unreadable),
    };
    let value = |name| form.optional(name).ok().flatten().unwrap_or_default();
    let browser = Cookie::Browser.read(&engine.policy.issuer, &headers).unwrap_or_default();
    if !engine.is_browser_csrf(&browser, value("csrf")) {
        return error_page(&site, &id, ErrorPage::forged_form());
    }
    let quick = value("quick");
    let is_ready_made = site.facts().quick_logins.iter().any(|person| person.username == quick);
    let (username, password) = match is_ready_made {
        true => (quick, Password::OneClick),
        false => (value("username"), Password::Typed(value("password"))),
    };
    if matches!(password, Password::Typed(_))
        && let Err(refused) = site.limits().login(sender, engine.clock.now())
    {
        return too_many(&site, &id, &form, &browser, refused).await;
    }
    let before = match logged_in(&site, &headers).await {
        Ok(before) => before,
        Err(failure) => return failure_page(&site, &id, &failure),
    };
    let attempt =
        LoginAttempt { continuation: value("continue"), browser: &browser, username, password, before };
    match engine.log_in(attempt).await {
        Ok(LoginOutcome::LoggedIn { cookie, destination }) => {
            let response = match destination {
                Some(destination) => go(&site, &id, &headers, destination),
                None => see_other(&site.page("/")),
            };
            with_session(&site, response, &cookie)
        }
        Ok(LoginOutcome::Wrong) => {
            site.limits().wrong_login(sender, engine.clock.now());
            again(&site, &id, &form, &browser, LoginError::WrongNameOrPassword).await
        }
        Ok(LoginOutcome::Resting(refused)) => too_many(&site, &id, &form, &browser, refused).await,
        Ok(LoginOutcome::Busy) => again(&site, &id, &form, &browser, LoginError::Busy).await,
        Ok(LoginOutcome::Expired) => error_page(&site, &id, ErrorPage::page_expired()),
        Err(failure) => failure_page(&site, &id, &failure),
    }
}

fn with_session(site: &Site, mut response: Response, cookie: &str) -> Response {
    let policy = &site.engine().policy;
    let session = Cookie::Session.set(&policy.issuer, cookie, policy.lifetimes.browser_session_absolute);
    // The browser's cookie stays: another tab may have a login page open that is tied to it.
    if let Some(session) = session {
        response.headers_mut().append(header::SET_COOKIE, session);
    }
    response
}

/// The same for a name that rests and for an address that has guessed too often.
async fn too_many(
    site: &Site,
    id: &RequestId,
    form: &Params,
    browser: &str,
    TooMany { retry_after }: TooMany,
) -> Response {
    let mut response = again(site, id, form, browser, LoginError::TooManyAttempts).await;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
    response
}

async fn again(site: &Site, id: &RequestId, form: &Params, browser: &str, error: LoginError) -> Response {
    let value = |name| form.optional(name).ok().flatten().unwrap_or_default();
    login_page(site, id, value("continue"), browser, value("username"), Some(error)).await
}

async fn login_page(
    site: &Site,
    id: &RequestId,
    continuation: &str,
    browser: &str,
    username: &str,
    error: Option<LoginError>,
) -> Response {
    let view = match site.engine().login_page(continuation, browser).await {
        Ok(view) => view,
        Err(unanswerable) => return unanswerable_page(site, id, unanswerable),
    };
    let LoginView { request, unread_host } = view;
    let hint = request.as_ref().and_then(|request| request.login_hint.clone()).unwrap_or_default();
    page(
        site,
        &LoginPage {
            continue_token: continuation.to_owned(),
            csrf: site.engine().browser_csrf(browser),
            username: if username.is_empty() { hint } else { username.to_owned() },
            error,
            client: request.map(|request| client_view(&request.client)).or(unread_host.map(unread_view)),
            quick_logins: site.facts().quick_logins.clone(),
            mode_notice: site.mode_notice(),
        },
    )
}

/// How a client is introduced to people.
pub(super) fn client_view(client: &Client) -> ClientView {
    ClientView {
        name: client.display_name().to_owned(),
        verification: match client.origin {
            ClientOrigin::Config | ClientOrigin::Admin => Verification::FirstParty,
            ClientOrigin::Dynamic => Verification::SelfRegistered,
            ClientOrigin::Document => document_host(client.id.as_str())
                .map_or(Verification::SelfRegistered, |host| Verification::Document { host }),
        },
        uri: client.uri.clone(),
    }
}

/// A client of which nothing but the host of its document is known yet.
fn unread_view(host: String) -> ClientView {
    ClientView { name: host.clone(), verification: Verification::Document { host }, uri: None }
}

/// The host that vouches for a client that is known by its document.
fn document_host(id: &str) -> Option<String> {
    // Which URLs are taken was decided before the client was kept.
    DocumentUrl::parse(id, true).map(|url| url.authority().to_owned())
}

/// Whose browser it is, or the answer to a stranger.
pub(super) async fn require_login(
    site: &Site,
    id: &RequestId,
    headers: &HeaderMap,
) -> Result<crate::flow::LoggedIn, Response> {
    match logged_in(site, headers).await {
        Ok(Some(who)) => Ok(who),
        Ok(None) => Err(error_page(site, id, ErrorPage::session_ended())),
        Err(failure) => Err(failure_page(site, id, &failure)),
    }
}
