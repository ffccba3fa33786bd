//! How a configured client authenticates, and whether that fits what it has and what it may do.

use super::check::Check;
use super::clients::{RawClient, one_of, unplaced};
use super::problem::Place;
use super::read::Section as _;
use super::values::Written;
use crate::protocol::{ClientAuthMethod, GrantType};

const SECRETS: &str = "secret_file, secret_command or its variable";
const KEYS: &str = "jwks, jwks_file or jwks_uri";

/// What a client has to prove itself by.
#[derive(Clone, Copy)]
pub(super) struct Proofs {
    pub(super) has_secret: bool,
    pub(super) has_keys: bool,
}

impl RawClient {
    /// The ways in which it authenticates.
    pub(super) fn auth_methods(&self, check: &mut Check<'_>, proofs: Proofs) -> Vec<ClientAuthMethod> {
        let Some(written) = &self.auth_method else { return default_methods(proofs) };
        let texts = Some(Written { value: written.value.0.clone(), place: written.place.clone() });
        let parse = |text: &str| {
            let names = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str);
            ClientAuthMethod::parse(text).ok_or_else(|| one_of(&names))
        };
        let methods = check.each_parsed(&texts, parse);
        check.refuse_twice("method", methods.iter().map(|m| (m.value.as_str().to_owned(), &m.place)));
        if written.value.0.is_empty() {
            check.error(&written.place, "names no method; `none` is for a client that has nothing to show");
        } else if let [only] = &methods[..] {
            check_only(check, only, &written.place, proofs);
        } else {
            for method in &methods {
                check_one_of_several(check, method, proofs);
            }
        }
        if !methods.is_empty() {
            check_use(check, &methods, &written.place, proofs);
        }
        // What was refused is not refused once more for what would follow from it.
        if methods.is_empty() { default_methods(proofs) } else { unplaced(methods) }
    }

    /// Whether what the client may do, where it is answered and how it authenticates fit together.
    pub(super) fn check_grants(
        &self,
        check: &mut Check<'_>,
        grant_types: &[GrantType],
        methods: &[ClientAuthMethod],
        proofs: Proofs,
    ) {
        let has_redirect_uris = self.redirect_uris.as_ref().is_some_and(|list| !list.value.is_empty());
        let by_code = grant_types.contains(&GrantType::AuthorizationCode);
        let by_credentials = grant_types.contains(&GrantType::ClientCredentials);
        let grants = self.grant_types.as_ref().map_or(self.place(), |written| &written.place).clone();
        if by_code && !has_redirect_uris {
            check
                .problems
                .missing(&self.place().key("redirect_uris"), "authorization_code needs at least one");
        }
        if has_redirect_uris && !by_code {
            check.error(&grants, "has redirect_uris, which only authorization_code uses");
        }
        if grant_types.contains(&GrantType::RefreshToken) && !by_code {
            check.error(&grants, "refresh_token needs authorization_code");
        }
        let is_public = methods.contains(&ClientAuthMethod::None);
        if by_credentials && is_public && !proofs.has_secret && !proofs.has_keys {
            let message = if self.grant_types.is_some() {
                format!("client_credentials needs a secret ({SECRETS}) or keys ({KEYS})")
            } else {
                "has neither redirect_uris nor a secret or keys; a public client needs the first, a machine one of the \
                 others"
                    .to_owned()
            };
            check.error(&grants, message);
        }
        let machine = self.machine_scopes.as_ref().map(|scopes| &scopes.place);
        if let (Some(place), false) =
            (machine.or(self.machine.first().map(|raw| raw.place())), by_credentials)
        {
            check.error(place, "only client_credentials uses them");
        }
    }
}

fn default_methods(proofs: Proofs) -> Vec<ClientAuthMethod> {
    use ClientAuthMethod::{ClientSecretBasic, None, PrivateKeyJwt};
    match (proofs.has_secret, proofs.has_keys) {
        (false, false) => vec![None],
        (true, false) => vec![ClientSecretBasic],
        (false, true) => vec![PrivateKeyJwt],
        (true, true) => vec![ClientSecretBasic, PrivateKeyJwt],
    }
}

fn check_only(check: &mut Check<'_>, method: &Written<ClientAuthMethod>, place: &Place, proofs: Proofs) {
    if method.value != ClientAuthMethod::None {
        check_backed(check, method, place, proofs);
    } else if proofs.has_secret {
        check.error(place, "is `none`, but the client has a secret");
    } else if proofs.has_keys {
        check.error(place, "is `none`, but the client has keys");
    }
}

fn check_one_of_several(check: &mut Check<'_>, method: &Written<ClientAuthMethod>, proofs: Proofs) {
    if method.value == ClientAuthMethod::None {
        check.error(
            &method.place,
            "`none` beside another method: whoever need show nothing need not show that",
        );
    } else {
        check_backed(check, method, &method.place, proofs);
    }
}

fn check_backed(check: &mut Check<'_>, method: &Written<ClientAuthMethod>, place: &Place, proofs: Proofs) {
    let name = method.value.as_str();
    if method.value.is_by_secret() && !proofs.has_secret {
        check.error(place, format!("{name} needs a secret: {SECRETS}"));
    } else if method.value == ClientAuthMethod::PrivateKeyJwt && !proofs.has_keys {
        check.error(place, format!("{name} needs keys: {KEYS}"));
    }
}

/// A secret or keys that no method uses are a mistake: somebody believes that they do something.
fn check_use(check: &mut Check<'_>, methods: &[Written<ClientAuthMethod>], place: &Place, proofs: Proofs) {
    if methods.iter().any(|method| method.value == ClientAuthMethod::None) {
        return;
    }
    if proofs.has_secret && !methods.iter().any(|method| method.value.is_by_secret()) {
        check.error(place, "the client has a secret, which this does not use; add client_secret_basic");
    }
    if proofs.has_keys && !methods.iter().any(|method| method.value == ClientAuthMethod::PrivateKeyJwt) {
        check.error(place, "the client has keys, which this does not use; add private_key_jwt");
    }
}
