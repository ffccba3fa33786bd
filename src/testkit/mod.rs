//! A whole authorization server inside a test, and those who talk to it.
//!
//! **Reach for [`TestServer`].** It is the program itself on a loopback port of its own, with a throw-away database and a
//! clock that stands still, up in some milliseconds, so that each test has one. [`TestServer::control`] puts it into the
//! hands of the test: it mints tokens without a flow, good ones and [bad ones of every kind](crate::zoo); moves the clock;
//! exchanges and loses keys; spoils answers; keeps what was asked; has people answer without a page; puts a whole state
//! back. Beside it are a [`Browser`], which reads the real pages and fills in the real forms, and a [`TestClient`], which
//! asks for tokens and checks what every client has to check.
//!
//! [`TestIssuers`] is for programs in other processes and languages that a test gives an issuer each: it is `gatelet test`
//! inside a test, with the control plane over HTTP. What can be done to an issuer is the same, a [`TestIssuer`].
//!
//! # Testing an MCP server
//!
//! Mint tokens and send them. What each is good or bad for is said with it, and how a server has to answer:
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use gatelet::resource::ResourceServer;
//! use gatelet::testkit::{MintSpec, TestServer};
//! use gatelet::zoo::DependsOn;
//! use tower::ServiceExt as _;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::start().await;
//!
//! // The MCP server under test, told of its issuer and of the test's clock.
//! let notes = ResourceServer::builder("http://127.0.0.1:8000/mcp", server.issuer())
//!     .required_scopes(["mcp:read"])
//!     .tenant("acme")
//!     .clock(server.clock().clone())
//!     .build()?;
//! let app = Router::new().route("/mcp", get(async || "hello")).route_layer(notes.layer());
//!
//! for token in server.control().zoo(&MintSpec::default()).await? {
//!     // This one asks nobody whether a token was revoked.
//!     if token.specimen.depends_on == Some(DependsOn::Introspection) {
//!         continue;
//!     }
//!     let bearer = format!("Bearer {}", token.token.unwrap_or_default());
//!     let request = Request::get("/mcp").header("host", "127.0.0.1:8000").header("authorization", bearer);
//!     let answer = app.clone().oneshot(request.body(Body::empty())?).await?;
//!     assert_eq!(answer.status().as_u16(), token.specimen.status, "{}", token.specimen.why);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The server has the people, the MCP server and the clients of an issuer of `gatelet test` where a test names none;
//! [`TestServer::builder`] names others.
//!
//! # Testing a client, or the flow
//!
//! Real pages, real forms, and a clock to let tokens expire by:
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
//!
//! Without pages, [`TestClient::authorize_at_once`] does the same, and for a client of yours that opens a browser by
//! itself, [`TestIssuer::set_auto`] has the authorization endpoint answer at once.
//!
//! # What a test can do
//!
//! | To | there is |
//! | --- | --- |
//! | mint any token | [`TestIssuer::mint`], [`TestIssuer::zoo`], [`TestIssuer::revoke`] |
//! | set, stop, move the clock | [`TestIssuer::set_time`], [`TestIssuer::advance`]: what is due by then is done; [`TestServer::clock`] moves time alone |
//! | rotate, lose, revoke keys, publish them late | [`TestIssuer::change_keys`] |
//! | break answers, lose them, delay them | [`TestIssuer::add_fault`], and whole [personas](crate::control::PERSONAS) of broken servers by [`TestIssuer::put_on`] |
//! | log in and consent without a page | [`TestClient::authorize_at_once`], [`TestIssuer::decide`], [`TestIssuer::set_auto`] |
//! | see what was asked | [`TestIssuer::expect`], [`TestIssuer::requests`] |
//! | begin again from the same state | [`TestIssuer::keep`], [`TestIssuer::put_back`] |
//! | have client documents without a network | [`TestServerBuilder::client_document`], [`TestIssuer::supply`] |
//! | have the same each time | [`TestServerBuilder::seed`], [`TestServerBuilder::port`] |
//!
//! Whatever a browser, a client or a server here does not find as a test expects ends the test with a panic that says
//! what was found instead; what the hands of a test refuse is a [`Refused`].

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

// What the hands of a test take and give, so that one `use` has it all.
pub use crate::control::{
    Auto, Captured, ClockSetting, ClockView, DecideSpec, Decision, DocumentSpec, Fault, FaultSpec,
    IssuerSpec, IssuerView, KeyAction, KeyChoice, KeysView, MintSpec, Minted, Pattern, Refused, TestIssuer,
    TestMode, ZooView,
};
