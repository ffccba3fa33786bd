//! A protected MCP server, configured.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use super::builder::Builder;
use super::calls::{self, CallScopes, RpcCall};
use super::challenge::{Realm, Refusal};
use super::credentials;
use super::layer::ResourceLayer;
use super::metadata::Metadata;
use super::token::AccessToken;
use super::verify::{Verifier, VerifyError};

/// One protected resource: its metadata, and the checks in front of it. Made by [`ResourceServer::builder`]; cheap to
/// clone, and clones share the cached keys.
#[derive(Clone, Debug)]
pub struct ResourceServer(Arc<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) metadata: Metadata,
    pub(super) realm: Arc<Realm>,
    pub(super) verifier: Verifier,
    pub(super) required: Arc<[String]>,
    pub(super) calls: CallScopes,
    pub(super) max_body: usize,
    pub(super) browser_clients: bool,
}

impl ResourceServer {
    /// Starts the configuration of a resource server.
    ///
    /// `resource` is the canonical URI of the MCP server (RFC 8707 §2): what clients are told, what they ask tokens
    /// for, and, unless [`Builder::audience`] says otherwise, what tokens must have in `aud`. `issuer` is the
    /// authorization server, written exactly as it writes itself: a trailing slash more or less is another issuer.
    pub fn builder(resource: impl Into<String>, issuer: impl Into<String>) -> Builder {
        Builder::new(resource.into(), issuer.into())
    }

    pub(super) fn from_parts(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The layer to put around the MCP endpoint; with axum by `route_layer`, which leaves unknown paths their 404.
    pub fn layer(&self) -> ResourceLayer {
        ResourceLayer::new(self.clone())
    }

    /// The protected resource metadata (RFC 9728 §2).
    pub fn metadata_json(&self) -> Value {
        self.0.metadata.json()
    }

    /// Where clients look for the metadata on this server's origin, such as
    /// `/.well-known/oauth-protected-resource/mcp`.
    pub fn metadata_path(&self) -> String {
        self.0.metadata.path()
    }

    /// Serves the metadata at [`metadata_path`](Self::metadata_path) and at the root form, which clients try second.
    /// Merge it *outside* of the layer: metadata is public. With CORS, so that clients in web pages can read it.
    pub fn metadata_router(&self) -> Router {
        self.0.metadata.router(true)
    }

    /// As [`metadata_router`](Self::metadata_router) without the root form, for an origin with several resources.
    pub fn metadata_router_without_root(&self) -> Router {
        self.0.metadata.router(false)
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }
}

impl Parts {
    /// Lets a request through with its [`AccessToken`], or says why not.
    pub(super) async fn admit<B>(&self, request: Request<B>) -> Result<Request<Body>, Refusal>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let bearer = credentials::bearer(request.headers(), request.uri())?;
        let claims = self.verifier.verify(bearer).await.map_err(|error| match error {
            VerifyError::Bad(why) => {
                tracing::debug!(%why, "access token refused");
                Refusal::BadToken(why)
            }
            VerifyError::KeysUnavailable { retry_after } => Refusal::KeysUnavailable { retry_after },
        })?;
        let token = AccessToken::new(claims, Arc::clone(&self.realm), Arc::clone(&self.required));
        demand(&token, &self.required)?;
        let mut request = if self.calls.is_empty() || request.method() != Method::POST {
            request.map(Body::new)
        } else {
            self.admit_calls(request, &token).await?
        };
        // Whoever prints the request further in does not print the token.
        request.headers_mut().get_mut(AUTHORIZATION).into_iter().for_each(|value| value.set_sensitive(true));
        request.extensions_mut().insert(token);
        Ok(request)
    }

    /// Reads the body for the calls in it and demands their scopes.
    async fn admit_calls<B>(&self, request: Request<B>, token: &AccessToken) -> Result<Request<Body>, Refusal>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let (mut parts, body) = request.into_parts();
        let collected = Limited::new(body, self.max_body).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { Refusal::BodyTooLarge } else { Refusal::UnreadableBody }
        })?;
        let body = collected.to_bytes();
        let mut calls = calls::read(&body).map_err(|_| Refusal::UnreadableBody)?;
        demand(token, &self.calls.needed(&calls))?;
        let now = self.verifier.clock.now();
        if let Some(unmet) = self.calls.logins(&calls).find(|login| !login.is_met_by(token, now)) {
            return Err(Refusal::Login { demand: unmet.clone(), scopes: token.scopes().join(" ") });
        }
        if calls.len() == 1 {
            parts.extensions.insert::<RpcCall>(calls.remove(0));
        }
        Ok(Request::from_parts(parts, Body::from(body)))
    }
}

fn demand(token: &AccessToken, scopes: &[String]) -> Result<(), Refusal> {
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    token.require(&scopes).map_err(Refusal::Scope)
}
