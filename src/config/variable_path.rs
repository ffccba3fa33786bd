//! Where the value of a variable belongs: `GATELET_LOG__LEVEL` is `level` in `[log]`, and `GATELET_CLIENTS__0__ID` is `id`
//! of the first of `[[clients]]`.

use std::borrow::Cow;
use std::fmt;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::read::{Key, Kind};

/// The most entries of a list that variables can make.
const MOST_ENTRIES: usize = 1000;

/// A table on the way, and which one it is where there is a list of them.
type Step = (&'static str, Option<usize>);

/// The place of a key that the environment can hold.
#[derive(Clone, Debug)]
pub(super) struct VariablePath {
    /// The tables on the way. In their order an entry comes before the one after it.
    pub(super) steps: Vec<Step>,
    /// The key.
    pub(super) key: &'static Key,
}

impl fmt::Display for VariablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", prefix(&self.steps), self.key.name)
    }
}

fn prefix(steps: &[Step]) -> String {
    let mut path = String::new();
    for (name, number) in steps {
        path.push_str(name);
        if let Some(number) = number {
            path.push_str(&format!("[{number}]"));
        }
        path.push('.');
    }
    path
}

/// Why a value cannot be put where it belongs.
pub(super) enum Misplaced {
    /// The entry before it is missing.
    Gap,
    /// Something else than a table or a list stands there; the reader tells of it.
    Taken,
}

impl VariablePath {
    /// The place of a variable, whose name is given without what all names begin with.
    pub(super) fn find(name: &str, keys: &'static [Key]) -> Option<Self> {
        let (mut keys, mut steps) = (keys, Vec::new());
        let mut parts = name.split("__");
        loop {
            let part = parts.next()?;
            let key = keys.iter().find(|key| key.name.to_uppercase() == part)?;
            match key.kind {
                Kind::Table(section) => {
                    steps.push((key.name, None));
                    keys = section.keys;
                }
                Kind::Tables(section) => {
                    let number = parts.next()?.parse().ok().filter(|number| *number < MOST_ENTRIES)?;
                    steps.push((key.name, Some(number)));
                    keys = section.keys;
                }
                Kind::Command | Kind::Attributes => return None,
                _ => return parts.next().is_none().then_some(Self { steps, key }),
            }
        }
    }

    /// Puts a value there, in place of what the file says. `made` gets the path of every list and entry that was not
    /// there before.
    pub(super) fn put<'i>(
        &self,
        document: &mut DeTable<'i>,
        value: DeValue<'i>,
        made: &mut Vec<String>,
    ) -> Result<(), Misplaced> {
        let mut table = document;
        for (number, step) in self.steps.iter().enumerate() {
            table = enter(table, step, &prefix(&self.steps[..number]), made)?;
        }
        table.insert(spanned(self.key.name), Spanned::new(0..0, value));
        Ok(())
    }
}

fn enter<'d, 'i>(
    table: &'d mut DeTable<'i>,
    (name, number): &Step,
    prefix: &str,
    made: &mut Vec<String>,
) -> Result<&'d mut DeTable<'i>, Misplaced> {
    if table.get(*name).is_none() {
        let empty = match number {
            Some(_) => DeValue::Array(DeArray::new()),
            None => DeValue::Table(DeTable::new()),
        };
        table.insert(spanned(name), Spanned::new(0..0, empty));
        made.push(format!("{prefix}{name}"));
    }
    let inner = match (table.get_mut(*name).map(Spanned::get_mut), number) {
        (Some(inner), None) => inner,
        (Some(DeValue::Array(list)), Some(number)) => {
            if *number == list.len() {
                list.push(Spanned::new(0..0, DeValue::Table(DeTable::new())));
                made.push(format!("{prefix}{name}[{number}]"));
            }
            list.get_mut(*number).map(Spanned::get_mut).ok_or(Misplaced::Gap)?
        }
        _ => return Err(Misplaced::Taken),
    };
    match inner {
        DeValue::Table(inner) => Ok(inner),
        _ => Err(Misplaced::Taken),
    }
}

fn spanned(name: &'static str) -> Spanned<Cow<'static, str>> {
    Spanned::new(0..0, Cow::Borrowed(name))
}
