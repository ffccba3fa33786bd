//! Redeeming an authorization code (RFC 6749 §4.1.3; OAuth 2.1 §4.1.3).

use super::{
    AuthorizationCode, Client, CodeVerifier, ErrorCode, GrantId, OAuthError, RedirectUri, ResourceUri, Scope,
    Standing, Timestamp,
};

/// After so many wrong verifiers a code is dead.
pub const MAX_WRONG_VERIFIERS: u32 = 3;

/// What a redemption offers, and what is known about the code.
#[derive(Clone, Copy, Debug)]
pub struct Redemption<'a> {
    /// The code's row.
    pub code: &'a AuthorizationCode,
    /// The grant it belongs to, and what that still allows.
    pub standing: Standing<'a>,
    /// The authenticated client.
    pub client: &'a Client,
    /// The redirect URI, if the request repeats it.
    pub redirect_uri: Option<&'a str>,
    /// The verifier.
    pub verifier: &'a str,
    /// The resource that the request names.
    pub resource: Option<&'a ResourceUri>,
    /// The present.
    pub now: Timestamp,
}

/// What to do with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeDecision {
    /// Exchange it for tokens with this scope.
    Redeem(Scope),
    /// It was exchanged before, and whoever presents it again knows the verifier: revoke what was issued.
    Replay(GrantId),
    /// Refuse it; a wrong verifier is counted.
    Refuse {
        /// What the client is told.
        error: OAuthError,
        /// Whether a verifier was guessed.
        count: bool,
    },
}

impl Redemption<'_> {
    /// Decides. The order matters: a replay revokes only when client and verifier are right (OAuth 2.1 §7.5.2), else
    /// whoever saw a code pass by could end an honest person's grant.
    pub fn decide(&self) -> CodeDecision {
        if self.code.client != self.client.id {
            return refuse("the code was given to another client");
        }
        if self.redirect_uri.is_some_and(|uri| !self.is_redirect_uri(uri)) {
            return refuse("redirect_uri is not the one of the authorization request");
        }
        if self.code.wrong_verifiers >= MAX_WRONG_VERIFIERS {
            return refuse("too many wrong verifiers were presented for the code");
        }
        if !CodeVerifier::parse(self.verifier)
            .is_some_and(|verifier| self.code.challenge.is_met_by(&verifier))
        {
            let error = invalid_grant("code_verifier does not match the code_challenge");
            return CodeDecision::Refuse { error, count: true };
        }
        if self.code.redeemed_at.is_some() {
            return CodeDecision::Replay(self.code.grant.clone());
        }
        if self.code.expires_at <= self.now {
            return refuse("the code has expired");
        }
        if !self.client.admits_tenant(&self.standing.grant.tenant) {
            return refuse("the client may no longer be used in this tenant");
        }
        match self.standing.scope_for(self.resource) {
            Ok(scope) => CodeDecision::Redeem(scope),
            Err(error) => CodeDecision::Refuse { error, count: false },
        }
    }

    /// The token request repeats the URI that was used, port and all.
    fn is_redirect_uri(&self, text: &str) -> bool {
        RedirectUri::parse(text).is_ok_and(|uri| uri == self.code.redirect_uri)
    }
}

fn refuse(description: &'static str) -> CodeDecision {
    CodeDecision::Refuse { error: invalid_grant(description), count: false }
}

fn invalid_grant(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}

#[cfg(test)]
mod tests;
