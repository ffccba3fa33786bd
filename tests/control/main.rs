//! The control plane of test mode, over HTTP, as a test in another language uses it, and in process, as one in Rust does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod cookies;
mod deciding;
mod disturbing;
mod in_rust;
mod interlocks;
mod isolation;
mod keys;
mod minting;
mod personas;
mod probing;
mod process;
mod state;
mod stress;
mod watching;
mod world;
