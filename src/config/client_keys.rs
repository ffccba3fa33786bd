//! Keys of clients that sign: where they come from, and whether they are any good.

use super::check::Check;
use super::clients::RawClient;
use super::problem::Place;
use crate::protocol::ClientKeys;
use crate::tokens::client_key_set;

impl RawClient {
    /// Whether keys are named, and the keys. At an address nothing is looked for now: a server must start while
    /// another host is down.
    pub(super) fn keys(&self, check: &mut Check<'_>, loopback: bool) -> (bool, Option<ClientKeys>) {
        let named: Vec<_> = [&self.jwks, &self.jwks_file, &self.jwks_uri].into_iter().flatten().collect();
        if let [first, second, ..] = named[..] {
            check.error(&second.place, format!("{} says already what its keys are", first.place.path));
            return (true, None);
        }
        let keys = if let Some(written) = &self.jwks {
            key_set(check, &written.value, &written.place)
        } else if let Some(written) = &self.jwks_file {
            let path = check.path(&written.value);
            match check.outside.read(&path) {
                Ok(found) => key_set(check, &found.text, &written.place),
                Err(error) => {
                    check.error(&written.place, format!("cannot read {}: {error}", path.display()));
                    None
                }
            }
        } else if let Some(written) = &self.jwks_uri {
            let rule = ClientKeys::address_rule(loopback);
            check.parsed(written, |text| ClientKeys::at(text, loopback).ok_or(rule))
        } else {
            None
        };
        (!named.is_empty(), keys)
    }
}

fn key_set(check: &mut Check<'_>, text: &str, place: &Place) -> Option<ClientKeys> {
    match client_key_set::check(text) {
        Ok(()) => Some(ClientKeys::Inline { jwks: text.trim().to_owned() }),
        Err(error) => {
            check.error(place, error.to_string());
            None
        }
    }
}
