//! An attacker's key server: it tells whether somebody dialled it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::ProbeError;

/// Serves a JWKS on a free loopback port until it is dropped.
pub(super) struct KeyListener {
    origin: String,
    calls: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl KeyListener {
    /// Serves a JWKS with this one key, which is the metadata of an issuer too, whatever the path.
    pub(super) async fn start(jwk: &Value) -> Result<Self, ProbeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(ProbeError::Listen)?;
        let address = listener.local_addr().map_err(ProbeError::Listen)?;
        let calls = Arc::new(AtomicUsize::new(0));
        let origin = format!("http://{address}");
        let jwks_uri = format!("{origin}/jwks.json");
        let body = json!({ "issuer": origin, "jwks_uri": jwks_uri, "keys": [jwk] }).to_string();
        let counted = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                // Whoever hangs up gets no answer.
                let _ = answer(stream, &body).await;
            }
        });
        Ok(Self { origin, calls, task })
    }

    /// Where the keys are.
    pub(super) fn url(&self) -> String {
        format!("{}/jwks.json", self.origin)
    }

    /// The issuer that it could be.
    pub(super) fn issuer(&self) -> &str {
        &self.origin
    }

    /// How often it was dialled.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Drop for KeyListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, body: &str) -> std::io::Result<()> {
    // A request for a JWKS has no body, and its head fits in one read.
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await?;
    let length = body.len();
    let text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_counts_who_calls_and_serves_the_key() {
        let listener = KeyListener::start(&json!({ "kid": "evil" })).await.unwrap();
        assert_eq!(listener.calls(), 0);
        let body: Value = reqwest::get(listener.url()).await.unwrap().json().await.unwrap();
        assert_eq!(
            body,
            json!({ "issuer": listener.issuer(), "jwks_uri": listener.url(), "keys": [{ "kid": "evil" }] })
        );
        assert_eq!(listener.calls(), 1);
    }
}
