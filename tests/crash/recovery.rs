//! The operation that was left unanswered: it is there as a whole or not at all, and its owner goes on.

use gatelet::tokens::CodeToken;

use crate::chain::{Chain, Stage, Tokens};
use crate::http::{Answer, Wire};
use crate::ledger::{Unanswered, Writer, session_id};
use crate::operation::Operation;
use crate::requests::{jti, redeem, refresh};
use crate::snapshot::{CodeRow, GrantRow, Snapshot};

const ALIVE: &str = "nobody has killed the server";

impl Writer {
    /// Finds out whether the unanswered operation was committed; anything between is a failure. Then does what its
    /// owner would do: repeats it.
    pub(crate) async fn settle(&mut self, wire: &Wire, rows: &Snapshot) {
        let Some(Unanswered { operation, .. }) = self.unanswered.take() else { return };
        let is_committed = self.was_committed(&operation, rows);
        let kind = operation.kind();
        let is_recovered = match is_committed {
            true => self.recover(wire, operation, rows).await,
            false => {
                self.perform(wire, operation).await.expect(ALIVE);
                true
            }
        };
        self.tally.settle(kind, is_committed, is_recovered);
    }

    fn was_committed(&self, operation: &Operation, rows: &Snapshot) -> bool {
        let chain = || &self.chains[operation.chain().expect("about a chain")];
        match operation {
            Operation::Register { name, .. } => {
                let registered = rows.clients.values().filter(|client| client.name == *name).count();
                assert!(registered < 2, "{name} registered once and is there {registered} times");
                registered == 1
            }
            Operation::Replace { name, .. } => {
                let (row, known) = (&rows.clients[chain().id()], &chain().registered["client_name"]);
                let is_new = row.name == *name;
                assert!(is_new || *known == row.name.as_str(), "neither {name} nor as before: {:?}", chain());
                // With everything that goes with the name.
                assert_eq!(row.uri, format!("https://{}.example/", row.name));
                let told = rows.events("client_replaced", chain().id());
                assert_eq!(told, chain().replaced + usize::from(is_new), "{:?}", chain());
                is_new
            }
            Operation::Delete { .. } => !rows.clients.contains_key(chain().id()),
            Operation::Ask { .. } => {
                let more = self.unknown_interactions(rows).len();
                assert!(more < 2, "{}: {more} interactions of one request", self.person);
                more == 1
            }
            Operation::Allow { .. } => {
                let is_taken = self.is_taken(chain(), rows);
                let grants = rows.grants_of(chain().id()) - chain().unheard_grants;
                assert_eq!(usize::from(is_taken), grants, "half a decision: {:?}", chain());
                is_taken
            }
            Operation::Deny { .. } => self.is_taken(chain(), rows),
            // What else has to be there with the spent code, invariants.rs looks at.
            Operation::Redeem { .. } => issued(chain(), rows).0.is_redeemed,
            Operation::Refresh { .. } => {
                let Stage::Connected(tokens) = &chain().stage else { panic!("not connected") };
                let (live, heard) = (issued(chain(), rows).1.generation, tokens.refresh.len() - 1);
                assert!(
                    live == Some(heard) || live == Some(heard + 1),
                    "{live:?} after {heard}: {:?}",
                    chain()
                );
                live != Some(heard)
            }
            Operation::ReplayCode { .. } | Operation::ReplayRefresh { .. } | Operation::Revoke { .. } => {
                issued(chain(), rows).1.is_revoked
            }
            Operation::RevokeAccess { .. } => rows.revoked_tokens.contains(&jti(chain().access_token())),
            Operation::LogIn => {
                let more = self.unknown_sessions(rows).len();
                assert!(more < 2, "{}: {more} sessions of one login", self.person);
                more == 1
            }
            Operation::LogOut => !rows.sessions.contains_key(&session_id(self.cookie())),
        }
    }

    fn is_taken(&self, chain: &Chain, rows: &Snapshot) -> bool {
        let Stage::Asked { interaction, .. } = &chain.stage else { panic!("nobody was asked") };
        !rows.interactions.contains_key(interaction)
    }

    /// Goes on after an operation that was committed and not heard of. Tells whether that gave what the first attempt
    /// would have given.
    async fn recover(&mut self, wire: &Wire, operation: Operation, rows: &Snapshot) -> bool {
        match &operation {
            Operation::Register { name, is_public } => {
                self.perform(wire, operation.clone()).await.expect(ALIVE);
                // Identical public registrations share a row; a secret is told once, so the other kind gets a new one.
                let again = self.chains.last().expect("registered").id();
                let is_same = rows.clients.get(again).is_some_and(|client| client.name == *name);
                assert_eq!(is_same, *is_public);
                is_same
            }
            Operation::Replace { chain, .. } => {
                self.chains[*chain].replaced += 1;
                self.perform(wire, operation).await.expect(ALIVE);
                true
            }
            Operation::Delete { chain } => {
                // RFC 7592 §2.1: of a client that is gone the token is gone as well.
                let again = self.send(wire, &operation).await.answer().expect(ALIVE);
                assert_eq!((again.status, &again.json()["error"]), (401, &"invalid_token".into()));
                self.chains[*chain].reach(Stage::Deleted);
                true
            }
            Operation::Ask { .. } => {
                self.interactions.extend(self.unknown_interactions(rows));
                self.perform(wire, operation).await.expect(ALIVE);
                true
            }
            Operation::Allow { chain } => self.allow_again(wire, *chain).await,
            Operation::Deny { chain } => self.deny_again(wire, *chain).await,
            Operation::Redeem { chain } => self.redeem_again(wire, *chain).await,
            Operation::Refresh { chain } => {
                let before = refresh(wire, &self.chains[*chain], 1).await.answer().expect(ALIVE).json();
                // Inside the retry window the token before the live one gives the same successor, however often.
                self.perform(wire, operation.clone()).await.expect(ALIVE);
                let Stage::Connected(tokens) = &self.chains[*chain].stage else { panic!("not connected") };
                assert_eq!(before["refresh_token"], *tokens.refresh.last().expect("a token"));
                true
            }
            Operation::ReplayCode { .. }
            | Operation::ReplayRefresh { .. }
            | Operation::Revoke { .. }
            | Operation::RevokeAccess { .. } => {
                self.perform(wire, operation).await.expect(ALIVE);
                true
            }
            Operation::LogIn => {
                let unheard = self.unknown_sessions(rows);
                self.unheard_sessions.extend(unheard);
                self.perform(wire, operation).await.expect(ALIVE);
                true
            }
            Operation::LogOut => {
                self.log_out();
                true
            }
        }
    }

    async fn deny_again(&mut self, wire: &Wire, chain: usize) -> bool {
        assert!(self.is_decided(wire, chain, "deny").await);
        let Stage::Asked { interaction, .. } = self.chains[chain].stage.clone() else {
            panic!("nobody was asked")
        };
        self.interactions.remove(&interaction);
        self.chains[chain].reach(Stage::Denied { interaction });
        true
    }

    /// RFC 6749 §4.1.2: a code is used once, and its second use revokes. The client asks the person again.
    async fn redeem_again(&mut self, wire: &Wire, chain: usize) -> bool {
        assert_refused(&redeem(wire, &self.chains[chain]).await.answer().expect(ALIVE));
        let Stage::Agreed { code, verifier } = self.chains[chain].stage.clone() else { panic!("no code") };
        let tokens = Tokens { code, verifier, refresh: Vec::new(), access: Vec::new() };
        self.chains[chain].reach(Stage::Revoked(tokens));
        false
    }

    /// The decision was taken, so its form is worth nothing any more. The client starts again, and the person sees
    /// that they have decided before.
    async fn allow_again(&mut self, wire: &Wire, chain: usize) -> bool {
        assert!(self.is_decided(wire, chain, "allow").await);
        let Stage::Asked { interaction, verifier } = self.chains[chain].stage.clone() else {
            panic!("nobody was asked")
        };
        self.interactions.remove(&interaction);
        self.chains[chain].unheard_grants += 1;
        self.perform(wire, Operation::Ask { chain, verifier }).await.expect(ALIVE);
        let Stage::Asked { interaction, .. } = &self.chains[chain].stage else { panic!("nobody was asked") };
        let page = wire.get(&format!("/consent?interaction={interaction}"), Some(self.cookie())).await;
        assert!(page.answer().expect(ALIVE).body.contains("You have allowed this before"));
        self.perform(wire, Operation::Allow { chain }).await.expect(ALIVE);
        true
    }

    /// Interactions of this person's sessions, present and past, that nobody was told of.
    pub(crate) fn unknown_interactions(&self, rows: &Snapshot) -> Vec<String> {
        let cookies = self.ended.iter().chain(self.session.as_ref().map(|session| &session.cookie));
        let sessions: Vec<String> = cookies.map(|cookie| session_id(cookie)).collect();
        let of_mine = rows.interactions.iter().filter(|(_, session)| sessions.contains(session));
        of_mine.map(|(id, _)| id).filter(|id| !self.interactions.contains(*id)).cloned().collect()
    }

    /// Sessions of this person that nobody was told of.
    pub(crate) fn unknown_sessions(&self, rows: &Snapshot) -> Vec<String> {
        let live = self.session.as_ref().map(|session| session_id(&session.cookie));
        let of_mine = rows.sessions.iter().filter(|(_, user)| **user == self.person).map(|(id, _)| id);
        let unknown = of_mine.filter(|id| Some(*id) != live.as_ref() && !self.unheard_sessions.contains(*id));
        unknown.cloned().collect()
    }
}

/// That a token request was refused as RFC 6749 §5.2 says.
pub(crate) fn assert_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_grant")), "{answer:?}");
}

/// The code of a chain that has one, and the grant that it belongs to.
pub(crate) fn issued<'a>(chain: &Chain, rows: &'a Snapshot) -> (&'a CodeRow, &'a GrantRow) {
    let code = chain.code().unwrap_or_else(|| panic!("no code: {chain:?}"));
    let id = CodeToken::parse(code).expect("a code").id().to_string();
    let code = rows.codes.get(&id).unwrap_or_else(|| panic!("the code is gone: {chain:?}"));
    (code, &rows.grants[&code.grant])
}
