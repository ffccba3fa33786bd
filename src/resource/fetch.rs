//! Getting the issuer's keys over HTTP: metadata (RFC 8414 §3, OpenID Connect Discovery), then the JWKS.
//!
//! Only addresses that the operator configured, or that the configured issuer names, are dialled.

use std::fmt;
use std::time::Duration;

use axum::http::header::{ACCEPT, CACHE_CONTROL};
use reqwest::redirect::Policy;
use serde_json::Value;
use url::Url;

use super::jwks::KeySet;

/// Largest document read, in bytes.
const MAX_BODY: usize = 512 * 1024;
/// Longest time for one request, from connecting to the last byte.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time for a fetch with all its attempts; requests wait for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long keys are cached whose issuer does not say.
const DEFAULT_AGE: Duration = Duration::from_secs(5 * 60);
const MIN_AGE: Duration = Duration::from_secs(60);
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Where the keys are.
#[derive(Clone, Debug)]
pub(super) enum KeySource {
    /// At the `jwks_uri` in the issuer's metadata.
    Issuer(String),
    /// At this address.
    JwksUri(String),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(url) | Self::JwksUri(url) => f.write_str(url),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{url}: {error}")]
    Http { url: String, error: reqwest::Error },
    #[error("{url}: status {status}")]
    Status { url: String, status: u16 },
    #[error("{0}: longer than {MAX_BODY} bytes")]
    TooLarge(String),
    #[error("{0}: not JSON")]
    NotJson(String),
    #[error("{0}: not a JWKS with a usable signing key")]
    NoKeys(String),
    #[error(
        "{url}: the document's issuer is {found:?}, not the configured one; they must be equal byte for byte"
    )]
    WrongIssuer { url: String, found: String },
    #[error("{0}: no jwks_uri, or one that is weaker than the issuer's own https")]
    NoJwksUri(String),
    #[error("no answer within {} s", FETCH_TIMEOUT.as_secs())]
    Timeout,
}

/// Fetches the keys of one issuer.
#[derive(Debug)]
pub(super) struct Fetcher {
    source: KeySource,
    http: reqwest::Client,
}

impl Fetcher {
    pub(super) fn new(source: KeySource) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(REQUEST_TIMEOUT)
            .user_agent(concat!("gatelet-resource/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { source, http })
    }

    pub(super) fn source(&self) -> &KeySource {
        &self.source
    }

    /// The keys, and how long they may be cached.
    pub(super) async fn fetch(&self) -> Result<(KeySet, Duration), FetchError> {
        tokio::time::timeout(FETCH_TIMEOUT, self.fetch_untimed()).await.map_err(|_| FetchError::Timeout)?
    }

    async fn fetch_untimed(&self) -> Result<(KeySet, Duration), FetchError> {
        let jwks_uri = match &self.source {
            KeySource::JwksUri(uri) => uri.clone(),
            KeySource::Issuer(issuer) => self.discover(issuer).await?,
        };
        let (document, age) = self.json(&jwks_uri).await?;
        let keys = KeySet::parse(&document).filter(|keys| !keys.is_empty());
        Ok((keys.ok_or(FetchError::NoKeys(jwks_uri))?, age))
    }

    /// The `jwks_uri` of the issuer's metadata, at the first address that has them. Of several failures the first is
    /// told, unless one document is there and wrong.
    async fn discover(&self, issuer: &str) -> Result<String, FetchError> {
        let mut failure = None;
        for url in metadata_urls(issuer) {
            let error = match self.json(&url).await {
                Ok((document, _)) => match jwks_uri(&document, issuer, url) {
                    Ok(uri) => return Ok(uri),
                    Err(wrong) => {
                        failure = None;
                        wrong
                    }
                },
                Err(error) => error,
            };
            failure.get_or_insert(error);
        }
        Err(failure.unwrap_or_else(|| FetchError::NoJwksUri(issuer.to_owned())))
    }

    async fn json(&self, url: &str) -> Result<(Value, Duration), FetchError> {
        let http = |error| FetchError::Http { url: url.to_owned(), error };
        let mut response =
            self.http.get(url).header(ACCEPT, "application/json").send().await.map_err(http)?;
        if response.status().as_u16() != 200 {
            return Err(FetchError::Status { url: url.to_owned(), status: response.status().as_u16() });
        }
        let age = max_age(response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(http)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(FetchError::TooLarge(url.to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let document = serde_json::from_slice(&body).map_err(|_| FetchError::NotJson(url.to_owned()))?;
        Ok((document, age))
    }
}

/// Where an issuer's metadata may be, in the order of MCP 2026-07-28 authorization.
fn metadata_urls(issuer: &str) -> Vec<String> {
    let Ok(mut origin) = Url::parse(issuer) else { return Vec::new() };
    // RFC 8414 §3.1: a terminating slash is removed before the well-known string goes in.
    let path = origin.path().trim_end_matches('/').to_owned();
    origin.set_path("");
    let origin = origin.as_str().trim_end_matches('/').to_owned();
    let mut urls = vec![
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        urls.push(format!("{origin}{path}/.well-known/openid-configuration"));
    }
    urls
}

/// Reads the metadata; RFC 8414 §3.3: a document with another issuer must not be used.
fn jwks_uri(document: &Value, issuer: &str, url: String) -> Result<String, FetchError> {
    let found = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if found != issuer {
        return Err(FetchError::WrongIssuer { url, found: found.to_owned() });
    }
    let uri = document.get("jwks_uri").and_then(Value::as_str).unwrap_or_default();
    let strong_enough =
        uri.starts_with("https://") || (uri.starts_with("http://") && issuer.starts_with("http://"));
    if strong_enough { Ok(uri.to_owned()) } else { Err(FetchError::NoJwksUri(url)) }
}

/// How long a document may be cached (RFC 9111 §5.2.2), within bounds.
fn max_age(cache_control: Option<&str>) -> Duration {
    let Some(directives) = cache_control else { return DEFAULT_AGE };
    let mut age = DEFAULT_AGE;
    for directive in directives.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return MIN_AGE;
        }
        if name.eq_ignore_ascii_case("max-age")
            && let Ok(seconds) = value.trim_matches('"').parse()
        {
            age = Duration::from_secs(seconds);
        }
    }
    age.clamp(MIN_AGE, MAX_AGE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_is_looked_for_where_mcp_says() {
        assert_eq!(
            metadata_urls("https://id.example/t1"),
            [
                "https://id.example/.well-known/oauth-authorization-server/t1",
                "https://id.example/.well-known/openid-configuration/t1",
                "https://id.example/t1/.well-known/openid-configuration",
            ]
        );
        assert_eq!(metadata_urls("https://id.example/t1/"), metadata_urls("https://id.example/t1"));
        for root in ["http://localhost:8710", "http://localhost:8710/"] {
            assert_eq!(
                metadata_urls(root),
                [
                    "http://localhost:8710/.well-known/oauth-authorization-server",
                    "http://localhost:8710/.well-known/openid-configuration",
                ]
            );
        }
    }

    #[test]
    fn metadata_of_another_issuer_is_not_used() {
        let issuer = "https://id.example/t1";
        let metadata =
            |issuer: &str, uri: &str| json!({"issuer": issuer, "jwks_uri": uri, "token_endpoint": "x"});
        let read = |document: Value| jwks_uri(&document, issuer, "url".to_owned()).is_ok();
        assert!(read(metadata(issuer, "https://id.example/jwks")));
        assert!(!read(metadata("https://id.example/t1/", "https://id.example/jwks")));
        assert!(!read(metadata("https://ID.example/t1", "https://id.example/jwks")));
        assert!(!read(metadata(issuer, "http://id.example/jwks")), "a downgrade to http");
        assert!(!read(json!({"issuer": issuer})));
    }

    #[tokio::test]
    async fn documents_are_bounded_and_redirects_not_followed() {
        use axum::response::Redirect;
        use axum::routing::get;

        use crate::resource::fixture::{KEY, jwks};

        let document = |padding: usize| {
            let mut document = jwks([&KEY]);
            document["padding"] = json!("x".repeat(padding));
            get(move || async move { document.to_string() })
        };
        let router = axum::Router::new()
            .route("/good", document(0))
            .route("/big", document(MAX_BODY))
            .route("/moved", get(|| async { Redirect::temporary("/good") }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let fetch = async |path: &str| {
            Fetcher::new(KeySource::JwksUri(format!("{origin}{path}"))).unwrap().fetch().await
        };
        assert!(fetch("/good").await.is_ok());
        assert!(matches!(fetch("/big").await, Err(FetchError::TooLarge(_))));
        assert!(matches!(fetch("/moved").await, Err(FetchError::Status { status: 307, .. })));
    }

    #[test]
    fn cache_time_is_bounded() {
        let seconds = |header| max_age(header).as_secs();
        assert_eq!(seconds(None), 300);
        assert_eq!(seconds(Some("public, max-age=600")), 600);
        assert_eq!(seconds(Some("max-age=0")), 60);
        assert_eq!(seconds(Some("max-age=99999999")), 3600);
        assert_eq!(seconds(Some("max-age=600, No-Store")), 60);
        assert_eq!(seconds(Some("max-age=soon")), 300);
    }
}
