//! The imperative shell: load → decide → commit → answer.
//!
//! Each file is one thing that somebody does: authorize, log in, consent, redeem, refresh. It reads what the decision
//! needs, lets [`protocol`](crate::protocol) decide, has the [`store`](crate::store) commit under a guard, and says what
//! to answer. No transaction crosses a password hash or a signature, and what was minted for a commit that lost is
//! dropped.

pub mod admin;
mod answer;
mod authorize;
mod browser;
mod claims;
mod client;
mod client_assertion;
mod client_authentication;
mod consent;
mod failure;
mod identity;
mod introspect;
mod key_rotation;
mod keys;
mod login;
mod logout;
mod manage;
mod mint;
mod register;
mod revoke;
mod sweep;
mod target;
mod token;
mod token_code;
mod token_machine;
mod token_refresh;

use std::sync::Arc;

use crate::clock::Clock;
use crate::fetch::Fetcher;
use crate::protocol::{Id, Policy};
use crate::random::Random;
use crate::store::Store;
use crate::tokens::{NewKeys, PasswordHasher, ServerSecrets};

pub use answer::TokenAnswer;
pub use authorize::{Destination, ParkedRequest, Unanswerable};
pub use browser::LoggedIn;
pub use consent::{ConsentStep, ConsentView};
pub use failure::Failure;
pub use introspect::Introspected;
pub use keys::{KeyFault, SigningKeys, row as signing_key_row};
pub use login::{LoginAttempt, LoginOutcome, LoginView, Password};
pub use logout::LogoutAnswer;
pub use register::{Registered, RegistrationRight};
pub use token::Refusal;

/// Everything that an authorization server needs to answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Parts>);

/// What an [`Engine`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The rules of whoever runs the server.
    pub policy: Policy,
    /// The database.
    pub store: Store,
    /// The signing keys.
    pub keys: SigningKeys,
    /// Where new ones come from.
    pub new_keys: NewKeys,
    /// The secrets behind refresh tokens, cookies and stored hashes.
    pub secrets: ServerSecrets,
    /// Fetches what strangers say about themselves.
    pub fetcher: Fetcher,
    /// Checks passwords.
    pub passwords: PasswordHasher,
    /// Tells the time.
    pub clock: Clock,
    /// Draws chance.
    pub random: Random,
    /// Whether the people that were made ready may log in without typing a password: dev mode on loopback.
    pub one_click_login: bool,
}

impl Engine {
    /// An engine of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// A fresh identifier.
    fn fresh<T>(&self, make: impl FnOnce(crate::protocol::Timestamp, [u8; 10]) -> T) -> T {
        make(self.clock.now(), self.random.bytes())
    }

    /// A fresh identifier of a kind that people may also write themselves.
    fn fresh_id(&self) -> Id {
        self.fresh(Id::new)
    }
}

impl std::ops::Deref for Engine {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
