//! HTTP to a server that may be killed at any moment.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use serde_json::Value;

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Sent {
    /// Every byte of the answer has come: it is acknowledged.
    Answered(Answer),
    /// The request went out, and the connection ended without a whole answer: it may or may not have been done.
    Unanswered,
    /// There was nobody to connect to.
    Unreached,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The `Location` header, empty when there is none.
    pub(crate) location: String,
    cookies: Vec<String>,
    pub(crate) body: String,
}

impl Sent {
    /// The answer, if there is one.
    pub(crate) fn answer(self) -> Option<Answer> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::Unanswered | Self::Unreached => None,
        }
    }
}

impl Answer {
    /// The body as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The value of the cookie of this kind that the answer sets.
    pub(crate) fn cookie(&self, kind: &str) -> Option<String> {
        let prefix = format!("gatelet-{kind}-");
        let pair = self.cookies.iter().find(|cookie| cookie.starts_with(&prefix))?;
        let value = pair.split(';').next()?.split_once('=')?.1;
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The value of a hidden field of the page.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let field = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&field).unwrap_or_else(|| panic!("no {name} on {self:?}")).1;
        rest.split('"').next().unwrap().to_owned()
    }
}

/// The way to one process of the server: its connections end with it.
#[derive(Clone)]
pub(crate) struct Wire {
    http: reqwest::Client,
    origin: String,
    port: u16,
}

impl Wire {
    /// The way to the server that listens on `port` of 127.0.0.1.
    pub(crate) fn to(origin: &str, port: u16) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .resolve("localhost", SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .timeout(Duration::from_secs(20));
        Self { http: http.build().unwrap(), origin: origin.to_owned(), port }
    }

    /// The issuer of the server.
    pub(crate) fn issuer(&self) -> String {
        format!("{}/oauth", self.origin)
    }

    /// Opens a page or a document, as the browser with the session `cookie` if there is one.
    pub(crate) async fn get(&self, path: &str, cookie: Option<&str>) -> Sent {
        let request = self.http.get(format!("{}{path}", self.origin));
        let Some(cookie) = cookie else { return send(request).await };
        send(request.header(COOKIE, format!("gatelet-session-{}={cookie}", self.port))).await
    }

    /// Submits a form of a page with a cookie of this kind.
    pub(crate) async fn submit(&self, path: &str, cookie: (&str, &str), pairs: &[(&str, &str)]) -> Sent {
        let cookie = format!("gatelet-{}-{}={}", cookie.0, self.port, cookie.1);
        send(self.form(path, pairs).header(COOKIE, cookie).header(ORIGIN, &self.origin)).await
    }

    /// Sends a client's form.
    pub(crate) async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Sent {
        send(self.form(path, pairs)).await
    }

    /// Sends JSON.
    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Sent {
        send(self.http.post(format!("{}{path}", self.origin)).json(body)).await
    }

    /// Sends what a client says about its own registration, or nothing, under a bearer token (RFC 7592 §2).
    pub(crate) async fn manage(&self, method: &str, registered: &Value, body: Option<&Value>) -> Sent {
        let text = |member: &str| registered[member].as_str().expect("a client that may manage itself");
        let request = self.http.request(method.parse().unwrap(), text("registration_client_uri"));
        let request = request.bearer_auth(text("registration_access_token"));
        send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    fn form(&self, path: &str, pairs: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = self.http.post(format!("{}{path}", self.origin));
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
    }
}

async fn send(request: reqwest::RequestBuilder) -> Sent {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Sent::Unreached,
        Err(error) => {
            assert!(!error.is_timeout(), "no answer from a server that is there: {error}");
            return Sent::Unanswered;
        }
    };
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let location = header(LOCATION).unwrap_or_default().to_owned();
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned)).collect();
    let status = response.status().as_u16();
    match response.text().await {
        Ok(body) => Sent::Answered(Answer { status, location, cookies, body }),
        Err(_) => Sent::Unanswered,
    }
}
