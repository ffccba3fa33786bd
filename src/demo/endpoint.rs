//! One endpoint for clients of every age: with a session (revisions before 2026-07-28) and without.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use url::Url;

use super::notes::Notes;
use super::sessions::{Owner, SessionOwners};
use super::tools::Demo;
use crate::clock::Clock;
use crate::resource::{AccessToken, RpcCall};

/// Sessions alive at once; each has a task and buffers. Idle ones end after 5 minutes.
const MAX_SESSIONS: usize = 200;
const SESSION_ID: &str = "mcp-session-id";

/// The two rmcp services behind the endpoint.
#[derive(Clone)]
pub(super) struct Endpoint {
    with_session: StreamableHttpService<Demo, LocalSessionManager>,
    stateless: StreamableHttpService<Demo, NeverSessionManager>,
    sessions: Arc<LocalSessionManager>,
    owners: Arc<SessionOwners>,
}

impl Endpoint {
    pub(super) fn new(resource: &str, clock: Clock) -> Self {
        let demo = Demo { notes: Arc::new(Notes::default()), clock };
        let sessions = Arc::new(LocalSessionManager::default());
        let mut config = StreamableHttpServerConfig::default();
        // rmcp answers loopback hosts only, against DNS rebinding; ours may have another name besides.
        config
            .allowed_hosts
            .extend(Url::parse(resource).ok().and_then(|url| url.host_str().map(str::to_owned)));
        let mut stateless = config.clone();
        stateless.legacy_session_mode = false;
        stateless.json_response = true;
        let (first, second) = (demo.clone(), demo);
        Self {
            with_session: StreamableHttpService::new(
                move || Ok(first.clone()),
                Arc::clone(&sessions),
                config,
            ),
            stateless: StreamableHttpService::new(move || Ok(second.clone()), Arc::default(), stateless),
            sessions,
            owners: Arc::default(),
        }
    }

    async fn in_session(&self, request: Request<Body>) -> Response<Body> {
        self.with_session.handle(request).await.map(Body::new)
    }

    /// Begins a session, and notes whose it is.
    async fn begin_session(&self, token: &AccessToken, request: Request<Body>) -> Response<Body> {
        if self.sessions.sessions.read().await.len() >= MAX_SESSIONS {
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "60")], "too many sessions")
                .into_response();
        }
        let response = self.in_session(request).await;
        if let Some(session) = session_id(response.headers()) {
            // Held while it is noted: a session that begins meanwhile must not be taken for one that has ended.
            let live = self.sessions.sessions.read().await;
            self.owners.begin(session, Owner::of(token), |known| live.contains_key(known));
        }
        response
    }

    /// Answers a single request with JSON, and so asks no one to accept an event stream: a line of curl will do.
    async fn without_session(&self, mut request: Request<Body>) -> Response<Body> {
        let both = HeaderValue::from_static("application/json, text/event-stream");
        request.headers_mut().insert(ACCEPT, both);
        self.stateless.handle(request).await.map(Body::new)
    }
}

fn session_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION_ID)?.to_str().ok()
}

/// Sends a request to the service that fits it: `initialize` begins a session, a session id continues one, and
/// everything else stands alone.
pub(super) async fn serve(
    State(endpoint): State<Endpoint>,
    token: AccessToken,
    request: Request<Body>,
) -> Response<Body> {
    if let Some(session) = session_id(request.headers()) {
        // 404 is what clients begin a new session for, and says nothing about someone else's.
        if !endpoint.owners.owns(session, &Owner::of(&token)) {
            return (StatusCode::NOT_FOUND, "Not Found: Session not found").into_response();
        }
        let ends = request.method() == Method::DELETE;
        let mut response = endpoint.in_session(request).await;
        if ends && response.status() == StatusCode::ACCEPTED {
            // The Python client takes rmcp's 202 for a failure and says so.
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        return response;
    }
    let initializes = request.method() == Method::POST
        && request.extensions().get::<RpcCall>().is_some_and(|call| call.method == "initialize");
    if initializes {
        endpoint.begin_session(&token, request).await
    } else {
        endpoint.without_session(request).await
    }
}
