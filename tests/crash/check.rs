//! After a restart: everything that was ever acknowledged is in the rows, and what was acknowledged since the restart
//! before works.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::chain::{Chain, Stage};
use crate::http::Wire;
use crate::ledger::{Session, Writer, session_id};
use crate::operation::Operation;
use crate::recovery::{assert_refused, issued};
use crate::requests::{authorization, redeem, refresh};
use crate::server::{RESOURCE, SCOPE};
use crate::snapshot::Snapshot;

/// How long the revocation of an access token is kept at least: as long as the token lives.
const KEPT: Duration = Duration::from_secs(890);
const ALIVE: &str = "nobody has killed the server";

impl Writer {
    /// Compares the ledger with the rows, except for what the unanswered operation was about.
    pub(crate) fn compare(&self, rows: &Snapshot) {
        let unsure = self.unanswered.as_ref().map(|unanswered| &unanswered.operation);
        let skipped = unsure.and_then(Operation::chain);
        for (_, chain) in self.chains.iter().enumerate().filter(|(at, _)| Some(*at) != skipped) {
            if matches!(chain.stage, Stage::Deleted) {
                let told = rows.events("client_deleted", chain.id());
                assert_eq!((rows.clients.contains_key(chain.id()), told), (false, 1), "{chain:?}");
                continue;
            }
            compare_client(chain, rows);
            self.compare_stage(chain, rows);
        }
        let decided = skipped.and_then(|at| self.chains[at].interaction());
        for interaction in self.interactions.iter().filter(|id| Some(id.as_str()) != decided) {
            assert!(rows.interactions.contains_key(interaction), "{}: {interaction} is gone", self.person);
        }
        if !matches!(unsure, Some(Operation::Ask { .. })) {
            assert_eq!(self.unknown_interactions(rows), [""; 0], "{}: interactions", self.person);
        }
        for (at, jti) in &self.revoked_tokens {
            if at.elapsed() > KEPT {
                continue;
            }
            assert!(rows.revoked_tokens.contains(jti), "{}: {jti} is revoked no more", self.person);
        }
        for cookie in &self.ended {
            assert!(!rows.sessions.contains_key(&session_id(cookie)), "{} logged out", self.person);
        }
        if !matches!(unsure, Some(Operation::LogIn | Operation::LogOut)) {
            let is_there = |session: &Session| rows.sessions.contains_key(&session_id(&session.cookie));
            assert!(self.session.as_ref().is_none_or(is_there), "{} logged in", self.person);
            assert_eq!(self.unknown_sessions(rows), [""; 0], "{}: sessions", self.person);
        }
    }

    fn compare_stage(&self, chain: &Chain, rows: &Snapshot) {
        let grants = rows.grants_of(chain.id()) - chain.unheard_grants;
        assert_eq!(
            grants,
            usize::from(chain.code().is_some()),
            "a decision lost, or a grant nobody gave: {chain:?}"
        );
        if chain.code().is_none() {
            return;
        }
        let ((code, grant), consent) = (issued(chain, rows), (self.person.clone(), chain.id().to_owned()));
        assert_eq!(rows.consents.get(&consent).map(String::as_str), Some(SCOPE), "{chain:?}");
        assert_eq!((&grant.user, grant.client.as_str()), (&self.person, chain.id()));
        let (generation, is_revoked) = match &chain.stage {
            Stage::Connected(tokens) => (Some(tokens.refresh.len() - 1), false),
            // The redemption that was never heard of has begun a chain as well.
            Stage::Revoked(tokens) => (Some(tokens.refresh.len().saturating_sub(1)), true),
            _ => (None, false),
        };
        assert_eq!((grant.generation, grant.is_revoked), (generation, is_revoked), "{chain:?}");
        assert_eq!(code.is_redeemed, generation.is_some(), "{chain:?}");
    }

    /// Uses what was acknowledged since the restart before.
    pub(crate) async fn use_all(&mut self, wire: &Wire, jwks: &Value) {
        for token in &self.fresh_tokens {
            verify(token, jwks, &wire.issuer(), &self.person);
        }
        if let Some(session) = &self.session {
            assert!(is_logged_in(wire, &session.cookie).await, "{} logged in", self.person);
        }
        if let Some(cookie) = self.ended.last() {
            assert!(!is_logged_in(wire, cookie).await, "{} logged out", self.person);
        }
        for at in 0..self.chains.len() {
            if self.chains[at].is_fresh {
                self.use_chain(wire, at).await;
            }
        }
        // A replay of something acknowledged before the kill.
        let connected = self.chains_that(|stage| matches!(stage, Stage::Connected(_)));
        if connected.len() > 2 && self.choose(2) == 0 {
            let chain = connected[self.choose(connected.len())];
            self.perform(wire, Operation::ReplayCode { chain }).await.expect(ALIVE);
            assert_refused(&refresh(wire, &self.chains[chain], 1).await.answer().expect(ALIVE));
        }
        self.leave_one_of_each(wire).await;
        self.turn_page();
    }

    async fn use_chain(&mut self, wire: &Wire, at: usize) {
        let is_deleted = matches!(self.chains[at].stage, Stage::Deleted);
        let is_known = is_known(wire, &self.chains[at], &self.verifier()).await;
        assert_eq!(is_known, !is_deleted, "{:?}", self.chains[at]);
        match &self.chains[at].stage {
            Stage::Denied { .. } if self.session.as_ref().is_some_and(|session| session.csrf.is_some()) => {
                assert!(self.is_decided(wire, at, "allow").await, "{:?}", self.chains[at]);
            }
            Stage::Connected(_) => self.perform(wire, Operation::Refresh { chain: at }).await.expect(ALIVE),
            Stage::Revoked(tokens) => {
                if !tokens.refresh.is_empty() {
                    assert_refused(&refresh(wire, &self.chains[at], 1).await.answer().expect(ALIVE));
                }
                assert_refused(&redeem(wire, &self.chains[at]).await.answer().expect(ALIVE));
            }
            Stage::Denied { .. } | Stage::Registered | Stage::Asked { .. } => {}
            Stage::Agreed { .. } | Stage::Deleted => {}
        }
    }

    /// Codes and questions do not last: all but the newest are used, and must be good.
    async fn leave_one_of_each(&mut self, wire: &Wire) {
        let agreed = self.chains_that(|stage| matches!(stage, Stage::Agreed { .. }));
        for chain in agreed.iter().rev().skip(1) {
            self.perform(wire, Operation::Redeem { chain: *chain }).await.expect(ALIVE);
        }
        let asked = self.chains_that(|stage| matches!(stage, Stage::Asked { .. }));
        for chain in asked.iter().rev().skip(1) {
            self.perform(wire, Operation::Deny { chain: *chain }).await.expect(ALIVE);
        }
    }

    /// At the end: uses everything, and then presents every spent code again.
    pub(crate) async fn use_up(&mut self, wire: &Wire, jwks: &Value) {
        self.chains.iter_mut().for_each(|chain| chain.is_fresh = true);
        self.fresh_tokens.append(&mut self.older_tokens);
        self.use_all(wire, jwks).await;
        for cookie in &self.ended {
            assert!(!is_logged_in(wire, cookie).await, "{} logged out", self.person);
        }
        for chain in self.chains_that(|stage| matches!(stage, Stage::Connected(_))) {
            self.perform(wire, Operation::ReplayCode { chain }).await.expect(ALIVE);
            assert_refused(&refresh(wire, &self.chains[chain], 1).await.answer().expect(ALIVE));
        }
    }
}

/// RFC 7591 §3.2.1: what the server answered is what it has registered.
fn compare_client(chain: &Chain, rows: &Snapshot) {
    let row = rows.clients.get(chain.id()).unwrap_or_else(|| panic!("the client is gone: {chain:?}"));
    let json = |text: &str| -> Value { serde_json::from_str(text).expect("a list") };
    let told = &chain.registered;
    assert_eq!(told["client_name"], row.name.as_str());
    assert_eq!(told["client_uri"], row.uri.as_str());
    assert_eq!(told["redirect_uris"], json(&row.redirect_uris));
    assert_eq!(told["grant_types"], json(&row.grant_types));
    assert_eq!(serde_json::json!([told["token_endpoint_auth_method"]]), json(&row.auth_methods));
    assert_eq!(rows.events("client_replaced", chain.id()), chain.replaced, "{chain:?}");
}

/// Whether the server knows a client: a stranger's request is sent to log in, one of an unknown client is not.
async fn is_known(wire: &Wire, chain: &Chain, verifier: &str) -> bool {
    let answer = wire.get(&authorization(chain, verifier), None).await.answer().expect(ALIVE);
    answer.status == 303 && answer.location.starts_with("/login?continue=")
}

/// Whether a session is alive: a page asks whether to log out.
pub(crate) async fn is_logged_in(wire: &Wire, cookie: &str) -> bool {
    let page = wire.get("/logout", Some(cookie)).await.answer().expect(ALIVE);
    page.body.contains("You are logged in as")
}

/// As a resource server does (RFC 9068 §4), but for the expiry: the last check comes later than that.
fn verify(token: &str, jwks: &Value, issuer: &str, person: &str) {
    let keys: JwkSet = serde_json::from_value(jwks.clone()).unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let key = keys.find(&kid).unwrap_or_else(|| panic!("the key {kid} of an acknowledged token is gone"));
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[RESOURCE]);
    validation.validate_exp = false;
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims;
    assert_eq!(claims["sub"], person);
}
