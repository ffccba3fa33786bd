//! Reading requests.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::BytesMut;
use http_body_util::BodyExt;

use crate::protocol::Params;

/// More than any honest form or registration.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// How much of a refused body is read all the same. A client that is still sending when the connection closes is told by
/// its system that the connection broke, and never sees the answer.
const MAX_DISCARDED: usize = 1024 * 1024;

/// How long a client may take to send a body.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// How long to go on reading a body that is refused.
const DISCARD_DEADLINE: Duration = Duration::from_secs(1);

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
    let body = whole(&parts.headers, body).await?;
    expect_media_type(&parts.headers, "application/x-www-form-urlencoded").map(|()| body)
}

/// The parameters of a form of one of our own pages; unreadable ones are none.
pub(super) async fn page_form(request: Request) -> Result<Params, Unreadable> {
    let body = form_body(request).await?;
    Ok(Params::parse(&body).unwrap_or_default())
}

/// The body of a JSON request.
pub(super) async fn json_body(request: Request) -> Result<Bytes, Unreadable> {
    let (parts, body) = request.into_parts();
    let body = whole(&parts.headers, body).await?;
    expect_media_type(&parts.headers, "application/json").map(|()| body)
}

fn expect_media_type(headers: &HeaderMap, expected: &str) -> Result<(), Unreadable> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Unreadable::MediaType(sent.chars().take(100).collect()))
}

async fn whole(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Unreadable> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_DISCARDED) {
        return Err(Unreadable::TooLarge);
    }
    let mut read = BytesMut::new();
    let within_limit = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unreadable::Broken)?.into_data() else { continue };
            if read.len() + data.len() > MAX_BODY {
                return Err(Unreadable::TooLarge);
            }
            read.extend_from_slice(&data);
        }
        Ok(())
    };
    let outcome = tokio::time::timeout(BODY_DEADLINE, within_limit).await.unwrap_or(Err(Unreadable::Broken));
    if matches!(outcome, Err(Unreadable::TooLarge)) {
        let _ = tokio::time::timeout(DISCARD_DEADLINE, discard(body)).await;
    }
    outcome.map(|()| read.freeze())
}

async fn discard(mut body: Body) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, Bytes::len);
        if discarded > MAX_DISCARDED {
            return;
        }
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
