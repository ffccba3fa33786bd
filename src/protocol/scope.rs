//! Scopes: what a token is good for (RFC 6749 §3.3).

use std::fmt;

use serde::{Deserialize, Serialize};

/// More tokens than any client asks for; keeps work on hostile input small.
const MAX_TOKENS: usize = 100;
const MAX_TOKEN_LENGTH: usize = 256;

// The scopes of the server itself.
const OFFLINE_ACCESS: &str = "offline_access";
const OPENID: &str = "openid";
const IDENTITY: [&str; 3] = [OPENID, "profile", "email"];

/// One permission's name: printable ASCII without space, `"` and `\` (RFC 6749 §3.3, `scope-token`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeToken(String);

/// The text is no scope: a forbidden character, or longer than any honest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a scope is made of printable ASCII without quotes and backslashes, at most 100 names of 256 characters"
)]
pub struct MalformedScope;

impl ScopeToken {
    /// Accepts one `scope-token`.
    pub fn parse(text: &str) -> Result<Self, MalformedScope> {
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.is_empty() || text.len() > MAX_TOKEN_LENGTH || !text.bytes().all(allowed) {
            return Err(MalformedScope);
        }
        Ok(Self(text.to_owned()))
    }

    /// `offline_access`: understood everywhere, belongs to no resource, decides nothing (MCP 2026-07-28
    /// authorization, refresh tokens).
    pub fn offline_access() -> Self {
        Self(OFFLINE_ACCESS.to_owned())
    }

    /// `openid`: the client wants to know who the person is (OpenID Connect Core §3.1.2.1).
    pub fn openid() -> Self {
        Self(OPENID.to_owned())
    }

    /// `profile`: what the person is called (OpenID Connect Core §5.4).
    pub fn profile() -> Self {
        Self("profile".to_owned())
    }

    /// `email`: their mail address (OpenID Connect Core §5.4).
    pub fn email() -> Self {
        Self("email".to_owned())
    }

    /// Whether it is about who the person is (OpenID Connect Core §5.4). `address` and `phone` are not known here.
    pub fn is_identity(&self) -> bool {
        IDENTITY.contains(&self.as_str())
    }

    /// Whether it belongs to no resource: it is understood whatever resource is meant, and is not in access tokens.
    pub fn is_general(&self) -> bool {
        self.0 == OFFLINE_ACCESS
    }

    /// Whether it is understood by this server itself, so that no MCP server can have one of that name.
    pub fn is_of_server(&self) -> bool {
        self.is_general() || self.is_identity()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ScopeToken {
    type Error = MalformedScope;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ScopeToken> for String {
    fn from(token: ScopeToken) -> Self {
        token.0
    }
}

/// A set of scope tokens that remembers the order in which they were named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(Vec<ScopeToken>);

impl Scope {
    /// Reads a space-separated list. Runs of spaces separate like one (some clients send a leading space),
    /// repeated names count once, and an empty text is the empty scope.
    pub fn parse(text: &str) -> Result<Self, MalformedScope> {
        let mut tokens: Vec<ScopeToken> = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let token = ScopeToken::parse(word)?;
            if !tokens.contains(&token) {
                if tokens.len() == MAX_TOKENS {
                    return Err(MalformedScope);
                }
                tokens.push(token);
            }
        }
        Ok(Self(tokens))
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `token` is named.
    pub fn contains(&self, token: &ScopeToken) -> bool {
        self.0.contains(token)
    }

    /// Whether all that is named here is named in `other` too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|token| other.contains(token))
    }

    /// What is named in both, in this scope's order.
    pub fn intersection(&self, other: &Self) -> Self {
        self.filter(|token| other.contains(token))
    }

    /// What is named here but not in `other`.
    pub fn difference(&self, other: &Self) -> Self {
        self.filter(|token| !other.contains(token))
    }

    /// The tokens that satisfy `keep`, in order.
    pub fn filter(&self, keep: impl Fn(&ScopeToken) -> bool) -> Self {
        Self(self.0.iter().filter(|token| keep(token)).cloned().collect())
    }

    /// This scope followed by what only `other` names.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(other.difference(self).0.iter()).cloned().collect())
    }

    /// The part that MCP servers understand.
    pub fn for_resource(&self) -> Self {
        self.filter(|token| !token.is_of_server())
    }

    /// The part that belongs to no resource at all.
    pub fn general(&self) -> Self {
        self.filter(ScopeToken::is_general)
    }

    /// The part that is about who the person is; nothing without `openid` (OpenID Connect Core §3.1.2.1).
    pub fn identity(&self) -> Self {
        let is_openid = self.is_openid();
        self.filter(|token| is_openid && token.is_identity())
    }

    /// Whether it asks for an id token (OpenID Connect Core §3.1.2.1).
    pub fn is_openid(&self) -> bool {
        self.0.iter().any(|token| token.as_str() == OPENID)
    }

    /// What an access token says: what resources and the userinfo endpoint understand. `offline_access` is no permission
    /// that anybody could check.
    pub fn in_access_token(&self) -> Self {
        self.filter(|token| !token.is_general())
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<T: IntoIterator<Item = ScopeToken>>(tokens: T) -> Self {
        let mut unique: Vec<ScopeToken> = Vec::new();
        for token in tokens {
            if !unique.contains(&token) {
                unique.push(token);
            }
        }
        Self(unique)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, token) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Scope {
    type Error = MalformedScope;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests;
