//! Who is logged in to a browser.

use std::time::Duration;

use super::{Engine, Failure};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::{BrowserSession, User, UserId};
use crate::store::Outcome;
use crate::tokens::BrowserSessionToken;

/// How stale the note of when a browser was last seen may be, so that reading a page does not write each time.
const TOUCH_AFTER: Duration = Duration::from_secs(60);

/// A person and the browser session that they are logged in with.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The session.
    pub session: BrowserSession,
    /// The person, not suspended.
    pub user: User,
}

impl Engine {
    /// Whose cookie this is; `None` for a stranger's, an ended one's or a forged one.
    pub async fn logged_in(&self, cookie: Option<&str>) -> Result<Option<LoggedIn>, Failure> {
        let Some(token) = cookie.and_then(BrowserSessionToken::parse) else { return Ok(None) };
        let (now, idle) = (self.clock.now(), self.policy.lifetimes.browser_session_idle);
        let Some(live) = self.store.browser_session(token.id(), now, idle).await? else { return Ok(None) };
        if !self.secrets.verify(token.secret(), &live.secret_hash) {
            return Ok(None);
        }
        if now.since(live.session.seen_at) >= TOUCH_AFTER {
            self.store.touch_browser_session(&live.session.id, now).await?;
        }
        Ok(Some(LoggedIn { session: live.session, user: live.user }))
    }

    /// Starts a session for a person who has just proved who they are; the answer is the cookie's value. A session is
    /// never taken over from before the login (session fixation, RFC 9700 §4.16 and OWASP ASVS 7.2.4). `None` when the
    /// person was suspended meanwhile.
    pub(super) async fn start_session(
        &self,
        user: &UserId,
    ) -> Result<Option<(String, BrowserSession)>, Failure> {
        let now = self.clock.now();
        let token =
            BrowserSessionToken::generate(self.fresh(crate::protocol::BrowserSessionId::new), &self.random);
        let session = BrowserSession {
            id: token.id().clone(),
            user: user.clone(),
            auth_time: now,
            seen_at: now,
            expires_at: now.plus(self.policy.lifetimes.browser_session_absolute),
        };
        let audit = AuditEvent::new(now, AuditKind::LoggedIn).user(user);
        let hash = self.secrets.hash(token.secret());
        match self.store.start_browser_session(session.clone(), hash, audit).await? {
            Outcome::Won(()) => Ok(Some((token.expose_token(), session))),
            Outcome::Lost => Ok(None),
        }
    }

    /// A token for the forms of a logged-in browser; another browser's does not pass (OWASP ASVS 3.5.1).
    pub fn session_csrf(&self, who: &LoggedIn) -> String {
        self.secrets.csrf_token(&format!("session {}", who.session.id))
    }

    /// Whether a form came from a page of the same logged-in browser.
    pub fn is_session_csrf(&self, who: &LoggedIn, token: &str) -> bool {
        self.secrets.verify_csrf(&format!("session {}", who.session.id), token)
    }

    /// A token for the login form of a browser, by its cookie.
    pub fn browser_csrf(&self, browser: &str) -> String {
        self.secrets.csrf_token(&format!("browser {browser}"))
    }

    /// Whether a login form came from a page of the same browser.
    pub fn is_browser_csrf(&self, browser: &str, token: &str) -> bool {
        self.secrets.verify_csrf(&format!("browser {browser}"), token)
    }

    /// Ends a session.
    pub async fn log_out(&self, logged_in: &LoggedIn) -> Result<(), Failure> {
        let audit = AuditEvent::new(self.clock.now(), AuditKind::LoggedOut).user(&logged_in.user.id);
        // Whoever was faster has ended it as well.
        let _: Outcome = self.store.end_browser_session(&logged_in.session.id, audit).await?;
        Ok(())
    }
}
