//! Reading requests.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::protocol::Params;

/// More than any honest form or registration.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// What is wrong with a request before its parameters are looked at.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The body is larger than [`MAX_BODY`].
    TooLarge,
    /// The body is of another media type than the one that is expected.
    MediaType(String),
    /// The body ended early or took too long.
    Broken,
}

/// The body of a form that was posted.
pub(super) async fn form_body(request: Request) -> Result<Bytes, Unreadable> {
    body_of_type("application/x-www-form-urlencoded", request).await
}

/// The parameters of a form of one of our own pages; unreadable ones are none.
pub(super) async fn page_form(request: Request) -> Result<Params, Unreadable> {
    let body = form_body(request).await?;
    Ok(Params::parse(&body).unwrap_or_default())
}

/// Whether a request has a body, or says of which kind it would be.
pub(super) fn has_body(request: &Request) -> bool {
    request.headers().contains_key(header::CONTENT_TYPE) || !request.body().is_end_stream()
}

/// The body of a JSON request.
pub(super) async fn json_body(request: Request) -> Result<Bytes, Unreadable> {
    body_of_type("application/json", request).await
}

/// What is refused is not read: the connection lets a client that is still sending see the answer, and how long it may
/// take is known there too.
async fn body_of_type(expected: &str, request: Request) -> Result<Bytes, Unreadable> {
    let (parts, body) = request.into_parts();
    let sent = media_type(&parts.headers);
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(expected) {
        return Err(Unreadable::MediaType(sent.chars().take(100).collect()));
    }
    whole(body).await
}

/// The one `Content-Type`; of several none is believed (RFC 9110 §8.3).
fn media_type(headers: &HeaderMap) -> &str {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

async fn whole(body: Body) -> Result<Bytes, Unreadable> {
    // What is announced as too large need not arrive.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Unreadable::TooLarge);
    }
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unreadable::TooLarge),
        Err(_) => Err(Unreadable::Broken),
    }
}

/// The one `Authorization` header.
///
/// # Errors
/// When there are several.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<String>, ()> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(());
    }
    Ok(first.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()))
}
