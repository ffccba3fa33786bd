//! A browser, as far as login and consent need one.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use url::Url;

use super::cookie_jar::CookieJar;
use super::form::Form;
use super::http;
use super::page::Page;
use super::seed::PASSWORD;
use super::server::TestServer;
use crate::clock::Clock;

/// More redirects in a row than that are a loop (what browsers do as well).
const MAX_REDIRECTS: usize = 20;

/// A browser with its cookies. A clone is the same browser at that moment, with cookies of its own from then on.
///
/// ```
/// use gatelet::testkit::{Browser, TestClient, TestServer};
///
/// # #[tokio::main]
/// # async fn main() {
/// let server = TestServer::start().await;
/// let client = TestClient::new(&server, "test-app", "http://127.0.0.1:4711/callback");
/// let request = client.authorization(|request| request.scope("mcp:read mcp:write"));
///
/// let mut browser = Browser::new(&server);
/// let login = browser.get(&request.url).await.page();
/// let consent = browser.log_in(&login, "alice").await.page();
/// assert!(consent.text().contains("Write and change your notes"));
/// let sent_to = browser.consent(&consent).untick("mcp:write").allow().await.left();
///
/// let tokens = client.redeem(&request.callback(&sent_to)).await.granted();
/// assert_eq!(tokens.scope(), "mcp:read");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Browser {
    origin: String,
    http: reqwest::Client,
    jar: CookieJar,
    redirects: Vec<u16>,
}

/// Where a browser ends up.
#[derive(Clone, Debug)]
pub enum Landing {
    /// On a page of the server.
    Page(Box<Page>),
    /// At this URL of somebody else's, which is not fetched: a client's redirect URI with an answer.
    Left(String),
}

/// Name and password; of a name alone the password is [`PASSWORD`].
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    username: &'a str,
    password: &'a str,
}

impl<'a> From<&'a str> for Login<'a> {
    fn from(username: &'a str) -> Self {
        Self { username, password: PASSWORD }
    }
}

impl<'a> From<(&'a str, &'a str)> for Login<'a> {
    fn from((username, password): (&'a str, &'a str)) -> Self {
        Self { username, password }
    }
}

impl Landing {
    /// The page.
    ///
    /// # Panics
    /// When the browser was sent away.
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => *page,
            Self::Left(url) => panic!("the browser was sent away to {url}"),
        }
    }

    /// The URL to which the browser was sent away.
    ///
    /// # Panics
    /// When it got a page instead.
    pub fn left(self) -> String {
        match self {
            Self::Left(url) => url,
            Self::Page(page) => panic!("the browser is on a page ({}): {}", page.status, page.text()),
        }
    }
}

impl Browser {
    /// A fresh browser without cookies, whose cookies expire by the server's clock.
    pub fn new(server: &TestServer) -> Self {
        Self::at(server.origin(), server.clock().clone())
    }

    /// A fresh browser for a server that no [`TestServer`] started, such as one in dev mode.
    pub fn at(origin: &str, clock: Clock) -> Self {
        let jar = CookieJar::new(origin.starts_with("https://"), clock);
        Self { origin: origin.to_owned(), http: http::client(), jar, redirects: Vec::new() }
    }

    /// Opens an address: a URL, or a path of the server. Redirects within the server are followed.
    pub async fn get(&mut self, address: &str) -> Landing {
        let url = self.resolve(&self.origin, address);
        self.load(Method::GET, url, None).await
    }

    /// Submits a form by its first button, or none.
    pub async fn submit(&mut self, form: Form) -> Landing {
        let body = form.encoded(None);
        self.send(&form, body).await
    }

    /// Submits a form by one of its buttons.
    ///
    /// # Panics
    /// When there is no such button.
    pub async fn submit_with(&mut self, form: Form, name: &str, value: &str) -> Landing {
        assert!(form.has_button(name, value), "the form has no button `{name}` = `{value}`: {form:?}");
        let body = form.encoded(Some((name, value)));
        self.send(&form, body).await
    }

    /// Fills in and submits the login form of a page.
    pub async fn log_in<'a>(&mut self, page: &Page, login: impl Into<Login<'a>>) -> Landing {
        let Login { username, password } = login.into();
        self.submit(page.form_with("username").fill("username", username).fill("password", password)).await
    }

    /// Takes up the consent form of a page.
    pub fn consent(&mut self, page: &Page) -> Consent<'_> {
        Consent { browser: self, form: page.form_with("decision") }
    }

    /// The value of the cookie whose name begins with `prefix`.
    pub fn cookie(&self, prefix: &str) -> Option<&str> {
        self.jar.value(prefix)
    }

    /// Forgets the cookies whose names begin with `prefix`; all of them for an empty one.
    pub fn forget_cookies(&mut self, prefix: &str) {
        self.jar.forget(prefix);
    }

    /// The statuses of the redirects that the last address or form led through, the one that sent the browser away
    /// included.
    pub fn redirects(&self) -> &[u16] {
        &self.redirects
    }

    async fn send(&mut self, form: &Form, body: String) -> Landing {
        let mut url = self.resolve(&self.origin, &form.action);
        if form.is_post {
            return self.load(Method::POST, url, Some(body)).await;
        }
        url.set_query(Some(&body));
        self.load(Method::GET, url, None).await
    }

    async fn load(&mut self, mut method: Method, mut url: Url, mut body: Option<String>) -> Landing {
        self.redirects.clear();
        for _ in 0..MAX_REDIRECTS {
            if url.origin().ascii_serialization() != self.origin {
                return Landing::Left(url.into());
            }
            let (status, headers, html) = self.exchange(&method, &url, body.clone()).await;
            let location = headers.get(LOCATION).filter(|_| (300..400).contains(&status));
            let Some(location) = location else {
                return Landing::Page(Box::new(Page::new(url.into(), status, headers, html)));
            };
            self.redirects.push(status);
            let location = location.to_str().expect("a Location of ASCII characters");
            if Url::parse(location).is_ok_and(|to| to.origin().ascii_serialization() != self.origin) {
                // As the server wrote it: a client compares bytes.
                return Landing::Left(location.to_owned());
            }
            url = self.resolve(url.as_str(), location);
            // 303 makes a GET of everything, 307 and 308 of nothing (RFC 9110 §15.4).
            if !matches!(status, 307 | 308) {
                (method, body) = (Method::GET, None);
            }
        }
        panic!("redirected more than {MAX_REDIRECTS} times, at last to {url}")
    }

    async fn exchange(
        &mut self,
        method: &Method,
        url: &Url,
        body: Option<String>,
    ) -> (u16, HeaderMap, String) {
        let mut request = self.http.request(method.clone(), url.clone());
        if let Some(cookies) = self.jar.header(url.path()) {
            request = request.header(COOKIE, cookies);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, http::FORM).header(ORIGIN, &self.origin).body(body);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("no answer: {error}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            self.jar.set(cookie, url.path());
        }
        let html = response.text().await.unwrap_or_else(|error| panic!("half an answer: {error}"));
        (status, headers, html)
    }

    fn resolve(&self, base: &str, address: &str) -> Url {
        let joined = Url::parse(base).and_then(|base| base.join(address));
        joined.unwrap_or_else(|error| panic!("{address} is no address: {error}"))
    }
}

/// A consent page on which the person is about to decide.
#[derive(Debug)]
#[must_use = "decide: allow() or deny()"]
pub struct Consent<'a> {
    browser: &'a mut Browser,
    form: Form,
}

impl Consent<'_> {
    /// Takes a permission away.
    pub fn untick(mut self, scope: &str) -> Self {
        self.form = self.form.untick(scope);
        self
    }

    /// Gives a permission back.
    pub fn tick(mut self, scope: &str) -> Self {
        self.form = self.form.tick(scope);
        self
    }

    /// Chooses the tenant to act in.
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.form = self.form.choose("tenant", tenant);
        self
    }

    /// Allows it.
    pub async fn allow(self) -> Landing {
        self.browser.submit_with(self.form, "decision", "allow").await
    }

    /// Refuses it.
    pub async fn deny(self) -> Landing {
        self.browser.submit_with(self.form, "decision", "deny").await
    }
}
