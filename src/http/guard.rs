//! What every request passes: an identity for the log, and the question whether it is meant for this server.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::answer::{error_page, json_error};
use super::fallback::is_protocol_path;
use super::limit::Sender;
use super::site::Site;
use crate::pages::ErrorPage;
use crate::protocol::{ErrorCode, Id};

/// Names a request in the log and on error pages.
#[derive(Clone, Debug)]
pub(super) struct RequestId(String);

impl RequestId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses requests that were meant for another host. A web page can make a browser send requests to this machine under
/// any name that it controls (DNS rebinding); it must not drive logins that way.
pub(super) async fn check_host(State(site): State<Site>, request: Request, next: Next) -> Response {
    let host = request_host(&request);
    // Probes of load balancers call by address, and learn nothing.
    let is_probe = matches!(request.uri().path(), "/healthz" | "/readyz");
    if is_probe || is_ours(&site, &host) {
        return next.run(request).await;
    }
    tracing::info!(host, "refused: unknown host");
    if is_protocol_path(&site, request.uri().path()) {
        return json_error(
            403,
            ErrorCode::InvalidRequest,
            "this server does not answer to the name in the Host header",
        );
    }
    let id = RequestId(request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default());
    error_page(&site, &id, ErrorPage::host_not_allowed(&host))
}

/// The name by which the server was called, without port.
fn request_host(request: &Request) -> String {
    let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    without_port(header.or(authority).unwrap_or_default()).to_ascii_lowercase()
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.is_empty() => host,
        _ => authority,
    }
}

fn is_ours(site: &Site, host: &str) -> bool {
    let issuer = &site.engine().policy.issuer;
    let own = issuer.origin().split_once("://").map_or("", |(_, authority)| without_port(authority));
    host == own || LOOPBACK_NAMES.contains(&host) || site.facts().hosts.contains(host)
}

/// Names the request, logs how it was answered, and adds the headers that every answer carries.
pub(super) async fn finish(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let engine = site.engine();
    let id = RequestId(Id::new(engine.clock.now(), engine.random.bytes()).to_string());
    request.extensions_mut().insert(id.clone());
    let sender = Sender::read(&site, &request);
    request.extensions_mut().insert(sender);
    // The path and no query: queries hold codes and requests.
    let (method, path) = (request.method(), request.uri().path());
    let span = tracing::info_span!("request", id = id.0, from = %sender.0, %method, path);
    let start = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(status = response.status().as_u16(), micros, "answered");
    });
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if engine.policy.issuer.is_https() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_part_of_a_host_name() {
        for (authority, host) in [
            ("localhost:8710", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:8710", "[::1]"),
            ("[::1]", "[::1]"),
            ("a.example:x", "a.example:x"),
            ("", ""),
        ] {
            assert_eq!(without_port(authority), host, "{authority}");
        }
    }
}
