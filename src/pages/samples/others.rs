//! Samples of the small pages.

use super::super::{IssuerPage, LogoutPage, SignedIn, SignedOutPage, WelcomePage};
use super::{ATTRIBUTE, EMOJI, OVERRIDE, SCRIPT, dev, exposed, long};

impl LogoutPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            csrf: "Y3NyZg".to_owned(),
            cancel: "/".to_owned(),
            user_name: "Alice Ngata".to_owned(),
            username: "alice".to_owned(),
            mode_notice: None,
        };
        let hostile = Self {
            csrf: SCRIPT.to_owned(),
            cancel: ATTRIBUTE.to_owned(),
            user_name: OVERRIDE.to_owned(),
            username: long(),
            mode_notice: exposed(),
        };
        vec![("plain", plain), ("hostile", hostile)]
    }
}

impl SignedOutPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        vec![("plain", Self { mode_notice: None }), ("dev", Self { mode_notice: dev() })]
    }
}

impl IssuerPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            issuer: "http://localhost:8710/oauth".to_owned(),
            metadata_url: "http://localhost:8710/.well-known/oauth-authorization-server/oauth".to_owned(),
            mode_notice: dev(),
        };
        let hostile = Self { issuer: long(), metadata_url: format!("/{}", long()), mode_notice: None };
        vec![("plain", plain), ("long", hostile)]
    }
}

impl WelcomePage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        let page = |server_name: &str, signed_in| Self {
            server_name: server_name.to_owned(),
            signed_in,
            mode_notice: None,
        };
        let person = |display_name: &str, username: &str, csrf: &str| {
            Some(SignedIn {
                display_name: display_name.to_owned(),
                username: username.to_owned(),
                csrf: csrf.to_owned(),
            })
        };
        vec![
            ("nobody", page("Acme sign-in", None)),
            ("signed-in", page("Acme sign-in", person("Alice Ngata", "alice", "Y3NyZg"))),
            ("hostile", page(SCRIPT, person(OVERRIDE, EMOJI, ATTRIBUTE))),
            ("long", page(&long(), person(&long(), &long(), "Y3NyZg"))),
        ]
    }
}
