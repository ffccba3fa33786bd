//! `GET <issuer>/openapi.json`: the endpoints for programs, in the terms of OpenAPI 3.1.
//!
//! What does not depend on the server stands in `openapi.json` beside this file; addresses, version and what the policy
//! leaves out are filled in when somebody asks first. `tests/flows/openapi.rs` holds it against the routes.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::server_error;
use super::site::Site;
use crate::protocol::{Endpoint, GrantType, Policy, RegistrationMode};

const TEMPLATE: &str = include_str!("openapi.json");

/// The document of a server with this policy.
///
/// # Errors
/// When the template is no JSON, which a test rules out.
pub(super) fn document(policy: &Policy) -> Result<Bytes, serde_json::Error> {
    let mut document: Value = serde_json::from_str(TEMPLATE)?;
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let issuer = format!("{}{}", policy.issuer.origin(), policy.issuer.base_path());
    document["servers"] = json!([{ "url": issuer }]);
    let form = "/paths/~1token/post/requestBody/content/application~1x-www-form-urlencoded/schema/properties";
    if let Some(form) = document.pointer_mut(form) {
        form["grant_type"]["enum"] = json!(GrantType::ALL.map(GrantType::as_str));
    }
    if policy.registration == RegistrationMode::Off
        && let Some(paths) = document["paths"].as_object_mut()
    {
        paths.retain(|path, _| !path.starts_with("/register"));
    }
    serde_json::to_vec(&document).map(Bytes::from)
}

pub(super) async fn get(State(site): State<Site>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    match site.openapi() {
        Ok(document) => (headers, document).into_response(),
        Err(error) => {
            tracing::error!(%error, "the OpenAPI document cannot be written");
            server_error(Endpoint::Token)
        }
    }
}
