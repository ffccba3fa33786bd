//! Environment variables: `GATELET_LOG__LEVEL` stands above `log.level` in the file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::hint;
use super::problem::{Origin, Place, Problems};
use super::read::{Key, Kind};

const PREFIX: &str = "GATELET_";
/// Names the configuration file.
pub(super) const CONFIG: &str = "GATELET_CONFIG";

/// The variables that belong to this program, sorted by what they are for.
#[derive(Default)]
pub(super) struct Environment {
    /// The configuration file.
    pub(super) config: Option<String>,
    /// Values of keys, by variable.
    values: BTreeMap<String, String>,
    /// Secrets of clients, by variable.
    pub(super) client_secrets: BTreeMap<String, String>,
}

impl Environment {
    /// Takes the variables that begin with `GATELET_`.
    pub(super) fn new(variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut environment = Self::default();
        for (name, value) in variables.filter(|(name, value)| is_ours(name, value)) {
            if name == CONFIG {
                environment.config = Some(value);
            } else if name.starts_with("GATELET_CLIENT_") && name.ends_with("_SECRET") {
                environment.client_secrets.insert(name, value);
            } else {
                environment.values.insert(name, value);
            }
        }
        environment
    }

    /// Puts the values into `document`, in place of what the file says. Returns which variable each path came from.
    pub(super) fn overlay<'i>(
        &'i self,
        document: &mut DeTable<'i>,
        keys: &'static [Key],
        problems: &mut Problems,
    ) -> BTreeMap<String, String> {
        let known = known_variables(keys);
        let mut paths = BTreeMap::new();
        for (name, value) in &self.values {
            let place = Place { path: String::new(), origin: Origin::Environment(name.clone()) };
            let Some((section, key)) = known.get(name) else {
                problems.error(&place, unknown_variable(name, &known));
                continue;
            };
            if value.is_empty() {
                problems.error(&place, "is empty; unset it instead");
                continue;
            }
            match parsed(key.kind, value) {
                Ok(value) => {
                    let path =
                        section.map_or(key.name.to_owned(), |section| format!("{section}.{}", key.name));
                    paths.insert(path, name.clone());
                    insert(document, *section, key.name, value);
                }
                Err(message) => problems.error(&place, message),
            }
        }
        paths
    }
}

/// Whether a variable is meant for this program. Kubernetes tells every container of services by variables that
/// begin with their names: a service called `gatelet` sets `GATELET_SERVICE_HOST`, `GATELET_PORT=tcp://…` and more.
fn is_ours(name: &str, value: &str) -> bool {
    let from_kubernetes = name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_")
        || (name.ends_with("_PORT") && value.contains("://"));
    name.starts_with(PREFIX) && !from_kubernetes
}

/// A key, with the section that it stands in.
type SectionAndKey = (Option<&'static str>, &'static Key);

/// The variables of all keys that the environment can hold.
pub(super) fn known_variables(keys: &'static [Key]) -> BTreeMap<String, SectionAndKey> {
    let mut known = BTreeMap::new();
    for key in keys {
        if let Kind::Table(section) = key.kind {
            for inner in section.keys {
                known.insert(variable(&[key.name, inner.name]), (Some(key.name), inner));
            }
        } else {
            known.insert(variable(&[key.name]), (None, key));
        }
    }
    known.retain(|_, (_, key)| !matches!(key.kind, Kind::Command | Kind::Table(_) | Kind::Tables(_)));
    known
}

fn variable(path: &[&str]) -> String {
    format!("{PREFIX}{}", path.join("__").to_uppercase())
}

fn unknown_variable(name: &str, known: &BTreeMap<String, SectionAndKey>) -> String {
    // What all names begin with would make all of them alike.
    let keys = known.keys().filter_map(|name| name.strip_prefix(PREFIX));
    match hint::nearest(name.strip_prefix(PREFIX).unwrap_or(name), keys) {
        Some(meant) => format!("unknown variable; did you mean {PREFIX}{meant}?"),
        None => "unknown variable; `gatelet config example` tells the keys".to_owned(),
    }
}

fn parsed(kind: Kind, text: &str) -> Result<DeValue<'_>, &'static str> {
    match kind {
        Kind::Integer => match DeValue::parse(text).map(Spanned::into_inner) {
            Ok(number @ DeValue::Integer(_)) => Ok(number),
            _ => Err("must be a whole number from zero up"),
        },
        Kind::Boolean => text.parse().map(DeValue::Boolean).map_err(|_| "must be true or false"),
        Kind::Texts => {
            let mut list = DeArray::new();
            for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
                list.push(Spanned::new(0..0, DeValue::String(Cow::Borrowed(item))));
            }
            Ok(DeValue::Array(list))
        }
        _ => Ok(DeValue::String(Cow::Borrowed(text))),
    }
}

fn insert<'i>(
    document: &mut DeTable<'i>,
    section: Option<&'static str>,
    key: &'static str,
    value: DeValue<'i>,
) {
    let spanned = |name: &'static str| Spanned::new(0..0, Cow::Borrowed(name));
    let table = match section {
        None => document,
        Some(section) => {
            if document.get(section).is_none() {
                document.insert(spanned(section), Spanned::new(0..0, DeValue::Table(DeTable::new())));
            }
            match document.get_mut(section).map(Spanned::get_mut) {
                Some(DeValue::Table(table)) => table,
                // Not a table: the reader will say so.
                _ => return,
            }
        }
    };
    table.insert(spanned(key), Spanned::new(0..0, value));
}
