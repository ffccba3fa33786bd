//! The discovery document and the keys, under every address that released clients try.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::site::Site;
use crate::protocol::Issuer;

/// RFC 8414 §3.1 puts the well-known part between host and path; OpenID Connect Discovery §4.1 puts it after the path;
/// clients of MCP 2025-03-26 look at the root.
pub(super) fn metadata_paths(issuer: &Issuer) -> BTreeSet<String> {
    let (written, base) = (issuer.path(), issuer.base_path());
    ["oauth-authorization-server", "openid-configuration"]
        .into_iter()
        .flat_map(|name| {
            [
                format!("/.well-known/{name}{base}"),
                format!("/.well-known/{name}{}", written.strip_suffix('/').map_or(base, |_| written)),
                format!("{base}/.well-known/{name}"),
                format!("/.well-known/{name}"),
            ]
        })
        .collect()
}

/// Where the JWKS is (RFC 7517 §5).
pub(super) fn jwks_paths(issuer: &Issuer) -> BTreeSet<String> {
    let base = issuer.base_path();
    [format!("{base}/jwks"), format!("{base}/.well-known/jwks.json"), "/.well-known/jwks.json".to_owned()]
        .into()
}

/// Where people find out what the issuer is; the root belongs to the home page.
pub(super) fn issuer_paths(issuer: &Issuer) -> BTreeSet<String> {
    let base = issuer.base_path();
    if base.is_empty() { BTreeSet::new() } else { [base.to_owned(), format!("{base}/")].into() }
}

pub(super) async fn metadata(State(site): State<Site>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, site.metadata()).into_response()
}

pub(super) async fn jwks(State(site): State<Site>) -> Response {
    let engine = site.engine();
    let max_age = format!("public, max-age={}", engine.policy.lifetimes.jwks_max_age.as_secs());
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CACHE_CONTROL, max_age)];
    (headers, Bytes::from_owner(engine.keys.jwks())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_root_belongs_to_the_home_page() {
        assert!(issuer_paths(&Issuer::parse("https://id.example/").unwrap()).is_empty());
        let paths = issuer_paths(&Issuer::parse("https://id.example/oauth").unwrap());
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["/oauth", "/oauth/"]);
    }
}
