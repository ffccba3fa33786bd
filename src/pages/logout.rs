//! The pages at `/logout`.

use askama::Template;

use super::text::filters;
use super::{ClientView, ModeNotice, POLICY, POLICY_LEADING_TO_CLIENT, Page};

/// Asks whether to log out: a GET from elsewhere must not end a session. Posts `csrf`, and
/// `after` when a client asks, to `/logout`.
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
    /// The application that wants the person to log out.
    pub asking: Option<AskingView>,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

/// An application that wants a person to log out.
#[derive(Clone, Debug)]
pub struct AskingView {
    /// Which, if it says so.
    pub client: Option<ClientView>,
    /// Where the browser goes afterwards, if it goes anywhere.
    pub redirect_host: Option<String>,
    /// Value of `after`.
    pub sealed: String,
}

/// The way back to an application after a logout.
#[derive(Clone, Debug)]
pub struct WayBackView {
    /// Which, if it says so.
    pub client: Option<ClientView>,
    /// Where the link leads, in short.
    pub host: String,
    /// Where the link leads: a URL that the application has registered.
    pub url: String,
}

/// Says that the browser session has ended.
#[derive(Clone, Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// The way back, when the person decides whether to go there.
    pub back: Option<WayBackView>,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

impl Page for LogoutPage {
    fn content_security_policy(&self) -> &'static str {
        let leads_away = self.asking.as_ref().is_some_and(|asking| asking.redirect_host.is_some());
        if leads_away { POLICY_LEADING_TO_CLIENT } else { POLICY }
    }
}
impl Page for SignedOutPage {}
