//! `gatelet config example --profile`: starting points for deployments that are common, as files and as environment
//! lines.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::read::line;

/// A starting point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// A configuration file with comments.
    pub text: &'static str,
}

/// Every starting point.
pub const PROFILES: [Profile; 4] = [
    Profile {
        name: "agent",
        about: "a machine with a secret in the form, whose tokens are for itself",
        text: include_str!("profiles/agent.toml"),
    },
    Profile {
        name: "plain-audience",
        about: "an MCP server that checks for a word as its audience and for one role",
        text: include_str!("profiles/plain-audience.toml"),
    },
    Profile {
        name: "slash-issuer",
        about: "an issuer that ends in a slash",
        text: include_str!("profiles/slash-issuer.toml"),
    },
    Profile {
        name: "multi-tenant",
        about: "one MCP server for several companies",
        text: include_str!("profiles/multi-tenant.toml"),
    },
];

/// What stands above environment lines.
const PREFACE: &str = "\
# Lines for `docker run --env-file`, or a unit's `EnvironmentFile=`: what follows `=` is the value as it is, without
# quotes. Entries of lists are counted from 0.
#
";

/// A configuration file as environment lines, each under the comments that it has in the file. What the environment
/// does not hold (programs to run, attributes) is left out.
pub fn environment_lines(text: &str) -> String {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut values: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut found = Vec::new();
    in_table(document.get_ref(), "GATELET_", &mut found);
    for (offset, assignment) in found {
        values.entry(line(text, offset)).or_default().push(assignment);
    }
    let mut lines = String::from(PREFACE);
    for (number, written) in (1..).zip(text.lines()) {
        if written.starts_with('#') || written.is_empty() {
            lines.push_str(written);
            lines.push('\n');
        }
        for assignment in values.remove(&number).unwrap_or_default() {
            lines.push_str(&assignment);
            lines.push('\n');
        }
    }
    lines
}

/// The assignments of a table, with the offset of each value in the text.
fn in_table(table: &DeTable<'_>, prefix: &str, found: &mut Vec<(usize, String)>) {
    for (key, value) in table {
        in_value(value, &format!("{prefix}{}", key.get_ref().to_uppercase()), found);
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, variable: &str, found: &mut Vec<(usize, String)>) {
    let mut assign = |text: &str| found.push((value.span().start, format!("{variable}={text}")));
    match value.get_ref() {
        DeValue::Table(inner) => in_table(inner, &format!("{variable}__"), found),
        DeValue::Array(list) if list.iter().any(|item| item.get_ref().is_table()) => {
            for (number, item) in list.iter().enumerate() {
                in_value(item, &format!("{variable}__{number}"), found);
            }
        }
        DeValue::Array(list) => {
            assign(&list.iter().filter_map(|item| item.get_ref().as_str()).collect::<Vec<_>>().join(","));
        }
        DeValue::String(text) => assign(text),
        DeValue::Boolean(truth) => assign(&truth.to_string()),
        DeValue::Integer(number) => assign(number.as_str()),
        DeValue::Float(_) | DeValue::Datetime(_) => {}
    }
}
