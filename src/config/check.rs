//! What every section needs to check itself.

use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::problem::{Origin, Place, Problems};
use super::secret::ConfigSecret;
use super::values::{Command, Text, Texts, Written};
use crate::protocol::{Scope, ScopeToken};

/// Collects problems, and reads secrets from where they are kept.
pub(super) struct Check<'a> {
    pub(super) problems: &'a mut Problems,
    /// What relative paths are relative to: the configuration file's directory.
    pub(super) directory: &'a Path,
    /// Whether others than its owner may read the configuration file.
    pub(super) exposed: bool,
    pub(super) outside: &'a dyn Outside,
}

/// The three places that a secret may come from.
#[derive(Debug, Default)]
pub(super) struct SecretSources {
    /// Itself.
    pub(super) given: Option<Written<ConfigSecret>>,
    /// A file that holds it.
    pub(super) file: Text,
    /// A program that prints it.
    pub(super) command: Option<Written<Command>>,
    /// Whether a file that others may read is refused, not only warned of.
    pub(super) must_be_private: bool,
}

impl SecretSources {
    /// Whether a place is named, be there a secret or not.
    pub(super) fn is_named(&self) -> bool {
        self.given.is_some() || self.file.is_some() || self.command.is_some()
    }

    /// What the environment says stands above what the file says.
    pub(super) fn prefer_environment(mut self) -> Self {
        let from_environment =
            |place: Option<&Place>| place.is_some_and(|place| matches!(place.origin, Origin::Environment(_)));
        let given = from_environment(self.given.as_ref().map(|written| &written.place));
        let file = from_environment(self.file.as_ref().map(|written| &written.place));
        if given || file {
            self.given = self.given.filter(|_| given);
            self.file = self.file.filter(|_| file);
            self.command = None;
        }
        self
    }
}

impl Check<'_> {
    pub(super) fn error(&mut self, place: &Place, message: impl Into<String>) {
        self.problems.error(place, message);
    }

    pub(super) fn warning(&mut self, place: &Place, message: impl Into<String>) {
        self.problems.warning(place, message);
    }

    /// A path, relative to the configuration file's directory.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.directory.join(text)
    }

    /// Parses a value by `parse`; its error is the problem.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        written: &Written<String>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(&written.value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.error(&written.place, error.to_string());
                None
            }
        }
    }

    /// Parses each text of a list.
    pub(super) fn each_parsed<T, E: ToString>(
        &mut self,
        texts: &Texts,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<Written<T>> {
        let texts = texts.iter().flat_map(|list| &list.value);
        texts
            .filter_map(|text| {
                let value = self.parsed(text, &parse)?;
                Some(Written { value, place: text.place.clone() })
            })
            .collect()
    }

    /// Warns of scopes that no resource knows, once there are resources.
    pub(super) fn warn_of_unknown(&mut self, scopes: &[Written<ScopeToken>], known: &Scope) {
        let is_known = |token: &ScopeToken| token.is_of_server() || known.contains(token);
        for scope in scopes.iter().filter(|scope| !known.is_empty() && !is_known(&scope.value)) {
            self.warning(&scope.place, format!("no resource knows the scope `{}`", scope.value));
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, text: &Text, words: &[(&str, T)], default: T) -> T {
        let Some(written) = text else { return default };
        let parse = |text: &str| {
            let known = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
            known.ok_or_else(|| {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                format!("must be one of {}", words.join(", "))
            })
        };
        self.parsed(written, parse).unwrap_or(default)
    }

    /// Tells of values that stand for the same thing twice. `what` says what they are.
    pub(super) fn refuse_twice<'p>(
        &mut self,
        what: &str,
        values: impl IntoIterator<Item = (String, &'p Place)>,
    ) {
        let mut seen: Vec<(String, &Place)> = Vec::new();
        for (value, place) in values {
            match seen.iter().find(|(other, _)| *other == value) {
                Some((_, first)) => {
                    self.error(place, format!("the same {what} as {}; each stands once", first.path));
                }
                None => seen.push((value, place)),
            }
        }
    }

    /// Reads a secret from the one place that is named, without the newline at its end.
    pub(super) fn secret(&mut self, sources: SecretSources) -> Option<Written<ConfigSecret>> {
        let sources = sources.prefer_environment();
        let places = [
            sources.given.as_ref().map(|written| &written.place),
            sources.file.as_ref().map(|written| &written.place),
            sources.command.as_ref().map(|written| &written.place),
        ];
        let places: Vec<_> = places.into_iter().flatten().collect();
        if let [first, second, ..] = places[..] {
            self.error(second, format!("{} says already where this secret is", first.path));
            return None;
        }
        if let Some(file) = sources.file {
            return self.secret_from_file(file, sources.must_be_private);
        }
        if let Some(Written { value: Command(words), place }) = sources.command {
            return match self.outside.run(&words, self.directory) {
                Ok(text) => self.trimmed(&text, place),
                Err(message) => {
                    self.error(&place, message);
                    None
                }
            };
        }
        sources.given
    }

    fn secret_from_file(
        &mut self,
        file: Written<String>,
        must_be_private: bool,
    ) -> Option<Written<ConfigSecret>> {
        let path = self.path(&file.value);
        match self.outside.read(&path) {
            Ok(found) => {
                if found.exposed {
                    let path = path.display();
                    let message = format!("others than its owner may open {path}; run `chmod 600 {path}`");
                    if must_be_private {
                        self.error(&file.place, message);
                    } else {
                        self.warning(&file.place, message);
                    }
                }
                self.trimmed(&found.text, file.place)
            }
            Err(error) => {
                self.error(&file.place, format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    fn trimmed(&mut self, text: &str, place: Place) -> Option<Written<ConfigSecret>> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() || text.contains('\0') {
            self.error(&place, "gives no secret: nothing, or something with a NUL character in it");
            return None;
        }
        Some(Written { value: ConfigSecret::new(text), place })
    }
}
