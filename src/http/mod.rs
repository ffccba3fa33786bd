//! The HTTP surface: every route on one screen, one file per endpoint.
//!
//! A request is three hops: the endpoint reads it, the [`flow`](crate::flow) does it, a leaf answers. Endpoints hold no
//! rules; they know statuses, headers, cookies and pages.

mod answer;
mod assets;
mod authorize;
mod bearer;
mod client_request;
mod consent;
mod cookies;
mod discovery;
mod end_session;
mod fallback;
mod guard;
mod home;
mod introspect;
mod limit;
mod listed;
mod login;
mod logout;
mod manage;
mod openapi;
mod prefix;
mod read;
mod register;
mod revoke;
mod site;
mod token;
mod unanswerable;
mod userinfo;

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderName, Method, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{Any, CorsLayer};

use crate::protocol::Issuer;

use guard::RequestId;
use listed::Listed;

pub(crate) use read::MAX_BODY;
pub use site::{Home, Site, SiteFacts};

/// Everything that answers.
pub struct Routes {
    /// What answers.
    pub router: Router,
    /// At which paths, as the router reads them.
    pub paths: BTreeSet<String>,
}

/// Everything that answers, and where.
pub fn routes(site: &Site) -> Routes {
    let issuer = site.issuer();
    let at = |name: &str| format!("{}/{name}", issuer.base_path());
    let page = |page: &str| site.page(page);

    // For scripts of any origin, without credentials: clients that run in a browser (RFC 9700 §2.6, OAuth 2.1 §3.2).
    let open = Listed::default()
        .route(&at("token"), post(token::post))
        .route(&at("revoke"), post(revoke::post))
        .route(&at("register"), post(register::post))
        .route(&at("userinfo"), get(userinfo::serve).post(userinfo::serve))
        .route(&at("openapi.json"), get(openapi::get))
        .at_each(discovery::metadata_paths(issuer), &get(discovery::metadata))
        .at_each(discovery::jwks_paths(issuer), &get(discovery::jwks))
        .within(|open| for_scripts(open, &[Method::GET, Method::POST]));

    // The same for clients that manage their registration.
    let managing = Listed::default()
        .route(&at("register/{client_id}"), get(manage::get).put(manage::put).delete(manage::delete))
        .within(|managing| for_scripts(managing, &[Method::GET, Method::PUT, Method::DELETE]));

    // For servers, which are no scripts in a browser.
    let closed = Listed::default().at_each(introspection_paths(issuer), &post(introspect::post));

    // Forms of our own pages.
    let forms = Listed::default()
        .route(&page("/login"), get(login::get).post(login::post))
        .route(&page("/logout"), get(logout::get).post(logout::post))
        .route(&page("/consent"), get(consent::get).post(consent::post))
        .within(|forms| forms.layer(from_fn_with_state(site.clone(), guard::refuse_foreign_forms)));

    // For people. Scripts of other origins have no business here (OAuth 2.1 §3.1).
    let of_panic = site.clone();
    let panicked = move |cause: Box<dyn std::any::Any + Send>| fallback::panicked_page(&of_panic, &*cause);
    let pages = forms
        // A client may well send a person to these by a form of its own.
        .route(&at("authorize"), get(authorize::get).post(authorize::post))
        .route(&at("end_session"), get(end_session::get).post(end_session::post))
        .within(|forms| for_people(forms, "GET,HEAD,POST"))
        .route(&page("/assets/{name}"), get(assets::get))
        .route("/healthz", get(home::healthz))
        .route("/readyz", get(home::readyz))
        .at_each(discovery::home_paths(issuer), &get(home::get))
        .at_each(discovery::issuer_paths(issuer), &get(home::issuer))
        .within(|pages| for_people(pages, "GET,HEAD").layer(CatchPanicLayer::custom(panicked)));

    let (router, paths) = open.merge(managing).merge(closed).merge(pages).parts();
    let router = router
        .fallback(fallback::not_found)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .with_state(site.clone());
    Routes { router, paths }
}

/// The address in the metadata, and the one that guides for resource servers give whatever the issuer.
fn introspection_paths(issuer: &Issuer) -> BTreeSet<String> {
    [format!("{}/introspect", issuer.base_path()), issuer.public_url().page("/oauth/introspect")].into()
}

/// What surrounds every route, ours and the demonstration server's: the outermost comes last.
pub fn guarded(site: &Site, routes: Router) -> Router {
    let guarded = routes
        .layer(CatchPanicLayer::custom(fallback::panicked))
        .layer(from_fn_with_state(site.clone(), guard::check_request))
        .layer(from_fn_with_state(site.clone(), guard::finish));
    prefix::restored(site.issuer().public_url().path(), guarded)
}

/// Routes that scripts of any origin may use by these methods. The fallback comes before the layer: one that is set later
/// stays outside of it, and would answer preflight requests.
fn for_scripts(routes: Router<Site>, methods: &[Method]) -> Router<Site> {
    routes.method_not_allowed_fallback(fallback::method_not_allowed).layer(cors(methods))
}

/// Routes for people, who get a page that tells by which methods they are asked; those that have one already keep it.
fn for_people(routes: Router<Site>, allowed: &'static str) -> Router<Site> {
    let told = move |State(site): State<Site>, Extension(id): Extension<RequestId>, method: Method| async move {
        fallback::method_not_allowed_page(&site, &id, &method, allowed)
    };
    routes.method_not_allowed_fallback(told)
}

fn cors(methods: &[Method]) -> CorsLayer {
    let protocol_version = HeaderName::from_static("mcp-protocol-version");
    let dpop = HeaderName::from_static("dpop");
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(methods.to_vec())
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, protocol_version, dpop])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER])
        .max_age(std::time::Duration::from_secs(600))
}
