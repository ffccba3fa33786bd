//! Which client a request names. A client whose identifier is a URL is known by the document there (Client ID Metadata
//! Documents §4; MCP 2026-07-28 authorization, client id metadata documents).
//!
//! A document is fetched for a person who is logged in, and for nobody else: a stranger could have this server ask
//! whomever they like. It is fetched where a request for authorization arrives or goes on after login, and nowhere
//! else, so that a page which is shown, or a token request, neither waits for another host nor depends on it.

use serde_json::Value;

use super::{Engine, Failure, LoggedIn, Unanswerable};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::client_document::{ClientDocument, DocumentError};
use crate::protocol::{Client, ClientId, ClientKeys, DocumentUrl};
use crate::store::Outcome;

/// Whether a document may be fetched.
#[derive(Clone, Copy)]
pub(super) enum Looking<'a> {
    /// It may, for this person.
    For(&'a LoggedIn),
    /// It may not: what is stored is what there is, however old.
    InStore,
}

/// The client that a request names.
pub(super) enum Named {
    /// A client that may act.
    Known(Box<Client>),
    /// One whose document has not been read yet, and may not be now.
    Unread(DocumentUrl),
}

/// Why a document cannot be used; for the log.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("{0}")]
    Fetch(#[from] crate::fetch::FetchError),
    #[error("{0}")]
    Document(#[from] DocumentError),
}

impl Engine {
    /// The client with this identifier.
    ///
    /// # Errors
    /// [`Unanswerable::UnknownClient`] for one that is unknown, suspended or not admitted, and
    /// [`Unanswerable::ClientDocument`] for one whose document cannot be used.
    pub(super) async fn named_client(
        &self,
        id: &ClientId,
        looking: Looking<'_>,
    ) -> Result<Named, Unanswerable> {
        let unknown = || {
            tracing::info!(client = %id, "authorization request of an unknown client");
            Unanswerable::UnknownClient(id.to_string())
        };
        let stored = self.store.client(id).await?;
        let by_document = stored.as_ref().is_none_or(|client| client.document.is_some());
        let url = self.policy.document_url(id.as_str()).filter(|_| by_document);
        let Some(url) = url else {
            return stored.map(|client| Named::Known(Box::new(client))).ok_or_else(unknown);
        };
        if !self.policy.client_documents.admits(url.host()) {
            return Err(unknown());
        }
        let now = self.clock.now();
        let is_fresh =
            |client: &Client| client.document.as_ref().is_some_and(|state| state.fresh_until > now);
        match (stored, looking) {
            (Some(client), Looking::InStore) => Ok(Named::Known(Box::new(client))),
            (Some(client), Looking::For(_)) if is_fresh(&client) => Ok(Named::Known(Box::new(client))),
            // A suspended one, most likely: the document would not change that.
            (None, _) if self.store.is_client_known(id).await? => Err(unknown()),
            (None, Looking::InStore) => Ok(Named::Unread(url)),
            (stored, Looking::For(who)) => {
                let client = self.read_again(&url, stored, who).await?.ok_or_else(unknown)?;
                Ok(Named::Known(Box::new(client)))
            }
        }
    }

    /// Reads a document. When it cannot be used now, what it said before is used for a while. That it failed is not
    /// remembered: the next request tries again (Client ID Metadata Documents §4.4).
    async fn read_again(
        &self,
        url: &DocumentUrl,
        stored: Option<Client>,
        who: &LoggedIn,
    ) -> Result<Option<Client>, Unanswerable> {
        let why = match self.fetched(url).await {
            Ok(client) => return Ok(self.keep(client, who).await?),
            Err(why) => why,
        };
        let now = self.clock.now();
        let stale = self.policy.lifetimes.client_document_stale;
        let good_enough = |client: &Client| {
            client.document.as_ref().is_some_and(|state| state.fresh_until.plus(stale) > now)
        };
        match stored.filter(good_enough) {
            Some(client) => {
                tracing::warn!(client = %client.id, %why, "client document cannot be used; its last version is");
                Ok(Some(client))
            }
            None => {
                tracing::warn!(client = url.as_str(), %why, "client document cannot be used");
                Err(Unanswerable::ClientDocument(url.as_str().to_owned()))
            }
        }
    }

    async fn fetched(&self, url: &DocumentUrl) -> Result<Client, Unusable> {
        let fetched = self.fetcher.json(url.as_str()).await?;
        let now = self.clock.now();
        let fresh_until = now.plus(self.policy.lifetimes.client_document(fetched.fresh_for));
        let ClientDocument { mut client, left_out } =
            ClientDocument::parse(url, &fetched.body, fresh_until, now)?;
        if !left_out.is_empty() {
            tracing::info!(client = %client.id, ?left_out, "redirect URIs that are not accepted here");
        }
        if let Some(ClientKeys::Remote { uri, jwks, tried_at }) = &mut client.keys {
            *jwks = self.fetched_keys(uri).await;
            *tried_at = Some(self.clock.now());
        }
        Ok(client)
    }

    /// The JSON Web Key Set at `uri`, if there is one now.
    pub(super) async fn fetched_keys(&self, uri: &str) -> Option<String> {
        let fetched = self.fetcher.key_set(uri).await.ok()?;
        let text = std::str::from_utf8(&fetched.body).ok()?;
        let set: Value = serde_json::from_str(text).unwrap_or_default();
        if set.get("keys").is_some_and(Value::is_array) {
            return Some(text.to_owned());
        }
        tracing::warn!(uri, "no JSON Web Key Set");
        None
    }

    /// Keeps what a document says, and answers the client as it is kept; `None` for one that may not act.
    async fn keep(&self, client: Client, who: &LoggedIn) -> Result<Option<Client>, Failure> {
        let id = client.id.clone();
        let audit = AuditEvent::new(self.clock.now(), AuditKind::ClientDocumentRead);
        let audit = audit.client(&id).user(&who.user.id);
        match self.store.put_client_document(client, audit).await? {
            Outcome::Won(()) => Ok(self.store.client(&id).await?),
            Outcome::Lost => Ok(None),
        }
    }
}
