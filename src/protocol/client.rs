//! Clients: the programs that ask for tokens.

mod keys;
mod kind;

use std::collections::BTreeMap;
use std::time::Duration;

pub use keys::ClientKeys;
pub use kind::{ClientAuthMethod, ClientOrigin, GrantType};

use super::client_assertion::AssertionAlgorithm;
use super::{ClientId, ErrorCode, OAuthError, RedirectUri, Scope, SecretHash, Timestamp};

/// What is known about the document that a client is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentState {
    /// Digest of what matters to a person who consents: another digest is another client to be asked about.
    pub digest: String,
    /// Until when it is used without looking again.
    pub fresh_until: Timestamp,
}

/// A client as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// How it became known.
    pub origin: ClientOrigin,
    /// The name it gave itself, or the operator gave it.
    pub name: Option<String>,
    /// Its home page.
    pub uri: Option<String>,
    /// Further members of its registration that only inform (RFC 7591 §2: `logo_uri`, `software_id` …).
    pub about: BTreeMap<String, String>,
    /// How to reach the people who are responsible for it (RFC 7591 §2, `contacts`); for the operator.
    pub contacts: Vec<String>,
    /// Where answers may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may be sent after a logout (OpenID Connect RP-Initiated Logout §3.1).
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// What it may offer for tokens.
    pub grant_types: Vec<GrantType>,
    /// The ways in which it authenticates; any of them will do.
    pub auth_methods: Vec<ClientAuthMethod>,
    /// Its public keys, when it signs.
    pub keys: Option<ClientKeys>,
    /// The one algorithm by which its assertions are signed, if it has committed itself to one (OpenID Connect
    /// Registration §2, `token_endpoint_auth_signing_alg`).
    pub assertion_alg: Option<AssertionAlgorithm>,
    /// What it asks for when a request names no scope: a default, not a ceiling.
    pub scope: Option<Scope>,
    /// The most that it can be given, when the initial access token that it registered with says so.
    pub ceiling: Option<Scope>,
    /// How long ago people may have logged in when a request does not say (OpenID Connect Registration §2).
    pub default_max_age: Option<Duration>,
    /// Whether its id tokens say when the person logged in, also unasked (OpenID Connect Registration §2).
    pub require_auth_time: bool,
    /// The resource that it means when it names none.
    pub default_resource: Option<super::ResourceUri>,
    /// What its tokens are for when neither a request nor `default_resource` says so: an audience of its own, which
    /// may be its identifier.
    pub audience: Option<String>,
    /// The scopes that it may obtain for itself by client credentials, at every resource that knows them.
    pub machine_scopes: Scope,
    /// The scopes that it may obtain for itself at single resources, where these are not `machine_scopes`.
    pub machine: Vec<super::MachineScopes>,
    /// What the operator wrote down about it, for claims to be mapped from.
    pub attributes: super::Attributes,
    /// The tenant that its own tokens (client credentials) belong to. People use it there alone, unless `tenants` says
    /// otherwise.
    pub tenant: Option<super::TenantId>,
    /// The tenants in which people may use it; when empty, `tenant` alone, or every tenant.
    pub tenants: Vec<super::TenantId>,
    /// The resources that it is the server of: it may introspect their tokens (RFC 7662 §2.1).
    pub introspects: Vec<super::ResourceUri>,
    /// Whether it belongs to the operator, so that people need not be asked.
    pub first_party: bool,
    /// The state of its document, for a client of that origin.
    pub document: Option<DocumentState>,
    /// Its live secrets, at most two, so that they can be exchanged without downtime.
    pub secret_hashes: Vec<SecretHash>,
    /// What its registration access token hashes to, if it may manage its registration (RFC 7592 §3).
    pub management: Option<SecretHash>,
    /// When it was registered.
    pub registered_at: Timestamp,
}

impl Client {
    /// A public client of which nothing is known but its identifier and origin: what every other one starts from.
    pub fn new(id: ClientId, origin: ClientOrigin, registered_at: Timestamp) -> Self {
        Self {
            id,
            origin,
            name: None,
            uri: None,
            about: BTreeMap::new(),
            contacts: Vec::new(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: Vec::new(),
            auth_methods: vec![ClientAuthMethod::None],
            keys: None,
            assertion_alg: None,
            scope: None,
            ceiling: None,
            default_max_age: None,
            require_auth_time: false,
            default_resource: None,
            audience: None,
            machine_scopes: Scope::default(),
            machine: Vec::new(),
            attributes: super::Attributes::new(),
            tenant: None,
            tenants: Vec::new(),
            introspects: Vec::new(),
            first_party: false,
            document: None,
            secret_hashes: Vec::new(),
            management: None,
            registered_at,
        }
    }

    /// Whether people may use it in `tenant`.
    pub fn admits_tenant(&self, tenant: &super::TenantId) -> bool {
        match self.tenants.as_slice() {
            [] => self.tenant.as_ref().is_none_or(|bound| bound == tenant),
            tenants => tenants.contains(tenant),
        }
    }

    /// Whether it may use `grant_type`.
    pub fn require_grant_type(&self, grant_type: GrantType) -> Result<(), OAuthError> {
        if self.grant_types.contains(&grant_type) {
            return Ok(());
        }
        Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "this client is not registered for this grant type",
        ))
    }

    /// Whether it may come without proof of who it is.
    pub fn is_public(&self) -> bool {
        self.auth_methods.contains(&ClientAuthMethod::None)
    }

    /// The digest of its document, for a client that has one.
    pub fn document_digest(&self) -> Option<&str> {
        self.document.as_ref().map(|document| document.digest.as_str())
    }

    /// The name to show to people: its own, else its identifier.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.id.as_str())
    }
}

#[cfg(test)]
mod tests;
