//! Listening: an accept loop of our own, with the deadlines and the bounds that a server on a network needs.
//!
//! HTTP/1.1 and HTTP/2 by prior knowledge are spoken; TLS is the business of whatever stands in front. Every connection
//! knows whose turn it is: a deadline runs only while the client has something to send or to take, so that a slow answer
//! of ours is never cut and a silent peer always is. When all places are taken, the connection whose client has been
//! silent longest gives up its own.
//!
//! There is no bound per address. The addresses of a whole office, or of all users behind a reverse proxy, are one; and
//! whoever means harm has as many as they like. Silent connections of one address take nobody's place, since they are
//! the first that leave; what requests may cost is bounded where they are answered.

mod body;
mod connection;
mod house;
mod limits;
mod pulse;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use connection::Connection;
use house::House;
pub use limits::Limits;

/// How long to wait after the system refused a connection for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An answer that has this among its extensions is not sent: the connection is cut in its place (HTTP/2: the stream), as
/// by a server that fails.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is cut in place of an answer")]
pub struct CutHere;

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

/// Answers on every listener until `stop` is done, then lets what is in flight finish, for a bounded time.
///
/// Requests carry [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo): who is at the other end of the connection.
pub async fn serve(listeners: Vec<TcpListener>, router: Router, stop: impl Future<Output = ()>) {
    serve_within(Limits::default(), listeners, router, stop).await;
}

/// Like [`serve`], within other limits.
pub async fn serve_within(
    limits: Limits,
    listeners: Vec<TcpListener>,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let (accepted, mut arrivals) = mpsc::channel(64);
    // They end with this function.
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        acceptors.spawn(accept(listener, accepted.clone()));
    }
    drop(accepted);
    let house = Arc::new(House::new(limits));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let arrival = tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            arrival = arrivals.recv() => arrival,
        };
        let Some((stream, peer)) = arrival else { break };
        let place = tokio::select! {
            () = &mut stop => break,
            place = house.place() => place,
        };
        let (router, house, stop) = (router.clone(), Arc::clone(&house), stopped.clone());
        let connection = Connection { stream, peer, router, house, stop };
        connections.spawn(async move {
            connection.serve().await;
            drop(place);
        });
    }
    drop((acceptors, arrivals));
    let _ = stopping.send(true);
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(house.limits.shutdown, finish).await.is_err() {
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
