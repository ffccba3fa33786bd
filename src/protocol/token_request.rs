//! The token request (RFC 6749 §4.1.3, §4.4.2, §6).

use super::resource::single_wish;
use super::{Client, ErrorCode, GrantType, KnownScopes, OAuthError, Params, Resource, ResourceUri, Scope};

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

/// How far a client's own token goes (RFC 6749 §4.4): what it asks for of what the operator gave it and the resource
/// knows. When it asks for nothing, that is the resource's default scopes; when it was given none of those, it is what
/// it was given. A developer's own server, of which nobody knows the scopes, gets what is asked for.
///
/// # Errors
/// `unauthorized_client` for a client that proves nothing, secret or no secret (OAuth 2.1 §4.2); `invalid_scope` when
/// nothing of what was asked is left; `invalid_target` when the resource serves some tenants and the client is of none
/// of them.
pub fn machine_scope(
    client: &Client,
    resource: &Resource,
    asked: Option<&Scope>,
) -> Result<Scope, OAuthError> {
    if client.is_public() {
        let description = "client credentials are for clients that authenticate";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
    }
    let is_served = match &client.tenant {
        Some(tenant) => resource.admits_tenant(tenant),
        None => resource.tenants.is_empty(),
    };
    if !is_served {
        return Err(OAuthError::new(
            ErrorCode::InvalidTarget,
            "the resource does not serve this client's tenant",
        ));
    }
    let given = resource.known(&client.machine_scopes);
    let Some(asked) = asked.map(Scope::for_resource).filter(|scope| !scope.is_empty()) else {
        let default = resource.default_scopes.intersection(&given);
        return Ok(if default.is_empty() { given } else { default });
    };
    let granted = match resource.scopes {
        KnownScopes::Any => asked,
        KnownScopes::Listed(_) => asked.intersection(&given),
    };
    if granted.is_empty() {
        let description = "nothing of what was asked may be given to this client";
        return Err(OAuthError::new(ErrorCode::InvalidScope, description));
    }
    Ok(granted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, scope};
    use crate::protocol::{ClientAuthMethod, SecretHash, TenantId};

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

    #[test]
    fn a_machine_gets_what_it_asks_for_of_what_it_was_given() {
        // RFC 6749 §4.4
        let mut client = fixtures::client(&[]);
        client.machine_scopes = scope("read write other");
        client.auth_methods = vec![ClientAuthMethod::ClientSecretPost];
        let mut resource = fixtures::resource();
        for (asked, granted) in [
            (None, Ok("read")),
            (Some("read write"), Ok("read write")),
            (Some("read"), Ok("read")),
            (Some("read admin other"), Ok("read")),
            (Some("offline_access"), Ok("read")),
            (Some("read offline_access"), Ok("read")),
            (Some("admin"), Err(ErrorCode::InvalidScope)),
        ] {
            let asked = asked.map(scope);
            let result = machine_scope(&client, &resource, asked.as_ref()).map_err(|error| error.code());
            assert_eq!(result, granted.map(scope), "{asked:?}");
        }
        client.machine_scopes = scope("write");
        assert_eq!(machine_scope(&client, &resource, None), Ok(scope("write")), "given none of the defaults");
        resource.scopes = KnownScopes::Any;
        let own = scope("anything else");
        assert_eq!(machine_scope(&client, &resource, Some(&own)), Ok(own), "a developer's own server");
    }

    #[test]
    fn a_machine_is_served_where_its_tenant_is() {
        let (mut client, mut resource) = (fixtures::client(&[]), fixtures::resource());
        client.auth_methods = vec![ClientAuthMethod::ClientSecretPost];
        let code = |client: &Client, resource: &Resource| {
            machine_scope(client, resource, None).map_err(|e| e.code())
        };
        assert!(code(&client, &resource).is_ok());
        resource.tenants = vec![TenantId::parse("acme").unwrap()];
        assert_eq!(code(&client, &resource), Err(ErrorCode::InvalidTarget), "a client of no tenant");
        client.tenant = TenantId::parse("globex");
        assert_eq!(code(&client, &resource), Err(ErrorCode::InvalidTarget));
        client.tenant = TenantId::parse("acme");
        assert!(code(&client, &resource).is_ok());
    }

    #[test]
    fn a_public_client_speaks_for_nobody_but_people() {
        // OAuth 2.1 §4.2
        let mut client = fixtures::client(&[]);
        client.machine_scopes = scope("read");
        client.secret_hashes = vec![SecretHash::from_stored("left over".into())];
        let error = machine_scope(&client, &fixtures::resource(), None).unwrap_err();
        assert_eq!(
            error.code(),
            ErrorCode::UnauthorizedClient,
            "a secret that it need not show proves nothing"
        );
    }

    #[test]
    fn a_machine_without_scopes_gets_a_token_without_scopes() {
        let mut client = fixtures::client(&[]);
        client.auth_methods = vec![ClientAuthMethod::ClientSecretBasic];
        assert_eq!(machine_scope(&client, &fixtures::resource(), None), Ok(Scope::default()));
    }
}
