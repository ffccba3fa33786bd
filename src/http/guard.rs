//! What every request passes: an identity for the log, and the question whether it is meant for this server.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Version, header};
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

/// Refuses what is no whole request, and what was meant for another host. A web page can make a browser send requests to
/// this machine under any name that it controls (DNS rebinding); it must not drive logins that way.
pub(super) async fn check_request(State(site): State<Site>, request: Request, next: Next) -> Response {
    let host = match request_host(&request).and_then(|host| plainly_encoded(&request).map(|()| host)) {
        Ok(host) => host,
        Err(why) => return malformed(&site, &request, why),
    };
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
    error_page(&site, &request_id(&request), ErrorPage::host_not_allowed(&host))
}

/// Refuses forms that a page of another origin has sent. Each form is tied to its browser or session too; this holds
/// where such a token has leaked. Browsers say where a form comes from (Fetch Metadata, RFC 6454 §7); what says nothing
/// is no browser of today, and passes.
pub(super) async fn refuse_foreign_forms(State(site): State<Site>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || !is_foreign(&site, &request) {
        return next.run(request).await;
    }
    tracing::info!("refused: a form from another origin");
    error_page(&site, &request_id(&request), ErrorPage::forged_form())
}

fn is_foreign(site: &Site, request: &Request) -> bool {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(from) = header("sec-fetch-site") {
        // `none`: typed or reloaded by the person.
        return !matches!(from, "same-origin" | "none");
    }
    let Some(origin) = header("origin") else { return false };
    if origin == site.engine().policy.issuer.origin() {
        return false;
    }
    // Called by another of our names, the page and its form have the same.
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_none() || authority != header("host").or(request.uri().authority().map(Authority::as_str))
}

fn malformed(site: &Site, request: &Request, why: &'static str) -> Response {
    tracing::info!(why, "refused: malformed");
    let mut answer = match is_protocol_path(site, request.uri().path()) {
        true => json_error(400, ErrorCode::InvalidRequest, why),
        false => error_page(site, &request_id(request), ErrorPage::malformed(why)),
    };
    if request.version() <= Version::HTTP_11 {
        // Whoever sent it may read the rest of the connection otherwise than we do (RFC 9112 §11.2).
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

fn request_id(request: &Request) -> RequestId {
    RequestId(request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default())
}

/// The name by which the server was called, in lower case and without port; empty when an HTTP/1.0 client told none.
fn request_host(request: &Request) -> Result<String, &'static str> {
    let target = request.uri().authority().map(|authority| host_of(authority.as_str())).transpose()?;
    let mut headers = request.headers().get_all(header::HOST).iter();
    let header = headers.next().map(|value| host_of(value.to_str().unwrap_or_default())).transpose()?;
    if headers.next().is_some() {
        return Err("one Host header can be sent at a time");
    }
    match (target, header) {
        // RFC 9113 §8.3.1
        (Some(target), Some(header)) if request.version() == Version::HTTP_2 && target != header => {
            Err("the Host header names another host than the request does")
        }
        // RFC 9112 §3.2.2: what stands in the request line holds.
        (Some(target), Some(_)) => Ok(target.0),
        (Some(target), None) if request.version() != Version::HTTP_11 => Ok(target.0),
        (None, Some(header)) => Ok(header.0),
        // RFC 9112 §3.2
        _ if request.version() == Version::HTTP_11 => Err("the Host header is missing"),
        _ => Ok(String::new()),
    }
}

/// Host and port of an authority.
fn host_of(authority: &str) -> Result<(String, Option<u16>), &'static str> {
    let authority = authority.parse::<Authority>().ok().filter(|parsed| !parsed.as_str().contains('@'));
    let authority = authority.ok_or("the Host header is not a host")?;
    Ok((authority.host().to_ascii_lowercase(), authority.port_u16()))
}

/// A body may come in chunks. Other codings are not undone, and a body that is taken for another is how requests are
/// smuggled (RFC 9112 §6.1, §11.2).
fn plainly_encoded(request: &Request) -> Result<(), &'static str> {
    let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err("the one transfer coding that is understood is chunked"),
    }
}

fn is_ours(site: &Site, host: &str) -> bool {
    let issuer = &site.engine().policy.issuer;
    let own = issuer.origin().split_once("://").and_then(|(_, authority)| host_of(authority).ok());
    own.is_some_and(|(own, _)| host == own)
        || LOOPBACK_NAMES.contains(&host)
        || site.facts().hosts.contains(host)
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
    // What scripts of any origin may read can be embedded by them; the rest cannot.
    let is_open = headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    let embedders = HeaderValue::from_static(if is_open { "cross-origin" } else { "same-origin" });
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), embedders);
    if engine.policy.issuer.is_https() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(version: Version, target: &str, headers: &[(&str, &str)]) -> Request {
        let builder =
            headers.iter().fold(Request::builder(), |builder, (name, value)| builder.header(*name, *value));
        builder.version(version).uri(target).body(Body::empty()).unwrap()
    }

    #[test]
    fn a_request_names_one_host() {
        // RFC 9112 §3.2, §3.2.2; RFC 9113 §8.3.1
        let (one, two) = (Version::HTTP_11, Version::HTTP_2);
        let host = |value| ("host", value);
        let named = |name: &str| Ok(name.to_owned());
        for (version, target, headers, expected) in [
            (one, "/", vec![host("localhost:8710")], named("localhost")),
            (one, "/", vec![host("LocalHost")], named("localhost")),
            (one, "/", vec![host("[::1]:8710")], named("[::1]")),
            (one, "http://b.example/", vec![host("a.example")], named("b.example")),
            (Version::HTTP_10, "/", vec![], named("")),
            (two, "http://a.example/", vec![], named("a.example")),
            (two, "http://a.example/", vec![host("A.example")], named("a.example")),
            (two, "/", vec![host("a.example")], named("a.example")),
        ] {
            assert_eq!(request_host(&request(version, target, &headers)), expected, "{target} {headers:?}");
        }
        for (version, target, headers) in [
            (one, "/", vec![]),
            (one, "http://a.example/", vec![]),
            (one, "/", vec![host("a.example"), host("a.example")]),
            (one, "/", vec![host("a.example"), host("b.example")]),
            (one, "/", vec![host("a.example, b.example")]),
            (one, "/", vec![host("alice@a.example")]),
            (one, "http://alice@a.example/", vec![host("a.example")]),
            (one, "/", vec![host("a.example/x")]),
            (one, "/", vec![host("")]),
            (two, "http://a.example/", vec![host("b.example")]),
            (two, "http://a.example/", vec![host("a.example:1")]),
        ] {
            assert!(request_host(&request(version, target, &headers)).is_err(), "{target} {headers:?}");
        }
    }

    #[test]
    fn a_body_comes_as_it_is_or_in_chunks() {
        // RFC 9112 §6.1
        let coded = |values: &[&'static str]| {
            let headers: Vec<_> = values.iter().map(|value| ("transfer-encoding", *value)).collect();
            plainly_encoded(&request(Version::HTTP_11, "/", &headers)).is_ok()
        };
        assert!(coded(&[]) && coded(&["chunked"]) && coded(&["Chunked"]));
        for values in
            [&["gzip, chunked"][..], &["chunked, chunked"], &["chunked", "chunked"], &["gzip", "chunked"]]
        {
            assert!(!coded(values), "{values:?}");
        }
    }
}
