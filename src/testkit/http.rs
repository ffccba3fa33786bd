//! Talking HTTP to the server.

use std::time::Duration;

use reqwest::redirect::Policy;

/// Longer than any answer takes; a test that waits for longer is stuck.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client that follows no redirect and uses no proxy: what a test sees is what the server said.
pub(super) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(TIMEOUT)
        .build()
        .expect("an HTTP client")
}

/// Pairs in the form of `application/x-www-form-urlencoded`.
pub(super) fn form_encoded<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The media type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
