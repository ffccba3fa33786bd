//! How a person must have logged in for a call (RFC 9470).

use std::time::Duration;

use super::token::AccessToken;
use crate::protocol::Timestamp;

/// What a call wants of the login behind its token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LoginDemand {
    /// How long ago it may have been.
    pub(super) max_age: Option<Duration>,
    /// Of which class it must be: any of these; of any class when empty.
    pub(super) acr_values: Vec<String>,
}

impl LoginDemand {
    /// Whether the login behind `token` will do. A token that does not say when or how will not (RFC 9470 §6).
    pub(super) fn is_met_by(&self, token: &AccessToken, now: Timestamp) -> bool {
        let is_young = |age: Duration| {
            token.authenticated_at().is_some_and(|at| at.plus(age) >= now && at <= now.plus(age))
        };
        let is_of_class = |acr: &str| self.acr_values.iter().any(|value| value == acr);
        self.max_age.is_none_or(is_young)
            && (self.acr_values.is_empty() || token.acr().is_some_and(is_of_class))
    }
}
