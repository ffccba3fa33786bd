//! A request for an issuer: kept for the test, disturbed as it asked for, and answered by the server behind.

use std::collections::BTreeSet;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tower::ServiceExt as _;

use super::answer::Refused;
use super::auto;
use super::capture::captured;
use super::decide::DecideSpec;
use super::issuer::TestIssuer;

/// The longest request that is kept, in bytes; longer ones are refused as the server behind would.
const LONGEST: usize = 1024 * 1024;

impl TestIssuer {
    /// Answers a request.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LONGEST).await else {
            return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was not sent to its end")
                .into_response();
        };
        let mut kept = captured(&parts, &body, self.clock().now().seconds());
        if let Err(refused) = self.let_happen(&kept.endpoint).await {
            return refused.into_response();
        }
        let faults = self.faults.take(&kept.endpoint, kept.form.as_ref());
        for fault in &faults {
            fault.wait().await;
        }
        let is_dropped = faults.iter().any(|fault| fault.drop);
        let mut answer = if faults.iter().any(super::faults::FaultSpec::is_instead) {
            Response::default()
        } else {
            let request = Request::from_parts(parts, Body::from(body.clone()));
            self.behind(&kept.endpoint, request, &body).await
        };
        if kept.endpoint == "jwks" {
            answer = self.without_hidden_keys(answer).await;
        }
        for fault in &faults {
            answer = fault.spoil(answer).await;
        }
        kept.status = (!is_dropped).then(|| answer.status().as_u16());
        self.log.add(kept);
        answer
    }

    /// What the server behind answers, or the person that the test has named beforehand.
    async fn behind(&self, endpoint: &str, request: Request, body: &Bytes) -> Response {
        let auto = self.held().auto.clone();
        if let Some(auto) = auto.filter(|_| endpoint == "authorize") {
            let encoded = match *request.method() {
                Method::POST => String::from_utf8_lossy(body).into_owned(),
                _ => request.uri().query().unwrap_or_default().to_owned(),
            };
            let url = format!("{}?{encoded}", self.issuer().endpoint("authorize"));
            let spec = DecideSpec { decision: auto.decision, ..DecideSpec::allow(&url, &auto.user) };
            return auto::sent(self.decide(&spec).await);
        }
        let running = self.running().read().await;
        match running.router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    async fn without_hidden_keys(&self, answer: Response) -> Response {
        let hidden: BTreeSet<String> = self.held().hidden_keys.clone();
        if hidden.is_empty() {
            return answer;
        }
        let (mut parts, body) = answer.into_parts();
        let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
        let Ok(mut jwks) = serde_json::from_slice::<Value>(&bytes) else {
            return Refused::invalid("the JWKS is no JSON").into_response();
        };
        if let Some(keys) = jwks["keys"].as_array_mut() {
            keys.retain(|key| !key["kid"].as_str().is_some_and(|kid| hidden.contains(kid)));
        }
        parts.headers.remove(header::CONTENT_LENGTH);
        // It would be that of the whole set.
        parts.headers.remove(header::ETAG);
        Response::from_parts(parts, Body::from(jwks.to_string()))
    }
}
