//! Samples of the error page: every known cause.

use super::super::ErrorPage;
use super::{ATTRIBUTE, OVERRIDE, SCRIPT, dev, long};

const REQUEST_ID: &str = "01jd7tq2m8x4";

impl ErrorPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        let causes = vec![
            ("unknown-client", Self::unknown_client("aB3dE5gH7jK9mN1pQ3sT5v")),
            (
                "client-document",
                Self::client_document_unusable("https://app.example/client.json", "The server answered 404."),
            ),
            ("redirect-uri", Self::redirect_uri_not_registered("http://127.0.0.1:33418/other/callback")),
            ("request-refused", refused(Some("response_type"), "has to be sent once", "RFC 6749 §4.1.1")),
            ("request-refused-whole", refused(None, "nobody is logged in", "RFC 6749 §4.1.1")),
            (
                "logout-refused",
                refused(
                    Some("post_logout_redirect_uri"),
                    "is not registered for this client",
                    "OpenID Connect RP-Initiated Logout 1.0 §3",
                ),
            ),
            ("page-expired", Self::page_expired()),
            ("session-ended", Self::session_ended()),
            ("forged-form", Self::forged_form()),
            ("not-found", Self::not_found("/conset")),
            ("method-not-allowed", Self::method_not_allowed("PUT", "GET, POST")),
            ("malformed", Self::malformed("one Host header can be sent at a time")),
            ("host-not-allowed", Self::host_not_allowed("evil.example:8710")),
            ("too-large", Self::too_large(65_536)),
            ("unsupported-media-type", Self::unsupported_media_type("application/json")),
            ("too-many-requests", Self::too_many_requests(30)),
            ("server-error", Self::server_error()),
            ("unavailable", Self::unavailable(1)),
            ("hostile-script", Self::redirect_uri_not_registered(SCRIPT)),
            ("hostile-attribute", refused(Some(ATTRIBUTE), OVERRIDE, SCRIPT)),
            (
                "hostile-document",
                Self::client_document_unusable(
                    &format!("https://{}.example/{ATTRIBUTE}", long()),
                    "The server answered 404.",
                ),
            ),
            ("hostile-long", Self::not_found(&long().repeat(20))),
        ];
        let mut pages: Vec<_> =
            causes.into_iter().map(|(case, page)| (case, page.within(REQUEST_ID, None))).collect();
        pages.push(("dev", Self::unknown_client("demo").within(REQUEST_ID, dev())));
        pages
    }
}

fn refused(parameter: Option<&str>, why: &str, specification: &str) -> ErrorPage {
    ErrorPage::request_refused("invalid_request", parameter, why, specification)
}
