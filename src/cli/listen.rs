//! Listening on loopback, by both of its addresses.

use std::net::{Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::serve::{self, ListenError};

/// How many free ports to try: one that is free on 127.0.0.1 may be taken on ::1.
const ATTEMPTS: usize = 8;

/// Listens on the address and, since `localhost` may mean either, on the other loopback address of the same port.
pub(super) async fn loopback(address: SocketAddr) -> Result<(Vec<TcpListener>, SocketAddr), ListenError> {
    let mut attempts = 1;
    loop {
        match listen_once(address).await {
            Err(ListenError::InUse { .. }) if address.port() == 0 && attempts < ATTEMPTS => attempts += 1,
            bound_or_not => return bound_or_not,
        }
    }
}

async fn listen_once(address: SocketAddr) -> Result<(Vec<TcpListener>, SocketAddr), ListenError> {
    let first = serve::bind(address).await?;
    let bound = first.local_addr().map_err(|source| ListenError::Other { address, source })?;
    let mut listeners = vec![first];
    if bound.ip() == std::net::Ipv4Addr::LOCALHOST {
        match serve::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, bound.port()))).await {
            Ok(second) => listeners.push(second),
            // Whoever has that port would get half of the requests for `localhost`.
            Err(taken @ ListenError::InUse { .. }) => return Err(taken),
            Err(error) => tracing::debug!(%error, "no IPv6 loopback"),
        }
    }
    Ok((listeners, bound))
}
