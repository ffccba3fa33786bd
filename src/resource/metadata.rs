//! OAuth 2.0 Protected Resource Metadata (RFC 9728).

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};
use url::Url;

use super::cors;

/// The root of all metadata paths (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What the document says, and where.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) resource: String,
    pub(super) issuer: String,
    pub(super) name: Option<String>,
    pub(super) scopes_supported: Vec<String>,
}

impl Metadata {
    pub(super) fn json(&self) -> Value {
        let mut document = Map::new();
        document.insert("resource".into(), json!(self.resource));
        document.insert("authorization_servers".into(), json!([self.issuer]));
        if !self.scopes_supported.is_empty() {
            document.insert("scopes_supported".into(), json!(self.scopes_supported));
        }
        document.insert("bearer_methods_supported".into(), json!(["header"]));
        if let Some(name) = &self.name {
            document.insert("resource_name".into(), json!(name));
        }
        Value::Object(document)
    }

    /// RFC 9728 §3.1: the well-known string goes between host and path; a path of `/` alone is none.
    pub(super) fn path(&self) -> String {
        let path = Url::parse(&self.resource).map(|url| url.path().to_owned()).unwrap_or_default();
        if path == "/" { WELL_KNOWN.to_owned() } else { format!("{WELL_KNOWN}{path}") }
    }

    /// The document's address, for challenges.
    pub(super) fn url(&self) -> String {
        let origin =
            Url::parse(&self.resource).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        format!("{origin}{}", self.path())
    }

    /// Serves the document at its path, and at the root too if `with_root`.
    pub(super) fn router(&self, with_root: bool) -> Router {
        let document = self.json().to_string();
        let route = || {
            let document = document.clone();
            get(move || async move { answer(document) })
                .options(|| async { cors::preflight("GET, HEAD, OPTIONS", cors::METADATA_HEADERS) })
        };
        let path = self.path();
        let router = Router::new();
        if with_root && path != WELL_KNOWN {
            router.route(&path, route()).route(WELL_KNOWN, route())
        } else {
            router.route(&path, route())
        }
    }
}

fn answer(document: String) -> Response<Body> {
    let mut response = Response::new(Body::from(document));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    cors::allow_reading(headers);
    response
}
