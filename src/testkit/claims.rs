//! Checking access tokens as resource servers do (RFC 9068 §4), and id tokens as clients do (OpenID Connect Core
//! §3.1.3.7).

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::protocol::Timestamp;

/// The claims of `token`, or what is wrong with it. The audience is left to the caller.
pub(super) fn verified(
    token: &str,
    typ: &str,
    jwks: &Value,
    issuer: &str,
    now: Timestamp,
) -> Result<Value, String> {
    let header = decode_header(token).map_err(|error| error.to_string())?;
    if header.typ.as_deref() != Some(typ) {
        return Err(format!("typ is {:?}", header.typ));
    }
    let kid = header.kid.ok_or("there is no kid")?;
    let keys: JwkSet = serde_json::from_value(jwks.clone()).map_err(|error| error.to_string())?;
    let key = keys.find(&kid).ok_or_else(|| format!("the JWKS has no key {kid}"))?;
    let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    validation.validate_aud = false;
    validation.validate_exp = false;
    let claims = decode::<Value>(token, &key, &validation).map_err(|error| error.to_string())?.claims;
    match claims["exp"].as_i64() {
        Some(exp) if exp > now.seconds() => Ok(claims),
        exp => Err(format!("exp is {exp:?}, and it is {}", now.seconds())),
    }
}
