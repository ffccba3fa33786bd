//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// Where something was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// Nowhere: it is missing.
    #[default]
    Absent,
    /// In the file, in this line (counted from one).
    File(usize),
    /// In this environment variable.
    Environment(String),
}

/// A key, such as `clients[2].redirect_uris[0]`, and where its value was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) origin: Origin,
}

impl Place {
    /// The path of a key in the table that stands here.
    pub(super) fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether a variable says by its name which key this is. An entry of a list is known by the variable that made it,
    /// which is not the one of each of its keys.
    fn is_of(&self, variable: &str) -> bool {
        let name = self.path.replace('[', "__").replace(']', "").replace('.', "__").to_uppercase();
        self.path.is_empty() || self.path == variable || format!("GATELET_{name}").starts_with(variable)
    }

    /// A key that the table that stands here should have.
    pub(super) fn key(&self, key: &str) -> Self {
        Self { path: self.key_path(key), origin: self.origin.clone() }
    }
}

/// One thing to put right. It never repeats the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    file: Option<PathBuf>,
    place: Place,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Origin::Environment(variable) = &self.place.origin {
            let path = if self.place.is_of(variable) { "" } else { &self.place.path };
            let colon = if path.is_empty() { "" } else { ": " };
            return write!(f, "{variable}: {path}{colon}{}", self.message);
        }
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Origin::File(line) = self.place.origin {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        if !self.place.path.is_empty() {
            write!(f, "{}: ", self.place.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct ConfigErrors(pub(super) Vec<Problem>);

impl ConfigErrors {
    /// The problems, in the order of the file; one at least.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Collects what is found on the way, so that one run tells all of it.
#[derive(Debug, Default)]
pub(super) struct Problems {
    file: Option<PathBuf>,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file, ..Self::default() }
    }

    /// Something that the server cannot start with.
    pub(super) fn error(&mut self, place: &Place, message: impl Into<String>) {
        let problem = self.problem(place, message);
        self.errors.push(problem);
    }

    /// A required key is not there. Silent when the key is there but was refused already.
    pub(super) fn missing(&mut self, place: &Place, message: impl Into<String>) {
        if !self.errors.iter().any(|known| known.place.path == place.path) {
            self.error(place, message);
        }
    }

    /// Something that the operator should know of.
    pub(super) fn warning(&mut self, place: &Place, message: impl Into<String>) {
        let problem = self.problem(place, message);
        self.warnings.push(problem);
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// `value` with the warnings, or the errors when there are any. There is an error when there is no value.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<(T, Vec<Problem>), ConfigErrors> {
        self.errors.sort_by(|a, b| a.place.origin.cmp(&b.place.origin));
        self.warnings.sort_by(|a, b| a.place.origin.cmp(&b.place.origin));
        match value {
            Some(value) if self.errors.is_empty() => Ok((value, self.warnings)),
            _ => Err(ConfigErrors(self.errors)),
        }
    }

    fn problem(&self, place: &Place, message: impl Into<String>) -> Problem {
        Problem { file: self.file.clone(), place: place.clone(), message: message.into() }
    }
}
