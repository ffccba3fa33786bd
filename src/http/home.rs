//! `/`, the issuer's own address, and the two words about health.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::answer::{failure_page, page};
use super::authorize::logged_in;
use super::guard::RequestId;
use super::site::{Home, Site};
use crate::pages::{IssuerPage, SignedIn, WelcomePage};

pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let who = match logged_in(&site, request.headers()).await {
        Ok(who) => who,
        Err(failure) => return failure_page(&site, &id, &failure),
    };
    match &site.facts().home {
        Home::Developer(home) => {
            let signed_in_as = who.map(|who| who.user.username);
            page(&site, &crate::pages::HomePage { signed_in_as, ..(**home).clone() })
        }
        Home::Welcome => page(
            &site,
            &WelcomePage {
                server_name: "Gatelet".to_owned(),
                signed_in: who.map(|who| SignedIn {
                    display_name: who.user.display_name().to_owned(),
                    username: who.user.username.clone(),
                    csrf: site.engine().session_csrf(&who),
                }),
                mode_notice: site.mode_notice(),
            },
        ),
    }
}

pub(super) async fn issuer(State(site): State<Site>) -> Response {
    let issuer = &site.engine().policy.issuer;
    let metadata_url =
        format!("{}/.well-known/oauth-authorization-server{}", issuer.origin(), issuer.base_path());
    page(&site, &IssuerPage { issuer: issuer.to_string(), metadata_url, mode_notice: site.mode_notice() })
}

/// Whether the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the database answers too.
pub(super) async fn readyz(State(site): State<Site>) -> Response {
    match site.engine().store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}
