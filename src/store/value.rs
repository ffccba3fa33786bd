//! Parameters and rows, the same for both databases: text, whole numbers, and the absence of either.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Type};

use super::StoreError;
use crate::protocol::{
    BrowserSessionId, ClientId, CodeId, GrantId, Id, InitialAccessTokenId, InteractionId, RoleName,
    ServerSecretId, TenantId, Timestamp, UserId,
};

/// A parameter of a statement.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// A parameter for a `TEXT` column.
    Text(Option<&'a str>),
    /// A parameter for a `BIGINT` column.
    Number(Option<i64>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Number(Some(at.seconds()))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Number(at.map(Timestamp::seconds))
    }
}

macro_rules! text_values {
    ($($name:ty),+ $(,)?) => {$(
        impl<'a> From<&'a $name> for Value<'a> {
            fn from(value: &'a $name) -> Self {
                Self::Text(Some(value.as_str()))
            }
        }
    )+};
}

text_values!(
    Id,
    ClientId,
    UserId,
    TenantId,
    RoleName,
    GrantId,
    CodeId,
    BrowserSessionId,
    InteractionId,
    ServerSecretId,
    InitialAccessTokenId,
);

/// The parameters of a statement, in the order of their numbers.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::value::Value::from($value)),*] };
}
pub(super) use args;

/// A row that came back.
pub(super) enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// Always asked for as something that may be missing: SQLite's driver reads NULL as zero or an empty text else.
    fn column<'r, T>(&'r self, name: &str) -> Result<Option<T>, StoreError>
    where
        Option<T>: Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
        Option<T>: Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(name)?,
            Self::Postgres(row) => row.try_get(name)?,
        })
    }

    /// A text that is always there.
    pub(super) fn text(&self, name: &str) -> Result<&str, StoreError> {
        self.column(name)?.ok_or_else(|| corrupt(name))
    }

    /// A text that may be missing.
    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&str>, StoreError> {
        self.column(name)
    }

    /// A number that is always there.
    pub(super) fn number(&self, name: &str) -> Result<i64, StoreError> {
        self.column(name)?.ok_or_else(|| corrupt(name))
    }

    /// A small count that is always there.
    pub(super) fn count(&self, name: &str) -> Result<u32, StoreError> {
        u32::try_from(self.number(name)?).map_err(|_| corrupt(name))
    }

    /// A small count that may be missing.
    pub(super) fn optional_count(&self, name: &str) -> Result<Option<u32>, StoreError> {
        let number = self.column::<i64>(name)?;
        number.map(|number| u32::try_from(number).map_err(|_| corrupt(name))).transpose()
    }

    /// A moment that is always there.
    pub(super) fn time(&self, name: &str) -> Result<Timestamp, StoreError> {
        self.number(name).map(Timestamp::from_seconds)
    }

    /// A moment that may not have come.
    pub(super) fn optional_time(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.column::<i64>(name)?.map(Timestamp::from_seconds))
    }

    /// Whether a moment has been recorded, or a computed number is not zero.
    pub(super) fn is_true(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.number(name)? != 0)
    }

    /// A text that must parse; what does not is corruption, whose report names the column and not the text.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(self.text(name)?).ok_or_else(|| corrupt(name))
    }

    /// A text that must parse if it is there.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| corrupt(name))
    }

    /// A value that [`json`] has written.
    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        self.parsed(name, |text| serde_json::from_str(text).ok())
    }

    /// A JSON list of texts, each of which must parse.
    pub(super) fn list<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.parsed(name, |text| {
            let texts: Vec<String> = serde_json::from_str(text).ok()?;
            texts.iter().map(|text| parse(text)).collect()
        })
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::corrupt(format_args!("no JSON: {error}")))
}

/// Small things as the JSON list that [`Row::list`] reads.
pub(super) fn json_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    serde_json::Value::from_iter(texts).to_string()
}

/// Named texts as a JSON object.
pub(super) fn json_members(members: &BTreeMap<String, String>) -> String {
    members
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect::<serde_json::Value>()
        .to_string()
}

fn corrupt(column: &str) -> StoreError {
    StoreError::corrupt(format_args!("column {column}"))
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}
