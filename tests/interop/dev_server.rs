//! `gatelet dev`, without the command line.

use std::path::PathBuf;

use gatelet::app::dev::{self, Dev, DevOptions, demo_url};
use gatelet::clock::Clock;
use gatelet::protocol::Issuer;
use gatelet::serve;
use gatelet::testkit::{Browser, Landing};

/// A server in dev mode on a free port, with a clock that the test moves. Gone with the test's runtime.
pub(crate) struct DevServer {
    pub(crate) clock: Clock,
    pub(crate) dev: Dev,
    issuer: Issuer,
    data: PathBuf,
}

impl Drop for DevServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

impl DevServer {
    pub(crate) async fn start() -> Self {
        let listener = serve::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let issuer = Issuer::parse(&format!("http://localhost:{port}/oauth")).unwrap();
        let data = std::env::temp_dir().join(format!("gatelet-interop-{}-{port}", std::process::id()));
        let clock = Clock::fixed(Clock::system().now());
        let options = DevOptions {
            data: data.clone(),
            issuer: issuer.clone(),
            exposed: false,
            hosts: Vec::new(),
            clock: clock.clone(),
        };
        let dev = dev::build(options).await.expect("dev mode starts");
        tokio::spawn(serve::serve(vec![listener], dev.router.clone(), std::future::pending()));
        Self { clock, dev, issuer, data }
    }

    /// Where the demonstration MCP server is.
    pub(crate) fn mcp_url(&self) -> String {
        demo_url(&self.issuer)
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> String {
        self.issuer.to_string()
    }

    /// The ready-made machine client and its secret.
    pub(crate) fn machine(&self) -> (String, String) {
        let secret = std::fs::read_to_string(self.data.join("keys").join("machine-client-secret")).unwrap();
        (dev::MACHINE_CLIENT.to_owned(), secret.trim().to_owned())
    }

    /// A fresh browser.
    pub(crate) fn browser(&self) -> Browser {
        Browser::at(self.issuer.origin(), self.clock.clone())
    }
}

/// Has alice log in with her password if she has to, and allow what is asked; the answer is where the browser is sent.
pub(crate) async fn alice_allows(browser: &mut Browser, url: &str, scopes: &[&str]) -> String {
    let mut page = browser.get(url).await.page();
    if page.has_form_with("password") {
        page = browser.log_in(&page, "alice").await.page();
    }
    let offered = page.form_with("decision");
    let mut offered: Vec<_> =
        offered.options("scope").into_iter().map(|(tick, _)| tick.rsplit(' ').next().unwrap()).collect();
    // A client asks in whichever order it likes.
    offered.sort_unstable();
    assert_eq!(offered, scopes);
    match browser.consent(&page).allow().await {
        Landing::Left(url) => url,
        Landing::Page(page) => panic!("not sent back to the client: {}", page.text()),
    }
}
