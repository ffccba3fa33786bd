//! The verified access token, as handlers see it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use super::challenge::{InsufficientScope, Realm, union};
use super::claims::Claims;
use crate::protocol::Timestamp;

/// A verified RFC 9068 access token. [`ResourceLayer`](super::ResourceLayer) puts it into the request's extensions;
/// an axum handler can also take it as an argument. Cheap to clone; it does not hold the token's text.
#[derive(Clone, Debug)]
pub struct AccessToken(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    claims: Claims,
    realm: Arc<Realm>,
    required: Arc<[String]>,
}

impl AccessToken {
    pub(super) fn new(claims: Claims, realm: Arc<Realm>, required: Arc<[String]>) -> Self {
        Self(Arc::new(Inner { claims, realm, required }))
    }

    /// `sub`: the person, or for a token without one the client (RFC 9068 §2.2).
    pub fn subject(&self) -> &str {
        &self.0.claims.subject
    }

    /// `client_id`: the client that the token was issued to.
    pub fn client_id(&self) -> &str {
        &self.0.claims.client_id
    }

    /// The tenant for which the person or client acts, if the issuer names one.
    pub fn tenant(&self) -> Option<&str> {
        self.0.claims.tenant.as_deref()
    }

    /// The roles of the person in that tenant; empty if the issuer names none.
    pub fn roles(&self) -> &[String] {
        &self.0.claims.roles
    }

    /// The scopes granted, in the issuer's order.
    pub fn scopes(&self) -> &[String] {
        &self.0.claims.scopes
    }

    /// Whether `scope` was granted, compared literally: what implies what is yours to decide.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().iter().any(|granted| granted == scope)
    }

    /// `jti`: the token's identifier, for logs that can be matched with the authorization server's.
    pub fn jti(&self) -> &str {
        &self.0.claims.jti
    }

    /// `iat`: when the token was issued.
    pub fn issued_at(&self) -> Timestamp {
        self.0.claims.issued_at
    }

    /// `exp`: the moment from which the token is no longer accepted.
    pub fn expires_at(&self) -> Timestamp {
        self.0.claims.expires_at
    }

    /// `auth_time`: when the person logged in, if the issuer says so (RFC 9470 §6).
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.0.claims.auth_time
    }

    /// `acr`: how the person logged in, if the issuer says so (RFC 9470 §6).
    pub fn acr(&self) -> Option<&str> {
        self.0.claims.acr.as_deref()
    }

    /// `iss`: the configured issuer, byte for byte.
    pub fn issuer(&self) -> &str {
        &self.0.claims.issuer
    }

    /// Every claim of the token as it was signed.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0.claims.all
    }

    /// Demands scopes in a handler.
    ///
    /// # Errors
    ///
    /// [`InsufficientScope`] if one is missing; return it from the handler, it is the answer. MCP clients act on it
    /// only as the HTTP answer to the POST, so a tool of an MCP server cannot use it: declare those with
    /// [`Builder::tool`](super::Builder::tool).
    pub fn require(&self, scopes: &[&str]) -> Result<(), InsufficientScope> {
        if scopes.iter().all(|scope| self.has_scope(scope)) {
            return Ok(());
        }
        let mut all = Vec::new();
        union(&mut all, self.0.required.iter().map(String::as_str));
        union(&mut all, self.scopes().iter().map(String::as_str));
        union(&mut all, scopes.iter().copied());
        Err(InsufficientScope { scopes: all, realm: Arc::clone(&self.0.realm) })
    }
}

/// Answers 500 where the layer is missing: a programming error must not look like an anonymous request.
impl<S: Send + Sync> FromRequestParts<S> for AccessToken {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler asks for an AccessToken on a route without ResourceLayer");
            StatusCode::INTERNAL_SERVER_ERROR
        })
    }
}
