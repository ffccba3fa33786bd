//! Names of claims that a configuration chooses.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::TEST_MARK;

/// Claims whose meaning is fixed (RFC 7519 §4.1, RFC 8693 §4, RFC 9068 §2.2, RFC 9449 §6), and our own mark of test
/// mode: no configuration may give them another.
const FIXED_CLAIMS: [&str; 19] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "cnf",
    "act",
    "may_act",
    "events",
    "typ",
    TEST_MARK,
];

/// The name of a claim that a configuration chose: not one of those whose meaning is fixed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClaimName(String);

impl ClaimName {
    /// The rule of [`ClaimName::parse`], for people.
    pub const RULE: &'static str = "must be 1 to 128 printable ASCII characters, and no claim whose meaning is fixed, such as `sub` or `scope`";

    /// Accepts a name of 1 to 128 printable ASCII characters that no standard claim of an access token bears.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed =
            (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
        (well_formed && !FIXED_CLAIMS.contains(&text)).then(|| Self(text.to_owned()))
    }

    /// `tenant`, unless configured otherwise.
    pub(super) fn tenant() -> Self {
        Self("tenant".to_owned())
    }

    /// `roles`, unless configured otherwise (RFC 9068 §2.2.3.1).
    pub(super) fn roles() -> Self {
        Self("roles".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ClaimName> for String {
    fn from(name: ClaimName) -> Self {
        name.0
    }
}

impl TryFrom<String> for ClaimName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the name of a claim that can be chosen")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_fixed_meaning_and_odd_names_cannot_be_configured() {
        // RFC 9068 §2.2; RFC 7519 §4.1
        for name in
            ["iss", "sub", "aud", "exp", "client_id", "scope", "cnf", TEST_MARK, "", "a b", "é", "a\"", "a\0"]
        {
            assert_eq!(ClaimName::parse(name), None, "{name}");
        }
        for name in ["tenant", "groups", "https://example.com/roles"] {
            assert_eq!(ClaimName::parse(name).unwrap().as_str(), name);
        }
    }
}
