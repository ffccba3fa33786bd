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
    url: String,
    calls: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl KeyListener {
    /// Serves a JWKS with this one key.
    pub(super) async fn start(jwk: &Value) -> Result<Self, ProbeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(ProbeError::Listen)?;
        let address = listener.local_addr().map_err(ProbeError::Listen)?;
        let calls = Arc::new(AtomicUsize::new(0));
        let body = json!({ "keys": [jwk] }).to_string();
        let counted = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                // Whoever hangs up gets no answer.
                let _ = answer(stream, &body).await;
            }
        });
        Ok(Self { url: format!("http://{address}/jwks.json"), calls, task })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
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
        let body = reqwest::get(listener.url()).await.unwrap().text().await.unwrap();
        assert_eq!((body.as_str(), listener.calls()), (r#"{"keys":[{"kid":"evil"}]}"#, 1));
    }
}
