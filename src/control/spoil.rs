//! What a fault does to an answer.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::{Full, Limited};
use serde_json::Value;
use url::Url;

use super::faults::FaultSpec;
use crate::serve::CutHere;

/// The longest answer that is changed, in bytes.
const LONGEST: usize = 1024 * 1024;

impl FaultSpec {
    /// Whether the request is not to be seen by the server behind.
    pub(super) fn is_instead(&self) -> bool {
        !self.processed && (self.drop || self.status.is_some() || self.body.is_some())
    }

    /// Whether it changes the body that the server behind answers with.
    pub(super) fn needs_body(&self) -> bool {
        !self.set.is_empty()
    }

    /// Waits as long as it says.
    pub(super) async fn wait(&self) {
        if self.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.delay_ms)).await;
        }
    }

    /// An answer as this fault makes it.
    pub(super) async fn spoil(&self, answer: Response) -> Response {
        if self.drop {
            return cut();
        }
        let mut answer = self.replaced(answer);
        if !self.set.is_empty() {
            answer = self.with_members(answer).await;
        }
        if !self.redirect_set.is_empty() {
            self.redirect(&mut answer);
        }
        for (name, value) in &self.headers {
            let Ok(name) = HeaderName::try_from(name) else { continue };
            match value.as_ref().map(HeaderValue::try_from) {
                Some(Ok(value)) => drop(answer.headers_mut().insert(name, value)),
                _ => drop(answer.headers_mut().remove(name)),
            }
        }
        answer
    }

    fn replaced(&self, mut answer: Response) -> Response {
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            *answer.status_mut() = status;
        }
        if self.status.is_none() && self.body.is_none() {
            return answer;
        }
        let (mut parts, _) = answer.into_parts();
        is_another(&mut parts.headers);
        parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.body.is_none() {
            // A failure of the server's own form (RFC 6749 §4.1.2.1 has the code).
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let own =
            || r#"{"error":"temporarily_unavailable","error_description":"a fault that a test put here"}"#;
        let body = self.body.clone().unwrap_or_else(|| own().to_owned());
        Response::from_parts(parts, Body::from(body))
    }

    async fn with_members(&self, answer: Response) -> Response {
        let (mut parts, body) = answer.into_parts();
        let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
        let Ok(Value::Object(mut members)) = serde_json::from_slice::<Value>(&bytes) else {
            return Response::from_parts(parts, Body::from(bytes));
        };
        for (name, value) in &self.set {
            match value {
                Value::Null => drop(members.remove(name)),
                value => drop(members.insert(name.clone(), value.clone())),
            }
        }
        is_another(&mut parts.headers);
        Response::from_parts(parts, Body::from(Value::Object(members).to_string()))
    }

    fn redirect(&self, answer: &mut Response) {
        let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location.map(|location| self.redirected(location)) else { return };
        if let Ok(location) = HeaderValue::try_from(location) {
            answer.headers_mut().insert(header::LOCATION, location);
        }
    }

    /// The URL to which a browser is sent, as this fault makes it. One of our own pages stays as it is.
    pub(super) fn redirected(&self, location: &str) -> String {
        let url = Url::parse(location).ok().filter(|_| !self.redirect_set.is_empty());
        let Some(mut url) = url else { return location.to_owned() };
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !self.redirect_set.contains_key(name.as_ref()))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let set = self.redirect_set.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        let pairs: Vec<(String, String)> = kept.into_iter().chain(set).collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
        url.into()
    }
}

/// Takes from an answer what was said about the body that it had.
pub(super) fn is_another(headers: &mut HeaderMap) {
    for name in [header::CONTENT_LENGTH, header::ETAG, header::LAST_MODIFIED] {
        headers.remove(name);
    }
}

/// No answer: our own listener cuts the connection, whatever the method. Under another one it breaks off before the first
/// byte of its body, which is over its limit from the start.
fn cut() -> Response {
    let broken = Limited::new(Full::new(Bytes::from_static(b"cut")), 0);
    let mut answer = Response::new(Body::new(broken));
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("3"));
    answer.extensions_mut().insert(CutHere);
    answer
}
