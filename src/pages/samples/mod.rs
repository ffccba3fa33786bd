//! Every page filled in, as people will see it and as an attacker would like it: what the tests of pages walk.

mod consent;
mod error;
mod home;
mod login;
mod others;

use super::{Mode, ModeNotice, Page};

/// A page filled in.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Page and case, e.g. `consent-remembered`. Letters, digits and hyphens.
    pub name: String,
    /// The page.
    pub html: String,
    /// HTTP status it is sent with.
    pub status: u16,
    /// `Content-Security-Policy` it is sent with.
    pub content_security_policy: &'static str,
}

/// Every sample of every page.
pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    add(&mut all, "login", super::LoginPage::samples());
    add(&mut all, "consent", super::ConsentPage::samples());
    add(&mut all, "error", super::ErrorPage::samples());
    add(&mut all, "logout", super::LogoutPage::samples());
    add(&mut all, "signed-out", super::SignedOutPage::samples());
    add(&mut all, "issuer", super::IssuerPage::samples());
    add(&mut all, "welcome", super::WelcomePage::samples());
    add(&mut all, "home", super::HomePage::samples());
    all
}

fn add<P: Page>(all: &mut Vec<Sample>, page: &str, cases: Vec<(&str, P)>) {
    all.extend(cases.into_iter().map(|(case, filled)| Sample {
        name: format!("{page}-{case}"),
        html: filled.html(""),
        status: filled.status(),
        content_security_policy: filled.content_security_policy(),
    }));
}

/// Markup where a name belongs.
const SCRIPT: &str = "<script>alert(1)</script>";
/// Markup that leaves an attribute.
const ATTRIBUTE: &str = "\"><img src=x onerror=alert(1)> '><b>";
/// `google.com` to the eye, were the override followed.
const OVERRIDE: &str = "Notes \u{202E}moc.elgoog\u{202C} \u{2067}x";
/// Joined, coloured and wide.
const EMOJI: &str = "🦀 Crab 👩\u{200D}💻 ノート 🏴\u{E0067}\u{E007F}";
/// A second sentence on a second line.
const LINES: &str = "Notes\r\n\r\nVerified by Gatelet\u{2028}\u{0}";
/// Written from right to left by right.
const ARABIC: &str = "ملاحظات الفريق";

/// 200 letters without a place to break.
fn long() -> String {
    "Wxyz".repeat(50)
}

fn dev() -> Option<ModeNotice> {
    Some(ModeNotice { mode: Mode::Dev, exposed: false })
}

fn exposed() -> Option<ModeNotice> {
    Some(ModeNotice { mode: Mode::Dev, exposed: true })
}
