//! Pages for what cannot be told to the client.

use axum::response::Response;

use super::answer::{error_page, failure_page};
use super::guard::RequestId;
use super::site::Site;
use crate::flow::Unanswerable;
use crate::pages::ErrorPage;
use crate::protocol::{Answer, Endpoint};

/// One sentence whatever the reason: the differences would tell what this server can reach.
const DOCUMENT_UNUSABLE: &str = "It could not be fetched, or it is not a valid client id metadata document.";

pub(super) fn unanswerable_page(site: &Site, id: &RequestId, unanswerable: Unanswerable) -> Response {
    let page = match unanswerable {
        Unanswerable::UnknownClient(client_id) => ErrorPage::unknown_client(&client_id),
        Unanswerable::ClientDocument(url) => ErrorPage::client_document_unusable(&url, DOCUMENT_UNUSABLE),
        Unanswerable::RedirectUri(sent) => ErrorPage::redirect_uri_not_registered(&sent),
        Unanswerable::Request(error) | Unanswerable::Stranger(error) => {
            tracing::info!(%error, detail = error.detail(), "authorization request refused with a page");
            let page = ErrorPage::invalid_parameter(error.code().as_str(), "", &error.description());
            match error.code().answer(Endpoint::Authorize) {
                Answer::Page(status) | Answer::Redirect { page: status } => ErrorPage { status, ..page },
                Answer::Json(_) | Answer::Never => page,
            }
        }
        Unanswerable::Expired => ErrorPage::page_expired(),
        Unanswerable::Failed(failure) => return failure_page(site, id, &failure),
    };
    error_page(site, id, page)
}
