//! What a refused client is told (RFC 6750 §3, RFC 9728 §5.1, MCP 2026-07-28 authorization).

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::login::LoginDemand;
use super::verify::TokenError;

/// What every challenge of one resource says.
#[derive(Debug)]
pub(super) struct Realm {
    /// Where the protected resource metadata is.
    pub(super) metadata_url: String,
    /// The scopes that a client should ask for at first, separated by spaces; may be empty.
    pub(super) initial_scope: String,
}

/// Why a request did not reach the resource.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No token at all: a challenge without an error code, as RFC 6750 §3.1 asks.
    NoToken,
    /// The token was sent in a way that RFC 6750 §2 forbids.
    BadRequest(&'static str),
    /// The body, which must be read to know the scopes, is no JSON-RPC message.
    UnreadableBody,
    /// The token does not verify.
    BadToken(TokenError),
    /// The token verifies and does not suffice.
    Scope(InsufficientScope),
    /// The token verifies, and the login behind it was too long ago or of another class (RFC 9470 §3).
    Login {
        /// What login would do.
        demand: LoginDemand,
        /// The scopes that the token has and its successor should have, separated by spaces.
        scopes: String,
    },
    /// The body is larger than the limit for bodies that must be read to know the scopes.
    BodyTooLarge,
    /// The issuer's keys cannot be had at the moment: nobody's fault but ours, so not a 401.
    KeysUnavailable {
        /// Seconds.
        retry_after: u64,
    },
}

impl Refusal {
    pub(super) fn into_response(self, realm: &Realm) -> Response<Body> {
        match self {
            Self::NoToken => {
                let body = json!({
                    "error_description": "an access token is needed; resource_metadata tells where to get one",
                    "resource_metadata": realm.metadata_url,
                });
                let challenge = Challenge::new(realm).scope(&realm.initial_scope);
                answer(StatusCode::UNAUTHORIZED, Some(challenge), &body)
            }
            Self::BadRequest(why) => {
                let challenge = Challenge::new(realm).error("invalid_request", why);
                answer(StatusCode::BAD_REQUEST, Some(challenge), &error("invalid_request", why))
            }
            Self::UnreadableBody => {
                // JSON-RPC 2.0 §5.1: an invalid request.
                let error = json!({ "code": -32600, "message": "Invalid Request: not one JSON-RPC message" });
                let body = json!({ "jsonrpc": "2.0", "id": null, "error": error });
                answer(StatusCode::BAD_REQUEST, None, &body)
            }
            Self::BadToken(why) => {
                let why = why.to_string();
                let challenge =
                    Challenge::new(realm).error("invalid_token", &why).scope(&realm.initial_scope);
                answer(StatusCode::UNAUTHORIZED, Some(challenge), &error("invalid_token", &why))
            }
            Self::Scope(insufficient) => insufficient.into_response(),
            Self::Login { demand, scopes } => {
                let (code, why) = ("insufficient_user_authentication", "this request needs another login");
                let challenge = Challenge::new(realm).error(code, why).login(&demand).scope(&scopes);
                answer(StatusCode::UNAUTHORIZED, Some(challenge), &error(code, why))
            }
            Self::BodyTooLarge => answer(
                StatusCode::PAYLOAD_TOO_LARGE,
                None,
                &error("invalid_request", "the request body is too large"),
            ),
            Self::KeysUnavailable { retry_after } => {
                let why = "the authorization server's keys cannot be fetched at the moment";
                let mut response =
                    answer(StatusCode::SERVICE_UNAVAILABLE, None, &error("temporarily_unavailable", why));
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
                response
            }
        }
    }
}

/// A valid token that lacks scopes. Return it from a handler: it answers `403` with the challenge by which an MCP
/// client asks the person for more (RFC 6750 §3.1 `insufficient_scope`).
///
/// It names every scope that the new token should have: those missing *and* those held, because clients that take the
/// challenge literally would otherwise lose what they had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the access token lacks a scope; needed: {}", .scopes.join(" "))]
pub struct InsufficientScope {
    pub(super) scopes: Vec<String>,
    pub(super) realm: Arc<Realm>,
}

impl InsufficientScope {
    /// Every scope that the next token should have.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

impl IntoResponse for InsufficientScope {
    fn into_response(self) -> Response<Body> {
        let scope = self.scopes.join(" ");
        let why = "the access token lacks a scope that this request needs";
        let challenge = Challenge::new(&self.realm).error("insufficient_scope", why).scope(&scope);
        let body = json!({
            "error": "insufficient_scope",
            "error_description": why,
            "scope": scope,
            "resource_metadata": self.realm.metadata_url,
        });
        answer(StatusCode::FORBIDDEN, Some(challenge), &body)
    }
}

/// A `WWW-Authenticate` value under construction. Values need no escaping: they are our own words, checked scope
/// tokens, and a URL that is in canonical form.
struct Challenge(String);

impl Challenge {
    fn new(realm: &Realm) -> Self {
        Self(format!("Bearer resource_metadata=\"{}\"", realm.metadata_url))
    }

    fn error(mut self, code: &str, description: &str) -> Self {
        self.0.push_str(&format!(", error=\"{code}\", error_description=\"{description}\""));
        self
    }

    /// RFC 9470 §3.
    fn login(mut self, demand: &LoginDemand) -> Self {
        if let Some(age) = demand.max_age {
            self.0.push_str(&format!(", max_age=\"{}\"", age.as_secs()));
        }
        if !demand.acr_values.is_empty() {
            self.0.push_str(&format!(", acr_values=\"{}\"", demand.acr_values.join(" ")));
        }
        self
    }

    fn scope(mut self, scope: &str) -> Self {
        if !scope.is_empty() {
            self.0.push_str(&format!(", scope=\"{scope}\""));
        }
        self
    }
}

fn error(code: &str, description: &str) -> Value {
    json!({ "error": code, "error_description": description })
}

fn answer(status: StatusCode, challenge: Option<Challenge>, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(Challenge(text)) = challenge {
        let value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        headers.insert(WWW_AUTHENTICATE, value);
    }
    response
}

/// Whether `text` is a `scope-token` (RFC 6749 §3.3): printable ASCII without space, quote and backslash.
pub(super) fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// Adds the scope tokens of `more` that are not in `scopes` yet, in order.
pub(super) fn union<'a>(scopes: &mut Vec<String>, more: impl IntoIterator<Item = &'a str>) {
    for scope in more {
        if is_scope_token(scope) && !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
}
