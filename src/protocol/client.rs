//! Clients: the programs that ask for tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::client_assertion::AssertionAlgorithm;
use super::{ClientId, ErrorCode, OAuthError, RedirectUri, Scope, SecretHash, Timestamp};

/// How a client became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientOrigin {
    /// Declared in the configuration file.
    Config,
    /// Added by an administrator.
    Admin,
    /// Registered itself (RFC 7591).
    Dynamic,
    /// Published a client id metadata document, whose URL is its identifier.
    Document,
}

impl ClientOrigin {
    /// Every origin.
    pub const ALL: [Self; 4] = [Self::Config, Self::Admin, Self::Dynamic, Self::Document];

    /// Its stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Admin => "admin",
            Self::Dynamic => "dynamic",
            Self::Document => "document",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text)
    }

    /// Whether an operator vouches for the client. Nobody is redirected for other clients before they have logged
    /// in (RFC 9700 §4.11.2).
    pub fn is_vouched_for(self) -> bool {
        matches!(self, Self::Config | Self::Admin)
    }
}

/// How a client proves at the token endpoint that it is itself (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// A public client: it cannot keep a secret, so it has none.
    None,
    /// A secret in an HTTP Basic header.
    ClientSecretBasic,
    /// A secret in the request's form.
    ClientSecretPost,
    /// An assertion that the client's own key signed (RFC 7523 §2.2).
    PrivateKeyJwt,
}

impl ClientAuthMethod {
    /// Every method that this server knows, in the order in which metadata lists them.
    pub const ALL: [Self; 4] =
        [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt];

    /// Its registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Whether client and server share a secret for it.
    pub fn is_by_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }

    /// Reads a registered name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// What a token request can offer for a token (RFC 6749 §1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A code from the authorization endpoint.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// The client's own credentials.
    ClientCredentials,
}

impl GrantType {
    /// Every grant type that this server knows.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// Its registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Reads a registered name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

/// The public keys of a client that signs (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKeys {
    /// By value.
    Inline {
        /// A JSON Web Key Set, as text.
        jwks: String,
    },
    /// At an address.
    Remote {
        /// `jwks_uri`.
        uri: String,
        /// The JSON Web Key Set that was last there, as text.
        jwks: Option<String>,
        /// When it was last looked for, found or not.
        tried_at: Option<Timestamp>,
    },
}

impl ClientKeys {
    /// Keys at an address: by https, or by http on loopback where `loopback` allows that. Where it leads is judged
    /// again when it is fetched.
    pub fn at(address: &str, loopback: bool) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_good = url.scheme() == "https" || (url.scheme() == "http" && is_loopback && loopback);
        is_good.then(|| Self::Remote { uri: address.to_owned(), jwks: None, tried_at: None })
    }

    /// The rule of [`ClientKeys::at`], for people.
    pub fn address_rule(loopback: bool) -> &'static str {
        if loopback { "must be an https URL, or http on loopback" } else { "must be an https URL" }
    }

    /// The JSON Web Key Set, if one is known.
    pub fn jwks(&self) -> Option<&str> {
        match self {
            Self::Inline { jwks } => Some(jwks),
            Self::Remote { jwks, .. } => jwks.as_deref(),
        }
    }
}

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
