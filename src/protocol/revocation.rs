//! Revocation by the client that a token was issued to (RFC 7009).

use super::{Client, ClientId, ErrorCode, OAuthError, Params};

/// The token that a request wants revoked. `token_type_hint` is a hint: whatever it says, tokens of all types are looked
/// for (RFC 7009 §2.1), and one that is not known is ignored (§2.2.1).
///
/// # Errors
/// `invalid_request` when there is no token, or a parameter is repeated.
pub fn token(params: &Params) -> Result<&str, OAuthError> {
    params.optional("token_type_hint")?;
    params.one("token")
}

/// Whether `client` may revoke a token that was issued to `owner`. An answer of 200 would say that the token is good no
/// more, which is not so: the request is refused and the client is told (RFC 7009 §2.1), by the code that RFC 6749 §5.2
/// has for what was issued to another client. Whose it is is not told.
///
/// # Errors
/// `invalid_grant`.
pub fn require_owner(client: &Client, owner: &ClientId) -> Result<(), OAuthError> {
    if client.id == *owner {
        return Ok(());
    }
    Err(OAuthError::new(ErrorCode::InvalidGrant, "the token was not issued to this client"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures;

    #[test]
    fn a_revocation_names_one_token_and_may_hint_at_anything() {
        // RFC 7009 §2.1
        let read = |form: &str| {
            let params = Params::parse(form.as_bytes()).unwrap();
            token(&params).map(str::to_owned).map_err(|error| error.code())
        };
        for hint in ["", "&token_type_hint=", "&token_type_hint=access_token", "&token_type_hint=unheard_of"]
        {
            assert_eq!(read(&format!("token=x{hint}")).as_deref(), Ok("x"), "{hint}");
        }
        for form in ["", "token=", "token=x&token=y", "token=x&token_type_hint=a&token_type_hint=b"] {
            assert_eq!(read(form), Err(ErrorCode::InvalidRequest), "{form}");
        }
    }

    #[test]
    fn a_token_is_revoked_by_the_client_that_it_was_issued_to() {
        // RFC 7009 §2.1
        let client = fixtures::client(&[]);
        assert_eq!(require_owner(&client, &client.id), Ok(()));
        let error = require_owner(&client, &ClientId::parse("d").unwrap()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant);
    }
}
