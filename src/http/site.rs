//! What the endpoints know beside the engine: how this server shows itself.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;

use super::limit::Limits;
use crate::flow::Engine;
use crate::pages::{HomePage, ModeNotice, QuickLogin};
use crate::protocol::{Issuer, Metadata, Network};

/// The state of every handler. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Site(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    engine: Engine,
    metadata: Bytes,
    /// Made when somebody asks for it first.
    openapi: OnceLock<Bytes>,
    facts: SiteFacts,
    limits: Limits,
}

/// How a server shows itself to people.
#[derive(Clone, Debug, Default)]
pub struct SiteFacts {
    /// The strip on every page that tells in which mode the server runs.
    pub mode_notice: Option<ModeNotice>,
    /// People to log in as with one click.
    pub quick_logins: Vec<QuickLogin>,
    /// The page at `/`.
    pub home: Home,
    /// Host names, without port, by which the server may be called beside the issuer's and those of loopback.
    pub hosts: HashSet<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

/// The page at `/`.
#[derive(Clone, Debug, Default)]
pub enum Home {
    /// Who is logged in, and how to log out.
    #[default]
    Welcome,
    /// What a developer needs to begin.
    Developer(Box<HomePage>),
}

impl Site {
    /// A site of `engine`.
    ///
    /// # Errors
    /// When the discovery document cannot be written as JSON.
    pub fn new(engine: Engine, facts: SiteFacts) -> Result<Self, serde_json::Error> {
        let metadata = Bytes::from(serde_json::to_vec(&Metadata::of(&engine.policy))?);
        let limits = Limits::new(&engine.policy.rates);
        Ok(Self(Arc::new(Parts { engine, metadata, openapi: OnceLock::new(), facts, limits })))
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The discovery document, ready to send.
    pub(super) fn metadata(&self) -> Bytes {
        self.0.metadata.clone()
    }

    /// The OpenAPI document, ready to send.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(super) fn openapi(&self) -> Result<Bytes, serde_json::Error> {
        if let Some(made) = self.0.openapi.get() {
            return Ok(made.clone());
        }
        let made = super::openapi::document(&self.0.engine.policy)?;
        Ok(self.0.openapi.get_or_init(|| made).clone())
    }

    /// The issuer, from which every address of ours follows.
    pub(super) fn issuer(&self) -> &Issuer {
        &self.0.engine.policy.issuer
    }

    /// The path of a page, such as `/login`, under the public URL.
    pub(super) fn page(&self, page: &str) -> String {
        self.issuer().public_url().page(page)
    }

    pub(super) fn facts(&self) -> &SiteFacts {
        &self.0.facts
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn mode_notice(&self) -> Option<ModeNotice> {
        self.0.facts.mode_notice
    }
}
