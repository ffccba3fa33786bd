//! Initial access tokens (RFC 7591 §1.2): who may register clients, how many and for what.

use std::time::Duration;

use super::{Admin, AdminError, Named};
use crate::audit::AuditKind;
use crate::protocol::resource::known_scopes;
use crate::protocol::{InitialAccessToken, InitialAccessTokenId, Scope};
use crate::tokens::InitialAccessTokenText;

/// A token that is to be made.
#[derive(Clone, Debug, Default)]
pub struct InitialTokenWish {
    /// What it is called; no two have the same name.
    pub name: String,
    /// How many clients may register with it; any number when absent.
    pub max_uses: Option<u32>,
    /// How long it is good; for ever when absent.
    pub expires_in: Option<Duration>,
    /// The most that clients which register with it can be given; what open registration gives when absent.
    pub scopes: Option<Scope>,
    /// Whether they may use client credentials, for these scopes.
    pub machines: bool,
}

fn named(name: &str) -> Named<'_> {
    Named { what: "initial access token", id: name }
}

impl Admin {
    /// Every token, by name.
    ///
    /// # Errors
    /// Faults.
    pub async fn initial_tokens(&self) -> Result<Vec<InitialAccessToken>, AdminError> {
        Ok(self.engine.store.initial_access_tokens().await?)
    }

    /// The token of a name.
    ///
    /// # Errors
    /// There is none.
    pub async fn initial_token(&self, name: &str) -> Result<InitialAccessToken, AdminError> {
        let mut tokens = self.initial_tokens().await?.into_iter();
        tokens.find(|token| token.name == name).ok_or_else(|| named(name).not_found())
    }

    /// Whether a client may register with a token now.
    pub fn is_good(&self, token: &InitialAccessToken) -> bool {
        token.is_good(self.engine.clock.now())
    }

    /// Makes a token; its text is told this once.
    ///
    /// # Errors
    /// There is one of that name, no resource knows one of the scopes, or what is said of it makes no sense.
    pub async fn issue_initial_token(
        &self,
        wish: InitialTokenWish,
    ) -> Result<(InitialAccessToken, String), AdminError> {
        let InitialTokenWish { name, max_uses, expires_in, scopes, machines } = wish;
        InitialAccessToken::check_scopes(scopes.as_ref(), machines)
            .map_err(|rule| AdminError::Invalid(rule.to_owned()))?;
        if expires_in.is_some_and(|good_for| good_for.is_zero()) {
            return Err(AdminError::Invalid("the token would never be good".to_owned()));
        }
        self.require_known_scopes(scopes.as_ref()).await?;
        let engine = &self.engine;
        let now = engine.clock.now();
        let id = engine.fresh(InitialAccessTokenId::new);
        let text = InitialAccessTokenText::generate(id.clone(), &engine.random);
        let token = InitialAccessToken {
            scopes,
            machines,
            max_uses,
            expires_at: expires_in.map(|good_for| now.plus(good_for)),
            ..InitialAccessToken::new(id, &name, engine.secrets.hash(text.secret()), now)
        };
        let event = self.event(AuditKind::InitialAccessTokenIssued, &name);
        let outcome = engine.store.issue_initial_access_token(token.clone(), event).await?;
        outcome.won().ok_or_else(|| named(&name).taken())?;
        Ok((token, text.expose_token()))
    }

    /// Takes a token back; clients that registered with it stay.
    ///
    /// # Errors
    /// There is none of that name, or configuration declares it.
    pub async fn revoke_initial_token(&self, name: &str) -> Result<(), AdminError> {
        let token = self.initial_token(name).await?;
        if token.is_declared {
            return Err(named(name).configured());
        }
        let event = self.event(AuditKind::InitialAccessTokenRevoked, name);
        let outcome = self.engine.store.revoke_initial_access_token(&token.id, event).await?;
        named(name).won(outcome)
    }

    /// A scope that nobody knows is most likely a slip: configuration warns of it, and a command does nothing.
    async fn require_known_scopes(&self, scopes: Option<&Scope>) -> Result<(), AdminError> {
        let Some(scopes) = scopes else { return Ok(()) };
        let known = known_scopes(&self.engine.store.resources().await?);
        let unknown = scopes.difference(&known);
        match unknown.iter().find(|token| !token.is_of_server()) {
            Some(unknown) => Err(AdminError::Invalid(format!("no resource knows the scope {unknown}"))),
            None => Ok(()),
        }
    }
}
