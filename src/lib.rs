//! Gatelet: an OAuth 2.1 authorization server made for MCP.
//!
//! The rules are in [`protocol`], as plain functions over plain values. [`flow`] is what somebody does (authorize, log in,
//! consent, redeem, refresh): it loads, lets `protocol` decide, has the [`store`] commit under a guard, and says what to
//! answer. [`http`] is the table of routes and one file per endpoint; [`pages`] is what people see; [`tokens`] is
//! everything that needs cryptography; [`fetch`] alone dials addresses that a stranger chose. [`app`] wires one server
//! out of these, [`mod@serve`] listens, [`cli`] starts it.
//!
//! Three parts are for your own code: [`resource`] protects an MCP server, [`testkit`] runs a whole authorization server
//! inside a test, and [`mod@demo`] shows the first of them at work. Test mode is [`control`], which makes servers for tests in
//! any language and holds their clocks, keys and faults, and [`zoo`], the tokens that a server must refuse.

pub mod app;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod demo;
pub mod fetch;
pub mod flow;
pub mod http;
pub mod pages;
pub mod probe;
pub mod protocol;
pub mod random;
pub mod resource;
pub mod serve;
pub mod store;
pub mod testkit;
pub mod tokens;
pub mod zoo;
