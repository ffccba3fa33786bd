//! The token request (RFC 6749 §4.1.3, §4.4.2, §6).

use super::resource::single_wish;
use super::{ErrorCode, GrantType, OAuthError, Params, ResourceUri, Scope};

/// What is offered for a token. Values are still as they were sent where only the stored side can judge them.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// A code.
    AuthorizationCode {
        /// The code.
        code: String,
        /// The redirect URI, when it is repeated (OAuth 2.1 §10.2).
        redirect_uri: Option<String>,
        /// The verifier.
        verifier: String,
        /// The resource that is named.
        resource: Option<ResourceUri>,
    },
    /// A refresh token.
    RefreshToken {
        /// The token.
        refresh_token: String,
        /// The scope that is named.
        scope: Option<Scope>,
        /// The resource that is named.
        resource: Option<ResourceUri>,
    },
    /// The client itself.
    ClientCredentials {
        /// The scope that is named.
        scope: Option<Scope>,
        /// The resource that is named.
        resource: Option<ResourceUri>,
    },
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.grant_type().as_str())
    }
}

impl TokenRequest {
    /// Reads a request. It is called after the client has authenticated, so that a client which is gone is told so
    /// whatever else is wrong.
    ///
    /// # Errors
    /// `invalid_request`, `unsupported_grant_type`, `invalid_scope`, `invalid_target`.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        let grant_type = GrantType::parse(params.one("grant_type")?)
            .ok_or(OAuthError::new(ErrorCode::UnsupportedGrantType, "the grant type is not supported"))?;
        let resource = single_wish(&params.many("resource"))?;
        Ok(match grant_type {
            GrantType::AuthorizationCode => Self::AuthorizationCode {
                code: params.one("code")?.to_owned(),
                redirect_uri: params.optional("redirect_uri")?.map(str::to_owned),
                verifier: params.one("code_verifier")?.to_owned(),
                resource,
            },
            GrantType::RefreshToken => Self::RefreshToken {
                refresh_token: params.one("refresh_token")?.to_owned(),
                scope: super::authorize::scope(params)?,
                resource,
            },
            GrantType::ClientCredentials => {
                Self::ClientCredentials { scope: super::authorize::scope(params)?, resource }
            }
        })
    }

    /// Which grant type it uses.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode { .. } => GrantType::AuthorizationCode,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::scope;

    fn parse(form: &str) -> Result<TokenRequest, ErrorCode> {
        TokenRequest::parse(&Params::parse(form.as_bytes()).unwrap()).map_err(|error| error.code())
    }

    #[test]
    fn each_grant_type_has_its_parameters() {
        let uri = |text| ResourceUri::parse(text).unwrap();
        let code = parse(
            "grant_type=authorization_code&code=c&code_verifier=v&redirect_uri=r&resource=https://a.example",
        );
        assert_eq!(
            code,
            Ok(TokenRequest::AuthorizationCode {
                code: "c".into(),
                redirect_uri: Some("r".into()),
                verifier: "v".into(),
                resource: Some(uri("https://a.example")),
            })
        );
        let refresh = parse("grant_type=refresh_token&refresh_token=t&scope=a");
        assert_eq!(
            refresh,
            Ok(TokenRequest::RefreshToken {
                refresh_token: "t".into(),
                scope: Some(scope("a")),
                resource: None
            })
        );
        let machine = parse("grant_type=client_credentials&scope=");
        assert_eq!(machine, Ok(TokenRequest::ClientCredentials { scope: None, resource: None }));
        assert_eq!(
            format!("{code:?} {refresh:?} {machine:?}"),
            "Ok(authorization_code) Ok(refresh_token) Ok(client_credentials)"
        );
    }

    #[test]
    fn what_breaks_a_rule_is_refused_in_its_own_words() {
        // OAuth 2.1 §4.1.2.1
        use ErrorCode::*;
        for (form, code) in [
            ("", InvalidRequest),
            ("grant_type=password", UnsupportedGrantType),
            ("grant_type=authorization_code&code_verifier=v", InvalidRequest),
            ("grant_type=authorization_code&code=c", InvalidRequest),
            ("grant_type=authorization_code&code=c&code=d&code_verifier=v", InvalidRequest),
            ("grant_type=authorization_code&code=c&code_verifier=v&code_verifier=w", InvalidRequest),
            (
                "grant_type=authorization_code&code=c&code_verifier=v&redirect_uri=a&redirect_uri=b",
                InvalidRequest,
            ),
            ("grant_type=refresh_token&refresh_token=t&refresh_token=t", InvalidRequest),
            ("grant_type=refresh_token&refresh_token=t&scope=a&scope=b", InvalidRequest),
            ("grant_type=refresh_token&refresh_token=t&grant_type=refresh_token", InvalidRequest),
            ("grant_type=refresh_token", InvalidRequest),
            ("grant_type=refresh_token&refresh_token=t&scope=%22", InvalidScope),
            ("grant_type=client_credentials&scope=%22", InvalidScope),
            (
                "grant_type=client_credentials&resource=https://a.example&resource=https://b.example",
                InvalidTarget,
            ),
            ("grant_type=client_credentials&resource=a", InvalidTarget),
        ] {
            assert_eq!(parse(form), Err(code), "{form}");
        }
    }
}
