//! What the single members of a registration may be (RFC 7591 §2), beside what holds for client id metadata documents
//! too.

use std::time::Duration;

use super::{Terms, invalid_metadata};
use crate::protocol::client_assertion::AssertionAlgorithm;
use crate::protocol::client_metadata::{Members, Misfit};
use crate::protocol::{ClientAuthMethod, ClientKeys, ErrorCode, GrantType, OAuthError, RedirectUri};

const MAX_REDIRECT_URIS: usize = 20;
const MAX_CONTACTS: usize = 10;

/// What a client that asks for it could not live without, and this server does not do (OpenID Connect Registration §2).
/// Other members that are not understood are ignored.
pub(super) fn refuse_impossible(members: &Members) -> Result<(), Misfit> {
    for (member, possible) in [
        ("id_token_signed_response_alg", Some("RS256")),
        ("id_token_encrypted_response_alg", None),
        ("userinfo_signed_response_alg", None),
        ("userinfo_encrypted_response_alg", None),
        ("subject_type", Some("public")),
    ] {
        if members.text(member)?.is_some_and(|asked| Some(asked) != possible) {
            return Err(Misfit { member, why: "is not supported" });
        }
    }
    Ok(())
}

pub(super) fn contacts(members: &Members) -> Result<Vec<String>, Misfit> {
    let contacts = members.texts("contacts")?.unwrap_or_default();
    let is_fit = |text: &&str| text.len() <= 256 && !text.chars().any(char::is_control);
    if contacts.len() > MAX_CONTACTS || !contacts.iter().all(is_fit) {
        return Err(Misfit { member: "contacts", why: "must be at most 10 texts of at most 256 bytes" });
    }
    Ok(contacts.into_iter().map(str::to_owned).collect())
}

pub(super) fn default_max_age(members: &Members) -> Result<Option<Duration>, Misfit> {
    let Some(value) = members.value("default_max_age") else { return Ok(None) };
    let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    let misfit = Misfit { member: "default_max_age", why: "must be a number of seconds" };
    seconds.map(|seconds| Some(Duration::from_secs(seconds.into()))).ok_or(misfit)
}

/// Of a client that is never sent an answer by redirect none is asked.
pub(super) fn redirect_uris(
    members: &Members,
    grant_types: &[GrantType],
) -> Result<Vec<RedirectUri>, OAuthError> {
    let invalid =
        |description| OAuthError::new(ErrorCode::InvalidRedirectUri, description).about("redirect_uris");
    let texts = members.texts("redirect_uris")?.unwrap_or_default();
    let is_needed = grant_types.contains(&GrantType::AuthorizationCode);
    if (texts.is_empty() && is_needed) || texts.len() > MAX_REDIRECT_URIS {
        return Err(invalid("must name between one and 20 URIs"));
    }
    let parse = |text: &str| {
        RedirectUri::parse(text).map_err(|error| {
            invalid("must be https, http on loopback, or an application's own scheme in reverse-domain form")
                .with_detail(error.to_string())
        })
    };
    texts.into_iter().map(parse).collect()
}

/// OpenID Connect RP-Initiated Logout §3.1; of the same kinds as redirect URIs, which are stricter.
pub(super) fn post_logout_redirect_uris(members: &Members) -> Result<Vec<RedirectUri>, Misfit> {
    let member = "post_logout_redirect_uris";
    let texts = members.texts(member)?.unwrap_or_default();
    if texts.len() > MAX_REDIRECT_URIS {
        return Err(Misfit { member, why: "must name at most 20 URIs" });
    }
    let parsed: Result<_, _> = texts.into_iter().map(RedirectUri::parse).collect();
    let why = "must be https, http on loopback, or an application's own scheme in reverse-domain form";
    parsed.map_err(|_| Misfit { member, why })
}

pub(super) fn auth_method(members: &Members) -> Result<ClientAuthMethod, OAuthError> {
    match members.text("token_endpoint_auth_method")? {
        None => Ok(ClientAuthMethod::ClientSecretBasic),
        Some(name) => ClientAuthMethod::parse(name)
            .ok_or(invalid_metadata("is not supported").about("token_endpoint_auth_method")),
    }
}

/// The keys of a client that signs, by value or at an address. Nothing is fetched for whoever registers: the first
/// assertion does that.
pub(super) fn keys(
    members: &Members,
    method: ClientAuthMethod,
    terms: Terms,
) -> Result<Option<ClientKeys>, OAuthError> {
    let keys = members.keys(terms.loopback)?;
    if method != ClientAuthMethod::PrivateKeyJwt {
        return Ok(None);
    }
    keys.map(Some).ok_or(invalid_metadata("private_key_jwt needs keys, here or in jwks_uri").about("jwks"))
}

pub(super) fn assertion_alg(
    members: &Members,
    method: ClientAuthMethod,
) -> Result<Option<AssertionAlgorithm>, OAuthError> {
    let member = "token_endpoint_auth_signing_alg";
    let Some(name) = members.text(member)?.filter(|_| method == ClientAuthMethod::PrivateKeyJwt) else {
        return Ok(None);
    };
    AssertionAlgorithm::parse(name).map(Some).ok_or(invalid_metadata("is not supported").about(member))
}
