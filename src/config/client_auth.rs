//! How a configured client authenticates, and where what does not fit together is told.

use super::check::Check;
use super::clients::{RawClient, one_of, unplaced};
use super::problem::Place;
use super::read::Section as _;
use super::values::{Texts, Written};
use crate::protocol::client_rules::{ClientFault, Proofs};
use crate::protocol::{Client, ClientAuthMethod};

const SECRETS: &str = "secret_file, secret_command or its variable";
const KEYS: &str = "jwks, jwks_file or jwks_uri";

impl RawClient {
    /// The ways in which it authenticates, as far as they can be read.
    pub(super) fn auth_methods(&self, check: &mut Check<'_>, proofs: Proofs) -> Vec<ClientAuthMethod> {
        let Some(written) = &self.auth_method else { return proofs.default_methods() };
        let texts = Some(Written { value: written.value.0.clone(), place: written.place.clone() });
        let parse = |text: &str| {
            let names = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str);
            ClientAuthMethod::parse(text).ok_or_else(|| one_of(&names))
        };
        let methods = check.each_parsed(&texts, parse);
        check.refuse_twice("method", methods.iter().map(|m| (m.value.as_str().to_owned(), &m.place)));
        // What was refused is not refused once more for what would follow from it.
        if methods.len() < written.value.0.len() { proofs.default_methods() } else { unplaced(methods) }
    }

    /// Tells what does not fit together, each where it is to be put right.
    pub(super) fn check_parts(&self, check: &mut Check<'_>, client: &Client, proofs: Proofs) {
        for fault in ClientFault::of(client, proofs) {
            if !self.follows(fault) {
                self.tell(check, fault, proofs);
            }
        }
    }

    /// Whether it only follows from what was refused already.
    fn follows(&self, fault: ClientFault) -> bool {
        let is_written = |list: &Texts| list.as_ref().is_some_and(|list| !list.value.is_empty());
        match fault {
            ClientFault::NoGrantType => is_written(&self.grant_types),
            ClientFault::NoRedirectUri => is_written(&self.redirect_uris),
            _ => false,
        }
    }

    fn tell(&self, check: &mut Check<'_>, fault: ClientFault, proofs: Proofs) {
        let grants = self.grant_types.as_ref().map_or(self.place(), |written| &written.place);
        let methods = self.auth_method.as_ref().map_or(self.place(), |written| &written.place);
        let is_none = |text: &Written<String>| text.value == ClientAuthMethod::None.as_str();
        match fault {
            ClientFault::NoGrantType => check.problems.missing(grants, fault.to_string()),
            ClientFault::NoRedirectUri => {
                check
                    .problems
                    .missing(&self.place().key("redirect_uris"), "authorization_code needs at least one");
            }
            ClientFault::UnusedRedirectUris | ClientFault::RefreshWithoutCode => {
                check.error(grants, fault.to_string());
            }
            ClientFault::PublicMachine if self.grant_types.is_none() => {
                let message = "has neither redirect_uris nor a secret or keys; a public client needs the first, a machine one \
                               of the others";
                check.error(grants, message);
            }
            ClientFault::PublicMachine => {
                check
                    .error(grants, format!("client_credentials needs a secret ({SECRETS}) or keys ({KEYS})"));
            }
            ClientFault::UnusedMachineScopes => {
                let everywhere = self.machine_scopes.as_ref().map(|scopes| &scopes.place);
                let place = everywhere.or(self.machine.first().map(|raw| raw.place()));
                check.error(place.unwrap_or(self.place()), "only client_credentials uses them");
            }
            ClientFault::NoneBesideAnother => {
                let place = self.method(is_none).unwrap_or(methods);
                check.error(place, fault.to_string());
            }
            ClientFault::NoSecret(method) => {
                let place = self.method(|text| text.value == method.as_str()).unwrap_or(methods);
                check.error(place, format!("{fault}: {SECRETS}"));
            }
            ClientFault::NoKeys => {
                let name = ClientAuthMethod::PrivateKeyJwt.as_str();
                let place = self.method(|text| text.value == name).unwrap_or(methods);
                check.error(place, format!("{fault}: {KEYS}"));
            }
            ClientFault::UnusedSecret | ClientFault::UnusedKeys if self.method(is_none).is_some() => {
                // One that has both is told once.
                if fault == ClientFault::UnusedSecret || !proofs.secret {
                    let what = if proofs.secret { "a secret" } else { "keys" };
                    check.error(methods, format!("is `none`, but the client has {what}"));
                }
            }
            ClientFault::NoMethod | ClientFault::UnusedSecret | ClientFault::UnusedKeys => {
                check.error(methods, fault.to_string());
            }
            ClientFault::PublicIntrospection => {
                let place = self.introspects.as_ref().map_or(self.place(), |list| &list.place);
                let message = "is for a client that proves who it is; this one has neither a secret nor keys";
                check.error(place, message);
            }
            ClientFault::UnusedAudience | ClientFault::AudienceOfLongId => {
                let place = self.audience.as_ref().map_or(self.place(), |text| &text.place);
                check.error(place, fault.to_string());
            }
        }
    }

    /// Where a method stands in a list; one by itself stands where its key does.
    fn method(&self, is_it: impl Fn(&Written<String>) -> bool) -> Option<&Place> {
        let written = self.auth_method.as_ref()?;
        let found = written.value.0.iter().find(|text| is_it(text))?;
        Some(if written.value.0.len() == 1 { &written.place } else { &found.place })
    }
}
