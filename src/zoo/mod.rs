//! The token zoo: access tokens, each wrong in one way, for whoever writes an MCP server and wants to know what it
//! accepts. **Test mode only.**
//!
//! A [`Specimen`] changes the [`Template`] of a good token and chooses how it is signed; it says what a resource server
//! has to do with it, by which section, and what to change in a server that does otherwise.

mod change;
mod specimens;

use serde::Serialize;
use serde_json::{Map, Value};

use change::{Change, Signed};
pub use change::{Template, ZooKeys};
pub use specimens::SPECIMENS;

use crate::protocol::TEST_MARK;
use crate::tokens::IssueError;

/// One token, and what a resource server has to do with it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Specimen {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// Whether it is to be accepted.
    pub valid: bool,
    /// The HTTP status of the answer: 200 where it is to be accepted, else 401 or 403.
    pub status: u16,
    /// The error code of the challenge (RFC 6750 §3.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The text that asks for it.
    pub section: &'static str,
    /// What is wrong with the token and what accepting it would mean, in one sentence.
    pub why: &'static str,
    /// What the author of a server that gets it wrong should do, in one sentence.
    pub remedy: &'static str,
    /// What only the operator of a server knows, where that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<DependsOn>,
    #[serde(skip)]
    changes: &'static [Change],
    #[serde(skip)]
    signed: Signed,
}

/// Why not every resource server has to refuse a specimen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DependsOn {
    /// Only a server that asks the issuer about each token can know (RFC 7662). The specimen is a good token:
    /// whoever hands it out has to **revoke it** first, by its `jti`.
    Introspection,
    /// Only a server that belongs to one tenant has to refuse the others.
    Tenant,
}

impl DependsOn {
    /// The condition in words.
    pub fn condition(self) -> &'static str {
        match self {
            Self::Introspection => "the server asks the issuer about each token (RFC 7662)",
            Self::Tenant => "the server belongs to one tenant",
        }
    }
}

/// A specimen that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What goes into the `Authorization` header after `Bearer`.
    pub token: String,
    /// The header that it was made with.
    pub header: Map<String, Value>,
    /// The claims that it was made with.
    pub claims: Map<String, Value>,
}

impl Specimen {
    /// Makes it of a good token's header and claims.
    ///
    /// # Errors
    /// The library did not sign.
    pub fn make(&self, template: &Template, keys: &ZooKeys<'_>) -> Result<Made, IssueError> {
        let (mut header, mut claims) = (template.header.clone(), template.claims.clone());
        for change in self.changes {
            change.apply(&mut header, &mut claims, template, keys);
        }
        // The one claim that nobody has a say in: a real server must know the token for one of tests.
        claims.insert(TEST_MARK.to_owned(), true.into());
        let token = self.signed.token(&header, &claims, keys)?;
        Ok(Made { token, header, claims })
    }
}

/// The specimen of this name.
pub fn specimen(name: &str) -> Option<&'static Specimen> {
    SPECIMENS.iter().find(|specimen| specimen.name == name)
}

#[cfg(test)]
mod tests;
