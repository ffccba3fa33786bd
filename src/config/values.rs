//! What keys can hold: each kind of value and how it is read.

use toml::Spanned;
use toml::de::DeValue;

use super::hint;
use super::problem::{Origin, Place};
use super::read::{Field, Kind, Reader, Section};
use super::secret::ConfigSecret;
use crate::protocol::Timestamp;

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

/// A list of texts, or a single text in its place.
#[derive(Clone, Debug)]
pub(super) struct WordOrTexts(pub(super) Vec<Written<String>>);

/// One table.
#[derive(Debug, Default)]
pub(super) struct Table<S>(pub(super) S);

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

impl Field for Option<Written<Timestamp>> {
    const KIND: Kind = Kind::Text;

    /// With quotation marks or without: TOML has moments of its own.
    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let text = match value.get_ref().as_datetime() {
            Some(moment) => moment.to_string(),
            None => reader.text(value, &place)?,
        };
        match Timestamp::parse_rfc3339(&text) {
            Ok(value) => Some(Written { value, place }),
            Err(rule) => {
                reader.problems.error(&place, rule);
                None
            }
        }
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

impl Field for Option<Written<WordOrTexts>> {
    const KIND: Kind = Kind::Texts;

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        let texts = if value.get_ref().is_str() {
            vec![Text::from_value(value, place.clone(), reader)?]
        } else {
            Texts::from_value(value, place.clone(), reader)?.value
        };
        Some(Written { value: WordOrTexts(texts), place })
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

impl<S: Section> Field for Table<S> {
    const KIND: Kind = Kind::Table(S::SHARED);

    fn from_value(value: &Spanned<DeValue<'_>>, place: Place, reader: &mut Reader<'_>) -> Self {
        Self(reader.section(value, place).unwrap_or_default())
    }
}
