//! How each operation is sent, and what its answer adds to the ledger.

use std::time::Instant;

use gatelet::tokens::PresentedRefreshToken;
use serde_json::Value;

use crate::chain::{Chain, Stage, Tokens};
use crate::http::{Answer, Sent, Wire};
use crate::ledger::{LoginForm, Session, Unanswered, Writer};
use crate::operation::Operation;
use crate::requests::{authorization, delete, jti, metadata, redeem, refresh, replace, returned, revoke};
use crate::server::{PASSWORD, RESOURCE, SCOPE};

impl Writer {
    /// Sends an operation and writes its whole answer into the ledger before anything else is done. `None` when the
    /// server was killed meanwhile; then it is known what was left unanswered.
    ///
    /// Any answer but the right one ends the test.
    pub(crate) async fn perform(&mut self, wire: &Wire, operation: Operation) -> Option<()> {
        self.make_ready(wire, &operation).await?;
        let since = Instant::now();
        match self.send(wire, &operation).await {
            Sent::Answered(answer) => {
                self.acknowledge(&operation, &answer, &wire.issuer());
                self.tally.acknowledge(operation.kind());
                Some(())
            }
            Sent::Unanswered => {
                self.unanswered = Some(Unanswered { operation, since });
                None
            }
            Sent::Unreached => None,
        }
    }

    /// Reads the page whose form is sent.
    async fn make_ready(&mut self, wire: &Wire, operation: &Operation) -> Option<()> {
        match operation {
            Operation::LogIn if self.login.is_none() => self.open_login_page(wire).await,
            Operation::Allow { .. } | Operation::Deny { .. } | Operation::LogOut => {
                let session = self.session.as_mut().expect("logged in");
                if session.csrf.is_none() {
                    let page = wire.get("/logout", Some(&session.cookie)).await.answer()?;
                    session.csrf = Some(page.hidden("csrf"));
                }
                Some(())
            }
            _ => Some(()),
        }
    }

    /// Sends an operation, ready as it is.
    pub(crate) async fn send(&self, wire: &Wire, operation: &Operation) -> Sent {
        let chain = operation.chain().map(|at| &self.chains[at]);
        match (operation, chain) {
            (Operation::Register { name, is_public }, _) => {
                wire.post_json("/oauth/register", &metadata(name, *is_public)).await
            }
            (Operation::Replace { name, .. }, Some(chain)) => replace(wire, chain, name).await,
            (Operation::Delete { .. }, Some(chain)) => delete(wire, chain).await,
            (Operation::Ask { verifier, .. }, Some(chain)) => {
                wire.get(&authorization(chain, verifier), Some(self.cookie())).await
            }
            (Operation::Allow { .. }, Some(chain)) => self.decide(wire, chain, "allow").await,
            (Operation::Deny { .. }, Some(chain)) => self.decide(wire, chain, "deny").await,
            (Operation::Redeem { .. } | Operation::ReplayCode { .. }, Some(chain)) => {
                redeem(wire, chain).await
            }
            (Operation::Refresh { .. }, Some(chain)) => refresh(wire, chain, 1).await,
            (Operation::ReplayRefresh { .. }, Some(chain)) => refresh(wire, chain, 3).await,
            (Operation::Revoke { .. }, Some(chain)) => revoke(wire, chain, chain.refresh_token(1)).await,
            (Operation::RevokeAccess { .. }, Some(chain)) => revoke(wire, chain, chain.access_token()).await,
            (Operation::LogIn, _) => {
                let form = self.login.as_ref().expect("a login page");
                let pairs = [
                    ("continue", form.continuation.as_str()),
                    ("csrf", &form.csrf),
                    ("username", &self.person),
                    ("password", PASSWORD),
                ];
                wire.submit("/login", ("browser", &form.browser), &pairs).await
            }
            (Operation::LogOut, _) => {
                wire.submit("/logout", ("session", self.cookie()), &[("csrf", self.csrf())]).await
            }
            (_, None) => unreachable!("{operation:?} is about a chain"),
        }
    }

    fn csrf(&self) -> &str {
        self.session.as_ref().and_then(|session| session.csrf.as_deref()).expect("a page was read")
    }

    /// Sends the form of a consent page.
    async fn decide(&self, wire: &Wire, chain: &Chain, decision: &str) -> Sent {
        let (Stage::Asked { interaction, .. } | Stage::Denied { interaction }) = &chain.stage else {
            panic!("nobody was asked: {chain:?}")
        };
        let mut pairs = vec![
            ("interaction", interaction.as_str()),
            ("csrf", self.csrf()),
            ("decision", decision),
            ("tenant", "acme"),
        ];
        let ticks: Vec<String> = SCOPE.split(' ').map(|scope| format!("{RESOURCE} {scope}")).collect();
        pairs.extend(ticks.iter().map(|tick| ("scope", tick.as_str())));
        wire.submit("/consent", ("session", self.cookie()), &pairs).await
    }

    /// Whether `decision` about an interaction is refused because it has been decided.
    pub(crate) async fn is_decided(&self, wire: &Wire, chain: usize, decision: &str) -> bool {
        let answer = self.decide(wire, &self.chains[chain], decision).await.answer().expect("an answer");
        answer.status == 400 && answer.body.contains("This page has expired")
    }

    fn acknowledge(&mut self, operation: &Operation, answer: &Answer, issuer: &str) {
        let wrong = || format!("{}: {operation:?} was answered {answer:?}", self.person);
        let expected = match operation {
            Operation::Register { .. } => 201,
            Operation::Delete { .. } => 204,
            Operation::Replace { .. }
            | Operation::Redeem { .. }
            | Operation::Refresh { .. }
            | Operation::Revoke { .. }
            | Operation::RevokeAccess { .. }
            | Operation::LogOut => 200,
            Operation::ReplayCode { .. } | Operation::ReplayRefresh { .. } => 400,
            _ => 303,
        };
        assert_eq!(answer.status, expected, "{}", wrong());
        match operation {
            Operation::Register { .. } => self.chains.push(Chain::new(answer.json())),
            Operation::Replace { chain, .. } => self.chains[*chain].is_replaced(answer.json()),
            Operation::Delete { chain } => self.chains[*chain].reach(Stage::Deleted),
            Operation::Ask { chain, verifier } => {
                let interaction = answer.location.strip_prefix("/consent?interaction=");
                let interaction = interaction.unwrap_or_else(|| panic!("{}", wrong())).to_owned();
                self.interactions.insert(interaction.clone());
                self.chains[*chain].reach(Stage::Asked { interaction, verifier: verifier.clone() });
            }
            Operation::Allow { chain } => {
                let code = returned(&answer.location, "code").unwrap_or_else(|| panic!("{}", wrong()));
                assert_eq!(returned(&answer.location, "iss").as_deref(), Some(issuer), "{}", wrong());
                let (interaction, verifier) = self.taken(*chain);
                self.interactions.remove(&interaction);
                self.chains[*chain].reach(Stage::Agreed { code, verifier });
            }
            Operation::Deny { chain } => {
                let error = returned(&answer.location, "error");
                assert_eq!(error.as_deref(), Some("access_denied"), "{}", wrong());
                let (interaction, _) = self.taken(*chain);
                self.interactions.remove(&interaction);
                self.chains[*chain].reach(Stage::Denied { interaction });
            }
            Operation::Redeem { chain } | Operation::Refresh { chain } => {
                self.receive(*chain, &answer.json())
            }
            Operation::ReplayCode { chain } | Operation::ReplayRefresh { chain } => {
                assert_eq!(answer.json()["error"], "invalid_grant", "{}", wrong());
                let Stage::Connected(tokens) = self.chains[*chain].stage.clone() else {
                    panic!("{}", wrong())
                };
                self.chains[*chain].reach(Stage::Revoked(tokens));
            }
            Operation::Revoke { chain } => {
                assert_eq!(answer.body, "", "{}", wrong());
                let Stage::Connected(tokens) = self.chains[*chain].stage.clone() else {
                    panic!("{}", wrong())
                };
                self.chains[*chain].reach(Stage::Revoked(tokens));
            }
            Operation::RevokeAccess { chain } => {
                let Stage::Connected(tokens) = &mut self.chains[*chain].stage else { panic!("{}", wrong()) };
                let revoked = tokens.access.pop().unwrap_or_else(|| panic!("{}", wrong()));
                self.revoked_tokens.push((Instant::now(), jti(&revoked)));
                self.fresh_tokens.retain(|token| *token != revoked);
            }
            Operation::LogIn => {
                let cookie = answer.cookie("session").unwrap_or_else(|| panic!("{}", wrong()));
                self.session = Some(Session { cookie, csrf: None });
                self.login = None;
            }
            Operation::LogOut => self.log_out(),
        }
    }

    fn taken(&self, chain: usize) -> (String, String) {
        match &self.chains[chain].stage {
            Stage::Asked { interaction, verifier } => (interaction.clone(), verifier.clone()),
            stage => panic!("nobody was asked: {stage:?}"),
        }
    }

    /// Takes note of a token response. The refresh token must be the next of its chain, and no other.
    fn receive(&mut self, chain: usize, response: &Value) {
        let text = |member: &str| response[member].as_str().expect("a token").to_owned();
        self.fresh_tokens.push(text("access_token"));
        let mut tokens = match self.chains[chain].stage.clone() {
            Stage::Agreed { code, verifier } => {
                Tokens { code, verifier, refresh: Vec::new(), access: Vec::new() }
            }
            Stage::Connected(tokens) => tokens,
            stage => panic!("{stage:?} received tokens"),
        };
        let refresh = text("refresh_token");
        let presented = PresentedRefreshToken::parse(&refresh).expect("a refresh token");
        assert_eq!(presented.generation() as usize, tokens.refresh.len(), "the next generation");
        tokens.refresh.push(refresh);
        tokens.access = vec![text("access_token")];
        self.chains[chain].reach(Stage::Connected(tokens));
    }

    /// Takes note that the session has ended, and with it what was asked in it.
    pub(crate) fn log_out(&mut self) {
        self.ended.extend(self.session.take().map(|session| session.cookie));
        for chain in self.chains_that(|stage| matches!(stage, Stage::Asked { .. })) {
            self.chains[chain].stage = Stage::Registered;
        }
    }

    /// Reads a login page.
    pub(crate) async fn open_login_page(&mut self, wire: &Wire) -> Option<()> {
        let page = wire.get("/login", None).await.answer()?;
        self.login = Some(LoginForm {
            browser: page.cookie("browser").expect("a cookie"),
            csrf: page.hidden("csrf"),
            continuation: page.hidden("continue"),
        });
        Some(())
    }

    /// A fresh PKCE verifier.
    pub(crate) fn verifier(&self) -> String {
        self.random.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
