//! The rules of OAuth 2.1 and of MCP authorization as plain functions over plain values.
//!
//! Nothing here waits, reads a clock, draws a random number, logs, or knows a database or HTTP library:
//! values go in, a decision comes out. Whoever reviews Gatelet can start here.

mod id;
mod timestamp;

pub use id::{
    BrowserSessionId, ClientId, CodeId, GrantId, Id, InteractionId, RoleName, ServerSecretId, TenantId,
    UserId,
};
pub use timestamp::Timestamp;
