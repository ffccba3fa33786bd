//! Environment variables: `GATELET_LOG__LEVEL` stands above `log.level` in the file, and `GATELET_CLIENTS__0__ID` above
//! `id` of the first of its `[[clients]]`, or makes that.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::hint;
use super::problem::{Origin, Place, Problems};
use super::read::{Key, Kind};
use super::variable_path::{Misplaced, VariablePath};

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
        let mut found = Vec::new();
        for (name, value) in &self.values {
            let place = Place { path: String::new(), origin: Origin::Environment(name.clone()) };
            match VariablePath::find(name.strip_prefix(PREFIX).unwrap_or(name), keys) {
                None => problems.error(&place, unknown_variable(name, &known_variables(keys))),
                Some(_) if value.is_empty() => problems.error(&place, "is empty; unset it instead"),
                Some(path) => match parsed(path.key.kind, value) {
                    Ok(value) => found.push((path, name, place, value)),
                    Err(message) => problems.error(&place, message),
                },
            }
        }
        // An entry comes after the one before it: by number, not by letter.
        found.sort_by(|(a, ..), (b, ..)| a.steps.cmp(&b.steps));
        let mut paths = BTreeMap::new();
        for (path, name, place, value) in found {
            let mut made = vec![path.to_string()];
            match path.put(document, value, &mut made) {
                Ok(()) | Err(Misplaced::Taken) => {}
                Err(Misplaced::Gap) => {
                    problems.error(&place, "has none before it; entries are counted from 0")
                }
            }
            paths.extend(made.into_iter().map(|path| (path, name.clone())));
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

/// The variables of all keys that stand once: what an unknown one may have been meant for.
fn known_variables(keys: &'static [Key]) -> Vec<String> {
    let mut known = Vec::new();
    for key in keys {
        match key.kind {
            Kind::Table(section) => {
                known.extend(section.keys.iter().map(|inner| variable(&[key.name, inner.name])));
            }
            Kind::Command | Kind::Attributes | Kind::Tables(_) => {}
            _ => known.push(variable(&[key.name])),
        }
    }
    known
}

fn variable(path: &[&str]) -> String {
    format!("{PREFIX}{}", path.join("__").to_uppercase())
}

fn unknown_variable(name: &str, known: &[String]) -> String {
    // What all names begin with would make all of them alike.
    let keys = known.iter().filter_map(|name| name.strip_prefix(PREFIX));
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
