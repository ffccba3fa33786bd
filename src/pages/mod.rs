//! What people see: one struct per page, each with a template of the same name and with samples.
//!
//! Pages work without JavaScript, load one stylesheet and one image from this origin, and escape everything. A handler
//! fills a struct with plain values, and answers with its [`Page::html`], [`Page::status`] and
//! [`Page::content_security_policy`]. This module alone knows askama.

mod assets;
mod consent;
mod error;
mod error_causes;
mod home;
mod home_clients;
mod issuer;
mod login;
mod logout;
mod parts;
mod samples;
mod text;
mod welcome;

pub use assets::{Asset, assets, logo_path, stylesheet_path};
pub use consent::{ConsentPage, ResourceView, ScopeView, TenantView};
pub use error::{ErrorPage, WhoCanFix};
pub use home::{HomePage, MachineClientView, PersonView};
pub use home_clients::{ClientSnippet, well_known_clients};
pub use issuer::IssuerPage;
pub use login::{LoginError, LoginPage, QuickLogin};
pub use logout::{AskingView, LogoutPage, SignedOutPage, WayBackView};
pub use parts::{ClientView, Mode, ModeNotice, Verification};
pub use samples::{Sample, samples};
pub use welcome::{SignedIn, WelcomePage};

/// Policy of a page whose forms stay here.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'";

/// Policy of a page whose form may end at a client: browsers apply `form-action` to every redirect that follows, and
/// would stop the answer on its way to `http://127.0.0.1:…` or `cursor://…`.
const POLICY_LEADING_TO_CLIENT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                                        frame-ancestors 'none'";

/// A page, ready to be sent as `text/html; charset=utf-8`.
pub trait Page: askama::Template {
    /// Whether the answer to this page's form may redirect to a client.
    const LEADS_TO_CLIENT: bool = false;

    /// HTTP status to send the page with.
    fn status(&self) -> u16 {
        200
    }

    /// Value of the `Content-Security-Policy` header to send the page with.
    fn content_security_policy(&self) -> &'static str {
        if Self::LEADS_TO_CLIENT { POLICY_LEADING_TO_CLIENT } else { POLICY }
    }

    /// The page as HTML, with links to addresses under `base`: the path of the public URL, empty for a whole origin.
    #[expect(
        clippy::expect_used,
        reason = "values are strings and numbers, and writing to a String cannot fail"
    )]
    fn html(&self, base: &str) -> String {
        let base = base.to_owned();
        let base: &dyn std::any::Any = &base;
        self.render_with_values(&(text::BASE, base)).expect("a page of plain values renders")
    }
}
