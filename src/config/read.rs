//! Reads sections from TOML: every unknown key and every value of a wrong type is told, with its place.
//!
//! `serde` would stop at the first; so the sections are read here, from the keys that [`section!`] collects. The
//! same keys, with the words that document them, make the example and the names of environment variables.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::hint;
use super::problem::{Origin, Place, Problems};
use super::secret::ConfigSecret;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// A list of texts, each with its place.
pub(super) type Texts = Option<Written<Vec<Written<String>>>>;
/// A text.
pub(super) type Text = Option<Written<String>>;

/// A secret that may stand in the environment, but not in the file.
#[derive(Clone, Debug)]
pub(super) struct FromEnvironment(pub(super) ConfigSecret);

/// A program and its arguments. No shell reads them.
#[derive(Clone, Debug)]
pub(super) struct Command(pub(super) Vec<String>);

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

    fn place(&self, path: String, parent: &Place, offset: usize) -> Place {
        let origin = match (self.variables.get(&path), &parent.origin) {
            (Some(variable), _) => Origin::Environment(variable.clone()),
            (None, Origin::Environment(_)) => parent.origin.clone(),
            (None, _) => Origin::File(line(self.text, offset)),
        };
        Place { path, origin }
    }

    fn section<S: Section>(&mut self, value: &Spanned<DeValue<'_>>, place: Place) -> Option<S> {
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

    fn wrong_type(&mut self, place: &Place, expected: &str, value: &Spanned<DeValue<'_>>) {
        let found = value.get_ref().type_str();
        self.problems.error(place, format!("must be {expected}, not of type {found}"));
    }

    fn text(&mut self, value: &Spanned<DeValue<'_>>, place: &Place) -> Option<String> {
        match value.get_ref().as_str() {
            Some("") => self.problems.error(place, "is empty; leave the key out instead"),
            Some(text) if text.contains('\0') => self.problems.error(place, "has a NUL character in it"),
            Some(text) => return Some(text.to_owned()),
            None => self.wrong_type(place, "a text", value),
        }
        None
    }

    fn items<'v, 'i>(
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

impl Field for Text {
    const KIND: Kind = Kind::Text;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let value = reader.text(value, &place)?;
        Some(Written { value, place })
    }
}

impl Field for Option<Written<ConfigSecret>> {
    const KIND: Kind = Kind::Text;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let value = ConfigSecret::new(reader.text(value, &place)?);
        Some(Written { value, place })
    }
}

impl Field for Option<Written<FromEnvironment>> {
    const KIND: Kind = Kind::FromEnvironment;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        if matches!(place.origin, Origin::File(_)) {
            let key = &place.path;
            reader.problems.error(&place, hint::secret_in_file(key));
            return None;
        }
        let value = FromEnvironment(ConfigSecret::new(reader.text(value, &place)?));
        Some(Written { value, place })
    }
}

impl Field for Option<Written<u64>> {
    const KIND: Kind = Kind::Integer;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let number = value.get_ref().as_integer();
        match number.map(|number| u64::from_str_radix(number.as_str(), number.radix())) {
            Some(Ok(value)) => return Some(Written { value, place }),
            Some(Err(_)) => reader.problems.error(&place, "must be a whole number from zero up"),
            None => reader.wrong_type(&place, "a whole number", value),
        }
        None
    }
}

impl Field for Option<Written<bool>> {
    const KIND: Kind = Kind::Boolean;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let Some(truth) = value.get_ref().as_bool() else {
            reader.wrong_type(&place, "true or false", value);
            return None;
        };
        Some(Written { value: truth, place })
    }
}

impl Field for Texts {
    const KIND: Kind = Kind::Texts;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let items = reader.items(value, &place, "a list of texts")?;
        let texts = items.into_iter().filter_map(|(item, place)| Text::from_value(item, place, reader));
        Some(Written { value: texts.collect(), place })
    }
}

impl Field for Option<Written<Command>> {
    const KIND: Kind = Kind::Command;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let expected = "a list of a program and its arguments";
        let items = reader.items(value, &place, expected)?;
        let words: Vec<_> = items
            .iter()
            .filter_map(|(item, place)| match item.get_ref().as_str() {
                Some(word) => Some(word.to_owned()),
                None => {
                    reader.wrong_type(place, "a text", item);
                    None
                }
            })
            .collect();
        if words.first().is_none_or(String::is_empty) {
            reader.problems.missing(&place, format!("must be {expected}"));
            return None;
        }
        Some(Written { value: Command(words), place })
    }
}

impl<S: Section> Field for Vec<S> {
    const KIND: Kind = Kind::Tables(S::SHARED);

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let items = reader.items(value, &place, "a list of tables").unwrap_or_default();
        items.into_iter().filter_map(|(item, place)| reader.section(item, place)).collect()
    }
}

/// One table.
#[derive(Debug, Default)]
pub(super) struct Table<S>(pub(super) S);

impl<S: Section> Field for Table<S> {
    const KIND: Kind = Kind::Table(S::SHARED);

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        Self(reader.section(value, place).unwrap_or_default())
    }
}
