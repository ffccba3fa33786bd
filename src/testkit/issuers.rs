//! Many issuers on one port and the control plane over HTTP, as `gatelet test` has them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::control::{IssuerSpec, Refused, TestIssuer, TestMode, TestModeOptions};
use crate::serve;

/// `gatelet test` inside a test: any number of issuers on one port, and the control plane over HTTP, for programs in other
/// processes. A test that needs neither has less to do with a [`TestServer`](super::TestServer). It ends with this value.
///
/// ```
/// use gatelet::testkit::{IssuerSpec, MintSpec, Refused, TestIssuers};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Refused> {
/// let gatelet = TestIssuers::start().await;
/// let issuer = gatelet.issuer(IssuerSpec::default()).await;
/// let good = issuer.mint(&MintSpec::default()).await?;
/// let expired = issuer.mint(&MintSpec { defect: Some("expired".to_owned()), ..MintSpec::default() }).await?;
/// assert_eq!(good.claims["aud"], "http://127.0.0.1:8000/mcp");
/// assert!(expired.claims["exp"].as_i64() < good.claims["iat"].as_i64());
///
/// // What the other program is told.
/// let (where_it_is, key) = (gatelet.mode().control_url(), gatelet.mode().key());
/// assert!(where_it_is.starts_with("http://127.0.0.1:") && key.starts_with("gtl_ck_"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestIssuers {
    mode: TestMode,
    /// Dropped with this value, upon which the server ends.
    _running: oneshot::Sender<()>,
}

impl TestIssuers {
    /// Listens on a free port.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn start() -> Self {
        let listener = serve::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
        let listener = listener.unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().expect("a bound listener has an address");
        let options = TestModeOptions::at(format!("http://{address}"));
        let mode = TestMode::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        let (running, stopped) = oneshot::channel::<()>();
        let router = mode.router();
        tokio::spawn(serve::serve(vec![listener], router, async move {
            // Nothing is ever sent.
            let _ = stopped.await;
        }));
        Self { mode, _running: running }
    }

    /// The issuers and the control plane.
    pub fn mode(&self) -> &TestMode {
        &self.mode
    }

    /// A fresh issuer.
    ///
    /// # Panics
    /// When the spec makes no sense; [`TestMode::make`] says so instead.
    pub async fn issuer(&self, spec: IssuerSpec) -> Arc<TestIssuer> {
        self.mode.make(spec).await.unwrap_or_else(|error: Refused| panic!("{error}"))
    }
}
