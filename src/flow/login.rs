//! Logging in.
//!
//! Nothing is stored for a stranger. The request that made somebody log in travels with their browser, sealed and tied
//! to a cookie of that browser, so that nobody can be made to log in to somebody else's request (login CSRF) and an old
//! page cannot be used for ever.

use serde::{Deserialize, Serialize};

use super::authorize::{Considered, ParkedRequest, Reading};
use super::client::Looking;
use super::{Destination, Engine, Failure, LoggedIn, Unanswerable};
use crate::protocol::{AuthorizationRequest, Timestamp, TooMany, User};
use crate::store::{Account, Outcome};
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
    /// The name rests after wrong passwords, whether somebody has it or not. The password was not looked at.
    Resting(TooMany),
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
        let proof = match attempt.password {
            Password::OneClick => self.one_click(attempt.username).await?,
            Password::Typed(password) => self.prove(attempt.username, password).await?,
        };
        let user = match proof {
            Ok(user) => user,
            Err(outcome) => {
                tracing::info!(?outcome, "login refused");
                return Ok(outcome);
            }
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

    async fn one_click(&self, username: &str) -> Result<Result<User, LoginOutcome>, Failure> {
        let account = self.store.account_by_username(&User::fold(username)).await?;
        Ok(standing(account.filter(|_| self.one_click_login)).ok_or(LoginOutcome::Wrong))
    }

    /// Whose name and password these are. A name that nobody has is treated like any other, down to how long it takes
    /// and when it rests (OWASP ASVS 6.3.8).
    ///
    /// Guesses that come at once may all be looked at, but once the name rests their outcome is told to none of them:
    /// counting and forgetting are guarded by that (OWASP ASVS 6.3.1).
    async fn prove(&self, username: &str, password: &str) -> Result<Result<User, LoginOutcome>, Failure> {
        // First of all, so that a flood of logins does not queue for the database.
        let Ok(place) = self.passwords.place() else { return Ok(Err(LoginOutcome::Busy)) };
        let folded = User::fold(username);
        let name = self.secrets.login_name_tag(&folded);
        if let Some(resting) = self.resting(&name).await? {
            return Ok(Err(resting));
        }
        let account = self.store.account_by_username(&folded).await?;
        let stored = account.as_ref().and_then(|account| account.password_hash.as_ref());
        let is_right = match self.passwords.verify_in(place, password, stored).await {
            Err(PasswordError::TooLong) => false,
            other => other?,
        };
        let user = standing(account.filter(|_| is_right));
        let now = self.clock.now();
        let answered = match user {
            Some(_) => self.store.forget_login_failures(name.clone(), now).await?,
            None => self.store.count_login_failure(name.clone(), now).await?,
        };
        match answered {
            Outcome::Won(()) => Ok(user.ok_or(LoginOutcome::Wrong)),
            Outcome::Lost => Ok(Err(self.resting(&name).await?.unwrap_or(LoginOutcome::Busy))),
        }
    }

    async fn resting(&self, name: &str) -> Result<Option<LoginOutcome>, Failure> {
        let now = self.clock.now();
        let until = self.store.login_rests_until(name, now).await?;
        Ok(until.map(|until| LoginOutcome::Resting(TooMany::until(until, now))))
    }

    fn opened(&self, sealed: &str, browser: &str) -> Option<Continuation> {
        let plain = self.secrets.open_text(&purpose(browser), sealed).ok()?;
        let continuation: Continuation = serde_json::from_slice(&plain).ok()?;
        (continuation.expires_at > self.clock.now()).then_some(continuation)
    }
}

/// Somebody who is not suspended.
fn standing(account: Option<Account>) -> Option<User> {
    account.map(|account| account.user).filter(|user| user.suspended_at.is_none())
}

fn purpose(browser: &str) -> String {
    format!("login of browser {browser}")
}
