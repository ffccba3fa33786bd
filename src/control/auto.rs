//! Issuers that ask nobody: an authorization request is answered at once, as a test has said beforehand.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::answer::Refused;
use super::decide::Decision;
use super::issuer::TestIssuer;

/// Who answers authorization requests, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Auto {
    /// The person, by user name.
    pub user: String,
    /// What they decide.
    #[serde(default)]
    pub decision: Decision,
}

impl TestIssuer {
    /// Has authorization requests be answered at once, or by people again.
    pub fn set_auto(&self, auto: Option<Auto>) {
        self.held().auto = auto;
    }
}

/// Sends the browser where the flow says; an error that a page would show is text.
pub(super) fn sent(url: Result<String, Refused>) -> Response {
    match url {
        Ok(url) => match HeaderValue::try_from(url) {
            Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
            Err(error) => Refused::fault(&error).into_response(),
        },
        Err(refused) => refused.into_response(),
    }
}
