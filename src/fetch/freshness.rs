//! How long an answer says that it stays fresh (RFC 9111).

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};

/// What `Cache-Control` says, less the `Age` that the answer had in a cache on its way (RFC 9111 §4.2); `None` when it
/// says nothing. `Expires` is left out: it would need the peer's clock.
pub(super) fn fresh_for(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    for directive in values.flat_map(|value| value.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        // RFC 9111 §4.2.1: of several the first counts, and what cannot be read is stale.
        if name.eq_ignore_ascii_case("max-age") && max_age.is_none() {
            max_age = Some(seconds(value.trim_matches('"')));
        }
    }
    let age = headers.get(AGE).and_then(|value| value.to_str().ok()).map_or(0, seconds);
    max_age.map(|max_age| Duration::from_secs(max_age.saturating_sub(age)))
}

/// Whole seconds (RFC 9111 §1.2.2): very many are as many as fit.
fn seconds(text: &str) -> u64 {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().unwrap_or(u64::from(u32::MAX)) } else { 0 }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(lines: &[(HeaderName, &'static str)]) -> Option<u64> {
        let lines = lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value);
        }
        fresh_for(&headers).map(|duration| duration.as_secs())
    }

    #[test]
    fn cache_control_is_read_as_rfc_9111_says() {
        let control = |value| read(&[(CACHE_CONTROL, value)]);
        assert_eq!(read(&[]), None);
        assert_eq!(control("public"), None);
        assert_eq!(control("public, max-age=600"), Some(600));
        assert_eq!(control("Max-Age=\"600\""), Some(600));
        assert_eq!(control("max-age=600, max-age=5"), Some(600));
        assert_eq!(control("max-age=soon"), Some(0));
        assert_eq!(control("max-age=-5"), Some(0));
        assert_eq!(control("max-age"), Some(0));
        assert_eq!(control("max-age=99999999999999999999999"), Some(u64::from(u32::MAX)));
        assert_eq!(control("max-age=600, No-Store"), Some(0));
        assert_eq!(control("no-cache=\"x\", max-age=600"), Some(0));
        assert_eq!(read(&[(CACHE_CONTROL, "public"), (CACHE_CONTROL, "max-age=60")]), Some(60));
        assert_eq!(read(&[(CACHE_CONTROL, "max-age=600"), (AGE, "500")]), Some(100));
        assert_eq!(read(&[(CACHE_CONTROL, "max-age=600"), (AGE, "700")]), Some(0));
    }
}
