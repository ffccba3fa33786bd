//! A real server for tests, with a clock that stands still, and the two who talk to it: a browser and a client.
//!
//! [`TestServer`] is the whole program on a loopback port with a throw-away database; [`Browser`] reads its real pages
//! and fills in their real forms; [`TestClient`] asks for tokens and checks what every client has to check. Gatelet's
//! own flow tests are written with nothing else.
//!
//! Whatever is not as a test expects ends it with a panic that says what was found instead.
//!
//! ```
//! use std::time::Duration;
//! use gatelet::testkit::{Browser, TestClient, TestResource, TestServer, TestUser};
//!
//! # #[tokio::main]
//! # async fn main() {
//! let server = TestServer::builder()
//!     .user(TestUser::new("alice").member_of("acme", ["member"]))
//!     .resource(TestResource::new("https://mcp.example.com/mcp").scope("mcp:read", "Read notes"))
//!     .public_client("editor", ["http://127.0.0.1/callback"])
//!     .start()
//!     .await;
//!
//! let client = TestClient::new(&server, "editor", "http://127.0.0.1:4711/callback");
//! let mut browser = Browser::new(&server);
//! let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
//! let tokens = client.redeem(&callback).await.granted();
//!
//! let claims = server.verify(tokens.access_token()).await;
//! assert_eq!(claims["aud"], "https://mcp.example.com/mcp");
//! assert_eq!(claims["tenant"], "acme");
//!
//! server.clock().advance(Duration::from_secs(15 * 60));
//! let tokens = client.refresh(tokens.refresh_token()).await.granted();
//! assert_eq!(tokens.scope(), "mcp:read");
//! # }
//! ```

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that does not find what it expects ends with words, and so does one that cannot be set up"
)]

mod answer;
mod assertion;
mod authorization;
mod browser;
mod builder;
mod claims;
mod client;
mod cookie_jar;
mod form;
mod http;
mod issuers;
mod page;
mod seed;
mod server;
#[cfg(test)]
mod tests;

pub use answer::{JsonAnswer, TokenResponse};
pub use assertion::ClientKey;
pub use authorization::{Authorization, Callback, RequestParams};
pub use browser::{Browser, Consent, Landing, Login};
pub use builder::TestServerBuilder;
pub use client::{ClientAuth, TestClient};
pub use form::Form;
pub use issuers::TestIssuers;
pub use page::Page;
pub use seed::{PASSWORD, TestResource, TestUser};
pub use server::TestServer;
