//! An authorization request, and the answer to it.

use url::Url;

use super::http;
use crate::protocol::CodeVerifier;
use crate::random::Random;

/// The parameters of an authorization request. What is set again is replaced, and what is set to nothing is left out.
#[derive(Clone, Debug)]
pub struct RequestParams(Vec<(String, String)>);

impl RequestParams {
    /// Sets a parameter.
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a parameter, even if there is one of that name already.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a parameter out.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        self
    }

    /// The scope to ask for.
    pub fn scope(self, scope: &str) -> Self {
        self.param("scope", scope)
    }

    /// The resource to ask for (RFC 8707 §2).
    pub fn resource(self, uri: &str) -> Self {
        self.param("resource", uri)
    }

    /// Another `state` than a random one.
    pub fn state(self, state: &str) -> Self {
        self.param("state", state)
    }

    /// What the person is to be asked.
    pub fn prompt(self, prompt: &str) -> Self {
        self.param("prompt", prompt)
    }

    fn value(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

/// A request that was made: where to send the browser, and what to remember until the answer comes.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// Where to send the browser.
    pub url: String,
    /// The PKCE verifier (RFC 7636 §4.1).
    pub verifier: String,
    /// The `state` that the answer has to repeat, if one was sent.
    pub state: Option<String>,
    redirect_uri: String,
    issuer: String,
}

impl Authorization {
    /// A request for `client_id` with a fresh `state` and verifier, changed by `change`.
    pub(super) fn new(
        endpoint: &str,
        issuer: &str,
        client_id: &str,
        redirect_uri: &str,
        change: impl FnOnce(RequestParams) -> RequestParams,
    ) -> Self {
        let (state, verifier) = (chance(), chance());
        let challenge = CodeVerifier::parse(&verifier).expect("64 letters are a verifier").challenge();
        let params = RequestParams(Vec::new())
            .param("response_type", "code")
            .param("client_id", client_id)
            .param("redirect_uri", redirect_uri)
            .param("code_challenge", challenge.as_str())
            .param("code_challenge_method", "S256")
            .state(&state);
        let params = change(params);
        Self {
            url: format!("{endpoint}?{}", http::form_encoded(params.0.iter().map(|(k, v)| (k, v)))),
            verifier,
            state: params.value("state"),
            redirect_uri: params.value("redirect_uri").unwrap_or_else(|| redirect_uri.to_owned()),
            issuer: issuer.to_owned(),
        }
    }

    /// Reads the answer from the URL to which the browser was sent, as a client has to: it is the redirect URI of the
    /// request, `state` and `iss` are what they have to be byte for byte (RFC 9207 §2.4), nothing is there twice, and
    /// it holds a code or an error and not both.
    ///
    /// # Panics
    /// When it does not.
    pub fn callback(&self, url: &str) -> Callback {
        let parsed = Url::parse(url).unwrap_or_else(|error| panic!("{url} is no URL: {error}"));
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        let rest = url.strip_prefix(&self.redirect_uri).and_then(|rest| rest.strip_prefix(separator));
        assert!(rest.is_some(), "{url} is not an answer to {}", self.redirect_uri);
        assert_eq!(parsed.fragment(), None, "{url}");
        let one = |name: &str| {
            let mut values = parsed.query_pairs().filter(|(key, _)| key == name).map(|(_, v)| v.into_owned());
            let first = values.next();
            assert_eq!(values.next(), None, "{name} is there twice in {url}");
            first
        };
        assert_eq!(one("state"), self.state, "state in {url}");
        assert_eq!(one("iss").as_ref(), Some(&self.issuer), "iss in {url}");
        let (code, error) = (one("code"), one("error"));
        assert_ne!(code.is_some(), error.is_some(), "a code or an error in {url}");
        Callback {
            url: url.to_owned(),
            code,
            error,
            error_description: one("error_description"),
            verifier: self.verifier.clone(),
            redirect_uri: self.redirect_uri.clone(),
        }
    }
}

/// The answer to an authorization request, checked.
#[derive(Clone, Debug)]
pub struct Callback {
    /// The whole URL.
    pub url: String,
    /// The code, if the request was granted.
    pub code: Option<String>,
    /// The error, if it was not.
    pub error: Option<String>,
    /// What the server says about the error.
    pub error_description: Option<String>,
    /// The verifier of the request.
    pub verifier: String,
    /// The redirect URI of the request.
    pub redirect_uri: String,
}

impl Callback {
    /// The code.
    ///
    /// # Panics
    /// When there is an error instead.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_else(|| panic!("the request was refused: {}", self.url))
    }

    /// The error.
    ///
    /// # Panics
    /// When there is a code instead.
    pub fn error(&self) -> &str {
        self.error.as_deref().unwrap_or_else(|| panic!("the request was granted: {}", self.url))
    }
}

/// 64 letters and digits that nobody guesses.
pub(super) fn chance() -> String {
    Random::system().bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect()
}
