//! A process in test mode, and whoever holds its key.

use gatelet::testkit::TestIssuers;
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) gatelet: TestIssuers,
    pub(crate) http: reqwest::Client,
}

/// An issuer, as the control plane told of it.
pub(crate) struct Issuer<'w> {
    pub(crate) world: &'w World,
    pub(crate) view: Value,
}

pub(crate) const RESOURCE: &str = "http://127.0.0.1:8000/mcp";
pub(crate) const CALLBACK: &str = "http://127.0.0.1:4711/callback";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl World {
    pub(crate) async fn start() -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { gatelet: TestIssuers::start().await, http: http.build().unwrap() }
    }

    /// A request with the key; status and body, null where there is none.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mode = self.gatelet.mode();
        let url = if path.starts_with("http") { path.to_owned() } else { mode.control_url() + path };
        let mut request = self.http.request(method, url).bearer_auth(mode.key());
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub(crate) async fn issuer(&self, spec: Value) -> Issuer<'_> {
        let (status, view) = self.ask(Method::POST, "/issuers", Some(spec)).await;
        assert_eq!(status, 201, "{view}");
        Issuer { world: self, view }
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

impl Issuer<'_> {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.view[member].as_str().unwrap()
    }

    pub(crate) fn endpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.text("issuer"))
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.world.ask(method, &format!("{}{path}", self.text("control_url")), body).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(Method::PUT, path, Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    pub(crate) async fn get(&self, url: &str) -> (u16, Value) {
        answer(self.world.http.get(url)).await
    }

    pub(crate) async fn jwks_kids(&self) -> Vec<String> {
        let (_, jwks) = self.get(self.text("jwks_uri")).await;
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// The URL that a client makes for the browser.
    pub(crate) fn authorization(&self, client: &str) -> String {
        let pairs = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "s t"),
            ("resource", RESOURCE),
            ("scope", "mcp:read mcp:write"),
        ];
        url::Url::parse_with_params(&self.endpoint("authorize"), pairs).unwrap().into()
    }

    /// The parameters of the URL to which alice's browser is sent.
    pub(crate) async fn authorize(&self, client: &str) -> Vec<(String, String)> {
        let url = self.authorization(client);
        let answer = self.post("/authorize", json!({ "url": url, "user": "alice" })).await;
        pairs(answer["location"].as_str().unwrap())
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        answer(with_form(self.world.http.post(self.endpoint("token")), form)).await
    }

    pub(crate) async fn redeem(&self, client: &str, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(&form).await
    }
}

pub(crate) fn pairs(url: &str) -> Vec<(String, String)> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}

/// A request with a form as its body.
pub(crate) fn with_form(request: reqwest::RequestBuilder, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}
