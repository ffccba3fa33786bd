//! How a client proves who it is (RFC 6749 §2.3.1; RFC 7523 §2.2; OAuth 2.1 §2.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client_assertion::{ClientAssertion, JWT_BEARER};
use super::params::decode_text;
use super::{Client, ClientAuthMethod, ClientId, ErrorCode, OAuthError, Params};

/// What a request presents.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who it says it is.
    pub client_id: ClientId,
    proof: Proof,
}

#[derive(Clone, PartialEq, Eq)]
enum Proof {
    /// Nothing: what a public client presents.
    None,
    /// A secret, as the standard decodes it and as most clients mean it.
    Secret(Vec<String>),
    /// An assertion.
    Assertion(ClientAssertion),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the `Authorization` header and the form.
    ///
    /// RFC 6749 §2.3.1 form-encodes identifier and secret before they are joined; the released MCP SDKs disagree on
    /// whether to. Both readings of a secret are tried; identifiers read the same either way. Beside an assertion, which
    /// names the client itself, `client_id` may be left out (RFC 7523 §3).
    ///
    /// # Errors
    /// `invalid_client` when nobody is named or the header or the assertion cannot be read; `invalid_request` when two
    /// ways are used at once (OAuth 2.1 §2.4) or two clients are named.
    pub fn read(authorization: Option<&str>, params: &Params) -> Result<Self, OAuthError> {
        let form_id = params.optional("client_id")?;
        let form_secret = params.optional("client_secret")?;
        let assertion = assertion(params)?;
        let ways = [authorization.is_some(), form_secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(OAuthError::new(
                ErrorCode::InvalidRequest,
                "one way of client authentication can be used at a time",
            ));
        }
        let (named, proof) = match (authorization, assertion) {
            (Some(header), _) => {
                let (id, readings) = read_basic(header).ok_or(OAuthError::new(
                    ErrorCode::InvalidClient,
                    "the Authorization header is not well-formed Basic",
                ))?;
                (Some(id), Proof::Secret(readings))
            }
            (None, Some(assertion)) => {
                let named = assertion.named_client().ok_or_else(unauthenticated)?;
                (Some(named.to_string()), Proof::Assertion(assertion))
            }
            (None, None) => {
                let secret = form_secret.map(|secret| Proof::Secret(vec![secret.to_owned()]));
                (None, secret.unwrap_or(Proof::None))
            }
        };
        let client_id = match (form_id, &named) {
            (Some(id), Some(other)) if id != other => {
                return Err(OAuthError::new(ErrorCode::InvalidRequest, "two different clients are named"));
            }
            (Some(id), _) => id,
            (None, Some(named)) => named,
            (None, None) => {
                return Err(OAuthError::new(ErrorCode::InvalidClient, "no client authentication was sent"));
            }
        };
        Ok(Self { client_id: known_shape(client_id)?, proof })
    }

    /// The assertion that `client` presents, when it may prove itself by one. It proves nothing before its claims, its
    /// signature and its being new have been checked; [`Credentials::check`] refuses it.
    pub fn assertion_of(&self, client: &Client) -> Option<&ClientAssertion> {
        match &self.proof {
            Proof::Assertion(assertion) if client.auth_methods.contains(&ClientAuthMethod::PrivateKeyJwt) => {
                Some(assertion)
            }
            _ => None,
        }
    }

    /// Whether a secret or an assertion is presented, right or wrong.
    pub fn have_proof(&self) -> bool {
        !matches!(self.proof, Proof::None)
    }

    /// Whether `client` has proved itself. `matches` says whether a presented secret is one of the client's.
    ///
    /// # Errors
    /// `invalid_client`, in the same words whatever was wrong.
    pub fn check(&self, client: &Client, matches: impl Fn(&str) -> bool) -> Result<(), OAuthError> {
        let proved = match &self.proof {
            Proof::None => client.is_public(),
            // Secrets are taken by either way: SDKs choose by the server's metadata, not by their registration.
            Proof::Secret(readings) => {
                client.auth_methods.iter().any(|method| method.is_by_secret())
                    && readings.iter().any(|secret| matches(secret))
            }
            Proof::Assertion(_) => false,
        };
        if proved { Ok(()) } else { Err(unauthenticated()) }
    }
}

/// The one answer to an unknown client and to a wrong secret.
pub fn unauthenticated() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, "the client is unknown or its authentication failed")
}

/// RFC 7521 §4.2: an assertion says of what type it is.
fn assertion(params: &Params) -> Result<Option<ClientAssertion>, OAuthError> {
    let Some(text) = params.optional("client_assertion")? else {
        return match params.optional("client_assertion_type")? {
            None => Ok(None),
            Some(_) => Err(OAuthError::new(ErrorCode::InvalidRequest, "the parameter is missing")
                .about("client_assertion")),
        };
    };
    if params.one("client_assertion_type")? != JWT_BEARER {
        return Err(unauthenticated().with_detail("another client_assertion_type than jwt-bearer"));
    }
    ClientAssertion::parse(text).map(Some).map_err(|error| unauthenticated().with_detail(error.to_string()))
}

fn known_shape(text: &str) -> Result<ClientId, OAuthError> {
    ClientId::parse(text).ok_or_else(unauthenticated)
}

fn read_basic(header: &str) -> Option<(String, Vec<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let raw = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = raw.split_once(':')?;
    let id = decode_text(id.as_bytes())?;
    let decoded = decode_text(secret.as_bytes());
    Some((id, decoded.into_iter().chain([secret.to_owned()]).collect()))
}

#[cfg(test)]
mod tests;
