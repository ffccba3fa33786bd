//! A logout that a client begins (OpenID Connect RP-Initiated Logout §2). It ends the session of the browser. Grants and
//! what was issued under them stay: an application that acts for a person goes on when they close their browser, and is
//! disconnected by revoking its grant.

use super::{Engine, LoggedIn, Unanswerable};
use crate::protocol::logout::{LogoutRequest, WayBack, next_step};
use crate::protocol::{Client, Params};

/// What becomes of such a request.
#[derive(Debug)]
pub enum LogoutAnswer {
    /// The person is to be asked.
    Ask {
        /// Who wants them to log out, if it says so.
        client: Option<Box<Client>>,
        /// Where they go afterwards.
        back: Option<WayBack>,
        /// The way back for the form that they send, sealed; see [`Engine::after_logout`].
        sealed: String,
    },
    /// Nobody is logged in to the browser, any more or at all: it is sent to this URL.
    SentBack(String),
    /// The same, and the person decides whether they go back.
    LoggedOut {
        /// Who wanted it, if it says so.
        client: Option<Box<Client>>,
        /// The way back, if there is one.
        back: Option<WayBack>,
    },
}

impl Engine {
    /// Answers a request to log out: `encoded` is its query.
    ///
    /// # Errors
    /// [`Unanswerable::Logout`] for one that contradicts itself or wants to lead where its client has registered
    /// nothing: then nothing is done (RP-Initiated Logout §2). Faults.
    pub async fn end_session(
        &self,
        encoded: &[u8],
        who: Option<&LoggedIn>,
    ) -> Result<LogoutAnswer, Unanswerable> {
        let request = Params::parse(encoded).and_then(|params| LogoutRequest::parse(&params));
        let request = request.map_err(Unanswerable::Logout)?;
        let hint = match &request.id_token_hint {
            Some(token) => self.hint(token).await,
            None => None,
        };
        let client = match request.asking(hint.as_ref()).map_err(Unanswerable::Logout)? {
            Some(id) => self.store.client(id).await?.filter(|client| self.policy.admits(client)),
            None => None,
        };
        let back = request.way_back(client.as_ref()).map_err(Unanswerable::Logout)?;
        let step = next_step(client.as_ref(), hint.as_ref(), who.map(|who| &who.user.id));
        match who {
            Some(who) if step.asks => {
                let sealed = self.sealed_way_back(who, back.as_ref());
                return Ok(LogoutAnswer::Ask { client: client.map(Box::new), back, sealed });
            }
            Some(who) => self.log_out(who).await?,
            None => {}
        }
        Ok(match back {
            Some(back) if step.sends_back => LogoutAnswer::SentBack(back.url()),
            back => LogoutAnswer::LoggedOut { client: client.map(Box::new), back },
        })
    }

    fn sealed_way_back(&self, who: &LoggedIn, back: Option<&WayBack>) -> String {
        let url = back.map(WayBack::url).unwrap_or_default();
        self.secrets.seal_text(&purpose(who), url.as_bytes(), &self.random)
    }

    /// Where a person who has confirmed goes, by what the form brought along: a URL of the client that asked.
    pub fn after_logout(&self, who: &LoggedIn, sealed: &str) -> Option<String> {
        let url = self.secrets.open_text(&purpose(who), sealed).ok()?;
        String::from_utf8(url).ok().filter(|url| !url.is_empty())
    }
}

fn purpose(who: &LoggedIn) -> String {
    format!("logout of session {}", who.session.id)
}
