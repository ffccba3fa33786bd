//! Refreshing (RFC 6749 §6; OAuth 2.1 §4.3; RFC 9700 §4.14.2).
//!
//! A refresh token is good once. Answers get lost, though, and several processes of one installation refresh at the
//! same moment, so the token before the live one is answered with the same successor again for a short time. Anything
//! older is a replay, and ends the grant.

use std::time::Duration;

use super::{Client, ErrorCode, GrantId, OAuthError, ResourceUri, Scope, Standing, Timestamp};

/// How often one token is answered again. More than any number of parallel processes of one installation; a limit at
/// all, so that a client that is caught in a loop comes to notice.
pub const MAX_RETRIES: u32 = 64;

/// What a refresh offers, and what is known about the grant.
#[derive(Clone, Copy, Debug)]
pub struct Refresh<'a> {
    /// The grant that the token names, and what that still allows.
    pub standing: Standing<'a>,
    /// The authenticated client.
    pub client: &'a Client,
    /// The token's number in the grant's chain. Its authenticity has been checked.
    pub generation: u32,
    /// The scope that the request names.
    pub scope: Option<&'a Scope>,
    /// The resource that the request names.
    pub resource: Option<&'a ResourceUri>,
    /// How long a token may be presented again.
    pub retry_window: Duration,
    /// The present.
    pub now: Timestamp,
}

/// What to do with a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshDecision {
    /// Exchange it for the next; the access token gets this scope.
    Rotate(Scope),
    /// Answer with the live token, the same that was answered before; the access token gets this scope.
    Retry(Scope),
    /// It was exchanged long before: revoke the grant.
    Replay(GrantId),
    /// Refuse it.
    Refuse(OAuthError),
}

impl Refresh<'_> {
    /// Decides. Everything that can be wrong with the request is looked at before anything is written, so that a
    /// refused request costs the client nothing.
    pub fn decide(&self) -> RefreshDecision {
        let grant = self.standing.grant;
        let Some(chain) = grant.refresh.filter(|_| grant.client == self.client.id) else {
            return refuse("the refresh token was given to another client");
        };
        if !self.standing.is_alive || !self.client.admits_tenant(&grant.tenant) {
            return refuse("the grant behind the refresh token has ended");
        }
        if chain.expires_at <= self.now || chain.idle_expires_at <= self.now {
            return refuse("the refresh token has expired");
        }
        let is_live = self.generation == chain.generation;
        let in_window = self.generation.checked_add(1) == Some(chain.generation)
            && chain.rotated_at.plus(self.retry_window) > self.now;
        if !is_live && !in_window {
            return RefreshDecision::Replay(grant.id.clone());
        }
        let scope = match self.narrowed_scope() {
            Ok(scope) => scope,
            Err(error) => return RefreshDecision::Refuse(error),
        };
        match (is_live, chain.retries < MAX_RETRIES) {
            (true, _) => RefreshDecision::Rotate(scope),
            (false, true) => RefreshDecision::Retry(scope),
            (false, false) => refuse("the refresh token was presented again too often"),
        }
    }

    /// RFC 6749 §6: the scope must not go beyond the grant's. It narrows this answer's access token alone. A client may
    /// name what it has at all the grant's resources; the token gets what of it is granted at its own.
    fn narrowed_scope(&self) -> Result<Scope, OAuthError> {
        let granted = self.standing.scope_for(self.resource)?;
        match self.scope.map(Scope::in_access_token) {
            Some(asked) if !asked.is_empty() => {
                if !asked.is_within(&self.standing.grant.scope()) {
                    return Err(OAuthError::new(
                        ErrorCode::InvalidScope,
                        "the scope goes beyond what was granted",
                    ));
                }
                let narrowed = granted.filter(|token| asked.contains(token) || token.is_general());
                let told = narrowed.identity();
                let narrowed = narrowed.filter(|token| !token.is_identity() || told.contains(token));
                if narrowed.in_access_token().is_empty() {
                    return Err(OAuthError::new(
                        ErrorCode::InvalidScope,
                        "nothing of what was asked may still be given",
                    ));
                }
                Ok(narrowed)
            }
            _ => Ok(granted),
        }
    }
}

fn refuse(description: &'static str) -> RefreshDecision {
    RefreshDecision::Refuse(OAuthError::new(ErrorCode::InvalidGrant, description))
}

#[cfg(test)]
mod tests;
