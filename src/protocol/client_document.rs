//! Client id metadata documents: what a client says about itself where it alone can write (Client ID Metadata Documents
//! §4.1; MCP 2026-07-28 authorization, client id metadata documents).
//!
//! A document is refused for what could deceive somebody, and not for what this server merely has no use for: one
//! redirect URI of a kind that is not accepted here must not lock a client out, nor an authentication method beside
//! which there is another. `logo_uri` is not looked at: a logo is a claim that people believe, so it is neither shown
//! nor fetched, and pages load nothing from third parties.

use serde_json::json;

use super::client_metadata::{Members, Misfit, digest, is_web_page};
use super::{
    Client, ClientAuthMethod, ClientId, ClientKeys, ClientOrigin, DocumentState, DocumentUrl, RedirectUri,
    Scope, Timestamp,
};

/// A document that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDocument {
    /// The client that it describes. Keys at an address have not been fetched.
    pub client: Client,
    /// The redirect URIs that are not accepted here, for the log.
    pub left_out: Vec<String>,
}

/// Why a document cannot be used; for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON, or not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A document of another client, or a copy (§4.1).
    #[error("client_id is {0:?}, not the URL of the document")]
    OtherClient(String),
    /// A member has not the value it must have, or is missing.
    #[error(transparent)]
    Member(#[from] Misfit),
    /// A published secret is none (§4.1).
    #[error("{0} is a secret, which a published document cannot have")]
    Secret(String),
    /// All its redirect URIs are of a kind that is not accepted here.
    #[error("none of its redirect URIs can be accepted")]
    RedirectUris,
    /// None of its authentication methods is one of ours.
    #[error("it authenticates neither as a public client nor by private_key_jwt with keys of its own")]
    AuthMethods,
}

impl ClientDocument {
    /// Reads the document at `url`, which stays fresh until `fresh_until`.
    ///
    /// # Errors
    /// What is the matter with it.
    pub fn parse(
        url: &DocumentUrl,
        json: &[u8],
        fresh_until: Timestamp,
        now: Timestamp,
    ) -> Result<Self, DocumentError> {
        let members = Members::parse(json).ok_or(DocumentError::NotAnObject)?;
        let id = members.text("client_id")?.ok_or(missing("client_id"))?;
        let id = ClientId::parse(id)
            .filter(|id| url.is(id))
            .ok_or_else(|| DocumentError::OtherClient(id.to_owned()))?;
        if let Some(secret) = members.names().find(|name| name.starts_with("client_secret")) {
            return Err(DocumentError::Secret(secret.to_owned()));
        }
        let name = members.client_name()?.ok_or(missing("client_name"))?;
        // It only informs, so an odd one is left out.
        let uri = members.text("client_uri")?.filter(|uri| is_web_page(uri)).map(str::to_owned);
        let (redirect_uris, left_out) = redirect_uris(&members)?;
        let named = named_auth_methods(&members)?;
        let keys = members
            .keys(url.as_str().starts_with("http://"))?
            .filter(|_| named.contains(&ClientAuthMethod::PrivateKeyJwt));
        let is_usable = |method: &ClientAuthMethod| *method == ClientAuthMethod::None || keys.is_some();
        let auth_methods: Vec<ClientAuthMethod> = named.into_iter().filter(is_usable).collect();
        if auth_methods.is_empty() {
            return Err(DocumentError::AuthMethods);
        }
        let scope = members.text("scope")?.map(Scope::parse).transpose();
        let mut client = Client {
            name: Some(name),
            uri,
            redirect_uris,
            grant_types: members.grant_types(false)?,
            auth_methods,
            keys,
            scope: scope.map_err(|_| Misfit { member: "scope", why: "is malformed" })?,
            ..Client::new(id, ClientOrigin::Document, now)
        };
        client.document = Some(DocumentState { digest: client.consent_digest(), fresh_until });
        Ok(Self { client, left_out })
    }
}

fn missing(member: &'static str) -> DocumentError {
    Misfit { member, why: "is missing" }.into()
}

/// Those that are accepted here, at least one, and the others.
fn redirect_uris(members: &Members) -> Result<(Vec<RedirectUri>, Vec<String>), DocumentError> {
    let named = members.texts("redirect_uris")?.ok_or(missing("redirect_uris"))?;
    let (mut accepted, mut left_out) = (Vec::new(), Vec::new());
    for text in named {
        match RedirectUri::parse(text) {
            Ok(uri) => accepted.push(uri),
            Err(_) => left_out.push(text.to_owned()),
        }
    }
    if accepted.is_empty() { Err(DocumentError::RedirectUris) } else { Ok((accepted, left_out)) }
}

/// The methods of ours among those that the document names: in the list of SEP-3149 if it has one, else the preferred
/// one of RFC 7591; neither means `none`.
///
/// # Errors
/// A shared secret, by whichever name: nobody shares one with a document (§4.1).
fn named_auth_methods(members: &Members) -> Result<Vec<ClientAuthMethod>, DocumentError> {
    let preferred = members.text("token_endpoint_auth_method")?;
    let listed = members.texts("token_endpoint_auth_methods_supported")?.filter(|list| !list.is_empty());
    let by_secret =
        preferred.iter().chain(listed.iter().flatten()).find(|name| name.starts_with("client_secret"));
    if let Some(name) = by_secret {
        return Err(DocumentError::Secret((*name).to_owned()));
    }
    let named = listed.unwrap_or_else(|| vec![preferred.unwrap_or("none")]);
    let ours = [ClientAuthMethod::None, ClientAuthMethod::PrivateKeyJwt];
    Ok(ours.into_iter().filter(|method| named.contains(&method.as_str())).collect())
}

impl Client {
    /// What a person consents to: who it says it is, where answers go, and how it proves itself. A key that is exchanged
    /// at the same address is the same client's.
    pub fn consent_digest(&self) -> String {
        let mut uris: Vec<&str> = self.redirect_uris.iter().map(RedirectUri::as_str).collect();
        uris.sort_unstable();
        let methods: Vec<&str> = self.auth_methods.iter().map(|method| method.as_str()).collect();
        let keys: [Option<&str>; 2] = match &self.keys {
            None => [None, None],
            Some(ClientKeys::Inline { jwks }) => [Some(jwks), None],
            Some(ClientKeys::Remote { uri, .. }) => [None, Some(uri)],
        };
        digest(&json!([self.name, self.uri, uris, methods, keys]))
    }
}

#[cfg(test)]
mod tests;
