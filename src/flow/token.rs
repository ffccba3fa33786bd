//! The token endpoint (RFC 6749 §3.2): authenticate the client, then match the grant type once.

use super::{Engine, Failure, TokenAnswer};
use crate::protocol::token_request::TokenRequest;
use crate::protocol::{ErrorCode, OAuthError, Params, TooMany};

/// Why no token is given.
#[derive(Debug)]
pub enum Refusal {
    /// The client did something wrong.
    Refused(OAuthError),
    /// A secret or an assertion proves nothing about a client that there is: somebody may be guessing.
    WrongProof(OAuthError),
    /// Too much at once.
    TooMany(TooMany),
    /// We did.
    Failed(Failure),
}

impl Refusal {
    /// The error that the peer is told, when it is the peer's.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) | Self::WrongProof(error) => Some(error.code()),
            Self::TooMany(_) | Self::Failed(_) => None,
        }
    }
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

impl<E: Into<Failure>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Engine {
    /// Answers a token request. `authorization` is the header of that name.
    ///
    /// # Errors
    /// In the words of RFC 6749 §5.2 and RFC 8707 §2. A client that is gone is told so (`invalid_client`) whatever else
    /// is wrong, so that it registers anew.
    pub async fn token(&self, authorization: Option<&str>, params: &Params) -> Result<TokenAnswer, Refusal> {
        let client = self.authenticated_client(authorization, params).await?;
        let request = TokenRequest::parse(params)?;
        client.require_grant_type(request.grant_type())?;
        match request {
            TokenRequest::AuthorizationCode { code, redirect_uri, verifier, resource } => {
                self.redeem(&client, &code, redirect_uri.as_deref(), &verifier, resource.as_ref()).await
            }
            TokenRequest::RefreshToken { refresh_token, scope, resource } => {
                self.refresh(&client, &refresh_token, scope.as_ref(), resource.as_ref()).await
            }
            TokenRequest::ClientCredentials { scope, resource } => {
                self.client_credentials(&client, scope.as_ref(), resource.as_ref()).await
            }
        }
    }
}

/// The one answer to a code or refresh token that is not ours, whichever part of it is wrong.
pub(super) fn invalid_grant(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}
