//! How much a server gives to one connection, and to all of them.

use std::time::Duration;

/// Bounds of a listening server. The default is what the product runs with.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many connections may be open at once. When all places are taken, whoever comes next gets the place of the
    /// connection that has kept the server waiting longest.
    pub connections: usize,
    /// How long a client may take to send the head of a request, from its first byte; on a new connection, from the
    /// beginning.
    pub head: Duration,
    /// How long a client may take to send the body of a request.
    pub body: Duration,
    /// How long a connection may stay open while it is the client's turn: to ask something, or to take its answer.
    /// Longer than the 60 s for which usual reverse proxies keep their connections, so that it is they who close.
    pub idle: Duration,
    /// After what time a connection is asked to come to its end, however busy it is.
    pub age: Duration,
    /// How long a client that is still sending gets to see an answer that was given early, and an HTTP/2 client to
    /// close.
    pub linger: Duration,
    /// How many bytes are read and thrown away meanwhile.
    pub linger_bytes: usize,
    /// How long requests in flight may take to finish once the server is told to stop.
    pub shutdown: Duration,
    /// How many bytes the head of a request may have (HTTP/2: its header list, RFC 9113 §6.5.2).
    pub head_bytes: u32,
    /// How many requests one HTTP/2 connection may have in flight.
    pub streams: u32,
    /// How many streams an HTTP/2 client may reset before they are looked at (RUSTSEC-2023-0034, "rapid reset").
    pub resets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            age: Duration::from_secs(3600),
            linger: Duration::from_secs(1),
            linger_bytes: 1024 * 1024,
            shutdown: Duration::from_secs(8),
            head_bytes: 128 * 1024,
            streams: 64,
            resets: 20,
        }
    }
}
