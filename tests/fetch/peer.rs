//! Servers that say exactly what they are told to, and count who comes.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatelet::clock::Clock;
use gatelet::fetch::{FetchOptions, Fetcher, Resolver};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// How many ports are tried.
const ATTEMPTS: usize = 8;

/// What a peer does with a request, by the number of requests before it.
type Script = dyn Fn(usize) -> Vec<Vec<u8>> + Send + Sync;

/// A server on a port of its own.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

/// How a peer behaves.
pub(crate) struct Manners {
    script: Box<Script>,
    /// Between the parts of an answer.
    pause: Duration,
    /// One permit for each answer.
    gate: Option<Arc<Semaphore>>,
    tls: Option<TlsAcceptor>,
    /// Whether a connection may bring several requests.
    keeps_alive: bool,
}

impl Manners {
    pub(crate) fn by_turns(script: impl Fn(usize) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script), pause: Duration::ZERO, gate: None, tls: None, keeps_alive: false }
    }

    pub(crate) fn answer(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::by_turns(move |_| vec![answer.clone()])
    }

    /// Sends the answer byte by byte from `from` on.
    pub(crate) fn dripping(answer: impl Into<Vec<u8>>, from: usize, pause: Duration) -> Self {
        let answer = answer.into();
        let parts = move |_: usize| {
            let drops = answer[from..].iter().map(|byte| vec![*byte]);
            std::iter::once(answer[..from].to_vec()).chain(drops).collect()
        };
        Self { pause, ..Self::by_turns(parts) }
    }

    pub(crate) fn gated(self, gate: Arc<Semaphore>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    pub(crate) fn keeping_alive(self) -> Self {
        Self { keeps_alive: true, ..self }
    }

    pub(crate) fn tls(self, tls: TlsAcceptor) -> Self {
        Self { tls: Some(tls), ..self }
    }
}

impl Peer {
    /// On loopback, any port.
    pub(crate) async fn start(manners: Manners) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.expect("a port"), manners)
    }

    /// One at each of these addresses, all on one port. A port that is free at one of them may be taken at another.
    pub(crate) async fn start_each(
        addresses: &[SocketAddr],
        manners: impl Fn() -> Manners,
    ) -> (Vec<Self>, u16) {
        for _ in 0..ATTEMPTS {
            let (mut listeners, mut port) = (Vec::new(), 0);
            for address in addresses {
                let mut address = *address;
                address.set_port(port);
                match TcpListener::bind(address).await {
                    Ok(listener) => {
                        port = listener.local_addr().expect("an address").port();
                        listeners.push(listener);
                    }
                    Err(error) if error.kind() == ErrorKind::AddrInUse => break,
                    Err(error) => panic!("{address}: {error}"),
                }
            }
            if listeners.len() == addresses.len() {
                return (listeners.into_iter().map(|listener| Self::at(listener, manners())).collect(), port);
            }
        }
        panic!("no port is free at {addresses:?}");
    }

    fn at(listener: TcpListener, manners: Manners) -> Self {
        let address = listener.local_addr().expect("an address");
        let (seen, manners) = (Arc::new(Seen::default()), Arc::new(manners));
        let peer = Self { address, seen: seen.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let (seen, manners) = (seen.clone(), manners.clone());
                tokio::spawn(async move {
                    match manners.tls.clone() {
                        None => converse(stream, &manners, &seen).await,
                        Some(tls) => {
                            // A client that does not trust us goes away here.
                            if let Ok(stream) = tls.accept(stream).await {
                                converse(stream, &manners, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        peer
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().expect("nobody panicked").clone()
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, manners: &Manners, seen: &Seen) {
    while answer(&mut stream, manners, seen).await.is_some() && manners.keeps_alive {}
    // The client may be gone.
    let _ = stream.shutdown().await;
}

/// Answers one request; nothing when the client went away before the end.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    manners: &Manners,
    seen: &Seen,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let before = {
        let mut requests = seen.requests.lock().expect("nobody panicked");
        requests.push(String::from_utf8_lossy(&head).to_ascii_lowercase());
        requests.len() - 1
    };
    if let Some(gate) = &manners.gate {
        gate.acquire().await.expect("an open gate").forget();
    }
    for part in (manners.script)(before) {
        stream.write_all(&part).await.ok()?;
        stream.flush().await.ok()?;
        if !manners.pause.is_zero() {
            tokio::time::sleep(manners.pause).await;
        }
    }
    Some(())
}

/// An answer of status 200 with this body and these header lines besides its length.
pub(crate) fn ok(headers: &[&str], body: &[u8]) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.len());
    let lines = [headers, &[length.as_str()]].concat();
    raw("200 OK", &lines, body)
}

/// An answer of a JSON document.
pub(crate) fn json(body: &[u8]) -> Vec<u8> {
    ok(&["Content-Type: application/json"], body)
}

/// An answer, byte for byte.
pub(crate) fn raw(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\n{}\r\n\r\n", headers.join("\r\n")).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// A fetcher of a server on loopback.
pub(crate) fn on_loopback() -> Fetcher {
    fetcher(loopback_options())
}

pub(crate) fn loopback_options() -> FetchOptions {
    FetchOptions { loopback: true, ..options() }
}

/// A fetcher of a server on the Internet that knows these names.
pub(crate) fn options() -> FetchOptions {
    FetchOptions { resolver: localhost(), ..FetchOptions::new(Clock::fixed(Clock::system().now())) }
}

/// Nothing here asks the machine's resolver.
fn localhost() -> Resolver {
    Resolver::fixed(HashMap::from([("localhost".to_owned(), vec![[127, 0, 0, 1].into()])]))
}

pub(crate) fn fetcher(options: FetchOptions) -> Fetcher {
    Fetcher::new(options).expect("a fetcher")
}
