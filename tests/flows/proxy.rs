//! A reverse proxy that passes on one path of its origin.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the proxy answers by itself.
pub(crate) const NOT_OURS: &str = "nothing of Gatelet's";

/// How much of the path the server behind it sees.
#[derive(Clone, Copy)]
pub(crate) enum Sees {
    /// All of it: what `proxy_pass http://gatelet;` of nginx does.
    Whole,
    /// What follows the public path: what `proxy_pass http://gatelet/;` does, or `StripPrefix` of Traefik.
    Rest,
}

/// Which `Host` the server behind it hears.
#[derive(Clone, Copy)]
pub(crate) enum Hears {
    /// The one that the browser sent.
    PublicHost,
    /// The address that the proxy dials.
    Address,
    /// A name of its own.
    Name(&'static str),
}

/// The proxy; it ends with this value.
pub(crate) struct Proxy {
    origin: String,
    listener: Option<TcpListener>,
    task: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Rules {
    upstream: SocketAddr,
    base: String,
    at_root: String,
    sees: Sees,
    hears: Hears,
    http: reqwest::Client,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Proxy {
    /// Listens, so that its origin is known.
    pub(crate) async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { origin, listener: Some(listener), task: None }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Passes on what is under `base`, and `at_root`, which is one address.
    pub(crate) fn serve(
        mut self,
        upstream: SocketAddr,
        base: &str,
        at_root: String,
        sees: Sees,
        hears: Hears,
    ) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.build().unwrap();
        let rules = Rules { upstream, base: base.to_owned(), at_root, sees, hears, http };
        let router = Router::new().fallback(pass).with_state(rules);
        let listener = self.listener.take().expect("it serves once");
        self.task = Some(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
        self
    }
}

impl Rules {
    /// What the server behind it is asked for; nothing if it is not asked.
    fn target(&self, path: &str) -> Option<String> {
        if path == self.at_root {
            return Some(path.to_owned());
        }
        let rest = path.strip_prefix(&self.base).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        Some(match self.sees {
            Sees::Whole => path.to_owned(),
            Sees::Rest if rest.is_empty() => "/".to_owned(),
            Sees::Rest => rest.to_owned(),
        })
    }
}

async fn pass(State(rules): State<Rules>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(target) = rules.target(parts.uri.path()) else {
        return Response::builder().status(StatusCode::NOT_FOUND).body(Body::from(NOT_OURS)).unwrap();
    };
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("http://{}{target}{query}", rules.upstream);
    let body: Bytes = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let mut headers = parts.headers;
    match rules.hears {
        Hears::PublicHost => {}
        Hears::Address => drop(headers.remove(header::HOST)),
        Hears::Name(name) => drop(headers.insert(header::HOST, name.parse().unwrap())),
    }
    let sent = rules.http.request(parts.method, url).headers(headers).body(body).send().await.unwrap();
    let mut answer = Response::builder().status(sent.status());
    for (name, value) in sent.headers() {
        answer = answer.header(name, value);
    }
    answer.body(Body::from(sent.bytes().await.unwrap())).unwrap()
}
