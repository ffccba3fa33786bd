//! `[[registration.tokens]]`: who may register clients, how many and for what.

use super::check::{Check, SecretSources};
use super::problem::Place;
use super::read::Example::{Instead, Value};
use super::read::{Section as _, section};
use super::secret::ConfigSecret;
use super::server::required;
use super::values::{Command, Text, Texts, Written};
use crate::protocol::{InitialAccessToken, Scope, ScopeToken, Timestamp};
use crate::tokens::ClientSecret;

/// Strength of a token, in bits, below which it can be guessed by a machine (RFC 6750 §5.2).
const STRONG_BITS: u32 = 128;

section! {
    /// An initial access token (RFC 7591), by which clients may be registered where others may not, or for more. Clients
    /// that came by it neither count as waiting nor go when nobody lets them in. To end it, take it out; what it was
    /// used for counts on under the same name.
    RawRegistrationToken {
        /// Required. What it is called in the log.
        name: Text = Value(r#""ci""#),
        /// A file that holds it; `openssl rand -hex 32` prints a good one.
        secret_file: Text = Value(r#""/run/secrets/registration-ci""#),
        /// A program that prints it. No shell is involved; it has ten seconds.
        secret_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/registration-ci"]"#),
        /// The most that clients which register with it can be given, in place of `registration.scopes`.
        scopes: Texts = Value(r#"["notes:read"]"#),
        /// Whether they may use client credentials, for its scopes. Default: no.
        client_credentials: Option<Written<bool>> = Value("false"),
        /// How many clients may register with it. Default: any number.
        max_uses: Option<Written<u64>> = Value("10"),
        /// From when on it is no longer good. Default: never.
        expires_at: Option<Written<Timestamp>> = Value("2027-01-31T00:00:00Z"),
    }
}

/// An initial access token as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredRegistrationToken {
    /// Its name.
    pub name: String,
    /// Its text.
    pub secret: ConfigSecret,
    /// The most that clients which register with it can be given.
    pub scopes: Option<Scope>,
    /// Whether they may use client credentials.
    pub machines: bool,
    /// How many may register with it.
    pub max_uses: Option<u32>,
    /// From when on it is no longer good.
    pub expires_at: Option<Timestamp>,
}

/// The declared tokens; `known` is what resources know.
pub(super) fn registration_tokens(
    check: &mut Check<'_>,
    raw: Vec<RawRegistrationToken>,
    known: &Scope,
) -> Vec<DeclaredRegistrationToken> {
    let names: Vec<_> = raw.iter().filter_map(|raw| raw.name.clone()).collect();
    check.refuse_twice("name", names.iter().map(|name| (name.value.clone(), &name.place)));
    raw.into_iter().filter_map(|raw| raw.check(check, known)).collect()
}

impl RawRegistrationToken {
    fn check(mut self, check: &mut Check<'_>, known: &Scope) -> Option<DeclaredRegistrationToken> {
        let scopes = check.each_parsed(&self.scopes, ScopeToken::parse);
        check.warn_of_unknown(&scopes, known);
        let scopes = self.scopes.is_some().then(|| scopes.into_iter().map(|written| written.value).collect());
        let machines = self.client_credentials.as_ref().is_some_and(|written| written.value);
        if let Some(written) = &self.client_credentials
            && let Err(rule) = InitialAccessToken::check_scopes(scopes.as_ref(), machines)
        {
            check.error(&written.place, rule);
        }
        let max_uses = self.max_uses(check);
        let sources = SecretSources {
            given: None,
            file: self.secret_file.take(),
            command: self.secret_command.take(),
            must_be_private: false,
        };
        if !sources.is_named() {
            check.error(self.place(), "needs secret_file or secret_command");
        }
        let secret = check.secret(sources);
        let name = required(check, &self.name, self.place(), "name")?.value.clone();
        let Written { value: secret, place } = secret?;
        check_text(check, &secret, &place);
        let expires_at = self.expires_at.map(|written| written.value);
        Some(DeclaredRegistrationToken { name, secret, scopes, machines, max_uses, expires_at })
    }

    fn max_uses(&self, check: &mut Check<'_>) -> Option<u32> {
        let written = self.max_uses.as_ref()?;
        match InitialAccessToken::parse_uses(written.value) {
            Ok(uses) => Some(uses),
            Err(rule) => {
                check.error(&written.place, rule);
                None
            }
        }
    }
}

/// It has to fit into a header (RFC 6750 §2.1), and nobody may guess it.
fn check_text(check: &mut Check<'_>, secret: &ConfigSecret, place: &Place) {
    let text = secret.expose_secret();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if !text.bytes().all(fits) {
        check.error(place, "a bearer token is made of letters, digits and -._~+/=");
    } else if text.starts_with("gtl_") {
        check.error(place, "what begins with gtl_ is made by gatelet alone");
    } else if ClientSecret::from_text(text.to_owned()).strength_at_most() < STRONG_BITS {
        let why = "has less than 128 bits and can be guessed; `openssl rand -hex 32` prints a good one";
        check.error(place, why);
    }
}
