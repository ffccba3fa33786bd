//! Secrets of clients: where they come from, and whether they are any good.

use std::collections::BTreeMap;

use super::check::{Check, SecretSources};
use super::clients::RawClient;
use super::problem::{Origin, Place};
use super::read::Section as _;
use super::secret::ConfigSecret;
use super::values::Written;
use crate::protocol::SHORTEST_SECRET;
use crate::tokens::ClientSecret;

/// Strength of a secret, in bits, below which it can be guessed by a machine.
const STRONG_SECRET_BITS: u32 = 128;

/// `notes-app` is `GATELET_CLIENT_NOTES_APP`.
fn variable_stem(id: &str) -> String {
    let id = id.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_ascii_uppercase();
    format!("GATELET_CLIENT_{id}")
}

/// The environment variable that holds the secret of the client with this id.
pub fn secret_variable(id: &str) -> String {
    format!("{}_SECRET", variable_stem(id))
}

fn previous_secret_variable(id: &str) -> String {
    format!("{}_PREVIOUS_SECRET", variable_stem(id))
}

/// Every variable that is set must be meant for one client.
pub(super) fn check_variables(
    check: &mut Check<'_>,
    variables: &BTreeMap<String, String>,
    ids: &[Written<String>],
) {
    for name in variables.keys() {
        let mut meant: Vec<&str> = ids.iter().map(|id| id.value.as_str()).collect();
        meant.retain(|id| secret_variable(id) == *name || previous_secret_variable(id) == *name);
        meant.sort_unstable();
        meant.dedup();
        let message = match meant[..] {
            [_] => continue,
            [first, second, ..] => format!("would be a secret of both `{first}` and `{second}`"),
            [] if ids.is_empty() => "there are no clients in the configuration".to_owned(),
            [] => {
                let known: Vec<_> = ids.iter().map(|id| secret_variable(&id.value)).collect();
                format!("no client in the configuration has this name; there may be {}", known.join(", "))
            }
        };
        check.error(&Place { path: String::new(), origin: Origin::Environment(name.clone()) }, message);
    }
}

impl RawClient {
    /// Whether a secret is named, and the current secret and the one before it.
    pub(super) fn secrets(
        &mut self,
        check: &mut Check<'_>,
        variables: &mut BTreeMap<String, String>,
    ) -> (bool, Vec<Written<ConfigSecret>>) {
        let id = self.id.as_ref().map(|id| id.value.clone());
        let mut given = |name: fn(&str) -> String| {
            let name = name(id.as_deref()?);
            let value = ConfigSecret::new(variables.remove(&name)?);
            let place = Place { path: name.clone(), origin: Origin::Environment(name) };
            Some(Written { value, place })
        };
        let current = SecretSources {
            given: given(secret_variable),
            file: self.secret_file.take(),
            command: self.secret_command.take(),
            must_be_private: false,
        };
        let previous = SecretSources {
            given: given(previous_secret_variable),
            file: self.previous_secret_file.take(),
            command: self.previous_secret_command.take(),
            must_be_private: false,
        };
        if previous.is_named() && !current.is_named() {
            check.error(self.place(), "has a previous secret, but no secret");
        }
        let is_named = current.is_named();
        let secrets: Vec<_> =
            [current, previous].into_iter().filter_map(|sources| check.secret(sources)).collect();
        for secret in &secrets {
            check_strength(check, secret);
        }
        (is_named, secrets)
    }
}

fn check_strength(check: &mut Check<'_>, secret: &Written<ConfigSecret>) {
    let text = secret.value.expose_secret();
    if !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        // RFC 6749 appendix A.2.
        check.error(&secret.place, "a client's secret is made of printable ASCII characters");
    } else if text.len() < SHORTEST_SECRET {
        check.error(&secret.place, format!("a client's secret has at least {SHORTEST_SECRET} characters"));
    } else if ClientSecret::from_text(text.to_owned()).strength_at_most() < STRONG_SECRET_BITS {
        let message = "has less than 128 bits and can be guessed; `openssl rand -hex 32` prints a good one";
        check.warning(&secret.place, message);
    }
}
