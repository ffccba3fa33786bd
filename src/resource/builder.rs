//! Configuring a resource server.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::calls::CallScopes;
use super::challenge::{Realm, is_scope_token, union};
use super::claims::ClaimNames;
use super::fetch::{Fetcher, KeySource};
use super::jwks::{Algorithm, KeySet};
use super::key_store::KeyStore;
use super::metadata::Metadata;
use super::server::{Parts, ResourceServer};
use super::verify::Verifier;
use crate::clock::Clock;

/// Largest POST body that is read to know its calls; the same as rmcp's own limit.
const DEFAULT_MAX_BODY: usize = 4 * 1024 * 1024;

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

/// Collects the configuration of a [`ResourceServer`]; only resource and issuer are needed.
#[derive(Clone, Debug)]
#[must_use = "call build()"]
pub struct Builder {
    resource: String,
    issuer: String,
    name: Option<String>,
    scopes_supported: Vec<String>,
    required: Vec<String>,
    initial: Vec<String>,
    calls: CallScopes,
    audience: Option<String>,
    tenant: Option<String>,
    names: ClaimNames,
    keys: Keys,
    algorithms: Vec<Algorithm>,
    leeway: Duration,
    clock: Clock,
    max_body: usize,
    browser_clients: bool,
}

#[derive(Clone, Debug)]
enum Keys {
    Discovered,
    JwksUri(String),
    Fixed(Value),
}

impl Builder {
    pub(super) fn new(resource: String, issuer: String) -> Self {
        Self {
            resource,
            issuer,
            name: None,
            scopes_supported: Vec::new(),
            required: Vec::new(),
            initial: Vec::new(),
            calls: CallScopes::default(),
            audience: None,
            tenant: None,
            names: ClaimNames { tenant: "tenant".to_owned(), roles: "roles".to_owned() },
            keys: Keys::Discovered,
            algorithms: vec![Algorithm::Rs256],
            leeway: Duration::ZERO,
            clock: Clock::system(),
            max_body: DEFAULT_MAX_BODY,
            browser_clients: false,
        }
    }

    /// The name that people see for this server (`resource_name`, RFC 9728 §2).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The scopes that this server knows (`scopes_supported`). Scopes that are required anywhere are added, and
    /// `offline_access` is left out: it is the client's business with the authorization server (MCP 2026-07-28).
    pub fn scopes_supported(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes_supported = list(scopes);
        self
    }

    /// The scopes that every request needs. They are in the first challenge, too.
    pub fn required_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required = list(scopes);
        self
    }

    /// Further scopes that a client should ask for at first, named in the `401` challenge and not enforced: MCP
    /// clients ask for what the challenge names, and for nothing else.
    pub fn initial_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.initial = list(scopes);
        self
    }

    /// The scopes that calling this MCP tool needs, besides the required ones. A call without them is answered `403`
    /// with a step-up challenge before the MCP server sees it. Declaring any tool makes the layer read POST bodies.
    pub fn tool(
        mut self,
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.calls.tools.insert(name.into(), list(scopes));
        self
    }

    /// How long ago the person may have logged in who calls this MCP tool. A call with an older login is answered `401`
    /// with an RFC 9470 challenge (`insufficient_user_authentication` and `max_age`), by which a client sends the person
    /// to log in again. Call it besides [`tool`](Self::tool).
    pub fn tool_max_age(mut self, name: impl Into<String>, max_age: Duration) -> Self {
        self.calls.logins.entry(name.into()).or_default().max_age = Some(max_age);
        self
    }

    /// The ways to log in, any of which will do for this MCP tool (`acr_values`); as
    /// [`tool_max_age`](Self::tool_max_age). They are printable ASCII without space, quote and backslash, as the
    /// issuer puts them into `acr`.
    pub fn tool_acr_values(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.calls.logins.entry(name.into()).or_default().acr_values = list(values);
        self
    }

    /// The scopes that tools need which [`tool`](Self::tool) does not name. Set it if a tool added later must not be
    /// open to everyone by oversight.
    pub fn other_tools(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.calls.other_tools = list(scopes);
        self
    }

    /// The scopes that a JSON-RPC method needs, such as `resources/read`.
    pub fn method(
        mut self,
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.calls.methods.insert(name.into(), list(scopes));
        self
    }

    /// What tokens must have in `aud`, where that is not the resource's URI.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Accepts only tokens of this tenant.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// The claims in which the issuer puts the tenant (a text) and the roles (a text or a list); `tenant` and `roles`
    /// unless told.
    pub fn claim_names(mut self, tenant: impl Into<String>, roles: impl Into<String>) -> Self {
        self.names = ClaimNames { tenant: tenant.into(), roles: roles.into() };
        self
    }

    /// Fetches the keys from here instead of asking the issuer's metadata.
    pub fn jwks_uri(mut self, uri: impl Into<String>) -> Self {
        self.keys = Keys::JwksUri(uri.into());
        self
    }

    /// Uses the keys of this JWKS (RFC 7517 §5) and fetches nothing. For tests.
    pub fn jwks(mut self, document: Value) -> Self {
        self.keys = Keys::Fixed(document);
        self
    }

    /// The signature algorithms accepted; RS256 alone unless told.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How long after `exp`, and before `nbf`, a token is still accepted, for clocks that differ. None unless told;
    /// at most 5 minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(Duration::from_secs(300));
        self
    }

    /// Where the time comes from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The largest POST body, in bytes, that is accepted where bodies must be read; 4 MiB unless told.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Answers CORS for MCP clients that run in a web page: any origin, no credentials, challenges readable. Without
    /// it preflight requests pass through to your own CORS layer, which then belongs outside of this one as well.
    pub fn browser_clients(mut self) -> Self {
        self.browser_clients = true;
        self
    }

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
        let verifier = Verifier {
            issuer: self.issuer,
            audience: self.audience.unwrap_or(self.resource),
            tenant: self.tenant,
            algorithms: self.algorithms,
            leeway: self.leeway,
            clock: self.clock,
            names: self.names,
            keys: Arc::new(keys),
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

fn list(scopes: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    scopes.into_iter().map(Into::into).collect()
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
