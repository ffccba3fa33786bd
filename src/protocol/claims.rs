//! Claims that deployments name: the tenant's, the roles', and those that are mapped from what is known of a person, a
//! membership or a client.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AttributeName, Attributes, ClaimName, Resource, RoleName, TenantId};

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClaimSource {
    /// The tenant that the token is good for.
    Tenant,
    /// The roles of the person in that tenant, as a list (RFC 9068 §2.2.3.1).
    Roles,
    /// The first of these roles, in the order in which the membership lists them, for programs that know one.
    Role,
    /// What the person types to log in.
    Username,
    /// What the person is called.
    Name,
    /// The person's mail address.
    Email,
    /// An attribute of the person.
    User(AttributeName),
    /// An attribute of the person's membership in the tenant.
    Membership(AttributeName),
    /// An attribute of the client.
    Client(AttributeName),
}

/// Sources that have no name in them, and their own.
const PLAIN_SOURCES: [(ClaimSource, &str); 6] = [
    (ClaimSource::Tenant, "tenant"),
    (ClaimSource::Roles, "roles"),
    (ClaimSource::Role, "role"),
    (ClaimSource::Username, "user.username"),
    (ClaimSource::Name, "user.name"),
    (ClaimSource::Email, "user.email"),
];

impl ClaimSource {
    /// How sources are written, for people who wrote another.
    pub const RULE: &'static str = "must be `tenant`, `roles`, `role`, `user.username`, `user.name`, `user.email`, \
                                    `user.attributes.<name>`, `membership.attributes.<name>` or `client.attributes.<name>`";

    /// Reads a source.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((source, _)) = PLAIN_SOURCES.iter().find(|(_, name)| *name == text) {
            return Some(source.clone());
        }
        let (of, name) = text.split_once(".attributes.")?;
        let name = AttributeName::parse(name)?;
        match of {
            "user" => Some(Self::User(name)),
            "membership" => Some(Self::Membership(name)),
            "client" => Some(Self::Client(name)),
            _ => None,
        }
    }

    /// Whether it asks for more of the person than a grant says.
    pub fn is_of_person(&self) -> bool {
        matches!(self, Self::Username | Self::Name | Self::Email | Self::User(_) | Self::Membership(_))
    }

    /// Whether it asks for an attribute of the client.
    pub fn is_of_client(&self) -> bool {
        matches!(self, Self::Client(_))
    }
}

impl fmt::Display for ClaimSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user.attributes.{name}"),
            Self::Membership(name) => write!(f, "membership.attributes.{name}"),
            Self::Client(name) => write!(f, "client.attributes.{name}"),
            plain => {
                let known = PLAIN_SOURCES.iter().find(|(source, _)| source == plain);
                f.write_str(known.map_or("", |(_, name)| name))
            }
        }
    }
}

impl From<ClaimSource> for String {
    fn from(source: ClaimSource) -> Self {
        source.to_string()
    }
}

impl TryFrom<String> for ClaimSource {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or(Self::RULE)
    }
}

/// One claim of the tokens for a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimMapping {
    /// Its name.
    pub name: ClaimName,
    /// Where its value comes from.
    pub from: ClaimSource,
}

/// The names of the claims that every token may have, unless its resource says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// The tenant's.
    pub tenant: ClaimName,
    /// That of the list of roles.
    pub roles: ClaimName,
    /// That of the first role, where tokens are to have it.
    pub role: Option<ClaimName>,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { tenant: ClaimName::tenant(), roles: ClaimName::roles(), role: None }
    }
}

impl ClaimNames {
    /// The claims of every token.
    pub fn of_all(&self) -> Vec<ClaimMapping> {
        let of_all = [
            (Some(&self.tenant), ClaimSource::Tenant),
            (Some(&self.roles), ClaimSource::Roles),
            (self.role.as_ref(), ClaimSource::Role),
        ];
        of_all
            .into_iter()
            .filter_map(|(name, from)| Some(ClaimMapping { name: name?.clone(), from }))
            .collect()
    }

    /// The claims of tokens for `resource`: its own, and those of every token whose source it does not name.
    pub fn at(&self, resource: &Resource) -> Vec<ClaimMapping> {
        let is_left = |mapping: &ClaimMapping| resource.claims.iter().all(|own| own.from != mapping.from);
        self.of_all().into_iter().filter(is_left).chain(resource.claims.iter().cloned()).collect()
    }
}

impl ClaimNames {
    /// The claims of every token whose names the claims of `resource` have taken.
    pub fn taken_at(&self, resource: &Resource) -> Vec<ClaimMapping> {
        let mut of_all = self.at(resource);
        of_all.truncate(of_all.len() - resource.claims.len());
        of_all.retain(|taken| resource.claims.iter().any(|claim| claim.name == taken.name));
        of_all
    }
}

/// What is known of a person in one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// What they type to log in.
    pub username: String,
    /// What they are called.
    pub name: Option<String>,
    /// Their mail address.
    pub email: Option<String>,
    /// Their attributes.
    pub attributes: Attributes,
    /// Those of their membership.
    pub membership: Attributes,
}

/// What the claims of one token are made from.
#[derive(Clone, Copy, Debug)]
pub struct ClaimFacts<'a> {
    /// The tenant that it is good for.
    pub tenant: Option<&'a TenantId>,
    /// The roles of its person.
    pub roles: &'a [RoleName],
    /// Its person.
    pub person: Option<&'a PersonFacts>,
    /// The attributes of its client.
    pub client: Option<&'a Attributes>,
}

impl ClaimFacts<'_> {
    /// The claims that `mappings` make of it. What is not known is left out, and so is an empty list.
    pub fn claims(&self, mappings: &[ClaimMapping]) -> BTreeMap<ClaimName, Value> {
        mappings
            .iter()
            .filter_map(|mapping| Some((mapping.name.clone(), self.value(&mapping.from)?)))
            .collect()
    }

    fn value(&self, source: &ClaimSource) -> Option<Value> {
        let text = |text: &str| Some(Value::from(text));
        match source {
            ClaimSource::Tenant => text(self.tenant?.as_str()),
            ClaimSource::Roles if self.roles.is_empty() => None,
            ClaimSource::Roles => Some(self.roles.iter().map(RoleName::as_str).collect()),
            ClaimSource::Role => text(self.roles.first()?.as_str()),
            ClaimSource::Username => text(&self.person?.username),
            ClaimSource::Name => text(self.person?.name.as_deref()?),
            ClaimSource::Email => text(self.person?.email.as_deref()?),
            ClaimSource::User(name) => self.person?.attributes.get(name).map(Value::from),
            ClaimSource::Membership(name) => self.person?.membership.get(name).map(Value::from),
            ClaimSource::Client(name) => self.client?.get(name).map(Value::from),
        }
    }
}

#[cfg(test)]
mod tests;
