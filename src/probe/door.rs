//! Whether a token is let in.

use super::ProbeError;
use super::mcp::{Answer, Call, McpServer, Sent};

/// The requests by which it shows at this server whether a token is let in.
#[derive(Clone, Debug)]
pub(super) struct Door {
    server: McpServer,
    call: Call,
    /// Whether `initialize` is answered to everybody, so that only what comes after it tells.
    lobby_is_open: bool,
}

impl Door {
    /// Finds out how the server is spoken to, with a token that is good: by the revisions with `initialize`, or without.
    /// `Err` has the answer to the good token, if none is let in.
    pub(super) async fn find(
        server: McpServer,
        good: &str,
        lobby_is_open: bool,
    ) -> Result<Result<Self, Answer>, ProbeError> {
        let mut refused = None;
        for call in [Call::Initialize, Call::ListToolsStateless] {
            let door = Self { server: server.clone(), call, lobby_is_open };
            let answer = door.knock(good, false).await?;
            if answer.is_success() && answer.rpc_error.is_none() {
                return Ok(Ok(door));
            }
            refused.get_or_insert(answer);
        }
        refused.map(Err).ok_or(ProbeError::NoAnswer)
    }

    /// Presents a token. `goes_on`: where `initialize` succeeds, the answer that counts is that to `tools/list`.
    pub(super) async fn knock(&self, token: &str, goes_on: bool) -> Result<Answer, ProbeError> {
        let answer = self.server.call(self.call, Sent::InHeader(token), None).await?;
        let is_first_step = self.call == Call::Initialize && (goes_on || self.lobby_is_open);
        if !answer.is_success() || !is_first_step {
            return Ok(answer);
        }
        if let Some(session) = &answer.session {
            self.server.say_initialized(token, session).await?;
        }
        self.server.call(Call::ListTools, Sent::InHeader(token), answer.session.as_deref()).await
    }

    /// Presents a token in another way than it should be, or none.
    pub(super) async fn knock_otherwise(&self, sent: Sent<'_>) -> Result<Answer, ProbeError> {
        self.server.call(self.call, sent, None).await
    }

    /// Begins with a good token, and goes on without one.
    pub(super) async fn slip_in_behind(&self, good: &str) -> Result<Answer, ProbeError> {
        let begun = self.server.call(self.call, Sent::InHeader(good), None).await?;
        if self.call != Call::Initialize {
            return self.server.call(self.call, Sent::Without, None).await;
        }
        if let Some(session) = &begun.session {
            self.server.say_initialized(good, session).await?;
        }
        self.server.call(Call::ListTools, Sent::Without, begun.session.as_deref()).await
    }
}
