//! What is checked, by topic.

mod dialling;
pub(super) mod discovery;
pub(super) mod keys;
pub(super) mod place;
mod refusals;
pub(super) mod tokens;
pub(super) mod tools;
pub(super) mod usage;
