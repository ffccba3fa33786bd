//! Initial access tokens: who may register clients, how many, and for what (RFC 7591 §1.2, §3).

use super::{InitialAccessTokenId, Scope, SecretHash, Timestamp};

/// A token that lets its holder register clients.
///
/// With one, a registration may be more than an open one, as far as the operator has said so when the token was made.
/// Neither the rates nor the bound on waiting clients apply to it: the token's own limits do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialAccessToken {
    /// Its row.
    pub id: InitialAccessTokenId,
    /// What the operator calls it; no two have the same name.
    pub name: String,
    /// Whether configuration declares it: then only configuration takes it back.
    pub is_declared: bool,
    /// What the token hashes to.
    pub secret_hash: SecretHash,
    /// The most that clients which register with it can be given, in place of the ceiling of open registration.
    pub scopes: Option<Scope>,
    /// Whether they may use client credentials. Then `scopes` says for what, and without it they get none.
    pub machines: bool,
    /// How many clients may register with it in all; `None` is any number.
    pub max_uses: Option<u32>,
    /// How many have.
    pub uses: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is no longer good; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// When a client registered with it last.
    pub last_used_at: Option<Timestamp>,
}

impl InitialAccessToken {
    /// A token that has not been used: any number of clients, at any time, for what open registration gives.
    pub fn new(id: InitialAccessTokenId, name: &str, secret_hash: SecretHash, created_at: Timestamp) -> Self {
        Self {
            id,
            name: name.to_owned(),
            is_declared: false,
            secret_hash,
            scopes: None,
            machines: false,
            max_uses: None,
            uses: 0,
            created_at,
            expires_at: None,
            last_used_at: None,
        }
    }

    /// Reads how many clients may register with a token.
    ///
    /// # Errors
    /// What speaks against the number, for people.
    pub fn parse_uses(number: u64) -> Result<u32, &'static str> {
        let uses = u32::try_from(number).ok().filter(|uses| *uses > 0);
        uses.ok_or("must be between 1 and 4294967295")
    }

    /// Whether a token may have these scopes, and let those that register with it use client credentials or not.
    ///
    /// # Errors
    /// What speaks against it, for people.
    pub fn check_scopes(scopes: Option<&Scope>, machines: bool) -> Result<(), &'static str> {
        match (machines, scopes) {
            (true, None) => Err("needs scopes, or what registers with it gets nothing"),
            _ => Ok(()),
        }
    }

    /// How many clients may still register with it; `None` is any number.
    pub fn remaining(&self) -> Option<u32> {
        self.max_uses.map(|most| most.saturating_sub(self.uses))
    }

    /// Whether a client may register with it now. The store asks again in the statement that counts the use.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.remaining() != Some(0) && self.expires_at.is_none_or(|end| end > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::at;

    #[test]
    fn a_token_that_would_give_nothing_is_refused() {
        for (number, uses) in
            [(0, None), (1, Some(1)), (4_294_967_295, Some(u32::MAX)), (4_294_967_296, None)]
        {
            assert_eq!(InitialAccessToken::parse_uses(number).ok(), uses);
        }
        let scope = crate::protocol::fixtures::scope("read");
        for (scopes, machines, is_good) in [
            (None, false, true),
            (Some(&scope), false, true),
            (Some(&scope), true, true),
            (None, true, false),
        ] {
            assert_eq!(InitialAccessToken::check_scopes(scopes, machines).is_ok(), is_good);
        }
    }

    #[test]
    fn an_initial_access_token_is_good_until_its_time_or_its_number_is_over() {
        // RFC 7591 §3; RFC 6750 §3.1
        let token = |max_uses, uses, expires_at| InitialAccessToken {
            max_uses,
            uses,
            expires_at,
            ..InitialAccessToken::new(
                InitialAccessTokenId::new(at(1), [0; 10]),
                "ci",
                SecretHash::from_stored("h".into()),
                at(1),
            )
        };
        for (token, remaining, is_good) in [
            (token(None, 7, None), None, true),
            (token(Some(2), 1, None), Some(1), true),
            (token(Some(2), 2, None), Some(0), false),
            (token(Some(2), 3, None), Some(0), false),
            (token(None, 0, Some(at(101))), None, true),
            (token(None, 0, Some(at(100))), None, false),
            (token(Some(1), 0, Some(at(99))), Some(1), false),
        ] {
            assert_eq!((token.remaining(), token.is_good(at(100))), (remaining, is_good), "{token:?}");
        }
    }
}
