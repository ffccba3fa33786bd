//! Samples of the login page.

use super::super::{ClientView, LoginError, LoginPage, QuickLogin, Verification};
use super::{ATTRIBUTE, EMOJI, LINES, OVERRIDE, SCRIPT, dev, exposed, long};

impl LoginPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("plain", Self { client: None, ..plain() }),
            ("for-document-client", plain()),
            (
                "for-self-registered",
                Self { client: client("Cursor", Verification::SelfRegistered), ..plain() },
            ),
            ("for-first-party", Self { client: client("Wiki helper", Verification::FirstParty), ..plain() }),
            ("wrong", Self { username: "alice".to_owned(), ..failed(LoginError::WrongNameOrPassword) }),
            ("too-many", failed(LoginError::TooManyAttempts)),
            ("busy", failed(LoginError::Busy)),
            ("expired", failed(LoginError::ExpiredPage)),
            ("dev", Self { quick_logins: people(), mode_notice: dev(), ..plain() }),
            ("exposed", Self { mode_notice: exposed(), ..plain() }),
            ("hostile", hostile()),
        ]
    }
}

fn plain() -> LoginPage {
    LoginPage {
        continue_token: "c2VhbGVk".to_owned(),
        csrf: "Y3NyZg".to_owned(),
        username: String::new(),
        error: None,
        client: client("Claude", Verification::Document { host: "claude.ai".to_owned() }),
        quick_logins: Vec::new(),
        mode_notice: None,
    }
}

fn failed(error: LoginError) -> LoginPage {
    LoginPage { error: Some(error), ..plain() }
}

fn client(name: &str, verification: Verification) -> Option<ClientView> {
    Some(ClientView { name: name.to_owned(), verification, uri: None })
}

fn people() -> Vec<QuickLogin> {
    [
        ("alice", "Alice Ngata", "Acme", "may read and write"),
        ("bob", "Bob Okafor", "Acme", "may read"),
        ("carol", "Carol Lindqvist", "Acme and Globex", "chooses a tenant"),
    ]
    .map(|(username, display_name, tenant, description)| {
        person([username, display_name, tenant, description])
    })
    .into()
}

fn person([username, display_name, tenant, description]: [&str; 4]) -> QuickLogin {
    QuickLogin {
        username: username.to_owned(),
        display_name: display_name.to_owned(),
        tenant: tenant.to_owned(),
        description: description.to_owned(),
        password: format!("{username}-password"),
    }
}

fn hostile() -> LoginPage {
    LoginPage {
        continue_token: ATTRIBUTE.to_owned(),
        csrf: SCRIPT.to_owned(),
        username: ATTRIBUTE.to_owned(),
        error: Some(LoginError::WrongNameOrPassword),
        client: client(
            OVERRIDE,
            Verification::Document { host: format!("claude.ai.{}.evil.example", long()) },
        ),
        quick_logins: vec![
            person([SCRIPT, ATTRIBUTE, OVERRIDE, LINES]),
            person([&long(), &long(), &long(), &long()]),
            person([EMOJI, EMOJI, EMOJI, EMOJI]),
        ],
        mode_notice: dev(),
    }
}
