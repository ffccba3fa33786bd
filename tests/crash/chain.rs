//! What a writer knows of one client that it registered: the ledger of everything acknowledged about it.

use serde_json::Value;

/// A client, and how far the person's dealings with it have come. Only what was acknowledged is here.
#[derive(Debug)]
pub(crate) struct Chain {
    /// What the server answered to the registration.
    pub(crate) registered: Value,
    pub(crate) stage: Stage,
    /// How often that was replaced since.
    pub(crate) replaced: usize,
    /// Earlier grants that were committed but whose codes were never heard of: they stay until they are swept.
    pub(crate) unheard_grants: usize,
    /// Whether something was acknowledged since the last restart.
    pub(crate) is_fresh: bool,
}

/// How far it has come.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Registered, and nothing else.
    Registered,
    /// The person has been asked.
    Asked { interaction: String, verifier: String },
    /// The person refused.
    Denied { interaction: String },
    /// The person agreed; the code is not redeemed.
    Agreed { code: String, verifier: String },
    /// The code is redeemed; refresh tokens by their generation.
    Connected(Tokens),
    /// Something was replayed, so the grant was revoked.
    Revoked(Tokens),
    /// The client has ended its registration.
    Deleted,
}

/// A spent code and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) code: String,
    pub(crate) verifier: String,
    /// Those that were heard of; the last is the newest.
    pub(crate) refresh: Vec<String>,
    /// The newest access token, until it is given back.
    pub(crate) access: Vec<String>,
}

impl Chain {
    /// A client that has just been registered.
    pub(crate) fn new(registered: Value) -> Self {
        Self { registered, stage: Stage::Registered, replaced: 0, unheard_grants: 0, is_fresh: true }
    }

    /// Its identifier.
    pub(crate) fn id(&self) -> &str {
        self.registered["client_id"].as_str().unwrap()
    }

    /// Where it receives answers.
    pub(crate) fn redirect_uri(&self) -> &str {
        self.registered["redirect_uris"][0].as_str().unwrap()
    }

    /// The parameters by which it says who it is.
    pub(crate) fn credentials(&self) -> Vec<(&str, &str)> {
        let secret = self.registered["client_secret"].as_str();
        std::iter::once(("client_id", self.id()))
            .chain(secret.map(|secret| ("client_secret", secret)))
            .collect()
    }

    /// Whether it may change or end its registration, and nothing hangs on that yet.
    pub(crate) fn is_manageable(&self) -> bool {
        let is_untouched = matches!(self.stage, Stage::Registered) && self.unheard_grants == 0;
        is_untouched && self.registered["registration_access_token"].is_string()
    }

    /// Takes note of what is registered instead. Its secret stays, and is told once (RFC 7592 §3).
    pub(crate) fn is_replaced(&mut self, mut by: Value) {
        by["client_secret"] = self.registered["client_secret"].take();
        self.registered = by;
        self.replaced += 1;
        self.is_fresh = true;
    }

    /// The code that came of the person's decision, once there is one.
    pub(crate) fn code(&self) -> Option<&str> {
        match &self.stage {
            Stage::Registered | Stage::Asked { .. } | Stage::Denied { .. } | Stage::Deleted => None,
            Stage::Agreed { code, .. } => Some(code),
            Stage::Connected(tokens) | Stage::Revoked(tokens) => Some(&tokens.code),
        }
    }

    /// A refresh token: the newest is 1.
    pub(crate) fn refresh_token(&self, from_the_end: usize) -> &str {
        let tokens = self.tokens();
        &tokens.refresh[tokens.refresh.len() - from_the_end]
    }

    /// The newest access token.
    pub(crate) fn access_token(&self) -> &str {
        self.tokens().access.last().expect("it was given back")
    }

    fn tokens(&self) -> &Tokens {
        match &self.stage {
            Stage::Connected(tokens) | Stage::Revoked(tokens) => tokens,
            stage => panic!("no token: {stage:?}"),
        }
    }

    /// What waits for the person's decision.
    pub(crate) fn interaction(&self) -> Option<&str> {
        match &self.stage {
            Stage::Asked { interaction, .. } => Some(interaction),
            _ => None,
        }
    }

    /// Takes note of an acknowledgement.
    pub(crate) fn reach(&mut self, stage: Stage) {
        self.stage = stage;
        self.is_fresh = true;
    }
}
