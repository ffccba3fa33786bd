//! An OAuth client that checks what it gets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::answer::{JsonAnswer, TokenResponse};
use super::assertion::ClientKey;
use super::authorization::{Authorization, Callback, RequestParams};
use super::browser::{Browser, Landing, Login};
use super::http;
use super::server::TestServer;
use crate::clock::Clock;
use crate::control::{DecideSpec, TestIssuer};
use crate::protocol::Timestamp;
use crate::protocol::client_assertion::JWT_BEARER;

/// How a token request proves whose it is (RFC 6749 §2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not at all beyond `client_id` in the form: a public client.
    Public(String),
    /// Identifier and secret in a Basic header, as they are.
    Basic(String, String),
    /// Identifier and secret in the form.
    Post(String, String),
    /// This client assertion in the form, and nothing beside it (RFC 7523 §2.2).
    Assertion(String),
    /// This `Authorization` header, whatever it says.
    Header(String),
    /// With nothing; what the form says is all there is.
    Nothing,
}

/// An OAuth client.
#[derive(Clone, Debug)]
pub struct TestClient {
    issuer: String,
    authorize_url: String,
    token_url: String,
    redirect_uri: String,
    client_id: String,
    auth: ClientAuth,
    signer: Option<(ClientKey, Clock)>,
    http: reqwest::Client,
}

impl TestClient {
    /// A public client of `server` that receives answers at `redirect_uri`.
    pub fn new(server: &TestServer, client_id: &str, redirect_uri: &str) -> Self {
        Self::with(server.http().clone(), server.control(), client_id, redirect_uri)
    }

    /// A public client of an issuer of [`TestIssuers`](super::TestIssuers).
    pub fn of(issuer: &TestIssuer, client_id: &str, redirect_uri: &str) -> Self {
        let http = http::client();
        Self::with(http, issuer, client_id, redirect_uri)
    }

    fn with(http: reqwest::Client, issuer: &TestIssuer, client_id: &str, redirect_uri: &str) -> Self {
        let issuer = issuer.issuer();
        Self {
            issuer: issuer.as_str().to_owned(),
            authorize_url: issuer.endpoint("authorize"),
            token_url: issuer.endpoint("token"),
            redirect_uri: redirect_uri.to_owned(),
            client_id: client_id.to_owned(),
            auth: ClientAuth::Public(client_id.to_owned()),
            signer: None,
            http,
        }
    }

    /// The same with a secret, which it sends in a Basic header.
    pub fn secret(mut self, secret: &str) -> Self {
        self.auth = ClientAuth::Basic(self.client_id.clone(), secret.to_owned());
        self
    }

    /// The same with another way to authenticate.
    pub fn auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// The same with a key: each token request comes with a fresh assertion, good by the server's clock.
    pub fn signing(mut self, key: ClientKey, server: &TestServer) -> Self {
        self.signer = Some((key, server.clock().clone()));
        self
    }

    /// What a good assertion of this client says now: for the token endpoint, for five minutes, once.
    pub fn assertion_claims(&self, now: Timestamp) -> Value {
        json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.token_url,
            "iat": now.seconds(),
            "exp": now.seconds() + 300,
            "jti": super::authorization::chance(),
        })
    }

    /// Its identifier.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Makes an authorization request with a fresh `state` and PKCE verifier; `change` adds to it and takes away.
    pub fn authorization(&self, change: impl FnOnce(RequestParams) -> RequestParams) -> Authorization {
        Authorization::new(&self.authorize_url, &self.issuer, &self.client_id, &self.redirect_uri, change)
    }

    /// Has a person grant a request in `browser`: logs them in if that is asked for, allows everything if that is asked
    /// for, and reads the answer.
    ///
    /// # Panics
    /// When it leads anywhere else.
    pub async fn authorize<'a>(
        &self,
        browser: &mut Browser,
        login: impl Into<Login<'a>>,
        change: impl FnOnce(RequestParams) -> RequestParams,
    ) -> Callback {
        let request = self.authorization(change);
        let mut landing = browser.get(&request.url).await;
        let login = login.into();
        for _ in 0..3 {
            landing = match landing {
                Landing::Left(url) => return request.callback(&url),
                Landing::Page(page) if page.has_form_with("decision") => browser.consent(&page).allow().await,
                Landing::Page(page) => browser.log_in(&page, login).await,
            };
        }
        request.callback(&landing.left())
    }

    /// Has a person grant a request without a browser, and reads the answer: [`TestIssuer::decide`].
    ///
    /// # Panics
    /// When a page would say what is wrong with the request.
    pub async fn authorize_at_once(
        &self,
        issuer: &TestIssuer,
        username: &str,
        change: impl FnOnce(RequestParams) -> RequestParams,
    ) -> Callback {
        let request = self.authorization(change);
        let answer = issuer.decide(&DecideSpec::allow(&request.url, username)).await;
        request.callback(&answer.unwrap_or_else(|refused| panic!("{refused}: {}", request.url)))
    }

    /// Redeems the code of a callback (RFC 6749 §4.1.3).
    pub async fn redeem(&self, callback: &Callback) -> TokenResponse {
        self.token(&self.redemption(callback)).await
    }

    /// The parameters by which [`TestClient::redeem`] redeems a code.
    pub fn redemption<'a>(&self, callback: &'a Callback) -> [(&'static str, &'a str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("code", callback.code()),
            ("redirect_uri", &callback.redirect_uri),
            ("code_verifier", &callback.verifier),
        ]
    }

    /// Refreshes (RFC 6749 §6).
    pub async fn refresh(&self, refresh_token: &str) -> TokenResponse {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Asks for a token for itself (RFC 6749 §4.4).
    pub async fn client_credentials(&self, scope: Option<&str>) -> TokenResponse {
        let grant = [("grant_type", "client_credentials")];
        let pairs: Vec<_> = grant.into_iter().chain(scope.map(|scope| ("scope", scope))).collect();
        self.token(&pairs).await
    }

    /// Asks what there is to say about a token (RFC 7662 §2.1).
    pub async fn introspect(&self, token: &str) -> JsonAnswer {
        self.post(&format!("{}/introspect", self.base_url()), &[("token", token)]).await
    }

    /// Gives a token back (RFC 7009 §2.1).
    pub async fn revoke(&self, token: &str) -> JsonAnswer {
        self.post(&format!("{}/revoke", self.base_url()), &[("token", token)]).await
    }

    /// Sends a token request with these parameters as this client.
    pub async fn token(&self, pairs: &[(&str, &str)]) -> TokenResponse {
        TokenResponse(self.post(&self.token_url, pairs).await)
    }

    /// The endpoints, without their names.
    fn base_url(&self) -> &str {
        self.token_url.strip_suffix("/token").unwrap_or(&self.token_url)
    }

    /// Posts a form as this client.
    pub async fn post(&self, url: &str, pairs: &[(&str, &str)]) -> JsonAnswer {
        let signed = self.signer.as_ref().map(|(key, clock)| {
            let header = json!({"alg": "RS256", "typ": "JWT", "kid": key.kid()});
            ClientAuth::Assertion(key.sign(&header, &self.assertion_claims(clock.now())))
        });
        post_form(&self.http, url, pairs, signed.as_ref().unwrap_or(&self.auth)).await
    }
}

/// Posts a form at which clients authenticate.
pub(super) async fn post_form(
    http: &reqwest::Client,
    url: &str,
    pairs: &[(&str, &str)],
    auth: &ClientAuth,
) -> JsonAnswer {
    let (in_form, header): (Vec<(&str, &str)>, Option<String>) = match auth {
        ClientAuth::Public(id) => (vec![("client_id", id)], None),
        ClientAuth::Post(id, secret) => (vec![("client_id", id), ("client_secret", secret)], None),
        ClientAuth::Basic(id, secret) => {
            (Vec::new(), Some(format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))))
        }
        ClientAuth::Assertion(assertion) => {
            (vec![("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)], None)
        }
        ClientAuth::Header(header) => (Vec::new(), Some(header.clone())),
        ClientAuth::Nothing => (Vec::new(), None),
    };
    let body = http::form_encoded(pairs.iter().chain(&in_form).copied());
    let mut request = http.post(url).header(CONTENT_TYPE, http::FORM).body(body);
    if let Some(header) = header {
        request = request.header(AUTHORIZATION, header);
    }
    JsonAnswer::read(request).await
}
