//! The members of client metadata (RFC 7591 §2), however they come: in a registration or in a client id metadata
//! document. What a value may be is decided once; what follows from a wrong one is not decided here.

use std::fmt::Write;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::GrantType;

const MAX_TEXT: usize = 2048;
const MAX_NAME: usize = 200;

/// A member that has not the value it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member} {why}")]
pub struct Misfit {
    /// Which.
    pub member: &'static str,
    /// What is the matter, in words that follow the name.
    pub why: &'static str,
}

/// A JSON object. A member that is `null` is an omitted one, and unknown ones are ignored (RFC 7591 §2).
#[derive(Debug)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// Reads the object; `None` for whatever else it is.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    /// A member as it is.
    pub(super) fn value(&self, member: &str) -> Option<&Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    /// The names of all members that are there.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str())
    }

    /// A text; an empty one is an omitted one.
    pub(super) fn text(&self, member: &'static str) -> Result<Option<&str>, Misfit> {
        match self.value(member) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= MAX_TEXT && !text.chars().any(char::is_control) => {
                Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty()))
            }
            Some(_) => {
                Err(Misfit { member, why: "must be a text of at most 2048 bytes without control characters" })
            }
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, member: &'static str) -> Result<Option<Vec<&str>>, Misfit> {
        let Some(value) = self.value(member) else { return Ok(None) };
        let list = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
        list.map(Some).ok_or(Misfit { member, why: "must be a list of texts" })
    }

    /// `client_name`, cut to what a page can show.
    pub(super) fn client_name(&self) -> Result<Option<String>, Misfit> {
        Ok(self.text("client_name")?.map(|name| name.trim().chars().take(MAX_NAME).collect()))
    }

    /// The grant types of ours among those that are named, the usual two when none is; foreign ones are ignored.
    /// `client_credentials` is not for clients that nobody vouches for.
    pub(super) fn grant_types(&self) -> Result<Vec<GrantType>, Misfit> {
        let response_types = self.texts("response_types")?.unwrap_or_else(|| vec!["code"]);
        if !response_types.contains(&"code") {
            return Err(Misfit { member: "response_types", why: "must contain code" });
        }
        let offered = [GrantType::AuthorizationCode, GrantType::RefreshToken];
        let Some(named) = self.texts("grant_types")? else { return Ok(offered.to_vec()) };
        let chosen: Vec<GrantType> =
            offered.into_iter().filter(|grant| named.contains(&grant.as_str())).collect();
        if !chosen.contains(&GrantType::AuthorizationCode) {
            return Err(Misfit { member: "grant_types", why: "must contain authorization_code" });
        }
        Ok(chosen)
    }

    /// `jwks`, a JSON Web Key Set by value (RFC 7517 §5), as text.
    pub(super) fn jwks(&self) -> Result<Option<String>, Misfit> {
        match self.value("jwks") {
            None => Ok(None),
            Some(jwks) if jwks.get("keys").is_some_and(Value::is_array) => Ok(Some(jwks.to_string())),
            Some(_) => Err(Misfit { member: "jwks", why: "must be a JSON Web Key Set" }),
        }
    }
}

/// Whether a text is the address of a page: people may be shown it, so it must not be `javascript:` or the like
/// (RFC 7591 §5).
pub(super) fn is_web_page(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// SHA-256 of a value in hexadecimal.
pub(super) fn digest(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string());
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
