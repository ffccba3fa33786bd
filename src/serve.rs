//! Listening: an accept loop of our own, with the deadlines and the bound that a server on a network needs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tower::util::MapRequest;

/// How long a client may take to send the head of a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// How many connections may be open at once; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long requests in flight may take to finish once the server is told to stop.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(8);
/// How long to wait after the system refused a connection for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why no address could be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program listens there.
    #[error("port {port} on {ip} is already in use; is another gatelet running?", ip = shown(*.ip))]
    InUse {
        /// The address.
        ip: std::net::IpAddr,
        /// The port.
        port: u16,
    },
    /// Anything else.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
}

fn shown(ip: std::net::IpAddr) -> String {
    match ip {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Binds one address.
///
/// # Errors
/// When it is taken or cannot be used.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse { ip: address.ip(), port: address.port() },
        _ => ListenError::Other { address, source },
    })
}

/// Answers on every listener until `stop` is done, then lets what is in flight finish, for a bounded time. Handlers find
/// the address at the other end of the connection as a [`ConnectInfo`] among the request's extensions.
pub async fn serve(listeners: Vec<TcpListener>, router: Router, stop: impl Future<Output = ()>) {
    let (accepted, mut connections) = mpsc::channel(64);
    let acceptors: Vec<_> =
        listeners.into_iter().map(|listener| tokio::spawn(accept(listener, accepted.clone()))).collect();
    drop(accepted);
    let http = Builder::new(TokioExecutor::new());
    // HTTP/2 without TLS is spoken by nobody whom this server is for, and finding out which version is spoken has no
    // deadline.
    let mut http = http.http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = connections.recv() => accepted,
        };
        let Some((stream, peer)) = accepted else { break };
        let place = tokio::select! {
            () = &mut stop => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let service = MapRequest::new(router.clone(), move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let service = TowerToHyperService::new(service);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            // A peer that hangs up or sends nonsense is no event.
            let _ = connection.await;
            drop(place);
        });
    }
    for acceptor in acceptors {
        acceptor.abort();
    }
    if tokio::time::timeout(SHUTDOWN_DEADLINE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut");
    }
}

async fn accept(listener: TcpListener, accepted: mpsc::Sender<(TcpStream, SocketAddr)>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and complete; waiting to fill a packet only delays them.
                let _ = stream.set_nodelay(true);
                if accepted.send((stream, peer)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
