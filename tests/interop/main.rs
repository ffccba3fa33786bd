//! Real clients against a whole server in dev mode, with its demonstration MCP server, over loopback HTTP.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod dev_server;
mod openid_connect;
mod rmcp_client;
