//! `/assets`: the stylesheet and the image of the pages.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::answer::error_page;
use super::guard::RequestId;
use super::site::Site;
use crate::pages::{ErrorPage, assets};

/// The name holds a hash of the content, so it can be kept for ever.
pub(super) async fn get(
    State(site): State<Site>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    match assets().iter().find(|asset| site.page(&asset.path) == path) {
        Some(asset) => {
            let cache = "public, max-age=31536000, immutable";
            ([(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, cache)], asset.bytes)
                .into_response()
        }
        None => error_page(&site, &id, ErrorPage::not_found(path)),
    }
}
