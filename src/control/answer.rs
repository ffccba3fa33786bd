//! Answers of the control plane: JSON, and errors in the form that OAuth has for them (RFC 6749 §5.2).

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::app::StartError;
use crate::flow::admin::AdminError;

/// Why the control plane did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct Refused {
    status: u16,
    code: &'static str,
    description: String,
}

impl Refused {
    /// The request makes no sense: 400.
    pub fn invalid(description: impl Into<String>) -> Self {
        Self { status: 400, code: "invalid_request", description: description.into() }
    }

    /// What it is about is not there: 404.
    pub fn not_found(what: &str, name: &str) -> Self {
        Self { status: 404, code: "not_found", description: format!("there is no {what} {name:?}") }
    }

    /// What it makes is there already: 409.
    pub fn taken(what: &str, name: &str) -> Self {
        Self { status: 409, code: "conflict", description: format!("there is a {what} {name:?} already") }
    }

    /// There is no such route: 404.
    pub(super) fn no_route() -> Self {
        let description = "the control plane has no such path; its openapi.json has them all".to_owned();
        Self { status: 404, code: "not_found", description }
    }

    /// The route is asked by other methods (the answer's `Allow` names them): 405.
    pub(super) fn other_method() -> Self {
        Self { status: 405, code: "invalid_request", description: "not by this method".to_owned() }
    }

    /// The body is longer than anything that makes sense: 413.
    pub(super) fn too_long() -> Self {
        Self { status: 413, code: "invalid_request", description: "the body: is too long".to_owned() }
    }

    /// What was expected did not come: 417.
    pub fn unexpected(description: String) -> Self {
        Self { status: 417, code: "expectation_failed", description }
    }

    /// The control key is missing or wrong: 401.
    pub(super) fn stranger() -> Self {
        let description = "the control plane wants its key: Authorization: Bearer <control key>".to_owned();
        Self { status: 401, code: "invalid_token", description }
    }

    /// The request was sent to another host: 403.
    pub(super) fn other_host() -> Self {
        let description = "this server does not answer to the name in the Host header".to_owned();
        Self { status: 403, code: "invalid_request", description }
    }

    /// Something of ours did not work: 500. A test is told what, since it is all its own.
    pub(super) fn fault(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "the control plane failed");
        Self { status: 500, code: "server_error", description: error.to_string() }
    }

    /// What it is, in a word.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What it is, in a sentence.
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl From<AdminError> for Refused {
    fn from(error: AdminError) -> Self {
        match &error {
            AdminError::NotFound { what, id } => Self::not_found(what, id),
            AdminError::Taken { what, id } => Self::taken(what, id),
            AdminError::Failed(failure) => Self::fault(failure),
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<StartError> for Refused {
    fn from(error: StartError) -> Self {
        Self::fault(&error)
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::fault(&error)
    }
}

impl From<crate::store::StoreError> for Refused {
    fn from(error: crate::store::StoreError) -> Self {
        Self::fault(&error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = json(status, &json!({ "error": self.code, "error_description": self.description }));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = axum::http::HeaderValue::from_static("Bearer realm=\"gatelet control\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}

/// JSON that nobody keeps.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// What a route of the control plane answers.
pub(super) type Answer = Result<Response, Refused>;
