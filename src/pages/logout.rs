//! The pages at `/logout`.

use askama::Template;

use super::text::filters;
use super::{ModeNotice, Page};

/// Asks whether to log out: a GET from elsewhere must not end a session. Posts `csrf` to `/logout`.
#[derive(Clone, Debug, Template)]
#[template(path = "logout.html")]
pub struct LogoutPage {
    /// Token that ties the form to this browser session.
    pub csrf: String,
    /// Where "Stay logged in" leads.
    pub cancel: String,
    /// The person's name as shown.
    pub user_name: String,
    /// The person's login name.
    pub username: String,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

/// Says that the browser session has ended.
#[derive(Clone, Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

impl Page for LogoutPage {}
impl Page for SignedOutPage {}
