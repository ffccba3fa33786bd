//! The members of client metadata (RFC 7591 §2), however they come: in a registration or in a client id metadata
//! document. What a value may be is decided once; what follows from a wrong one is not decided here.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{ClientKeys, GrantType};

const MAX_TEXT: usize = 2048;
const MAX_NAME: usize = 200;
const MAX_LOCALIZED: usize = 20;
/// Members that only inform.
const INFORMATIVE: [&str; 8] = [
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "software_id",
    "software_version",
    "application_type",
    "id_token_signed_response_alg",
    "subject_type",
];
/// Members that may come in several languages.
const LOCALIZED: [&str; 5] = ["client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri"];

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
        self.value(member).map_or(Ok(None), |value| text_of(member, value))
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
    /// `client_credentials` is for `machines`, for which an operator vouches. Answers by code and codes come together
    /// (RFC 7591 §2.1).
    pub(super) fn grant_types(&self, machines: bool) -> Result<Vec<GrantType>, Misfit> {
        use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
        let response_types = self.texts("response_types")?;
        let named = self.texts("grant_types")?;
        let named = named.unwrap_or_else(|| vec![AuthorizationCode.as_str(), RefreshToken.as_str()]);
        let offered = [Some(AuthorizationCode), Some(RefreshToken), machines.then_some(ClientCredentials)];
        let offered = offered.into_iter().flatten();
        let chosen: Vec<GrantType> = offered.filter(|grant| named.contains(&grant.as_str())).collect();
        let answers_by_code = response_types.as_ref().map(|types| types.contains(&"code"));
        let uses_codes = chosen.contains(&AuthorizationCode);
        let refused = |member, why| Err(Misfit { member, why });
        match (uses_codes, answers_by_code) {
            (true, Some(false)) => refused("response_types", "must contain code"),
            (false, _) if !chosen.contains(&ClientCredentials) => {
                refused("grant_types", "must contain authorization_code")
            }
            (false, _) if response_types.is_some_and(|types| !types.is_empty()) => {
                refused("response_types", "must be empty without authorization_code in grant_types")
            }
            _ => Ok(chosen),
        }
    }

    /// A member that is true or false; false when it is not there.
    pub(super) fn flag(&self, member: &'static str) -> Result<bool, Misfit> {
        let misfit = Misfit { member, why: "must be true or false" };
        self.value(member).map_or(Ok(false), |value| value.as_bool().ok_or(misfit))
    }

    /// Keys by value or at an address, not both (RFC 7591 §2). An address is https, or http on `loopback` where this
    /// server is there too; where it leads is judged again when it is fetched.
    pub(super) fn keys(&self, loopback: bool) -> Result<Option<ClientKeys>, Misfit> {
        let misfit = |why| Misfit { member: "jwks_uri", why };
        match (self.jwks()?, self.text("jwks_uri")?) {
            (Some(_), Some(_)) => Err(misfit("goes not with jwks")),
            (Some(jwks), None) => Ok(Some(ClientKeys::Inline { jwks })),
            (None, Some(uri)) => {
                ClientKeys::at(uri, loopback).map(Some).ok_or(misfit("must be an https URL"))
            }
            (None, None) => Ok(None),
        }
    }

    /// The members `name#language` (RFC 7591 §2.2), for the names that people read, with their values.
    fn localized(&self) -> impl Iterator<Item = (&'static str, &str, &Value)> {
        self.0.iter().filter_map(|(member, value)| {
            let (name, language) = member.split_once('#')?;
            let name = LOCALIZED.iter().find(|known| **known == name)?;
            let is_tag = (1..=35).contains(&language.len())
                && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            (is_tag && !value.is_null()).then_some((*name, member.as_str(), value))
        })
    }

    /// `jwks`, a JSON Web Key Set by value (RFC 7517 §5), as text.
    fn jwks(&self) -> Result<Option<String>, Misfit> {
        match self.value("jwks") {
            None => Ok(None),
            Some(jwks) if jwks.get("keys").is_some_and(Value::is_array) => Ok(Some(jwks.to_string())),
            Some(_) => Err(Misfit { member: "jwks", why: "must be a JSON Web Key Set" }),
        }
    }
}

fn text_of<'v>(member: &'static str, value: &'v Value) -> Result<Option<&'v str>, Misfit> {
    match value {
        Value::String(text) if text.len() <= MAX_TEXT && !text.chars().any(char::is_control) => {
            Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty()))
        }
        _ => Err(Misfit { member, why: "must be a text of at most 2048 bytes without control characters" }),
    }
}

/// Whether a text is the address of a page: people may be shown it, so it must not be `javascript:` or the like
/// (RFC 7591 §5).
pub(super) fn is_web_page(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The members that only inform, kept and echoed (RFC 7591 §3.2.1), also in further languages. People are shown none of
/// them.
pub(super) fn about(members: &Members) -> Result<BTreeMap<String, String>, Misfit> {
    let mut about = BTreeMap::new();
    for member in INFORMATIVE {
        if let Some(text) = members.text(member)? {
            require_web_page(member, text)?;
            about.insert((*member).to_owned(), text.to_owned());
        }
    }
    for (count, (name, member, value)) in members.localized().enumerate() {
        if count == MAX_LOCALIZED {
            return Err(Misfit { member: name, why: "comes in too many languages" });
        }
        let Some(text) = text_of(name, value)? else { continue };
        require_web_page(name, text)?;
        about.insert(member.to_owned(), text.to_owned());
    }
    Ok(about)
}

fn require_web_page(member: &'static str, text: &str) -> Result<(), Misfit> {
    if member.ends_with("_uri") && !is_web_page(text) {
        return Err(Misfit { member, why: "must be an http or https URL" });
    }
    Ok(())
}

/// SHA-256 of a value in hexadecimal.
pub(super) fn digest(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string());
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
