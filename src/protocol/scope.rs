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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn runs_of_spaces_separate_and_repetitions_count_once() {
        assert_eq!(scope("  mcp:read   mcp:write mcp:read ").to_string(), "mcp:read mcp:write");
        assert!(scope("   ").is_empty());
    }

    #[test]
    fn forbidden_characters_and_endless_lists_are_refused() {
        for text in ["a\"b", "a\\b", "a\tb", "é", "a\u{7f}"] {
            assert_eq!(Scope::parse(text), Err(MalformedScope), "{text:?}");
        }
        let many: Vec<String> = (0..101).map(|i| format!("s{i}")).collect();
        assert_eq!(Scope::parse(&many.join(" ")), Err(MalformedScope));
        let (most, again) = (many[..100].join(" "), &many[0]);
        assert!(Scope::parse(&format!("{most} {again}")).is_ok());
        assert!(Scope::parse(&"x".repeat(256)).is_ok());
        assert_eq!(Scope::parse(&"x".repeat(257)), Err(MalformedScope));
    }

    #[test]
    fn a_token_is_printable_ascii_without_space_quote_and_backslash() {
        // RFC 6749 §3.3, scope-token
        for byte in 0..=u8::MAX {
            let forbidden = !(0x21..=0x7e).contains(&byte) || byte == b'"' || byte == b'\\';
            let text = char::from(byte).to_string();
            assert_eq!(ScopeToken::parse(&text).is_err(), forbidden, "{byte:#x}");
        }
        assert_eq!(ScopeToken::parse(""), Err(MalformedScope));
        assert_eq!(ScopeToken::parse("mcp:read").unwrap().to_string(), "mcp:read");
        assert_eq!(ScopeToken::parse("offline_access"), Ok(ScopeToken::offline_access()));
    }

    #[test]
    fn a_stored_scope_is_checked_like_a_sent_one() {
        let read = |json: &str| serde_json::from_str::<Scope>(json).ok();
        assert_eq!(read("\" b a b\""), Some(scope("b a")));
        assert_eq!(read("\"a\\\\b\""), None);
        assert_eq!(serde_json::to_string(&scope("b a")).unwrap(), "\"b a\"");
        assert!(serde_json::from_str::<ScopeToken>("\"a b\"").is_err());
        assert_eq!(serde_json::to_string(&ScopeToken::offline_access()).unwrap(), "\"offline_access\"");
    }

    #[test]
    fn tokens_that_are_collected_count_once_and_keep_their_order() {
        let tokens = ["b", "a", "b"].map(|text| ScopeToken::parse(text).unwrap());
        assert_eq!(tokens.into_iter().collect::<Scope>(), scope("b a"));
        assert_eq!(scope("b a").iter().map(ScopeToken::as_str).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn set_operations_keep_order() {
        let (a, b) = (scope("a b c"), scope("c d a"));
        assert_eq!(a.intersection(&b), scope("a c"));
        assert_eq!(a.difference(&b), scope("b"));
        assert_eq!(a.union(&b), scope("a b c d"));
        assert!(scope("c a").is_within(&a));
        assert!(!b.is_within(&a));
        assert_eq!(scope("a offline_access").for_resource(), scope("a"));
        assert_eq!(scope("a offline_access").general(), scope("offline_access"));
    }

    #[test]
    fn scopes_about_the_person_are_no_mcp_servers_and_count_with_openid_only() {
        // OpenID Connect Core §3.1.2.1, §5.4; §11 for offline_access
        let all = scope("email a openid offline_access address profile phone");
        assert_eq!(all.for_resource(), scope("a address phone"), "what is not known here is nothing special");
        assert_eq!(all.general(), scope("offline_access"));
        assert_eq!(all.identity(), scope("email openid profile"));
        assert_eq!(all.in_access_token(), scope("email a openid address profile phone"));
        let without = scope("email a offline_access profile");
        assert_eq!((without.is_openid(), without.identity()), (false, scope("")));
        assert_eq!(without.for_resource(), scope("a"), "they are no MCP server's all the same");
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(text in "[!#-\\[\\]-~]{1,8}( {1,3}[!#-\\[\\]-~]{1,8}){0,5}") {
            let parsed = scope(&text);
            prop_assert_eq!(scope(&parsed.to_string()), parsed);
        }

        #[test]
        fn narrowing_never_widens(a in "[a-d]( [a-d]){0,3}", b in "[a-d]( [a-d]){0,3}") {
            let (a, b) = (scope(&a), scope(&b));
            prop_assert!(a.intersection(&b).is_within(&a));
            prop_assert!(a.intersection(&b).is_within(&b));
        }
    }
}
