//! The tower layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use tower::{Layer, Service};

use super::cors;
use super::server::ResourceServer;

/// Lets only requests with a good access token through; see [the module](super). Made by [`ResourceServer::layer`].
#[derive(Clone, Debug)]
pub struct ResourceLayer(ResourceServer);

impl ResourceLayer {
    pub(super) fn new(server: ResourceServer) -> Self {
        Self(server)
    }
}

impl<S> Layer<S> for ResourceLayer {
    type Service = ResourceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ResourceService { server: self.0.clone(), inner }
    }
}

/// A service behind [`ResourceLayer`].
#[derive(Clone, Debug)]
pub struct ResourceService<S> {
    server: ResourceServer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for ResourceService<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let server = self.server.clone();
        let fresh = self.inner.clone();
        // The service that was polled ready is the one to call; the clone takes its place.
        let inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            let browser_clients = server.parts().browser_clients;
            let mut response = guard(&server, inner, request).await?;
            if browser_clients {
                cors::allow_reading(response.headers_mut());
            }
            Ok(response)
        })
    }
}

async fn guard<S, B, R>(
    server: &ResourceServer,
    mut inner: S,
    request: Request<B>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<R>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<axum::BoxError>,
{
    let parts = server.parts();
    if cors::is_preflight(request.method(), request.headers()) {
        if parts.browser_clients {
            return Ok(cors::preflight("GET, POST, DELETE, OPTIONS", cors::ENDPOINT_HEADERS));
        }
        return inner.call(request.map(Body::new)).await.map(|response| response.map(Body::new));
    }
    match parts.admit(request).await {
        Ok(request) => inner.call(request).await.map(|response| response.map(Body::new)),
        Err(refusal) => Ok(refusal.into_response(&parts.realm)),
    }
}
