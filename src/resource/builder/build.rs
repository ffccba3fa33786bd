//! From what was configured to a resource server, or to what is wrong with it.

use std::sync::Arc;

use url::Url;

use super::{Builder, Keys};
use crate::clock::Clock;
use crate::protocol::is_loopback;
use crate::resource::challenge::{Realm, is_scope_token, union};
use crate::resource::fetch::{Fetcher, KeySource};
use crate::resource::jwks::KeySet;
use crate::resource::key_store::KeyStore;
use crate::resource::metadata::Metadata;
use crate::resource::server::{Parts, ResourceServer};
use crate::resource::verify::Verifier;

/// Why a resource server cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The resource is not the canonical URI of an MCP server (RFC 8707 §2, RFC 9728 §1.2).
    #[error(
        "the resource must be an http or https URL in canonical form without user, query and fragment, \
         such as {suggestion}"
    )]
    Resource {
        /// What it could be instead.
        suggestion: String,
    },
    /// The issuer, or a given `jwks_uri`, is not a usable URL (RFC 8414 §2).
    #[error("{0} is not an http or https URL without user, query and fragment")]
    Url(String),
    /// An authentication context class has characters that a challenge cannot carry.
    #[error("{0:?} is no acr value: printable ASCII without spaces, quotes and backslashes")]
    Acr(String),
    /// A scope has characters that scopes cannot have (RFC 6749 §3.3).
    #[error("{0:?} is not a scope: printable ASCII without spaces, quotes and backslashes")]
    Scope(String),
    /// The given keys hold no usable signing key.
    #[error("the JWKS holds no usable public signing key")]
    Jwks,
    /// No algorithm is allowed.
    #[error("at least one signature algorithm must be allowed")]
    Algorithms,
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Http(#[from] reqwest::Error),
}

impl Builder {
    /// Checks the configuration. Nothing is fetched before the first request.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] tells what is wrong.
    pub fn build(self) -> Result<ResourceServer, ConfigError> {
        check_resource(&self.resource)?;
        check_url(&self.issuer)?;
        if self.algorithms.is_empty() {
            return Err(ConfigError::Algorithms);
        }
        let mut challenged = Vec::new();
        union(&mut challenged, self.required.iter().chain(&self.initial).map(String::as_str));
        let known = self.known_scopes()?;
        let mut classes = self.calls.logins.values().flat_map(|login| &login.acr_values);
        if let Some(class) = classes.find(|class| !is_scope_token(class)) {
            return Err(ConfigError::Acr(class.clone()));
        }
        let metadata = Metadata {
            resource: self.resource.clone(),
            issuer: self.issuer.clone(),
            name: self.name,
            scopes_supported: known,
        };
        let realm = Realm { metadata_url: metadata.url(), initial_scope: challenged.join(" ") };
        let keys = match self.keys {
            Keys::Discovered => remote(KeySource::Issuer(self.issuer.clone()), &self.clock)?,
            Keys::JwksUri(uri) => {
                check_url(&uri)?;
                remote(KeySource::JwksUri(uri), &self.clock)?
            }
            Keys::Fixed(document) => {
                let keys = KeySet::parse(&document).filter(|keys| !keys.is_empty());
                KeyStore::fixed(keys.ok_or(ConfigError::Jwks)?, self.clock.clone())
            }
        };
        let takes_test_tokens = is_on_loopback(&self.issuer) && is_on_loopback(&self.resource);
        let verifier = Verifier {
            issuer: self.issuer,
            audience: self.audience.unwrap_or(self.resource),
            tenant: self.tenant,
            algorithms: self.algorithms,
            leeway: self.leeway,
            clock: self.clock,
            names: self.names,
            keys: Arc::new(keys),
            takes_test_tokens,
        };
        Ok(ResourceServer::from_parts(Parts {
            metadata,
            realm: Arc::new(realm),
            verifier,
            required: self.required.into(),
            calls: self.calls,
            max_body: self.max_body,
            browser_clients: self.browser_clients,
        }))
    }

    /// Every scope mentioned, checked; without `offline_access`.
    fn known_scopes(&self) -> Result<Vec<String>, ConfigError> {
        let mut by_calls: Vec<&String> = self.calls.all().collect();
        by_calls.sort();
        let mentioned =
            self.scopes_supported.iter().chain(&self.required).chain(&self.initial).chain(by_calls);
        let mut known = Vec::new();
        for scope in mentioned {
            if !is_scope_token(scope) {
                return Err(ConfigError::Scope(scope.clone()));
            }
            union(&mut known, (scope != "offline_access").then_some(scope.as_str()));
        }
        Ok(known)
    }
}

fn remote(source: KeySource, clock: &Clock) -> Result<KeyStore, ConfigError> {
    Ok(KeyStore::remote(Fetcher::new(source)?, clock.clone()))
}

fn plain_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

fn is_on_loopback(text: &str) -> bool {
    plain_url(text).is_some_and(|url| url.host().is_some_and(|host| is_loopback(&host)))
}

fn check_url(text: &str) -> Result<(), ConfigError> {
    plain_url(text).map(drop).ok_or_else(|| ConfigError::Url(text.to_owned()))
}

/// The resource is compared byte for byte, so only the form that every client arrives at will do.
fn check_resource(text: &str) -> Result<(), ConfigError> {
    let url = plain_url(text)
        .ok_or_else(|| ConfigError::Resource { suggestion: "https://mcp.example.com/mcp".to_owned() })?;
    let canonical = url.as_str();
    if text == canonical || text == canonical.trim_end_matches('/') {
        Ok(())
    } else {
        Err(ConfigError::Resource { suggestion: canonical.to_owned() })
    }
}
