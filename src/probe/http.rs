//! What the probe sends and reads.

use std::time::Duration;

use reqwest::redirect::Policy;

/// Longest time for one request, from connecting to the last byte that is read, where nobody says otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);
/// Most bytes that are read of an answer.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// A client that follows no redirect: an answer is what the server itself says.
pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        // A connection for each request: one that the server closes meanwhile is none of its faults.
        .pool_max_idle_per_host(0)
        .redirect(Policy::none())
        .timeout(timeout)
        .user_agent(concat!("gatelet-probe/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The body, as far as [`MAX_BODY`], or until `enough` says so: a stream of events may never end.
pub(super) async fn body(mut response: reqwest::Response, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut body = Vec::new();
    // What breaks off is judged by what came.
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY || enough(&body) {
            break;
        }
    }
    body
}

/// An error with everything that caused it: reqwest's own text stops before the cause.
pub(super) fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut text = match error.is_connect() {
        true => "nothing can be reached there".to_owned(),
        false => error.to_string(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
