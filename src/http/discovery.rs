//! The discovery document and the keys, under every address that released clients try.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::Digest as _;

use super::site::Site;
use crate::protocol::Issuer;

/// RFC 8414 §3.1 puts the well-known part between host and path; OpenID Connect Discovery §4.1 puts it after the path;
/// clients of MCP 2025-03-26 look at the root. A proxy that shares an origin may pass on what is under the public URL
/// alone, so that counts as a root too.
pub(super) fn metadata_paths(issuer: &Issuer) -> BTreeSet<String> {
    let (written, base) = (issuer.path(), issuer.base_path());
    ["oauth-authorization-server", "openid-configuration"]
        .into_iter()
        .flat_map(|name| {
            [
                format!("/.well-known/{name}{base}"),
                format!("/.well-known/{name}{}", written.strip_suffix('/').map_or(base, |_| written)),
                format!("{base}/.well-known/{name}"),
                issuer.public_url().page(&format!("/.well-known/{name}")),
                format!("/.well-known/{name}"),
            ]
        })
        .collect()
}

/// Where the JWKS is (RFC 7517 §5).
pub(super) fn jwks_paths(issuer: &Issuer) -> BTreeSet<String> {
    let (base, name) = (issuer.base_path(), "/.well-known/jwks.json");
    [format!("{base}/jwks"), format!("{base}{name}"), issuer.public_url().page(name), name.to_owned()].into()
}

/// Where the home page is.
pub(super) fn home_paths(issuer: &Issuer) -> BTreeSet<String> {
    with_and_without_slash(issuer.public_url().path())
}

/// Where people find out what the issuer is, unless the home page is there.
pub(super) fn issuer_paths(issuer: &Issuer) -> BTreeSet<String> {
    &with_and_without_slash(issuer.base_path()) - &home_paths(issuer)
}

fn with_and_without_slash(path: &str) -> BTreeSet<String> {
    [path.to_owned(), format!("{path}/")].into_iter().filter(|path| !path.is_empty()).collect()
}

/// How long the discovery document may be kept.
const METADATA_MAX_AGE: Duration = Duration::from_secs(300);

pub(super) async fn metadata(State(site): State<Site>, headers: HeaderMap) -> Response {
    cacheable(&headers, METADATA_MAX_AGE, site.metadata())
}

pub(super) async fn jwks(State(site): State<Site>, headers: HeaderMap) -> Response {
    let engine = site.engine();
    let max_age = engine.policy.lifetimes.jwks_max_age;
    cacheable(&headers, max_age, Bytes::from_owner(engine.keys_to_publish().await.jwks()))
}

/// JSON that everybody may keep, with a strong validator of its bytes; to who has the same bytes already, none of it
/// again (RFC 9110 §8.8.3, §13.1.2, §15.4.5).
fn cacheable(request: &HeaderMap, max_age: Duration, body: Bytes) -> Response {
    let etag = etag(&body);
    let headers = [
        (header::CACHE_CONTROL, format!("public, max-age={}", max_age.as_secs())),
        (header::ETAG, etag.clone()),
    ];
    if is_known(request, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn etag(body: &[u8]) -> String {
    let digest = sha2::Sha256::digest(body);
    let hexadecimal: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hexadecimal}\"")
}

/// Whether `If-None-Match` names this validator; by the weak comparison, so a proxy may have weakened it
/// (RFC 9110 §13.1.2, §8.8.3.2).
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let lists = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut named = lists.flat_map(|list| list.split(',')).map(str::trim);
    named.any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PublicUrl;

    fn paths(issuer: &str) -> Vec<String> {
        metadata_paths(&Issuer::parse(issuer).unwrap()).into_iter().collect()
    }

    #[test]
    fn every_form_that_clients_try_is_answered() {
        // RFC 8414 §3.1, OpenID Connect Discovery §4.1
        assert_eq!(
            paths("https://id.example/t1"),
            [
                "/.well-known/oauth-authorization-server",
                "/.well-known/oauth-authorization-server/t1",
                "/.well-known/openid-configuration",
                "/.well-known/openid-configuration/t1",
                "/t1/.well-known/oauth-authorization-server",
                "/t1/.well-known/openid-configuration",
            ]
        );
        let root = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
        assert_eq!(paths("https://id.example"), root);
        let slash: BTreeSet<String> = metadata_paths(&Issuer::parse("https://id.example/t1/").unwrap());
        assert!(slash.contains("/.well-known/oauth-authorization-server/t1"));
        assert!(slash.contains("/.well-known/oauth-authorization-server/t1/"));
        assert!(slash.contains("/t1/.well-known/openid-configuration"));
    }

    #[test]
    fn the_home_page_comes_before_the_page_about_the_issuer() {
        let auth = PublicUrl::parse("https://id.example/auth").unwrap();
        let lists = |issuer: Result<Issuer, _>| {
            let issuer = issuer.unwrap();
            [home_paths(&issuer), issuer_paths(&issuer)]
                .map(|paths| paths.into_iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(lists(Issuer::parse("https://id.example/")), ["/", ""]);
        assert_eq!(lists(Issuer::parse("https://id.example/oauth/")), ["/", "/oauth /oauth/"]);
        assert_eq!(lists(Issuer::within(&auth, "https://id.example/auth")), ["/auth /auth/", ""]);
        assert_eq!(
            lists(Issuer::within(&auth, "https://id.example/auth/t")),
            ["/auth /auth/", "/auth/t /auth/t/"]
        );
    }
}
