//! What kinds of client there are: how one became known, how it authenticates, what it may offer for tokens.

use serde::{Deserialize, Serialize};

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
