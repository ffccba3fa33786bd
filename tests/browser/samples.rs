//! The samples as a web site on loopback, with the headers of the real one.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use gatelet::pages;

/// A page with every fault that the browser cases look for: what proves that they can fail.
pub(crate) const FAULTY: &str = "<!doctype html><html lang=en><title>Faulty</title>\
    <style>body { width: 3000px } #thin { width: 1ch; overflow-wrap: anywhere } a:focus-visible, input { outline: none }</style>\
    <body style='color: red'>\
    <p><font color='#999999'>Pale</font></p><p id=thin>Squashed text</p><a href='/small'>x</a><input type=checkbox>";

/// A policy under which the style element of [`FAULTY`] works and its style attribute does not.
const FAULTY_POLICY: &str = "default-src 'none'; style-src-elem 'unsafe-inline'; style-src-attr 'none'";

type Answer = (&'static str, &'static str, Vec<u8>);

/// The site, open until it is dropped.
pub(crate) struct Site {
    origin: String,
    task: tokio::task::JoinHandle<()>,
}

impl Site {
    pub(crate) async fn open() -> Result<Self, String> {
        let listener =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let answers = Arc::new(answers());
        let router = Router::new().fallback(move |request: Request| answer(answers.clone(), request));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { origin: format!("http://{address}"), task })
    }

    pub(crate) fn url(&self, sample: &str) -> String {
        format!("{}/{sample}", self.origin)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answers() -> HashMap<String, Answer> {
    const HTML: &str = "text/html; charset=utf-8";
    let samples = pages::samples().into_iter();
    let files = pages::assets().iter();
    samples
        .map(|sample| {
            (format!("/{}", sample.name), (HTML, sample.content_security_policy, sample.html.into_bytes()))
        })
        .chain(
            files.map(|file| {
                (file.path.clone(), (file.content_type, "default-src 'none'", file.bytes.to_vec()))
            }),
        )
        .chain([("/faulty".to_owned(), (HTML, FAULTY_POLICY, FAULTY.into()))])
        .collect()
}

/// Always 200: a browser logs other statuses, and the log shall stay empty.
async fn answer(answers: Arc<HashMap<String, Answer>>, request: Request) -> Response {
    match answers.get(request.uri().path()).cloned() {
        Some((content_type, policy, body)) => {
            ([("content-type", content_type), ("content-security-policy", policy)], body).into_response()
        }
        None => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}
