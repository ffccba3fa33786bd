//! Errors in OAuth's own words, and the one table that says with which status each is answered.

use std::fmt;

/// An error code of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 8707 §2 or OpenID Connect
/// Core §3.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// The client is unknown or failed to authenticate.
    InvalidClient,
    /// The code or refresh token is not (or no longer) good.
    InvalidGrant,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// The server does not know this grant type.
    UnsupportedGrantType,
    /// The server does not know this response type.
    UnsupportedResponseType,
    /// The scope is malformed, or nothing that may be given is left of it.
    InvalidScope,
    /// The resource is not known here (RFC 8707 §2).
    InvalidTarget,
    /// The person refused.
    AccessDenied,
    /// `prompt=none`, but somebody would have to log in.
    LoginRequired,
    /// `prompt=none`, but somebody would have to consent.
    ConsentRequired,
    /// Nobody can log in here in the way that is asked for (RFC 9470 §5).
    UnmetAuthenticationRequirements,
    /// The request is in a JWT, which the server does not read (OpenID Connect Core §3.1.2.6).
    RequestNotSupported,
    /// The request is at another address, where the server does not look.
    RequestUriNotSupported,
    /// The request registers its client, which the server does not do there.
    RegistrationNotSupported,
    /// The server cannot revoke tokens of this type (RFC 7009 §2.2.1).
    UnsupportedTokenType,
    /// The bearer token is missing, unknown or no longer good (RFC 6750 §3.1).
    InvalidToken,
    /// The bearer token does not reach that far (RFC 6750 §3.1).
    InsufficientScope,
    /// A redirect URI in a registration cannot be accepted.
    InvalidRedirectUri,
    /// Another member of a registration cannot be accepted.
    InvalidClientMetadata,
    /// The fault is ours.
    ServerError,
    /// Too much from one peer. On the wire it is the same word as the next.
    TooManyRequests,
    /// Too much at once, or a part that is needed does not answer.
    TemporarilyUnavailable,
}

/// Where an error is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The token, introspection and revocation endpoints; JSON.
    Token,
    /// The authorization endpoint; a redirect or a page.
    Authorize,
    /// The registration and client configuration endpoints; JSON.
    Register,
    /// The userinfo endpoint; JSON.
    Userinfo,
}

/// How an error is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A JSON object with this status.
    Json(u16),
    /// A redirect to the client, once its redirect URI is proven; a page with this status until then.
    Redirect {
        /// The page's status.
        page: u16,
    },
    /// A page with this status, never a redirect.
    Page(u16),
    /// Does not occur there; answered as [`ErrorCode::ServerError`].
    Never,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 23] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::UnsupportedResponseType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::AccessDenied,
        Self::LoginRequired,
        Self::ConsentRequired,
        Self::UnmetAuthenticationRequirements,
        Self::RequestNotSupported,
        Self::RequestUriNotSupported,
        Self::RegistrationNotSupported,
        Self::UnsupportedTokenType,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::InvalidRedirectUri,
        Self::InvalidClientMetadata,
        Self::ServerError,
        Self::TooManyRequests,
        Self::TemporarilyUnavailable,
    ];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::ServerError => "server_error",
            Self::TooManyRequests | Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The table of code × endpoint → answer.
    pub fn answer(self, endpoint: Endpoint) -> Answer {
        use Answer::{Json, Never, Page, Redirect};
        use Endpoint::{Authorize, Register, Token, Userinfo};
        match (self, endpoint) {
            (Self::InvalidRequest, Token | Register | Userinfo) => Json(400),
            (Self::InvalidRequest, Authorize) => Redirect { page: 400 },
            (Self::InvalidClient, Token) => Json(401),
            (Self::InvalidClient, Authorize) => Page(400),
            (Self::InvalidGrant | Self::UnsupportedGrantType, Token) => Json(400),
            (Self::UnauthorizedClient | Self::InvalidScope | Self::InvalidTarget, Token) => Json(400),
            (Self::UnauthorizedClient | Self::InvalidScope | Self::InvalidTarget, Authorize) => {
                Redirect { page: 400 }
            }
            (
                Self::AccessDenied
                | Self::UnsupportedResponseType
                | Self::LoginRequired
                | Self::ConsentRequired
                | Self::UnmetAuthenticationRequirements
                | Self::RequestNotSupported
                | Self::RequestUriNotSupported
                | Self::RegistrationNotSupported,
                Authorize,
            ) => Redirect { page: 400 },
            (Self::UnsupportedTokenType, Token) => Json(400),
            (Self::InvalidToken, Token | Register | Userinfo) => Json(401),
            (Self::InsufficientScope, Token | Register | Userinfo) => Json(403),
            (Self::InvalidRedirectUri | Self::InvalidClientMetadata, Register) => Json(400),
            (Self::ServerError, Token | Register | Userinfo) => Json(500),
            (Self::ServerError, Authorize) => Redirect { page: 500 },
            (Self::TooManyRequests, Token | Register | Userinfo) => Json(429),
            (Self::TooManyRequests, Authorize) => Page(429),
            (Self::TemporarilyUnavailable, Token | Register | Userinfo) => Json(503),
            (Self::TemporarilyUnavailable, Authorize) => Page(503),
            _ => Never,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: a code and a sentence for the peer, and a detail for our log alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}", self.description())]
pub struct OAuthError {
    code: ErrorCode,
    description: &'static str,
    parameter: Option<&'static str>,
    detail: Option<String>,
}

impl OAuthError {
    /// A refusal. The description is fixed text, so that nothing a stranger sent can come back in it
    /// (RFC 6749 §5.2 allows printable ASCII without `"` and `\`).
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description, parameter: None, detail: None }
    }

    /// Names the parameter at fault, one of ours.
    #[must_use]
    pub const fn about(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }

    /// Adds what only the log should say.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The parameter at fault, if one is.
    pub fn parameter(&self) -> Option<&'static str> {
        self.parameter
    }

    /// What is wrong, without the parameter's name.
    pub fn reason(&self) -> &'static str {
        self.description
    }

    /// The sentence for the peer.
    pub fn description(&self) -> String {
        match self.parameter {
            Some(parameter) => format!("{parameter}: {}", self.description),
            None => self.description.to_owned(),
        }
    }

    /// The detail for the log.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_answered_where_it_can_occur() {
        use Answer::{Json, Never, Page, Redirect};
        // RFC 6749 §5.2 and §4.1.2.1, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 7591 §3.2.2, RFC 8707 §2
        let to_client = Redirect { page: 400 };
        let table = [
            ("invalid_request", Json(400), to_client, Json(400), Json(400)),
            ("invalid_client", Json(401), Page(400), Never, Never),
            ("invalid_grant", Json(400), Never, Never, Never),
            ("unauthorized_client", Json(400), to_client, Never, Never),
            ("unsupported_grant_type", Json(400), Never, Never, Never),
            ("unsupported_response_type", Never, to_client, Never, Never),
            ("invalid_scope", Json(400), to_client, Never, Never),
            ("invalid_target", Json(400), to_client, Never, Never),
            ("access_denied", Never, to_client, Never, Never),
            ("login_required", Never, to_client, Never, Never),
            ("consent_required", Never, to_client, Never, Never),
            ("unmet_authentication_requirements", Never, to_client, Never, Never),
            ("request_not_supported", Never, to_client, Never, Never),
            ("request_uri_not_supported", Never, to_client, Never, Never),
            ("registration_not_supported", Never, to_client, Never, Never),
            ("unsupported_token_type", Json(400), Never, Never, Never),
            ("invalid_token", Json(401), Never, Json(401), Json(401)),
            ("insufficient_scope", Json(403), Never, Json(403), Json(403)),
            ("invalid_redirect_uri", Never, Never, Json(400), Never),
            ("invalid_client_metadata", Never, Never, Json(400), Never),
            ("server_error", Json(500), Redirect { page: 500 }, Json(500), Json(500)),
            ("temporarily_unavailable", Json(429), Page(429), Json(429), Json(429)),
            ("temporarily_unavailable", Json(503), Page(503), Json(503), Json(503)),
        ];
        assert_eq!(table.len(), ErrorCode::ALL.len());
        for (code, (name, token, authorize, register, userinfo)) in ErrorCode::ALL.into_iter().zip(table) {
            assert_eq!(code.as_str(), name);
            assert_eq!(code.to_string(), name);
            assert_eq!(code.answer(Endpoint::Token), token, "{name}");
            assert_eq!(code.answer(Endpoint::Authorize), authorize, "{name}");
            assert_eq!(code.answer(Endpoint::Register), register, "{name}");
            assert_eq!(code.answer(Endpoint::Userinfo), userinfo, "{name}");
        }
    }

    #[test]
    fn the_detail_is_not_part_of_what_the_peer_sees() {
        let error = OAuthError::new(ErrorCode::InvalidGrant, "the code is not valid").with_detail("expired");
        assert_eq!(error.to_string(), "invalid_grant: the code is not valid");
        assert_eq!(
            (error.description().as_str(), error.detail()),
            ("the code is not valid", Some("expired"))
        );
        let error = OAuthError::new(ErrorCode::InvalidRequest, "is missing").about("code");
        assert_eq!((error.description().as_str(), error.parameter()), ("code: is missing", Some("code")));
    }
}
