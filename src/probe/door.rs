//! Whether a token is let in.

use serde_json::Value;

use super::ProbeError;
use super::answer::{Answer, Session};
use super::mcp::{Call, McpServer, Sent};

/// The requests by which it shows at this server whether a token is let in.
#[derive(Clone, Debug)]
pub(super) struct Door {
    server: McpServer,
    /// Whether the server is spoken to without `initialize` and without sessions.
    is_stateless: bool,
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
        for is_stateless in [false, true] {
            let door = Self { server: server.clone(), is_stateless, lobby_is_open };
            let sent = Sent::InHeader(good);
            let mut answer = door.knock_otherwise(sent).await?;
            let is_mcp = answer.is_result();
            if is_mcp && lobby_is_open && !is_stateless {
                let session = door.began(good, answer).await?;
                // A server without tools does not know the method, and says so to whom it let in.
                answer = door.server.call(Call::ListTools, sent, &session).await?;
            }
            if is_mcp && answer.is_success() {
                return Ok(Ok(door));
            }
            refused.get_or_insert(answer);
        }
        refused.map(Err).ok_or(ProbeError::NoAnswer)
    }

    /// Presents a token. `goes_on`: where `initialize` succeeds, the answer that counts is that to `tools/list`.
    pub(super) async fn knock(&self, token: &str, goes_on: bool) -> Result<Answer, ProbeError> {
        let sent = Sent::InHeader(token);
        let answer = self.server.call(self.first(), sent, &Session::default()).await?;
        if !answer.is_success() || self.is_stateless || !(goes_on || self.lobby_is_open) {
            return Ok(answer);
        }
        let session = self.began(token, answer).await?;
        self.server.call(Call::ListTools, sent, &session).await
    }

    /// Presents a token in another way than it should be, or none.
    pub(super) async fn knock_otherwise(&self, sent: Sent<'_>) -> Result<Answer, ProbeError> {
        self.server.call(self.first(), sent, &Session::default()).await
    }

    /// Whether the server is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        super::is_loopback(self.server.url())
    }

    /// Whether the server still answers, after the check of this name left it without an answer.
    pub(super) async fn is_standing(&self, after: &str) -> Result<(), ProbeError> {
        match self.knock_otherwise(Sent::Without).await {
            Err(ProbeError::Unreachable { url, why }) => {
                Err(ProbeError::Fell { url, after: after.to_owned(), why })
            }
            answer => answer.map(drop),
        }
    }

    /// Begins with a good token, and goes on without one.
    pub(super) async fn slip_in_behind(&self, good: &str) -> Result<Answer, ProbeError> {
        let begun = self.server.call(self.first(), Sent::InHeader(good), &Session::default()).await?;
        if self.is_stateless {
            return self.knock_otherwise(Sent::Without).await;
        }
        let session = self.began(good, begun).await?;
        self.server.call(Call::ListTools, Sent::Without, &session).await
    }

    /// Calls a tool, after `initialize` where the server wants that.
    pub(super) async fn call_tool(
        &self,
        token: &str,
        name: &str,
        arguments: &Value,
    ) -> Result<Answer, ProbeError> {
        let sent = Sent::InHeader(token);
        if self.is_stateless {
            let call = Call::ToolStateless(name, arguments);
            return self.server.call(call, sent, &Session::default()).await;
        }
        let answer = self.server.call(Call::Initialize, sent, &Session::default()).await?;
        if !answer.is_success() {
            return Ok(answer);
        }
        let session = self.began(token, answer).await?;
        self.server.call(Call::Tool(name, arguments), sent, &session).await
    }

    fn first(&self) -> Call<'static> {
        if self.is_stateless { Call::ListToolsStateless } else { Call::Initialize }
    }

    /// The session that an answer to `initialize` has begun, told that the client is ready.
    async fn began(&self, token: &str, answer: Answer) -> Result<Session, ProbeError> {
        if answer.session.id.is_some() {
            self.server.say_initialized(token, &answer.session).await?;
        }
        Ok(answer.session)
    }
}
