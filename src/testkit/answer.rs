//! Answers in JSON.

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

/// An answer that is JSON, or should be.
#[derive(Clone, Debug)]
pub struct JsonAnswer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; `null` when it is not JSON.
    pub json: Value,
    /// The body as it came.
    pub body: String,
}

impl JsonAnswer {
    /// Sends a request and reads the answer.
    ///
    /// # Panics
    /// When there is none.
    pub async fn read(request: reqwest::RequestBuilder) -> Self {
        Self::try_read(request).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    pub(super) async fn try_read(request: reqwest::RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await?;
        Ok(Self { status, headers, json: serde_json::from_str(&body).unwrap_or(Value::Null), body })
    }

    /// A header, empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        self.headers.get(&name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A member of the body that is text.
    ///
    /// # Panics
    /// When there is none.
    pub fn text(&self, member: &str) -> &str {
        let found = self.json[member].as_str();
        found.unwrap_or_else(|| panic!("no text `{member}` in {} {}", self.status, self.body))
    }

    /// Status and `error` member, to be compared in one go; an answer without one gives its empty text.
    pub fn refusal(&self) -> (u16, &str) {
        (self.status, self.json["error"].as_str().unwrap_or_default())
    }
}

/// An answer of the token endpoint.
#[derive(Clone, Debug)]
pub struct TokenResponse(pub JsonAnswer);

impl std::ops::Deref for TokenResponse {
    type Target = JsonAnswer;

    fn deref(&self) -> &JsonAnswer {
        &self.0
    }
}

impl TokenResponse {
    /// The same, once it is sure to be a success that keeps every rule of RFC 6749 §5.1.
    ///
    /// # Panics
    /// When it is not.
    pub fn granted(self) -> Self {
        assert_eq!(self.status, 200, "no token was granted: {}", self.body);
        assert_eq!(self.json["token_type"], "Bearer", "{}", self.body);
        assert!(self.json["expires_in"].is_u64(), "expires_in: {}", self.body);
        assert!(self.json["scope"].is_string(), "scope: {}", self.body);
        assert_eq!(self.header("cache-control"), "no-store");
        self
    }

    /// The access token.
    pub fn access_token(&self) -> &str {
        self.text("access_token")
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> &str {
        self.text("refresh_token")
    }

    /// The id token (OpenID Connect Core §3.1.3.3).
    pub fn id_token(&self) -> &str {
        self.text("id_token")
    }

    /// What was granted.
    pub fn scope(&self) -> &str {
        self.text("scope")
    }
}
