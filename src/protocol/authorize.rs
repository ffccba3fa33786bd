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
mod tests {
    use super::*;
    use crate::protocol::fixtures;

    const VALID: &str = "client_id=c&redirect_uri=https://a.example/cb&response_type=code&state=s&\
        code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn issuer() -> Issuer {
        Issuer::parse("https://id.example/oauth").unwrap()
    }

    fn addressed(query: &str, uris: &[&str]) -> Result<Addressed, OAuthError> {
        let params = Params::parse(query.as_bytes())?;
        Received::parse(params)?.address(fixtures::client(uris), &issuer())
    }

    fn validated(query: &str) -> Result<AuthorizationRequest, OAuthError> {
        addressed(query, &["https://a.example/cb"]).unwrap().validate()
    }

    /// `VALID` with one parameter set to another value, or taken out.
    fn with(name: &str, value: Option<&str>) -> String {
        let kept = VALID.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
        kept.map(str::to_owned)
            .chain(value.map(|value| format!("{name}={value}")))
            .collect::<Vec<_>>()
            .join("&")
    }

    #[test]
    fn a_request_without_a_client_has_no_address() {
        for query in ["", "client_id=", "client_id=a&client_id=b"] {
            let error = Received::parse(Params::parse(query.as_bytes()).unwrap()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{query}");
        }
        let error = Received::parse(Params::parse(b"client_id=a%20b").unwrap()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidClient);
        let received = Received::parse(Params::parse(VALID.as_bytes()).unwrap()).unwrap();
        assert_eq!((received.client_id().as_str(), received.params().one("state")), ("c", Ok("s")));
    }

    #[test]
    fn only_a_registered_redirect_uri_becomes_an_address() {
        // OAuth 2.1 §2.3.2, §2.3.5; RFC 9700 §4.1.3
        let two = ["https://a.example/cb", "http://127.0.0.1/cb"];
        for (query, ok) in [
            ("client_id=c&redirect_uri=https://a.example/cb", true),
            ("client_id=c&redirect_uri=http://127.0.0.1:5/cb", true),
            ("client_id=c&redirect_uri=https://a.example/cb/x", false),
            ("client_id=c&redirect_uri=javascript:alert(1)", false),
            ("client_id=c&redirect_uri=https://a.example/cb&redirect_uri=https://a.example/cb", false),
            ("client_id=c&redirect_uri=https://a.example/cb&state=1&state=2", false),
            ("client_id=c", false),
        ] {
            let result = addressed(query, &two);
            assert_eq!(result.is_ok(), ok, "{query}");
            if let Err(error) = result {
                assert_eq!(error.code(), ErrorCode::InvalidRequest);
            }
        }
        let only = addressed("client_id=c", &two[..1]).unwrap();
        assert_eq!(only.return_address().redirect_uri().as_str(), two[0]);
        assert_eq!(only.client().id.as_str(), "c");
        assert!(addressed("client_id=c", &[]).is_err());
    }

    #[test]
    fn what_is_not_supported_is_refused_by_its_name_and_what_only_informs_is_ignored() {
        // OpenID Connect Core §3.1.2.1, §3.1.2.6, §6, §7.2.1
        for (name, code) in [
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
        ] {
            for value in ["x", "x&{}=y"] {
                let query = format!("{VALID}&{name}={}", value.replace("{}", name));
                assert_eq!(validated(&query).unwrap_err().code().as_str(), code, "{query}");
            }
            assert!(
                validated(&format!("{VALID}&{name}=")).is_ok(),
                "a parameter without a value is an omitted one"
            );
        }
        let ignored = "display=popup&ui_locales=de&claims_locales=de&claims=%7B%7D";
        assert_eq!(validated(&format!("{VALID}&{ignored}&response_mode=query")), validated(VALID));
    }

    #[test]
    fn the_answer_goes_to_the_port_that_the_request_named() {
        // RFC 8252 §7.3
        let query = "client_id=c&redirect_uri=http://127.0.0.1:5/cb";
        let address = addressed(query, &["http://127.0.0.1/cb"]).unwrap().return_address().clone();
        assert!(address.with_code("x").starts_with("http://127.0.0.1:5/cb?code=x&"));
    }

    #[test]
    fn state_and_issuer_come_back_with_success_and_error() {
        // RFC 9207 §2
        let query =
            "client_id=c&redirect_uri=https://a.example/cb%3Fx=1&state=%7B%22a%22%3A%22%2525%22%7D%20%2B";
        let address = addressed(query, &["https://a.example/cb?x=1"]).unwrap().return_address().clone();
        let tail = "&state=%7B%22a%22%3A%22%2525%22%7D%20%2B&iss=https%3A%2F%2Fid.example%2Foauth";
        assert_eq!(address.with_code("gtl"), format!("https://a.example/cb?x=1&code=gtl{tail}"));
        let error = OAuthError::new(ErrorCode::AccessDenied, "no");
        assert_eq!(
            address.with_error(&error),
            format!("https://a.example/cb?x=1&error=access_denied&error_description=no{tail}")
        );
        let without = addressed("client_id=c", &["https://a.example/cb"]).unwrap();
        assert_eq!(
            without.return_address().with_code("x"),
            "https://a.example/cb?code=x&iss=https%3A%2F%2Fid.example%2Foauth"
        );
    }

    #[test]
    fn a_valid_request_is_read_whole() {
        let query = format!(
            "{VALID}&scope=+a++b&resource=https://mcp.example/mcp&tenant=acme&prompt=login+consent&max_age=60&login_hint=x&response_mode=query"
        );
        let request = validated(&query).unwrap();
        assert_eq!(request.challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(request.scope, Some(Scope::parse("a b").unwrap()));
        assert_eq!(request.resources, [ResourceUri::parse("https://mcp.example/mcp").unwrap()]);
        assert_eq!(request.tenant, TenantId::parse("acme"));
        assert_eq!(request.prompt, Prompt { none: false, login: true, consent: true });
        assert_eq!(request.max_age, Some(Duration::from_secs(60)));
        assert_eq!(request.login_hint.as_deref(), Some("x"));
        let bare = validated(VALID).unwrap();
        assert_eq!((bare.scope, bare.resources, bare.tenant, bare.max_age), (None, Vec::new(), None, None));
        let two = validated(&format!("{VALID}&resource=https://a.example&resource=https://b.example"));
        assert_eq!(two.unwrap().resources.len(), 2);
        assert_eq!(validated(&with("scope", Some("+"))).unwrap().scope, None);
        assert!(validated(&with("prompt", Some("select_account"))).unwrap().prompt.login);
        assert!(validated(&with("prompt", Some("none"))).unwrap().prompt.none);
        assert_eq!(validated(&with("tenant", Some("ac+me"))).unwrap().tenant, None, "a wish, not a demand");
    }

    #[test]
    fn what_breaks_a_rule_is_refused_in_its_own_words() {
        // OAuth 2.1 §4.1.2.1
        use ErrorCode::*;
        for (name, value, code) in [
            ("response_type", None, InvalidRequest),
            ("response_type", Some("token"), UnsupportedResponseType),
            ("response_mode", Some("fragment"), InvalidRequest),
            // OAuth 2.1 §4.1.1: code_challenge is required; §4.1.2.1: unsupported method is invalid_request
            ("code_challenge", None, InvalidRequest),
            ("code_challenge", Some("short"), InvalidRequest),
            ("code_challenge_method", None, InvalidRequest),
            ("code_challenge_method", Some("plain"), InvalidRequest),
            ("scope", Some("a%22"), InvalidScope),
            ("resource", Some("mcp"), InvalidTarget),
            ("resource", Some("https://a.example&resource=mcp"), InvalidTarget),
            ("prompt", Some("none+login"), InvalidRequest),
            ("prompt", Some("none+consent"), InvalidRequest),
            ("prompt", Some("dance"), InvalidRequest),
            ("response_mode", Some("fragment"), InvalidRequest),
            ("nonce", Some("a&nonce=b"), InvalidRequest),
            ("prompt", Some("Login"), InvalidRequest),
            ("max_age", Some("-1"), InvalidRequest),
            ("max_age", Some("soon"), InvalidRequest),
            // OAuth 2.1 §3.1: a parameter must not be repeated
            ("response_type", Some("code&response_type=code"), InvalidRequest),
            ("response_mode", Some("query&response_mode=query"), InvalidRequest),
            ("code_challenge_method", Some("S256&code_challenge_method=plain"), InvalidRequest),
            ("scope", Some("a&scope=b"), InvalidRequest),
            ("prompt", Some("login&prompt=login"), InvalidRequest),
            ("tenant", Some("a&tenant=b"), InvalidRequest),
            ("max_age", Some("1&max_age=1"), InvalidRequest),
            ("login_hint", Some("a&login_hint=b"), InvalidRequest),
            ("acr_values", Some("a&acr_values=b"), InvalidRequest),
        ] {
            let error = validated(&with(name, value)).unwrap_err();
            assert_eq!(error.code(), code, "{name}={value:?}");
        }
    }

    #[test]
    fn a_client_without_the_grant_type_cannot_use_it() {
        let mut client = fixtures::client(&["https://a.example/cb"]);
        client.grant_types = vec![GrantType::ClientCredentials];
        let received = Received::parse(Params::parse(VALID.as_bytes()).unwrap()).unwrap();
        let error = received.address(client, &issuer()).unwrap().validate().unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnauthorizedClient);
    }
}
