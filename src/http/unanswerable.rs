//! Pages for what cannot be told to the client.

use axum::response::Response;

use super::answer::{error_page, failure_page};
use super::guard::RequestId;
use super::site::Site;
use crate::flow::Unanswerable;
use crate::pages::ErrorPage;
use crate::protocol::{Answer, Endpoint, OAuthError};

/// One sentence whatever the reason: the differences would tell what this server can reach.
const DOCUMENT_UNUSABLE: &str = "It could not be fetched, or it is not a valid client id metadata document.";

const AUTHORIZATION: &str = "RFC 6749 §4.1.1";
const WAY_BACK: &str = "post_logout_redirect_uri";
const LOGOUT: &str = "OpenID Connect RP-Initiated Logout 1.0 §2";
const LOGOUT_WAY_BACK: &str = "OpenID Connect RP-Initiated Logout 1.0 §3";

pub(super) fn unanswerable_page(site: &Site, id: &RequestId, unanswerable: Unanswerable) -> Response {
    let page = match unanswerable {
        Unanswerable::UnknownClient(client_id) => ErrorPage::unknown_client(&client_id),
        Unanswerable::ClientDocument(url) => ErrorPage::client_document_unusable(&url, DOCUMENT_UNUSABLE),
        Unanswerable::RedirectUri(sent) => ErrorPage::redirect_uri_not_registered(&sent),
        Unanswerable::Request(error) | Unanswerable::Stranger(error) => {
            tracing::info!(%error, detail = error.detail(), "authorization request refused with a page");
            let page = request_refused(&error, AUTHORIZATION);
            match error.code().answer(Endpoint::Authorize) {
                Answer::Page(status) | Answer::Redirect { page: status } => ErrorPage { status, ..page },
                Answer::Json(_) | Answer::Never => page,
            }
        }
        Unanswerable::Logout(error) => {
            tracing::info!(%error, detail = error.detail(), "logout request refused with a page");
            request_refused(
                &error,
                if error.parameter() == Some(WAY_BACK) { LOGOUT_WAY_BACK } else { LOGOUT },
            )
        }
        Unanswerable::Expired => ErrorPage::page_expired(),
        Unanswerable::Failed(failure) => return failure_page(site, id, &failure),
    };
    error_page(site, id, page)
}

fn request_refused(error: &OAuthError, specification: &str) -> ErrorPage {
    ErrorPage::request_refused(error.code().as_str(), error.parameter(), error.reason(), specification)
}
