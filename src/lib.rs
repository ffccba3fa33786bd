//! Gatelet: an OAuth 2.1 authorization server made for MCP.

pub mod app;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod flow;
pub mod http;
pub mod pages;
pub mod protocol;
pub mod random;
pub mod resource;
pub mod serve;
pub mod store;
pub mod testkit;
pub mod tokens;
