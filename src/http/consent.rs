//! `/consent`.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::answer::{error_page, failure_page, page, see_other};
use super::authorize::to_login;
use super::cookies::browser;
use super::fallback::unreadable_page;
use super::guard::RequestId;
use super::login::{client_view, require_login};
use super::read::page_form;
use super::site::Site;
use super::unanswerable::unanswerable_page;
use crate::flow::{ConsentStep, ConsentView, LoggedIn};
use crate::pages::{ConsentPage, ErrorPage, ResourceView, ScopeView, TenantView};
use crate::protocol::{Params, Scope, ScopeToken, TenantId, told_by};

pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let headers = request.headers();
    let who = match require_login(&site, &id, headers).await {
        Ok(who) => who,
        Err(answer) => return answer,
    };
    let params = Params::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let interaction = params.optional("interaction").ok().flatten().unwrap_or_default();
    match site.engine().consent_page(interaction, &who).await {
        Ok(ConsentStep::Ask(view)) => ask(&site, &id, headers, interaction, &who, &view),
        Ok(ConsentStep::Client(url)) => see_other(&url),
        Ok(ConsentStep::Login(parked)) => to_login(&site, &id, headers, &parked),
        Err(unanswerable) => unanswerable_page(&site, &id, unanswerable),
    }
}

pub(super) async fn post(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let who = match require_login(&site, &id, &headers).await {
        Ok(who) => who,
        Err(answer) => return answer,
    };
    let form = match page_form(request).await {
        Ok(form) => form,
        Err(unreadable) => return unreadable_page(&site, &id, unreadable),
    };
    let value = |name| form.optional(name).ok().flatten().unwrap_or_default();
    if !site.engine().is_session_csrf(&who, value("csrf")) {
        return error_page(&site, &id, ErrorPage::forged_form());
    }
    let decided = match value("decision") {
        "allow" => {
            let ticked = form.many("scope").into_iter().filter_map(|scope| ScopeToken::parse(scope).ok());
            let chosen: Scope = ticked.collect();
            let tenant = TenantId::parse(value("tenant"));
            site.engine().allow(value("interaction"), &who, &chosen, tenant.as_ref()).await
        }
        _ => site.engine().deny(value("interaction"), &who).await,
    };
    match decided {
        Ok(url) => see_other(&url),
        Err(unanswerable) => unanswerable_page(&site, &id, unanswerable),
    }
}

fn ask(
    site: &Site,
    id: &RequestId,
    headers: &HeaderMap,
    interaction: &str,
    who: &LoggedIn,
    view: &ConsentView,
) -> Response {
    let engine = site.engine();
    let (value, cookie) = browser(&engine.policy.issuer, &engine.policy.lifetimes, headers, &engine.random);
    let switch = match engine.continuation(Some(&view.parked), &value) {
        Ok(continuation) => site.page(&format!("/login?continue={continuation}")),
        Err(failure) => return failure_page(site, id, &failure),
    };
    let redirect_uri = view.request.address.redirect_uri();
    let mut response = page(
        site,
        &ConsentPage {
            interaction: interaction.to_owned(),
            csrf: engine.session_csrf(who),
            user_name: who.user.display_name().to_owned(),
            username: who.user.username.clone(),
            switch_account: switch,
            client: client_view(&view.request.client),
            redirect_host: redirect_uri.display_host(),
            loopback_only: redirect_uri.is_loopback(),
            custom_scheme: redirect_uri.is_private_use(),
            resource: ResourceView { name: view.resource.name.clone(), uri: view.resource.uri.to_string() },
            scopes: scopes(view),
            tenants: tenants(view),
            changed: view.ask.has_changed,
            remembered: view.ask.is_repetition || !view.ask.remembered.is_empty(),
            mode_notice: site.mode_notice(),
        },
    );
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Everything is ticked that is asked for: the person sees it and takes away what they do not want. What was allowed
/// before is told from what is new.
fn scopes(view: &ConsentView) -> Vec<ScopeView> {
    let known_before = !view.ask.remembered.is_empty();
    let scope = |token: &ScopeToken| ScopeView {
        value: token.to_string(),
        description: told_by(token).or(view.resource.describe(token)).unwrap_or_default().to_owned(),
        checked: true,
        required: *token == ScopeToken::openid(),
        is_new: known_before && !view.ask.remembered.contains(token),
    };
    view.ask.offered.iter().map(scope).collect()
}

fn tenants(view: &ConsentView) -> Vec<TenantView> {
    let memberships = view.ask.tenants.iter().enumerate();
    memberships
        .map(|(i, membership)| TenantView {
            id: membership.tenant.id.to_string(),
            name: membership.tenant.name.clone(),
            selected: i == 0,
        })
        .collect()
}
