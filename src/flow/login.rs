//! Logging in.
//!
//! Nothing is stored for a stranger. The request that made somebody log in travels with their browser, sealed and tied
//! to a cookie of that browser, so that nobody can be made to log in to somebody else's request (login CSRF) and an old
//! page cannot be used for ever.

use serde::{Deserialize, Serialize};

use super::authorize::{Considered, ParkedRequest, Reading};
use super::client::Looking;
use super::{Destination, Engine, Failure, LoggedIn, Unanswerable};
use crate::protocol::{AuthorizationRequest, Timestamp, User};
use crate::store::Account;
use crate::tokens::PasswordError;

/// What a login page brings along, sealed.
#[derive(Serialize, Deserialize)]
struct Continuation {
    request: Option<ParkedRequest>,
    expires_at: Timestamp,
}

/// What the login page shows.
#[derive(Debug)]
pub struct LoginView {
    /// The request that makes the person log in, if one does.
    pub request: Option<AuthorizationRequest>,
    /// The host of the client's document, when it will be read only once somebody is logged in.
    pub unread_host: Option<String>,
}

/// How somebody proves who they are.
pub enum Password<'a> {
    /// By knowing their password.
    Typed(&'a str),
    /// By one click: for the ready-made people of dev mode.
    OneClick,
}

/// A login form as it was sent.
pub struct LoginAttempt<'a> {
    /// What the page brought along; see [`Engine::continuation`].
    pub continuation: &'a str,
    /// The cookie of the browser, to which the page is tied.
    pub browser: &'a str,
    /// Who it says it is.
    pub username: &'a str,
    /// How it proves that.
    pub password: Password<'a>,
    /// Who was logged in to this browser before; that session ends.
    pub before: Option<LoggedIn>,
}

/// What becomes of a login.
#[derive(Debug)]
pub enum LoginOutcome {
    /// Logged in: the cookie's value, and where the browser goes; nowhere in particular when no request waits.
    LoggedIn {
        /// The value of the session cookie.
        cookie: String,
        /// Where the request goes on, or why it cannot.
        destination: Option<Result<Destination, Unanswerable>>,
    },
    /// Wrong name or wrong password; which of them is not said (OWASP ASVS 6.3.8).
    Wrong,
    /// Too many people log in at once; nothing is wrong with the password.
    Busy,
    /// The page is too old, or was made for another browser.
    Expired,
}

impl Engine {
    /// Seals a request for a login page of the browser that holds the cookie `browser`.
    pub fn continuation(&self, request: Option<&ParkedRequest>, browser: &str) -> Result<String, Failure> {
        let expires_at = self.clock.now().plus(self.policy.lifetimes.interaction);
        let continuation = Continuation { request: request.cloned(), expires_at };
        let plain = serde_json::to_vec(&continuation).map_err(|error| Failure::Fault(error.into()))?;
        Ok(self.secrets.seal_text(&purpose(browser), &plain, &self.random))
    }

    /// What the login page shows for a continuation.
    ///
    /// # Errors
    /// [`Unanswerable::Expired`], and whatever has come to be wrong with the request itself.
    pub async fn login_page(&self, continuation: &str, browser: &str) -> Result<LoginView, Unanswerable> {
        let continuation = self.opened(continuation, browser).ok_or(Unanswerable::Expired)?;
        let mut view = LoginView { request: None, unread_host: None };
        let Some(parked) = continuation.request else { return Ok(view) };
        match self.consider(&parked, None, Looking::InStore).await? {
            Reading::Considered(considered) => {
                let Considered { request, .. } = *considered;
                view.request = Some(request);
            }
            Reading::Unread(url) => view.unread_host = Some(url.host().to_owned()),
            Reading::Refused(_) => {}
        }
        Ok(view)
    }

    /// Logs somebody in and goes on with the request that waits.
    ///
    /// # Errors
    /// Faults only.
    pub async fn log_in(&self, attempt: LoginAttempt<'_>) -> Result<LoginOutcome, Failure> {
        let Some(continuation) = self.opened(attempt.continuation, attempt.browser) else {
            return Ok(LoginOutcome::Expired);
        };
        let account = self.store.account_by_username(&User::fold(attempt.username)).await?;
        let proved = match attempt.password {
            Password::OneClick => self.one_click_login,
            Password::Typed(password) => match self.is_password(password, account.as_ref()).await {
                Err(PasswordError::Busy) => return Ok(LoginOutcome::Busy),
                Err(PasswordError::TooLong) => false,
                other => other?,
            },
        };
        let account = account.filter(|account| proved && account.user.suspended_at.is_none());
        let Some(Account { user, .. }) = account else {
            tracing::info!("login refused");
            return Ok(LoginOutcome::Wrong);
        };
        let Some((cookie, session)) = self.start_session(&user.id).await? else {
            return Ok(LoginOutcome::Wrong);
        };
        if let Some(before) = &attempt.before {
            self.log_out(before).await?;
        }
        let who = LoggedIn { session, user };
        let destination = match &continuation.request {
            Some(parked) => Some(self.proceed(parked, Some(&who)).await),
            None => None,
        };
        Ok(LoginOutcome::LoggedIn { cookie, destination })
    }

    async fn is_password(&self, password: &str, account: Option<&Account>) -> Result<bool, PasswordError> {
        self.passwords.verify(password, account.and_then(|account| account.password_hash.as_ref())).await
    }

    fn opened(&self, sealed: &str, browser: &str) -> Option<Continuation> {
        let plain = self.secrets.open_text(&purpose(browser), sealed).ok()?;
        let continuation: Continuation = serde_json::from_slice(&plain).ok()?;
        (continuation.expires_at > self.clock.now()).then_some(continuation)
    }
}

fn purpose(browser: &str) -> String {
    format!("login of browser {browser}")
}
