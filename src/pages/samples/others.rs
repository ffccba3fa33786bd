//! Samples of the small pages.

use super::super::{
    AskingView, ClientView, IssuerPage, LogoutPage, SignedIn, SignedOutPage, Verification, WayBackView,
    WelcomePage,
};
use super::{ATTRIBUTE, EMOJI, LINES, OVERRIDE, SCRIPT, dev, exposed, long};

impl LogoutPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            csrf: "Y3NyZg".to_owned(),
            cancel: "/".to_owned(),
            user_name: "Alice Ngata".to_owned(),
            username: "alice".to_owned(),
            asking: None,
            mode_notice: None,
        };
        let hostile = Self {
            csrf: SCRIPT.to_owned(),
            cancel: ATTRIBUTE.to_owned(),
            user_name: OVERRIDE.to_owned(),
            username: long(),
            asking: asking(Some(LINES), Some(&long())),
            mode_notice: exposed(),
        };
        let wanted = Self { asking: asking(Some("Wiki"), Some("wiki.acme.example")), ..plain.clone() };
        let unnamed = Self { asking: asking(None, None), ..plain.clone() };
        vec![("plain", plain), ("wanted", wanted), ("unnamed", unnamed), ("hostile", hostile)]
    }
}

impl SignedOutPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        let page = |back| Self { back, mode_notice: None };
        let back = |name: &str, host: &str, url: &str| {
            let (host, url) = (host.to_owned(), url.to_owned());
            Some(WayBackView { client: Some(stranger(name)), host, url })
        };
        let hostile = back(SCRIPT, &long(), &format!("https://{}/{ATTRIBUTE}", long()));
        vec![
            ("plain", page(None)),
            ("dev", Self { back: None, mode_notice: dev() }),
            ("way-back", page(back("Wiki", "wiki.acme.example", "https://wiki.acme.example/bye"))),
            ("hostile", page(hostile)),
        ]
    }
}

fn stranger(name: &str) -> ClientView {
    ClientView { name: name.to_owned(), verification: Verification::SelfRegistered, uri: None }
}

fn asking(name: Option<&str>, host: Option<&str>) -> Option<AskingView> {
    Some(AskingView {
        client: name.map(stranger),
        redirect_host: host.map(str::to_owned),
        sealed: ATTRIBUTE.to_owned(),
    })
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
