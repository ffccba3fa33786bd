//! `[claims]` and the claims of single resources; attributes, which they are mapped from.

use toml::Spanned;
use toml::de::DeValue;

use super::check::Check;
use super::problem::Place;
use super::read::Example::Value;
use super::read::{Field, Kind, Reader, Section as _, section};
use super::server::required;
use super::values::{Text, Texts};
use crate::protocol::{
    Attribute, AttributeName, Attributes, ClaimMapping, ClaimName, ClaimNames, ClaimSource, Resource,
};

section! {
    /// Under which names access tokens say what no standard has a name for. A resource can have other names.
    RawClaims {
        /// The claim with the id of the tenant. Default: `tenant`.
        tenant: Text = Value(r#""tenant""#),
        /// The claim with the list of the person's roles in that tenant. Default: `roles`.
        roles: Text = Value(r#""roles""#),
        /// A claim with the first of these roles, in the order of the membership, for programs that know only one.
        /// Default: none.
        role: Text = Value(r#""role""#),
    }
}

section! {
    /// One claim of the tokens for a resource.
    RawClaim {
        /// Required. Its name.
        name: Text = Value(r#""department""#),
        /// Required. Where its value comes from: `tenant`, `roles` or `role` (then this name stands in place of that in
        /// `[claims]`), `user.username`, `user.name`, `user.email`, `user.attributes.<name>`,
        /// `membership.attributes.<name>` or `client.attributes.<name>`. What has no value is left out.
        from: Text = Value(r#""user.attributes.department""#),
    }
}

impl RawClaims {
    /// The names of every token's claims.
    pub(super) fn check(&self, check: &mut Check<'_>) -> ClaimNames {
        let default = ClaimNames::default();
        let named = [&self.tenant, &self.roles, &self.role].into_iter().flatten();
        check.refuse_twice("claim", named.map(|text| (text.value.clone(), &text.place)));
        let mut name = |text: &Text| text.as_ref().and_then(|text| check.parsed(text, parse_name));
        ClaimNames {
            tenant: name(&self.tenant).unwrap_or(default.tenant),
            roles: name(&self.roles).unwrap_or(default.roles),
            role: name(&self.role),
        }
    }
}

/// The claims of a resource, as they are written.
pub(super) fn resource_claims(check: &mut Check<'_>, raw: &[RawClaim]) -> Vec<ClaimMapping> {
    let names = raw.iter().filter_map(|raw| raw.name.as_ref());
    check.refuse_twice("claim", names.map(|name| (name.value.clone(), &name.place)));
    let mut mapped = |raw: &RawClaim| {
        let name = required(check, &raw.name, raw.place(), "name").cloned();
        let from = required(check, &raw.from, raw.place(), "from").cloned();
        let name = name.and_then(|text| check.parsed(&text, parse_name));
        let from = from
            .and_then(|text| check.parsed(&text, |text| ClaimSource::parse(text).ok_or(ClaimSource::RULE)));
        Some(ClaimMapping { name: name?, from: from? })
    };
    raw.iter().filter_map(&mut mapped).collect()
}

/// A claim of a resource must not have the name of one that its tokens have anyway.
pub(super) fn refuse_taken_names(
    check: &mut Check<'_>,
    names: &ClaimNames,
    resource: &Resource,
    place: &Place,
) {
    for ClaimMapping { name, from } in names.taken_at(resource) {
        let message = format!(
            "`{name}` is the name of the {from} claim of every token; give that another name in [claims], or here by \
             `from = \"{from}\"`"
        );
        check.error(&place.key("claims"), message);
    }
}

fn parse_name(text: &str) -> Result<ClaimName, &'static str> {
    ClaimName::parse(text).ok_or(ClaimName::RULE)
}

/// A table of texts and lists of texts, under names that whoever writes it chooses.
#[derive(Clone, Debug, Default)]
pub(super) struct RawAttributes(pub(super) Attributes);

impl Field for RawAttributes {
    const KIND: Kind = Kind::Attributes;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let Some(table) = value.get_ref().as_table() else {
            reader.wrong_type(&place, "a table", value);
            return Self::default();
        };
        let mut attributes = Attributes::new();
        for (key, value) in table {
            let place = reader.place_of_key(&place, key.get_ref(), value.span().start);
            let Some(name) = AttributeName::parse(key.get_ref()) else {
                reader.problems.error(&place, "the name must be 1 to 64 letters, digits, `-`, `_` and `.`");
                continue;
            };
            let attribute = if value.get_ref().is_array() {
                Texts::from_value(value, place, reader)
                    .map(|list| Attribute::Many(list.value.into_iter().map(|text| text.value).collect()))
            } else {
                reader.text(value, &place).map(Attribute::One)
            };
            attributes.extend(attribute.map(|attribute| (name, attribute)));
        }
        Self(attributes)
    }
}
