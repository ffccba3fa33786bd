//! Configuring a resource server.

mod build;

use std::time::Duration;

pub use build::ConfigError;
use serde_json::Value;

use super::calls::CallScopes;
use super::claims::ClaimNames;
use super::jwks::Algorithm;
use crate::clock::Clock;

/// Largest POST body that is read to know its calls; the same as rmcp's own limit.
const DEFAULT_MAX_BODY: usize = 4 * 1024 * 1024;

/// Collects the configuration of a [`ResourceServer`](super::ResourceServer); only resource and issuer are needed.
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
}

fn list(scopes: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    scopes.into_iter().map(Into::into).collect()
}
