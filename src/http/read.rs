//! Reading requests.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};

use crate::protocol::Params;

/// More than any honest form or registration.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// How long a client may take to send a body.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

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
    let (parts, body) = request.into_parts();
    expect_media_type(&parts.headers, "application/x-www-form-urlencoded")?;
    whole(&parts.headers, body).await
}

/// The parameters of a form of one of our own pages; unreadable ones are none.
pub(super) async fn page_form(request: Request) -> Result<Params, Unreadable> {
    let body = form_body(request).await?;
    Ok(Params::parse(&body).unwrap_or_default())
}

/// The body of a JSON request.
pub(super) async fn json_body(request: Request) -> Result<Bytes, Unreadable> {
    let (parts, body) = request.into_parts();
    expect_media_type(&parts.headers, "application/json")?;
    whole(&parts.headers, body).await
}

fn expect_media_type(headers: &HeaderMap, expected: &str) -> Result<(), Unreadable> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Unreadable::MediaType(sent.chars().take(100).collect()))
}

async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Unreadable> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY) {
        return Err(Unreadable::TooLarge);
    }
    let read = tokio::time::timeout(BODY_DEADLINE, to_bytes(body, MAX_BODY)).await;
    read.map_err(|_| Unreadable::Broken)?.map_err(|error| {
        use std::error::Error;
        let too_large = error.source().is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_large { Unreadable::TooLarge } else { Unreadable::Broken }
    })
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
