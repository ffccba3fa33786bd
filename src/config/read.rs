//! Reads sections from TOML: every unknown key and every value of a wrong type is told, with its place.
//!
//! `serde` would stop at the first; so the sections are read here, from the keys that [`section!`] collects. The
//! same keys, with the words that document them, make the example and the names of environment variables.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::hint;
use super::problem::{Origin, Place, Problems};

/// What may be written for a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    /// A list of texts; in the environment separated by commas.
    Texts,
    /// A list of texts that the environment does not hold.
    Command,
    /// A text that only the environment holds.
    FromEnvironment,
    /// A table whose keys are names that somebody chooses; the environment does not hold it.
    Attributes,
    /// One table.
    Table(&'static SectionKeys),
    /// A list of tables.
    Tables(&'static SectionKeys),
}

/// How the example shows a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Example {
    /// With this value.
    Value(&'static str),
    /// In its words only, as something to write in place of another key.
    Instead(&'static str),
    /// By the keys of the section that it names.
    Section,
    /// In its words only.
    Words,
}

/// One key of a section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) doc: &'static [&'static str],
    pub(super) example: Example,
    pub(super) kind: Kind,
}

/// All keys of a section, and what it is about.
#[derive(Debug)]
pub(super) struct SectionKeys {
    pub(super) about: &'static [&'static str],
    pub(super) keys: &'static [Key],
}

/// A table whose keys are known.
pub(super) trait Section: Default {
    const KEYS: SectionKeys;
    /// [`Self::KEYS`] with an address, so that sections can be nested.
    const SHARED: &'static SectionKeys;

    /// Where the table stands.
    fn place(&self) -> &Place;

    fn from_table(table: &DeTable<'_>, place: Place, reader: &mut Reader<'_>) -> Self;
}

/// Something that a key can hold.
pub(super) trait Field: Default {
    const KIND: Kind;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self;
}

/// Declares a section once: its keys, what each means, and how the example shows it.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident {
            $( $(#[doc = $doc:literal])* $key:ident: $type:ty = $example:expr, )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Default)]
        pub(super) struct $name {
            place: $crate::config::problem::Place,
            $( $(#[doc = $doc])* pub(super) $key: $type, )*
        }

        impl $crate::config::read::Section for $name {
            const KEYS: $crate::config::read::SectionKeys = $crate::config::read::SectionKeys {
                about: &[$($about),*],
                keys: &[$( $crate::config::read::Key {
                    name: stringify!($key),
                    doc: &[$($doc),*],
                    example: $example,
                    kind: <$type as $crate::config::read::Field>::KIND,
                } ),*],
            };
            const SHARED: &'static $crate::config::read::SectionKeys = &Self::KEYS;

            fn place(&self) -> &$crate::config::problem::Place {
                &self.place
            }

            fn from_table(
                table: &toml::de::DeTable<'_>,
                place: $crate::config::problem::Place,
                reader: &mut $crate::config::read::Reader<'_>,
            ) -> Self {
                Self {
                    $( $key: reader.field(table, &place, stringify!($key)), )*
                    place,
                }
            }
        }
    };
}
pub(super) use section;

/// Reads a document, and remembers what was wrong with it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    /// The file's text, to find lines in.
    pub(super) text: &'a str,
    /// The variables that values were taken from, by path.
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) problems: &'a mut Problems,
}

impl Reader<'_> {
    /// Reads the whole document as `S`.
    pub(super) fn document<S: Section>(&mut self, table: &DeTable<'_>) -> S {
        let place = Place::default();
        self.refuse_unknown_keys::<S>(table, &place);
        S::from_table(table, place, self)
    }

    /// Reads one key of a table; what it stands for by default when the key is absent or refused.
    pub(super) fn field<F: Field>(&mut self, table: &DeTable<'_>, place: &Place, key: &str) -> F {
        let Some(value) = table.get(key) else { return F::default() };
        let place = self.place(place.key_path(key), place, value.span().start);
        F::from_value(value, place, self)
    }

    /// The place of a key in a table whose keys somebody chooses.
    pub(super) fn place_of_key(&self, table: &Place, key: &str, offset: usize) -> Place {
        self.place(table.key_path(key), table, offset)
    }

    fn place(&self, path: String, parent: &Place, offset: usize) -> Place {
        let origin = match (self.variables.get(&path), &parent.origin) {
            (Some(variable), _) => Origin::Environment(variable.clone()),
            (None, Origin::Environment(_)) => parent.origin.clone(),
            (None, _) => Origin::File(line(self.text, offset)),
        };
        Place { path, origin }
    }

    pub(super) fn section<S: Section>(&mut self, value: &Spanned<DeValue<'_>>, place: Place) -> Option<S> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(&place, "a table", value);
            return None;
        };
        self.refuse_unknown_keys::<S>(table, &place);
        Some(S::from_table(table, place, self))
    }

    fn refuse_unknown_keys<S: Section>(&mut self, table: &DeTable<'_>, place: &Place) {
        for key in table.keys() {
            let name = key.get_ref();
            if !S::KEYS.keys.iter().any(|known| known.name == name) {
                let place = self.place(place.key_path(name), place, key.span().start);
                self.problems.error(&place, hint::unknown_key(name, S::KEYS.keys));
            }
        }
    }

    pub(super) fn wrong_type(&mut self, place: &Place, expected: &str, value: &Spanned<DeValue<'_>>) {
        let found = value.get_ref().type_str();
        self.problems.error(place, format!("must be {expected}, not of type {found}"));
    }

    pub(super) fn text(&mut self, value: &Spanned<DeValue<'_>>, place: &Place) -> Option<String> {
        match value.get_ref().as_str() {
            Some("") => self.problems.error(place, "is empty; leave the key out instead"),
            Some(text) if text.contains('\0') => self.problems.error(place, "has a NUL character in it"),
            Some(text) => return Some(text.to_owned()),
            None => self.wrong_type(place, "a text", value),
        }
        None
    }

    pub(super) fn items<'v, 'i>(
        &mut self,
        value: &'v Spanned<DeValue<'i>>,
        place: &Place,
        expected: &str,
    ) -> Option<Vec<(&'v Spanned<DeValue<'i>>, Place)>> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(place, expected, value);
            return None;
        };
        let item = |(i, item): (usize, &'v Spanned<DeValue<'i>>)| {
            (item, self.place(format!("{}[{i}]", place.path), place, item.span().start))
        };
        Some(array.iter().enumerate().map(item).collect())
    }
}

/// The line, counted from one, in which the byte at `offset` stands.
pub(super) fn line(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}
