//! The authorization request, in two steps (RFC 6749 §4.1.1; OAuth 2.1 §4.1.1).
//!
//! [`Received`] becomes [`Addressed`] once client and redirect URI are proven to belong together: until then every
//! error is a page, from then on it is a redirect. A [`ReturnAddress`] can be made nowhere else, so nobody can be
//! redirected to an address that was not proven (RFC 9700 §4.11.2).

use std::time::Duration;

use super::params::encode_pair;
use super::resource::wishes;
use super::{
    Client, ClientId, CodeChallenge, ErrorCode, GrantType, Issuer, OAuthError, Params, RedirectUri,
    ResourceUri, Scope, TenantId,
};

/// A request of which only the client's name has been read.
#[derive(Clone, Debug)]
pub struct Received {
    params: Params,
    client_id: ClientId,
}

impl Received {
    /// Reads whose request it is.
    ///
    /// # Errors
    /// For a page: `invalid_request` when `client_id` is missing or repeated, `invalid_client` when it cannot be one.
    pub fn parse(params: Params) -> Result<Self, OAuthError> {
        let text = params.one("client_id")?;
        let client_id = ClientId::parse(text).ok_or(OAuthError::new(
            ErrorCode::InvalidClient,
            "client_id: no client has such an identifier",
        ))?;
        Ok(Self { params, client_id })
    }

    /// Who asks.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The parameters, to park the request with.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Proves that answers may be sent where the request wants them.
    ///
    /// # Errors
    /// For a page: `invalid_request` when the redirect URI is missing though several are registered (OAuth 2.1
    /// §2.3.2), malformed, repeated or not registered, or when `state` is repeated.
    pub fn address(self, client: Client, issuer: &Issuer) -> Result<Addressed, OAuthError> {
        let redirect_uri = match (self.params.optional("redirect_uri")?, client.redirect_uris.as_slice()) {
            (Some(text), registered) => registered_uri(text, registered)?,
            (None, [only]) => only.clone(),
            (None, _) => {
                let error = OAuthError::new(ErrorCode::InvalidRequest, "the parameter is missing");
                return Err(error.about("redirect_uri"));
            }
        };
        let state = self.params.optional("state")?.map(str::to_owned);
        let address = ReturnAddress { redirect_uri, state, issuer: issuer.clone() };
        Ok(Addressed { params: self.params, client, address })
    }
}

fn registered_uri(text: &str, registered: &[RedirectUri]) -> Result<RedirectUri, OAuthError> {
    let refused =
        OAuthError::new(ErrorCode::InvalidRequest, "is not registered for this client").about("redirect_uri");
    match RedirectUri::parse(text) {
        Ok(uri) if registered.iter().any(|known| known.admits(&uri)) => Ok(uri),
        Ok(_) => Err(refused),
        Err(error) => Err(refused.with_detail(error.to_string())),
    }
}

/// Where the browser is sent with the answer, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress {
    redirect_uri: RedirectUri,
    state: Option<String>,
    issuer: Issuer,
}

impl ReturnAddress {
    /// The redirect URI as the request named it.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The URL that hands over a code (RFC 6749 §4.1.2).
    pub fn with_code(&self, code: &str) -> String {
        self.with(&[("code", code)])
    }

    /// The URL that tells of an error (RFC 6749 §4.1.2.1).
    pub fn with_error(&self, error: &OAuthError) -> String {
        self.with(&[("error", error.code().as_str()), ("error_description", &error.description())])
    }

    /// Adds `state` exactly as it was sent, and `iss` to success and error alike (RFC 9207 §2).
    fn with(&self, answer: &[(&str, &str)]) -> String {
        let mut url = self.redirect_uri.as_str().to_owned();
        let state = self.state.as_deref().map(|state| ("state", state));
        for (name, value) in answer.iter().copied().chain(state).chain([("iss", self.issuer.as_str())]) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&encode_pair(name, value));
        }
        url
    }
}

/// A request whose answers have a proven address.
#[derive(Clone, Debug)]
pub struct Addressed {
    params: Params,
    client: Client,
    address: ReturnAddress,
}

/// What the request asks of the person (OpenID Connect Core §3.1.2.1, `prompt`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Show no page at all.
    pub none: bool,
    /// Let the person log in anew.
    pub login: bool,
    /// Ask for consent even if it was given.
    pub consent: bool,
}

/// A request that keeps every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes.
    pub address: ReturnAddress,
    /// What the redeemer of the code must meet.
    pub challenge: CodeChallenge,
    /// What is asked for; `None` when nothing is named.
    pub scope: Option<Scope>,
    /// For which resources (RFC 8707 §2.1); empty when none is named.
    pub resources: Vec<ResourceUri>,
    /// In which tenant the client would like to act.
    pub tenant: Option<TenantId>,
    /// What the person is to be asked.
    pub prompt: Prompt,
    /// How long ago the person may have logged in.
    pub max_age: Option<Duration>,
    /// How the person should have proved who they are: any of these (RFC 9470 §4; OpenID Connect Core §3.1.2.1).
    pub acr_values: Vec<String>,
    /// Who the client thinks the person is.
    pub login_hint: Option<String>,
    /// What the id token has to repeat (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
    /// An id token about whom the client means; not checked yet.
    pub id_token_hint: Option<String>,
}

impl AuthorizationRequest {
    /// What the request names, or the client when it names nothing.
    pub fn asked_scope(&self) -> Option<&Scope> {
        self.scope.as_ref().or(self.client.scope.as_ref())
    }
}

impl Addressed {
    /// Where errors go.
    pub fn return_address(&self) -> &ReturnAddress {
        &self.address
    }

    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Checks the rest of the request.
    ///
    /// # Errors
    /// For a redirect: `request_not_supported` and its like (OpenID Connect Core §3.1.2.6); `unsupported_response_type`; `unauthorized_client`; `invalid_request` for PKCE other than
    /// S256 (OAuth 2.1 §4.1.1, §4.1.2.1) and malformed or repeated parameters; `invalid_scope`; `invalid_target`.
    pub fn validate(&self) -> Result<AuthorizationRequest, OAuthError> {
        let params = &self.params;
        unsupported(params)?;
        if params.one("response_type")? != "code" {
            return Err(OAuthError::new(
                ErrorCode::UnsupportedResponseType,
                "only response_type=code is supported",
            ));
        }
        if params.optional("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(malformed("response_mode", "only query is supported"));
        }
        self.client.require_grant_type(GrantType::AuthorizationCode)?;
        Ok(AuthorizationRequest {
            client: self.client.clone(),
            address: self.address.clone(),
            challenge: challenge(params)?,
            scope: scope(params)?,
            resources: wishes(&params.many("resource"))?,
            tenant: params.optional("tenant")?.and_then(TenantId::parse),
            prompt: prompt(params)?,
            max_age: max_age(params)?,
            acr_values: acr_values(params)?,
            login_hint: params.optional("login_hint")?.map(str::to_owned),
            nonce: params.optional("nonce")?.map(str::to_owned),
            id_token_hint: params.optional("id_token_hint")?.map(str::to_owned),
        })
    }
}

/// What would say something about the request, so that it cannot be passed over (OpenID Connect Core §6, §7.2.1; OAuth 2.0
/// Multiple Response Types §2.1).
fn unsupported(params: &Params) -> Result<(), OAuthError> {
    for (name, code) in [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ] {
        if !params.many(name).is_empty() {
            return Err(OAuthError::new(code, "this server does not support the parameter").about(name));
        }
    }
    match params.optional("response_mode")? {
        None | Some("query") => Ok(()),
        Some(_) => Err(malformed("response_mode", "must be query")),
    }
}

fn malformed(parameter: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description).about(parameter)
}

/// RFC 7636 §4.3 reads a missing method as `plain`, which this server does not have.
fn challenge(params: &Params) -> Result<CodeChallenge, OAuthError> {
    let text = params.one("code_challenge")?;
    match params.optional("code_challenge_method")? {
        Some("S256") => CodeChallenge::parse(text)
            .ok_or(malformed("code_challenge", "must be the base64url form of a SHA-256 hash")),
        _ => Err(malformed("code_challenge_method", "must be S256")),
    }
}

/// The `scope` parameter of any request.
pub(super) fn scope(params: &Params) -> Result<Option<Scope>, OAuthError> {
    // " " is what a client sends that joined an empty list.
    let scope = params.optional("scope")?.map(Scope::parse).transpose();
    let scope = scope.map_err(|_| OAuthError::new(ErrorCode::InvalidScope, "the scope is malformed"))?;
    Ok(scope.filter(|scope| !scope.is_empty()))
}

fn prompt(params: &Params) -> Result<Prompt, OAuthError> {
    let mut prompt = Prompt::default();
    for word in params.optional("prompt")?.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            // Choosing another account means logging in to it.
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(malformed("prompt", "must be none, login, consent or select_account")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(malformed("prompt", "none goes with no other value"));
    }
    Ok(prompt)
}

fn max_age(params: &Params) -> Result<Option<Duration>, OAuthError> {
    let Some(text) = params.optional("max_age")? else { return Ok(None) };
    let seconds: u32 = text.parse().map_err(|_| malformed("max_age", "must be a number of seconds"))?;
    Ok(Some(Duration::from_secs(seconds.into())))
}

fn acr_values(params: &Params) -> Result<Vec<String>, OAuthError> {
    let values = params.optional("acr_values")?.unwrap_or_default().split(' ');
    Ok(values.filter(|value| !value.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
