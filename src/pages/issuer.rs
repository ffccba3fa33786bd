//! The page at the issuer's own address.

use askama::Template;

use super::text::filters;
use super::{ModeNotice, Page};

/// Tells somebody who opened the issuer in a browser what it is.
#[derive(Clone, Debug, Template)]
#[template(path = "issuer.html")]
pub struct IssuerPage {
    /// The issuer, byte for byte.
    pub issuer: String,
    /// Absolute URL of the metadata document (RFC 8414 §3).
    pub metadata_url: String,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

impl Page for IssuerPage {}
