//! Dynamic client registration (RFC 7591).

use super::{Engine, Failure, Refusal};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::registration::{Registration, Terms};
use crate::protocol::{
    Client, ClientId, ErrorCode, InitialAccessToken, OAuthError, RegistrationMode, TooMany,
};
use crate::store::{Admission, RegistrationOutcome};
use crate::tokens::{ClientSecret, InitialAccessTokenText, RegistrationToken, Secret};

/// A registered client, with what it was given: told this once and never again.
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret, if it was given one.
    pub secret: Option<String>,
    /// Its registration access token, if it may manage its registration.
    pub token: Option<String>,
}

/// By which right somebody registers a client.
#[derive(Clone, Debug)]
pub enum RegistrationRight {
    /// Everybody's.
    Open,
    /// That of an initial access token.
    Token(Box<InitialAccessToken>),
}

impl Engine {
    /// By which right somebody registers who presents this bearer token, or none (RFC 7591 §3). A token that is no good
    /// is refused where everybody may register too: whoever sends it counts on what it allows.
    ///
    /// # Errors
    /// `invalid_token` (RFC 6750 §3.1).
    pub async fn registration_right(&self, presented: Option<&str>) -> Result<RegistrationRight, Refusal> {
        let Some(presented) = presented else {
            return match self.policy.registration {
                RegistrationMode::Open => Ok(RegistrationRight::Open),
                RegistrationMode::Token | RegistrationMode::Off => {
                    Err(invalid_token("registration needs an initial access token").into())
                }
            };
        };
        let known = match InitialAccessTokenText::parse(presented) {
            Some(text) => {
                let token = self.store.initial_access_token(text.id()).await?;
                token.filter(|token| self.secrets.verify(text.secret(), &token.secret_hash))
            }
            None => self.written_token(presented).await?,
        };
        match known {
            Some(token) if token.is_good(self.clock.now()) => Ok(RegistrationRight::Token(Box::new(token))),
            Some(token) => Err(spent(&token).into()),
            None => Err(invalid_token("the initial access token is not good").into()),
        }
    }

    /// The token that an operator wrote, whose text names no row: there are as many as the configuration has.
    async fn written_token(&self, presented: &str) -> Result<Option<InitialAccessToken>, Failure> {
        let presented = ClientSecret::from_text(presented.to_owned());
        let mut tokens = self.store.initial_access_tokens().await?.into_iter();
        Ok(tokens.find(|token| token.is_declared && self.secrets.verify(&presented, &token.secret_hash)))
    }

    /// Registers the client that `body` describes. Identical open registrations of public clients come to one client.
    ///
    /// That client belongs to everybody who says the same, so that none of them may change or delete it for the others:
    /// whoever registered first as some well-known product could otherwise have the answers to all its users. A
    /// registration access token (RFC 7592) is for clients that have a row of their own: those that can prove who they
    /// are, and those that an initial access token vouches for.
    ///
    /// # Errors
    /// `invalid_redirect_uri`, `invalid_client_metadata` (RFC 7591 §3.2.2), also for what an operator has suspended:
    /// else every installation would be back at its next start. `invalid_token` when the token has been used up
    /// meanwhile. [`Refusal::TooMany`] when too many clients wait.
    pub async fn register(&self, body: &[u8], right: RegistrationRight) -> Result<Registered, Refusal> {
        let now = self.clock.now();
        let machines = matches!(&right, RegistrationRight::Token(token) if token.machines);
        let terms = Terms { machines, loopback: self.policy.issuer.is_loopback() };
        let registration = Registration::parse(body, terms)?;
        let id = ClientId::from(self.fresh_id());
        let mut audit = AuditEvent::new(now, AuditKind::ClientRegistered).client(&id);
        let (admission, ceiling) = match right {
            RegistrationRight::Open => {
                let fingerprint = registration.is_public().then(|| registration.fingerprint());
                let most_unused = self.policy.max_unused_clients;
                (Admission::Open { fingerprint, most_unused }, None)
            }
            RegistrationRight::Token(token) => {
                audit = audit.detail(format!("by the token {}", token.name));
                let ceiling = token.scopes.clone();
                (Admission::Token(token), ceiling)
            }
        };
        let is_shared = matches!(&admission, Admission::Open { fingerprint: Some(_), .. });
        let secret = registration.needs_secret().then(|| ClientSecret::generate(&self.random));
        let token = (!is_shared).then(|| RegistrationToken::generate(id.clone(), &self.random));
        let mut client = Client::new(id, crate::protocol::ClientOrigin::Dynamic, now);
        client.ceiling = ceiling;
        client.secret_hashes = secret.iter().map(|secret| self.secrets.hash(secret)).collect();
        client.management = token.as_ref().map(|token| self.secrets.hash(token.secret()));
        registration.apply_to(&mut client);
        match self.store.register_client(client, admission, audit).await? {
            RegistrationOutcome::Registered(client) => Ok(Registered {
                client: *client,
                secret: secret.map(|secret| secret.expose_secret().to_owned()),
                token: token.map(|token| token.expose_token()),
            }),
            RegistrationOutcome::Suspended => Err(OAuthError::new(
                ErrorCode::InvalidClientMetadata,
                "the operator of this server has suspended this application",
            )
            .into()),
            RegistrationOutcome::TokenSpent => {
                Err(invalid_token("the initial access token is not good any more").into())
            }
            RegistrationOutcome::Full { until } => Err(Refusal::TooMany(TooMany::until(until, now))),
        }
    }
}

pub(super) fn invalid_token(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, description)
}

fn spent(token: &InitialAccessToken) -> OAuthError {
    invalid_token("the initial access token is not good any more")
        .with_detail(format!("token {}, used {} times", token.name, token.uses))
}
