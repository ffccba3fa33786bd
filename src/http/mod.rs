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
mod fallback;
mod guard;
mod home;
mod introspect;
mod limit;
mod login;
mod logout;
mod manage;
mod prefix;
mod read;
mod register;
mod revoke;
mod site;
mod token;
mod unanswerable;

use std::collections::BTreeSet;

use axum::Router;
use axum::http::{HeaderName, Method, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{Any, CorsLayer};

use crate::protocol::Issuer;

pub use site::{Home, Site, SiteFacts};

/// Everything that answers, and where.
pub fn routes(site: &Site) -> Router {
    let issuer = site.issuer();
    let at = |name: &str| format!("{}/{name}", issuer.base_path());
    let page = |page: &str| site.page(page);

    // For scripts of any origin, without credentials: clients that run in a browser (RFC 9700 §2.6, OAuth 2.1 §3.2).
    let mut open = Router::new()
        .route(&at("token"), post(token::post))
        .route(&at("revoke"), post(revoke::post))
        .route(&at("register"), post(register::post));
    for path in discovery::metadata_paths(issuer) {
        open = open.route(&path, get(discovery::metadata));
    }
    for path in discovery::jwks_paths(issuer) {
        open = open.route(&path, get(discovery::jwks));
    }

    // The same for clients that manage their registration.
    let managing =
        Router::new().route(&at("register/{id}"), get(manage::get).put(manage::put).delete(manage::delete));

    // For servers, which are no scripts in a browser.
    let mut closed = Router::new();
    for path in introspection_paths(issuer) {
        closed = closed.route(&path, post(introspect::post));
    }

    // Forms of our own pages.
    let forms = Router::new()
        .route(&page("/login"), get(login::get).post(login::post))
        .route(&page("/logout"), get(logout::get).post(logout::post))
        .route(&page("/consent"), get(consent::get).post(consent::post))
        .layer(from_fn_with_state(site.clone(), guard::refuse_foreign_forms));

    // For people. Scripts of other origins have no business here (OAuth 2.1 §3.1).
    let mut pages = forms
        // A client may well send a person here by a form of its own.
        .route(&at("authorize"), get(authorize::get).post(authorize::post))
        .route(&page("/assets/{name}"), get(assets::get))
        .route("/healthz", get(home::healthz))
        .route("/readyz", get(home::readyz));
    for path in discovery::home_paths(issuer) {
        pages = pages.route(&path, get(home::get));
    }
    for path in discovery::issuer_paths(issuer) {
        pages = pages.route(&path, get(home::issuer));
    }

    let of_panic = site.clone();
    let panicked = move |cause: Box<dyn std::any::Any + Send>| fallback::panicked_page(&of_panic, &*cause);

    // Before the layer: a fallback that is set later stays outside of it, and would answer preflight requests.
    open.method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(cors(&[Method::GET, Method::POST]))
        .merge(managing.method_not_allowed_fallback(fallback::method_not_allowed).layer(cors(&[
            Method::GET,
            Method::PUT,
            Method::DELETE,
        ])))
        .merge(closed)
        .merge(pages.layer(CatchPanicLayer::custom(panicked)))
        .fallback(fallback::not_found)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .with_state(site.clone())
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
