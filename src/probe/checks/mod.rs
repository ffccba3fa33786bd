//! What is checked, by topic.

pub(super) mod discovery;
pub(super) mod keys;
pub(super) mod tokens;
pub(super) mod usage;
