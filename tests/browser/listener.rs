//! Web sites of others on loopback: an application that waits for its answer, a page that means harm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Response};

/// What an application shows when it has its answer.
pub(crate) const CONNECTED: &str = "<!doctype html><title>Connected</title><h1>Connected</h1>";

/// A listener, open until it is dropped. What it was told to show it shows, and
/// else that it is connected.
pub(crate) struct Listener {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    pages: Mutex<HashMap<String, String>>,
    visits: Mutex<Vec<Visit>>,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
}

impl Listener {
    pub(crate) async fn open() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = socket.local_addr().expect("a bound socket has an address").port();
        let shared = Arc::new(Shared::default());
        let answering = shared.clone();
        let router = Router::new().fallback(move |request: Request| {
            let shared = answering.clone();
            async move { shared.answer(&request) }
        });
        let task = tokio::spawn(async move {
            let _ = axum::serve(socket, router).await;
        });
        Self { port, shared, task }
    }

    /// Shows `html` at `path` from now on.
    pub(crate) fn show(&self, path: &str, html: &str) {
        lock(&self.shared.pages).insert(path.to_owned(), html.to_owned());
    }

    /// Address of `path` under the name `host`.
    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// The requests that arrived.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        lock(&self.shared.visits).clone()
    }

    /// The only request that arrived, which may still be on its way.
    pub(crate) async fn visit(&self) -> Visit {
        for _ in 0..200 {
            match self.visits().as_slice() {
                [] => tokio::time::sleep(Duration::from_millis(25)).await,
                [visit] => return visit.clone(),
                several => panic!("more than one request: {several:?}"),
            }
        }
        panic!("nobody came");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Response {
        let path = request.uri().path();
        let target = request.uri().path_and_query().map_or("", |target| target.as_str()).to_owned();
        lock(&self.visits).push(Visit { target, headers: request.headers().clone() });
        let html = lock(&self.pages).get(path).cloned().unwrap_or_else(|| CONNECTED.to_owned());
        // Else the browser asks for one, at a time that nobody knows, and complains if the listener is gone by then.
        Html(html.replacen("<!doctype html>", "<!doctype html><link rel=icon href='data:,'>", 1))
            .into_response()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
