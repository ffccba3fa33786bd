//! The page at `/` in serve mode.

use askama::Template;

use super::text::filters;
use super::{ModeNotice, Page};

/// Says what this server is and who is logged in. Posts `csrf` to `/logout`.
#[derive(Clone, Debug, Template)]
#[template(path = "welcome.html")]
pub struct WelcomePage {
    /// Name of the server, from its configuration.
    pub server_name: String,
    /// Who is logged in in this browser.
    pub signed_in: Option<SignedIn>,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

/// The person whose browser session this is.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Name as shown.
    pub display_name: String,
    /// Login name.
    pub username: String,
    /// Token that ties the log-out form to this browser session.
    pub csrf: String,
}

impl Page for WelcomePage {}
