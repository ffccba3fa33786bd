//! Stands between the browser and the server and changes one thing: what a page's policy says.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

/// A proxy, open until it is dropped.
pub(crate) struct Proxy {
    pub(crate) origin: String,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Behind {
    origin: String,
    addition: &'static str,
    http: reqwest::Client,
}

impl Proxy {
    /// Passes everything to and from `origin`, and adds `addition` to each `Content-Security-Policy`.
    pub(crate) async fn before(origin: &str, addition: &'static str) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let behind =
            Behind { origin: origin.to_owned(), addition, http: http.expect("a client without TLS") };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let router = Router::new().fallback(pass).with_state(behind);
        let task = tokio::spawn(async move {
            let _ = axum::serve(socket, router).await;
        });
        Self { origin: format!("http://{address}"), task }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(behind): State<Behind>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match exchange(&behind, parts.method, &parts.uri, parts.headers, body).await {
        Ok(answer) => answer,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn exchange(
    behind: &Behind,
    method: Method,
    uri: &Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, reqwest::Error> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let request =
        behind.http.request(method, format!("{}{target}", behind.origin)).headers(headers).body(body);
    let answer = request.send().await?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    if let Some(policy) = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok())
        && let Ok(changed) = HeaderValue::from_str(&format!("{policy}{}", behind.addition))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, changed);
    }
    headers.remove(header::TRANSFER_ENCODING);
    let mut response = Response::new(Body::from(answer.bytes().await?));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}
