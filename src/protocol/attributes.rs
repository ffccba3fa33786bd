//! What an operator writes down about people, memberships and clients, for claims to be mapped from.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an operator writes down about a person, a membership or a client, by name.
pub type Attributes = BTreeMap<AttributeName, Attribute>;

/// What is to be changed of attributes: another value, or none.
pub type AttributeChanges = BTreeMap<AttributeName, Option<Attribute>>;

/// Changes attributes; those that are not named stay.
pub fn change_attributes(attributes: &mut Attributes, changes: &AttributeChanges) {
    for (name, value) in changes {
        match value {
            Some(value) => attributes.insert(name.clone(), value.clone()),
            None => attributes.remove(name),
        };
    }
}

/// The name of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttributeName(String);

impl AttributeName {
    /// Accepts 1 to 64 letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        well_formed.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<AttributeName> for String {
    fn from(name: AttributeName) -> Self {
        name.0
    }
}

impl TryFrom<String> for AttributeName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the name of an attribute")
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attribute {
    /// A text.
    One(String),
    /// A list of texts.
    Many(Vec<String>),
}

impl From<&Attribute> for Value {
    fn from(attribute: &Attribute) -> Self {
        match attribute {
            Attribute::One(text) => text.as_str().into(),
            Attribute::Many(texts) => texts.as_slice().into(),
        }
    }
}
