//! Dynamic client registration (RFC 7591): what a client may say about itself, the first time and in place of what it
//! said before (RFC 7592 §2.2).
//!
//! Deprecated in MCP 2026-07-28, and still the only way in that most released clients know. What they really send is
//! taken as it comes where that harms nobody; nothing here lets a client do more than ask people for consent, unless an
//! operator has said so.
//!
//! A `software_statement` is ignored, as §2.3 lets a server that trusts nobody's: what it says counts no more than what
//! a client says of itself, and refusing it would shut out clients that bring one everywhere. Answers do not have it
//! either, which says that it was not used (§3.2.1).

mod member;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::client_assertion::AssertionAlgorithm;
use super::client_metadata::{Members, Misfit, about, digest, is_web_page};
use super::{
    Client, ClientAuthMethod, ClientId, ClientKeys, ClientOrigin, ErrorCode, GrantType, OAuthError,
    RedirectUri, Scope, SecretHash, Timestamp,
};

/// What the answers to a registration have, and a client may not send back (RFC 7592 §2.2).
const OURS: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// On what terms a client registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whether it may use client credentials: an operator has said so.
    pub machines: bool,
    /// Whether its keys may be on loopback: this server is.
    pub loopback: bool,
}

/// A registration that keeps every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    name: Option<String>,
    uri: Option<String>,
    about: BTreeMap<String, String>,
    contacts: Vec<String>,
    redirect_uris: Vec<RedirectUri>,
    post_logout_redirect_uris: Vec<RedirectUri>,
    grant_types: Vec<GrantType>,
    auth_method: ClientAuthMethod,
    keys: Option<ClientKeys>,
    assertion_alg: Option<AssertionAlgorithm>,
    scope: Option<Scope>,
    default_max_age: Option<Duration>,
    require_auth_time: bool,
}

impl Registration {
    /// Reads the body of a registration request. Unknown members are ignored and `null` is an omitted member.
    ///
    /// # Errors
    /// `invalid_redirect_uri`, `invalid_client_metadata`.
    pub fn parse(body: &[u8], terms: Terms) -> Result<Self, OAuthError> {
        Self::of(&object(body)?, terms)
    }

    /// Reads what is to stand in the place of what `client` said before; `matches` says whether a secret is one of its
    /// own.
    ///
    /// # Errors
    /// As [`Registration::parse`]; `invalid_client_metadata` for another client's identifier and for a secret that is
    /// not the client's, which it never chooses; `invalid_request` for what only an answer has (RFC 7592 §2.2).
    pub fn parse_replacement(
        body: &[u8],
        client: &Client,
        terms: Terms,
        matches: impl Fn(&str) -> bool,
    ) -> Result<Self, OAuthError> {
        let members = object(body)?;
        if let Some(name) = OURS.into_iter().find(|name| members.value(name).is_some()) {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "must not be sent").about(name));
        }
        if members.text("client_id")? != Some(client.id.as_str()) {
            return Err(invalid_metadata("must be the client's own").about("client_id"));
        }
        if members.text("client_secret")?.is_some_and(|secret| !matches(secret)) {
            return Err(
                invalid_metadata("must be the client's own; it cannot be chosen").about("client_secret")
            );
        }
        Self::of(&members, terms)
    }

    fn of(members: &Members, terms: Terms) -> Result<Self, OAuthError> {
        let uri = members.text("client_uri")?.map(str::to_owned);
        if uri.as_deref().is_some_and(|uri| !is_web_page(uri)) {
            return Err(invalid_metadata("must be an http or https URL").about("client_uri"));
        }
        let grant_types = members.grant_types(terms.machines)?;
        let auth_method = member::auth_method(members)?;
        if auth_method == ClientAuthMethod::None && grant_types.contains(&GrantType::ClientCredentials) {
            let why = "client_credentials is for clients that authenticate";
            return Err(invalid_metadata(why).about("token_endpoint_auth_method"));
        }
        member::refuse_impossible(members)?;
        let scope = members.text("scope")?.map(Scope::parse).transpose();
        Ok(Self {
            name: members.client_name()?,
            uri,
            about: about(members)?,
            contacts: member::contacts(members)?,
            redirect_uris: member::redirect_uris(members, &grant_types)?,
            post_logout_redirect_uris: member::post_logout_redirect_uris(members)?,
            grant_types,
            auth_method,
            keys: member::keys(members, auth_method, terms)?,
            assertion_alg: member::assertion_alg(members, auth_method)?,
            scope: scope.map_err(|_| invalid_metadata("is malformed").about("scope"))?,
            default_max_age: member::default_max_age(members)?,
            require_auth_time: members.flag("require_auth_time")?,
        })
    }

    /// Whether the client is to be given a secret. RFC 7591 §2 makes that the default.
    pub fn needs_secret(&self) -> bool {
        self.auth_method.is_by_secret()
    }

    /// Whether the client can prove that it is itself; one that cannot is no different from others that say the same.
    pub fn is_public(&self) -> bool {
        self.auth_method == ClientAuthMethod::None
    }

    /// What two identical registrations of public clients have in common. Products that register at every start come to
    /// share one row.
    pub fn fingerprint(&self) -> String {
        let uris = texts(&self.redirect_uris);
        let grants: Vec<&str> = self.grant_types.iter().map(|grant| grant.as_str()).collect();
        let scope = self.scope.as_ref().map(ToString::to_string);
        let method = self.auth_method.as_str();
        let mut parts = json!([self.name, self.uri, self.about, uris, grants, method, null, scope]);
        let more = json!([
            self.contacts,
            texts(&self.post_logout_redirect_uris),
            self.default_max_age.map(|age| age.as_secs()),
            self.require_auth_time,
        ]);
        // What earlier versions knew has the fingerprint that they gave it: a client that registers again finds its row.
        if more != json!([[], [], null, false])
            && let Some(parts) = parts.as_array_mut()
        {
            parts.push(more);
        }
        digest(&parts)
    }

    /// The client that comes of it.
    pub fn into_client(self, id: ClientId, secret: Option<SecretHash>, now: Timestamp) -> Client {
        let mut client = Client::new(id, ClientOrigin::Dynamic, now);
        client.secret_hashes = secret.into_iter().collect();
        self.apply_to(&mut client);
        client
    }

    /// Puts all of it in the place of what the client said before; what it left out is gone (RFC 7592 §2.2). What an
    /// operator has said of the client stays. One that may use client credentials may get for itself what it may be
    /// given at most, and nothing when nobody has said how much that is.
    pub fn apply_to(&self, client: &mut Client) {
        let this = self.clone();
        client.name = this.name;
        client.uri = this.uri;
        client.about = this.about;
        client.contacts = this.contacts;
        client.redirect_uris = this.redirect_uris;
        client.post_logout_redirect_uris = this.post_logout_redirect_uris;
        client.machine_scopes = match &client.ceiling {
            Some(ceiling) if this.grant_types.contains(&GrantType::ClientCredentials) => ceiling.clone(),
            _ => Scope::default(),
        };
        client.grant_types = this.grant_types;
        client.auth_methods = vec![this.auth_method];
        if !is_same_address(client.keys.as_ref(), this.keys.as_ref()) {
            client.keys = this.keys;
        }
        client.assertion_alg = this.assertion_alg;
        client.scope = this.scope;
        client.default_max_age = this.default_max_age;
        client.require_auth_time = this.require_auth_time;
    }
}

fn object(body: &[u8]) -> Result<Members, OAuthError> {
    Members::parse(body).ok_or(invalid_metadata("the body must be a JSON object"))
}

fn texts(uris: &[RedirectUri]) -> Vec<&str> {
    uris.iter().map(RedirectUri::as_str).collect()
}

/// Keys that were found at an address stay while the address does.
fn is_same_address(before: Option<&ClientKeys>, after: Option<&ClientKeys>) -> bool {
    match (before, after) {
        (Some(ClientKeys::Remote { uri: before, .. }), Some(ClientKeys::Remote { uri: after, .. })) => {
            before == after
        }
        _ => false,
    }
}

fn invalid_metadata(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, description)
}

impl From<Misfit> for OAuthError {
    fn from(misfit: Misfit) -> Self {
        invalid_metadata(misfit.why).about(misfit.member)
    }
}

#[cfg(test)]
mod tests;
