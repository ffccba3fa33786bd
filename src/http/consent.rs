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
use crate::protocol::ask::{AskedResource, Tick};
use crate::protocol::{Membership, Params, ScopeToken, TenantId};

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
            let ticks: Vec<Tick> = form.many("scope").into_iter().filter_map(Tick::parse).collect();
            let tenant = TenantId::parse(value("tenant"));
            site.engine().allow(value("interaction"), &who, &ticks, tenant.as_ref()).await
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
            resources: view.ask.resources.iter().map(|asked| resource(view, asked)).collect(),
            tenants: tenants(view),
            changed: view.ask.has_changed,
            remembered: is_remembered(view),
            mode_notice: site.mode_notice(),
        },
    );
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether the person allowed any of it before: then the rest is told from what is new.
fn is_remembered(view: &ConsentView) -> bool {
    let is_allowed = |asked: &AskedResource| !asked.remembered.is_empty();
    view.ask.is_repetition || view.ask.resources.iter().any(is_allowed)
}

/// Everything is ticked that is asked for, but what was left unticked before: the person sees it and takes away what they
/// do not want. What was allowed before is told from what is new.
fn resource(view: &ConsentView, asked: &AskedResource) -> ResourceView {
    let is_remembered = is_remembered(view);
    let admits = |membership: &&Membership| asked.resource.admits_tenant(&membership.tenant.id);
    let admitted: Vec<&Membership> = view.ask.tenants.iter().filter(admits).collect();
    let gives = |tick: &Tick| admitted.iter().copied().filter(|it| asked.may_be_given(tick, it)).collect();
    let is_elsewhere = |tick: &Tick| !view.ask.tenants.first().is_some_and(|it| asked.may_be_given(tick, it));
    let is_new = |token: &ScopeToken| !asked.remembered.contains(token) && !asked.refused.contains(token);
    let scope = |tick: &Tick| match &tick.scope {
        Some(token) => ScopeView {
            value: tick.to_string(),
            name: token.to_string(),
            description: asked.resource.describe(token).unwrap_or_default().to_owned(),
            checked: !asked.refused.contains(token),
            required: *token == ScopeToken::openid(),
            is_new: is_remembered && is_new(token),
            is_refused: asked.refused.contains(token),
            is_each_time: asked.each_time.contains(token) && asked.remembered.contains(token),
            only_for: names_unless_all(gives(tick), admitted.len()),
            is_elsewhere: is_elsewhere(tick),
        },
        None => ScopeView {
            value: tick.to_string(),
            name: String::new(),
            description: "Use it, with no particular permission".to_owned(),
            checked: true,
            required: false,
            is_new: is_remembered && !asked.is_known,
            is_refused: false,
            is_each_time: false,
            only_for: Vec::new(),
            is_elsewhere: is_elsewhere(tick),
        },
    };
    ResourceView {
        name: asked.resource.name.clone(),
        uri: asked.resource.uri.to_string(),
        scopes: asked.ticks().iter().map(scope).collect(),
        is_identity: asked.offered.is_openid(),
        is_new: is_remembered && !asked.is_known,
        only_for: names_unless_all(admitted, view.ask.tenants.len()),
    }
}

/// The names of these tenants, when there are more of them to choose from.
fn names_unless_all(tenants: Vec<&Membership>, all: usize) -> Vec<String> {
    if tenants.len() == all {
        return Vec::new();
    }
    tenants.into_iter().map(|membership| membership.tenant.name.clone()).collect()
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
