//! The page at `/login`.

use askama::Template;

use super::text::filters;
use super::{ClientView, ModeNotice, Page};

/// Asks who the person is. Posts `continue`, `csrf`, and either `username` and `password`, or `quick`, to `/login`.
#[derive(Clone, Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    /// Sealed authorization request to go on with; empty when the person came by themselves.
    pub continue_token: String,
    /// Token that ties the form to this browser.
    pub csrf: String,
    /// User name to fill in, as it was typed before.
    pub username: String,
    /// What went wrong the last time.
    pub error: Option<LoginError>,
    /// The application that the person is about to connect.
    pub client: Option<ClientView>,
    /// People who can be chosen with one click. Empty outside dev and test mode, and when exposed.
    pub quick_logins: Vec<QuickLogin>,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

/// A ready-made person, logged in by one click.
#[derive(Clone, Debug)]
pub struct QuickLogin {
    /// Value of `quick`.
    pub username: String,
    /// Name as shown.
    pub display_name: String,
    /// Name of the tenant (or tenants) of the person.
    pub tenant: String,
    /// What the person may do, in a few words.
    pub description: String,
    /// Password, for those who want to type it.
    pub password: String,
}

/// Why the person is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginError {
    /// Wrong name or wrong password: one answer for both, so that names cannot be tried out.
    WrongNameOrPassword,
    /// Too many attempts on this name or from this address.
    TooManyAttempts,
    /// More logins are under way than this server checks at once.
    Busy,
    /// The form was too old, or did not come from this browser.
    ExpiredPage,
}

impl LoginError {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::WrongNameOrPassword => "Wrong user name or password.",
            Self::TooManyAttempts => "Too many attempts.",
            Self::Busy => "The server is busy.",
            Self::ExpiredPage => "This page was open for too long.",
        }
    }

    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::WrongNameOrPassword => "Check both and try again.",
            Self::TooManyAttempts => {
                "Wait a moment, then try again. Each wrong attempt makes the wait longer, up to a quarter of an hour."
            }
            Self::Busy => "Nothing is wrong with your password. Try again in a moment.",
            Self::ExpiredPage => "Nothing was lost. Log in once more.",
        }
    }
}

impl LoginPage {
    fn names_are_wrong(&self) -> bool {
        self.error == Some(LoginError::WrongNameOrPassword)
    }

    /// With one-click people above the form, focus stays at the top of the page.
    fn focus_username(&self) -> bool {
        self.quick_logins.is_empty() && self.username.is_empty()
    }

    fn focus_password(&self) -> bool {
        self.quick_logins.is_empty() && !self.username.is_empty()
    }
}

impl Page for LoginPage {
    /// After login a client that needs no consent is sent its answer at once.
    const LEADS_TO_CLIENT: bool = true;

    /// Not 401: no `WWW-Authenticate` challenge would fit (RFC 9110 §15.5.2).
    fn status(&self) -> u16 {
        match self.error {
            None => 200,
            Some(LoginError::WrongNameOrPassword) => 403,
            Some(LoginError::TooManyAttempts) => 429,
            Some(LoginError::Busy) => 503,
            Some(LoginError::ExpiredPage) => 400,
        }
    }
}
