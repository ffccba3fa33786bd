//! The claims of an access token (RFC 9068 §2.2) as values.

use serde_json::{Map, Value};

use super::challenge::union;
use super::verify::TokenError;
use crate::protocol::Timestamp;

/// Claims of an access token, in good form but not yet believed.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) audience: Vec<String>,
    pub(super) subject: String,
    pub(super) client_id: String,
    pub(super) jti: String,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) auth_time: Option<Timestamp>,
    pub(super) acr: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) tenant: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) all: Map<String, Value>,
}

/// Under which names the issuer puts what RFC 9068 leaves open.
#[derive(Clone, Debug)]
pub(super) struct ClaimNames {
    pub(super) tenant: String,
    pub(super) roles: String,
}

impl Claims {
    pub(super) fn parse(all: Map<String, Value>, names: &ClaimNames) -> Result<Self, TokenError> {
        let mut scopes = Vec::new();
        union(&mut scopes, optional_text(&all, "scope")?.unwrap_or_default().split(' '));
        Ok(Self {
            issuer: text(&all, "iss")?,
            audience: texts(&all, "aud")?.ok_or(TokenError::MissingClaim("aud"))?,
            subject: text(&all, "sub")?,
            client_id: text(&all, "client_id")?,
            jti: text(&all, "jti")?,
            issued_at: date(&all, "iat")?.ok_or(TokenError::MissingClaim("iat"))?,
            expires_at: date(&all, "exp")?.ok_or(TokenError::MissingClaim("exp"))?,
            not_before: date(&all, "nbf")?,
            auth_time: date(&all, "auth_time")?,
            acr: optional_text(&all, "acr")?,
            scopes,
            tenant: optional_text(&all, &names.tenant)?,
            roles: texts(&all, &names.roles)?.unwrap_or_default(),
            all,
        })
    }
}

fn text(all: &Map<String, Value>, name: &'static str) -> Result<String, TokenError> {
    optional_text(all, name)?.filter(|text| !text.is_empty()).ok_or(TokenError::MissingClaim(name))
}

fn optional_text(all: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenError> {
    match all.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(TokenError::Malformed),
    }
}

/// One text or a list of them, as `aud` may be (RFC 7519 §4.1.3).
fn texts(all: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, TokenError> {
    match all.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![text.clone()])),
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or(TokenError::Malformed))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(TokenError::Malformed),
    }
}

/// A `NumericDate` (RFC 7519 §2), which need not be whole.
fn date(all: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = all.get(name) else { return Ok(None) };
    let whole = value.as_i64().or_else(|| {
        let seconds = value.as_f64()?;
        // Beyond 2^53 a float no longer tells seconds apart.
        (seconds.abs() < 9.0e15).then_some(seconds.floor() as i64)
    });
    whole.map(|seconds| Some(Timestamp::from_seconds(seconds))).ok_or(TokenError::Malformed)
}
