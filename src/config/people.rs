//! `[[tenants]]`, `[[roles]]` and `[[users]]`.

use super::check::{Check, SecretSources};
use super::claims::RawAttributes;
use super::problem::Place;
use super::read::Example::{Instead, Value};
use super::read::{Section as _, section};
use super::secret::ConfigSecret;
use super::server::required;
use super::values::{Command, Text, Texts, Written};
use crate::protocol::{
    Attributes, PasswordHash, Role, RoleName, SHORTEST_SECRET, Tenant, TenantId, User, UserId,
};

const NAME_RULE: &str = "must be 1 to 64 letters, digits, `-`, `_` and `.`";

section! {
    /// A group of people whose data is kept apart from other groups'. Whoever is to use anything belongs to one.
    RawTenant {
        /// Required. A short word: the `tenant` claim. Letters, digits, `-`, `_` and `.`.
        id: Text = Value(r#""acme""#),
        /// Its name for people. Default: the id.
        name: Text = Value(r#""Acme Ltd""#),
    }
}

section! {
    /// A role that members of a tenant can have: the `roles` claim.
    RawRole {
        /// Required. Its name in tokens. Letters, digits, `-`, `_` and `.`.
        name: Text = Value(r#""editor""#),
        /// What it means, for people.
        description: Text = Value(r#""Writes and publishes""#),
    }
}

section! {
    /// A person who can log in.
    RawUser {
        /// What tokens call the person: the `sub` claim. It stays the same for life and is never given to another
        /// person. Without it the server makes one when it first sees `username`, and keeps it for that `username`:
        /// write one here (the one that the server made, if it did) before you change the `username`.
        id: Text = Value(r#""u-4711""#),
        /// Required. What the person types to log in; upper and lower case are the same.
        username: Text = Value(r#""alice""#),
        /// What the person is called.
        name: Text = Value(r#""Alice Example""#),
        /// Their mail address.
        email: Text = Value(r#""alice@example.com""#),
        /// The Argon2id hash of the password in PHC form. The hash here is of no known password. Another password logs
        /// its person out everywhere and takes back what they let applications do.
        password_hash: Text =
            Value(r#""$argon2id$v=19$m=19456,t=2,p=1$Z2F0ZWxldC1leGFtcGxl$Q0d1c2hKb3NlcGhDbGVtZW50aW5lTWFyeUFubmU""#),
        /// A file that holds the password.
        password_file: Text = Instead(r#""/run/secrets/alice-password""#),
        /// A program that prints the password. No shell is involved; it has ten seconds.
        password_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/alice"]"#),
        /// The tenants that the person belongs to, and the roles in each.
        memberships: Vec<RawMembership> = Value(r#"[{ tenant = "acme", roles = ["editor"] }]"#),
        /// What claims can be mapped from (`claims` of a resource): texts, and lists of texts, by name.
        attributes: RawAttributes = Value(r#"{ department = "sales", groups = ["staff", "on-call"] }"#),
    }
}

section! {
    /// That a person belongs to a tenant.
    RawMembership {
        /// Required. The tenant's id.
        tenant: Text = Value(r#""acme""#),
        /// The names of the person's roles in it; the first is the one of a claim for one role. Default: none.
        roles: Texts = Value(r#"["editor"]"#),
        /// What claims can be mapped from for this person in this tenant alone.
        attributes: RawAttributes = Value(r#"{ seat = "7" }"#),
    }
}

/// A person as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredUser {
    /// Their `sub`. When absent, the store keeps the one that it has for the username, or makes one.
    pub id: Option<UserId>,
    /// What they type to log in, as it was written.
    pub username: String,
    /// What they are called.
    pub name: Option<String>,
    /// Their mail address.
    pub email: Option<String>,
    /// Their password; when absent, they keep the one that they have, if they have one.
    pub password: Option<DeclaredPassword>,
    /// What claims can be mapped from.
    pub attributes: Attributes,
    /// Where they belong.
    pub memberships: Vec<DeclaredMembership>,
}

/// A password as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclaredPassword {
    /// Hashed already.
    Hash(PasswordHash),
    /// To be hashed when it is stored.
    Plain(ConfigSecret),
}

/// That a person belongs to a tenant, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredMembership {
    /// The tenant.
    pub tenant: TenantId,
    /// The person's roles in it.
    pub roles: Vec<RoleName>,
    /// What claims can be mapped from there.
    pub attributes: Attributes,
}

/// Reads a tenant's id.
pub(super) fn parse_tenant(text: &str) -> Result<TenantId, &'static str> {
    TenantId::parse(text).ok_or(NAME_RULE)
}

/// A reference to a declared tenant.
pub(super) fn tenant_reference(
    check: &mut Check<'_>,
    text: &Written<String>,
    tenants: &[Tenant],
) -> Option<TenantId> {
    check.parsed(text, |text| {
        let known = tenants.iter().find(|tenant| tenant.id.as_str() == text);
        known.map(|tenant| tenant.id.clone()).ok_or_else(|| format!("there is no tenant `{text}`"))
    })
}

/// References to declared roles.
pub(super) fn role_references(check: &mut Check<'_>, texts: &Texts, roles: &[Role]) -> Vec<RoleName> {
    let references = check.each_parsed(texts, |text| {
        let known = roles.iter().find(|role| role.name.as_str() == text);
        known.map(|role| role.name.clone()).ok_or_else(|| format!("there is no role `{text}`"))
    });
    references.into_iter().map(|written| written.value).collect()
}

/// The declared tenants.
pub(super) fn tenants(check: &mut Check<'_>, raw: &[RawTenant]) -> Vec<Tenant> {
    let places = raw.iter().filter_map(|raw| raw.id.as_ref());
    check.refuse_twice("id", places.map(|id| (id.value.clone(), &id.place)));
    let checked = raw.iter().filter_map(|raw| {
        let id = required(check, &raw.id, raw.place(), "id")?;
        let id = check.parsed(id, parse_tenant)?;
        let name = raw.name.as_ref().map_or_else(|| id.to_string(), |name| name.value.clone());
        Some(Tenant { id, name })
    });
    checked.collect()
}

/// The declared roles.
pub(super) fn roles(check: &mut Check<'_>, raw: &[RawRole]) -> Vec<Role> {
    let places = raw.iter().filter_map(|raw| raw.name.as_ref());
    check.refuse_twice("name", places.map(|name| (name.value.clone(), &name.place)));
    let checked = raw.iter().filter_map(|raw| {
        let name = required(check, &raw.name, raw.place(), "name")?;
        let name = check.parsed(name, |text| RoleName::parse(text).ok_or(NAME_RULE))?;
        let description =
            raw.description.as_ref().map_or_else(|| name.to_string(), |text| text.value.clone());
        Some(Role { name, description })
    });
    checked.collect()
}

/// The declared people.
pub(super) fn users(
    check: &mut Check<'_>,
    raw: Vec<RawUser>,
    tenants: &[Tenant],
    roles: &[Role],
) -> Vec<DeclaredUser> {
    let ids = raw.iter().filter_map(|raw| raw.id.as_ref());
    check.refuse_twice("id", ids.map(|id| (id.value.clone(), &id.place)));
    let names = raw.iter().filter_map(|raw| raw.username.as_ref());
    check.refuse_twice("username", names.map(|name| (User::fold(&name.value), &name.place)));
    raw.into_iter().filter_map(|raw| raw.check(check, tenants, roles)).collect()
}

impl RawUser {
    fn check(mut self, check: &mut Check<'_>, tenants: &[Tenant], roles: &[Role]) -> Option<DeclaredUser> {
        let password = self.password(check);
        let id = self.id.as_ref().map(|id| check.parsed(id, |text| UserId::parse(text).ok_or(NAME_RULE)));
        let email = self.email.as_ref().and_then(|email| check.parsed(email, User::parse_email));
        let tenant_places = self.memberships.iter().filter_map(|membership| membership.tenant.as_ref());
        check.refuse_twice("tenant", tenant_places.map(|tenant| (tenant.value.clone(), &tenant.place)));
        let memberships: Vec<_> = self
            .memberships
            .iter()
            .filter_map(|membership| {
                let roles = role_references(check, &membership.roles, roles);
                let tenant = required(check, &membership.tenant, membership.place(), "tenant")?;
                let tenant = tenant_reference(check, tenant, tenants)?;
                Some(DeclaredMembership { tenant, roles, attributes: membership.attributes.0.clone() })
            })
            .collect();
        let username = required(check, &self.username, self.place(), "username")?;
        if self.memberships.is_empty() {
            check.warning(self.place(), "belongs to no tenant, and so can use nothing");
        }
        let username = check.parsed(username, User::parse_username)?;
        let name = self.name.map(|name| name.value);
        let attributes = self.attributes.0;
        Some(DeclaredUser { id: id.flatten(), username, name, email, password, attributes, memberships })
    }

    fn password(&mut self, check: &mut Check<'_>) -> Option<DeclaredPassword> {
        let sources = SecretSources {
            given: None,
            file: self.password_file.take(),
            command: self.password_command.take(),
            must_be_private: false,
        };
        let other: Option<Place> = (sources.file.as_ref().map(|written| &written.place))
            .or(sources.command.as_ref().map(|written| &written.place))
            .cloned();
        match (&self.password_hash, other) {
            (Some(hash), Some(other)) => {
                check.error(&other, format!("{} gives this password already", hash.place.path));
                None
            }
            (Some(hash), None) => check.parsed(hash, parse_hash).map(DeclaredPassword::Hash),
            (None, Some(_)) => {
                let secret = check.secret(sources)?;
                if secret.value.expose_secret().chars().count() < SHORTEST_SECRET {
                    check.error(
                        &secret.place,
                        format!("a password has at least {SHORTEST_SECRET} characters"),
                    );
                }
                Some(DeclaredPassword::Plain(secret.value))
            }
            (None, None) => {
                check.warning(
                    self.place(),
                    "has no password here, and cannot log in unless the database knows one; `gatelet user password` sets one",
                );
                None
            }
        }
    }
}

/// The shape of a PHC string of Argon2id: `$argon2id$v=19$m=…,t=…,p=…$<salt>$<hash>`.
fn parse_hash(text: &str) -> Result<PasswordHash, &'static str> {
    let parts: Vec<_> = text.split('$').collect();
    let base64 = |text: &str| {
        text.len() >= 11 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
    };
    match parts[..] {
        ["", "argon2id", "v=19", parameters, salt, hash]
            if parameters.starts_with("m=") && base64(salt) && base64(hash) =>
        {
            Ok(PasswordHash::from_stored(text.to_owned()))
        }
        _ => Err("must be an Argon2id hash in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`"),
    }
}
