//! Dynamic client registration (RFC 7591).

use super::{Engine, Refusal};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::registration::Registration;
use crate::protocol::{Client, ClientId, ErrorCode, OAuthError, TooMany};
use crate::store::RegistrationOutcome;
use crate::tokens::{ClientSecret, Secret};

/// A registered client, with its secret if it was given one: told this once and never again.
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret.
    pub secret: Option<String>,
}

impl Engine {
    /// Registers the client that `body` describes. Identical registrations of public clients come to one client.
    ///
    /// # Errors
    /// `invalid_redirect_uri`, `invalid_client_metadata` (RFC 7591 §3.2.2), also for what an operator has suspended:
    /// else every installation would be back at its next start. [`Refusal::TooMany`] when too many clients wait.
    pub async fn register(&self, body: &[u8]) -> Result<Registered, Refusal> {
        let now = self.clock.now();
        let registration = Registration::parse(body)?;
        let fingerprint = registration.fingerprint();
        let secret = registration.needs_secret().then(|| ClientSecret::generate(&self.random));
        let hash = secret.as_ref().map(|secret| self.secrets.hash(secret));
        let client = registration.into_client(ClientId::from(self.fresh_id()), hash, now);
        let audit = AuditEvent::new(now, AuditKind::ClientRegistered).client(&client.id);
        let most_unused = self.policy.max_unused_clients;
        match self.store.register_client(client, &fingerprint, most_unused, audit).await? {
            RegistrationOutcome::Registered(client) => Ok(Registered {
                client: *client,
                secret: secret.map(|secret| secret.expose_secret().to_owned()),
            }),
            RegistrationOutcome::Suspended => Err(OAuthError::new(
                ErrorCode::InvalidClientMetadata,
                "the operator of this server has suspended this application",
            )
            .into()),
            RegistrationOutcome::Full { until } => Err(Refusal::TooMany(TooMany::until(until, now))),
        }
    }
}
