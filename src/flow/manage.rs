//! Clients that manage their registration (RFC 7592).

use super::register::{Registered, invalid_token};
use super::{Engine, Refusal};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::registration::{Registration, Terms};
use crate::protocol::{Client, GrantType, OAuthError, SecretHash};
use crate::store::Outcome;
use crate::tokens::{ClientSecret, RegistrationToken, Secret};

/// A client that has shown its registration access token.
struct Manager {
    client: Client,
    management: SecretHash,
    token: String,
}

impl Engine {
    /// What is registered for the client `id` (RFC 7592 §2.1). Its secret is known to nobody but itself.
    ///
    /// # Errors
    /// `invalid_token`, in the same words for an unknown client, for one that may not be managed, and for a token that
    /// is not its own.
    pub async fn read_registration(&self, id: &str, presented: Option<&str>) -> Result<Registered, Refusal> {
        let Manager { client, token, .. } = self.manager(id, presented).await?;
        Ok(Registered { client, secret: None, token: Some(token) })
    }

    /// Puts what `body` says in the place of what is registered (RFC 7592 §2.2). Neither token nor secret is exchanged; a
    /// client that had no secret and needs one now is given one.
    ///
    /// # Errors
    /// As [`Engine::read_registration`], and as a registration.
    pub async fn replace_registration(
        &self,
        id: &str,
        presented: Option<&str>,
        body: &[u8],
    ) -> Result<Registered, Refusal> {
        let Manager { client, management, token } = self.manager(id, presented).await?;
        // Nobody gets more by changing than by registering: what a token had allowed can be kept, and not added.
        let terms = Terms {
            machines: client.grant_types.contains(&GrantType::ClientCredentials),
            loopback: self.policy.issuer.is_loopback(),
        };
        let registration = Registration::parse_replacement(body, &client, terms, |secret| {
            let secret = ClientSecret::from_text(secret.to_owned());
            client.secret_hashes.iter().any(|hash| self.secrets.verify(&secret, hash))
        })?;
        let secret = registration.needs_secret().then(|| ClientSecret::generate(&self.random));
        let hash = secret.as_ref().map(|secret| self.secrets.hash(secret));
        let audit = AuditEvent::new(self.clock.now(), AuditKind::ClientReplaced).client(&client.id);
        let replacement = (registration, hash.clone());
        match self.store.replace_registration(&client.id, &management, replacement, audit).await? {
            Outcome::Won(client) => {
                let is_given = hash.is_some_and(|hash| client.secret_hashes.contains(&hash));
                let secret = secret.filter(|_| is_given).map(|secret| secret.expose_secret().to_owned());
                Ok(Registered { client, secret, token: Some(token) })
            }
            Outcome::Lost => Err(not_good().into()),
        }
    }

    /// Deletes the client `id`, and ends all that was given to it (RFC 7592 §2.3).
    ///
    /// # Errors
    /// As [`Engine::read_registration`].
    pub async fn delete_registration(&self, id: &str, presented: Option<&str>) -> Result<(), Refusal> {
        let Manager { client, management, .. } = self.manager(id, presented).await?;
        let audit = AuditEvent::new(self.clock.now(), AuditKind::ClientDeleted).client(&client.id);
        match self.store.delete_own_client(&client.id, &management, audit).await? {
            Outcome::Won(()) => Ok(()),
            Outcome::Lost => Err(not_good().into()),
        }
    }

    /// The client `id`, if the token is its own (RFC 7592 §2, §5).
    async fn manager(&self, id: &str, presented: Option<&str>) -> Result<Manager, Refusal> {
        let presented = presented.ok_or(invalid_token("the client's registration access token is needed"))?;
        let text = RegistrationToken::parse(presented).filter(|text| text.id().as_str() == id);
        let text = text.ok_or(not_good())?;
        let client = self.store.client(text.id()).await?.ok_or(not_good())?;
        let management = client.management.clone().ok_or(not_good())?;
        if !self.secrets.verify(text.secret(), &management) {
            return Err(not_good().into());
        }
        Ok(Manager { client, management, token: presented.to_owned() })
    }
}

fn not_good() -> OAuthError {
    invalid_token("the registration access token is not good for this client")
}
