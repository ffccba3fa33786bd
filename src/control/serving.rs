//! A request for an issuer: kept for the test, disturbed as it asked for, and answered by the server behind.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use serde_json::Value;
use tower::ServiceExt as _;

use super::answer::Refused;
use super::auto;
use super::capture::captured;
use super::decide::DecideSpec;
use super::faults::FaultSpec;
use super::issuer::TestIssuer;
use super::spoil::is_another;
use crate::http::MAX_BODY;

/// The longest body that is read, in bytes: the server behind takes none that is longer.
const LONGEST: usize = MAX_BODY;
/// The longest answer whose keys are hidden, in bytes.
const LONGEST_JWKS: usize = 1024 * 1024;
/// The endpoints that scripts of any origin may ask: a fault there is to be seen by them as well.
const FOR_SCRIPTS: [&str; 6] = ["metadata", "jwks", "token", "register", "revoke", "userinfo"];

impl TestIssuer {
    /// Everything that it answers, for a port of its own.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let issuer = Arc::clone(self);
        Router::new().fallback(async move |request: Request| issuer.answer(request).await)
    }

    /// Answers a request that was meant for this server.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let (body, passed_on) = taken(body).await;
        let kept = captured(&parts, &body, self.clock().now().seconds());
        let (endpoint, form) = (kept.endpoint.clone(), kept.form.clone());
        // From here on it is in the log, even if whoever asked goes away before there is an answer.
        let entry = self.log.open(kept);
        // What a browser asks before it asks (Fetch, CORS preflight) is no request that a test has in mind.
        let is_preflight = parts.method == Method::OPTIONS
            && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight && let Err(refused) = self.let_happen(&endpoint).await {
            return refused.into_response();
        }
        let faults =
            if is_preflight { Vec::new() } else { self.faults.take(&endpoint, form.as_ref(), |_| true) };
        for fault in &faults {
            fault.wait().await;
        }
        let hides_keys = endpoint == "jwks" && !self.held().hidden_keys.is_empty();
        if !faults.is_empty() || hides_keys {
            // A body that is to be changed has to come.
            parts.headers.remove(header::IF_NONE_MATCH);
            parts.headers.remove(header::IF_MODIFIED_SINCE);
        }
        if parts.method == Method::HEAD && (hides_keys || faults.iter().any(FaultSpec::needs_body)) {
            // It says what GET would say of the body that is changed (RFC 9110 §9.3.2); the listener leaves that away.
            parts.method = Method::GET;
        }
        let mut answer = if faults.iter().any(FaultSpec::is_instead) {
            instead(&endpoint)
        } else {
            self.behind(Request::from_parts(parts, passed_on), &body).await
        };
        if hides_keys {
            answer = self.without_hidden_keys(answer).await;
        }
        for fault in &faults {
            answer = fault.spoil(answer).await;
        }
        if !faults.iter().any(|fault| fault.drop) {
            entry.answered(answer.status().as_u16());
        }
        answer
    }

    /// An answer, unless it is a failure because the issuer was ended meanwhile: there is none.
    pub(super) fn unless_ended(&self, answer: Response) -> Response {
        if answer.status().is_server_error() && self.is_ended() {
            return Refused::not_found("issuer", self.name()).into_response();
        }
        answer
    }

    /// What the server behind answers to a request that nobody keeps or disturbs.
    pub(super) async fn pass_on(&self, request: Request) -> Response {
        match self.running().router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    /// What the server behind answers, or the person that the test has named beforehand.
    async fn behind(&self, request: Request, body: &Bytes) -> Response {
        let encoded = match *request.method() {
            Method::GET => request.uri().query().unwrap_or_default().to_owned(),
            Method::POST => String::from_utf8_lossy(body).into_owned(),
            _ => return self.pass_on(request).await,
        };
        let is_authorization = request.uri().path() == format!("{}/authorize", self.issuer().base_path());
        let auto = self.held().auto.clone().filter(|_| is_authorization);
        let Some(auto) = auto else { return self.pass_on(request).await };
        let url = format!("{}?{encoded}", self.issuer().endpoint("authorize"));
        let spec = DecideSpec { decision: auto.decision, ..DecideSpec::allow(&url, &auto.user) };
        auto::sent(self.decide(&spec).await)
    }

    async fn without_hidden_keys(&self, answer: Response) -> Response {
        let hidden = self.held().hidden_keys.clone();
        let (mut parts, body) = answer.into_parts();
        let bytes = to_bytes(body, LONGEST_JWKS).await.unwrap_or_default();
        let Ok(Value::Object(mut jwks)) = serde_json::from_slice(&bytes) else {
            return Response::from_parts(parts, Body::from(bytes));
        };
        if let Some(keys) = jwks.get_mut("keys").and_then(Value::as_array_mut) {
            keys.retain(|key| !key["kid"].as_str().is_some_and(|kid| hidden.contains(kid)));
        }
        is_another(&mut parts.headers);
        Response::from_parts(parts, Body::from(Value::Object(jwks).to_string()))
    }
}

/// What a body says, as far as it is looked at here, and the body to pass on: what is too long or breaks off is for the
/// server behind to refuse.
async fn taken(mut body: Body) -> (Bytes, Body) {
    // What is announced as too long need not come.
    if body.size_hint().lower() > LONGEST as u64 {
        return (Bytes::new(), body);
    }
    let mut taken = Vec::new();
    while taken.len() <= LONGEST {
        match body.frame().await {
            Some(Ok(frame)) => taken.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
            Some(Err(_)) => return (taken.into(), broken()),
            None => break,
        }
    }
    let taken = Bytes::from(taken);
    (taken.clone(), Body::from(taken))
}

/// A body that breaks off, for the server behind to answer to as it does.
fn broken() -> Body {
    let over_its_limit = Limited::new(Full::new(Bytes::from_static(b"cut")), 0);
    Body::new(over_its_limit.map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof)))
}

/// What a fault is put on in place of an answer.
fn instead(endpoint: &str) -> Response {
    let mut answer = Response::default();
    if FOR_SCRIPTS.contains(&endpoint) {
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    answer
}
