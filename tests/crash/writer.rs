//! What a writer does before a burst, and in it.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::chain::Stage;
use crate::http::Wire;
use crate::ledger::Writer;
use crate::operation::Operation;

impl Writer {
    /// Sees to it that every kind of operation can be next, so that a short burst meets them all: no client of the
    /// field registers, asks, redeems and refreshes within five milliseconds. Nobody is killed meanwhile.
    pub(crate) async fn prepare(&mut self, wire: &Wire) {
        const ALIVE: &str = "nobody has killed the server";
        if self.session.is_none() {
            self.perform(wire, Operation::LogIn).await.expect(ALIVE);
        }
        while self.chains_that(|stage| matches!(stage, Stage::Connected(_))).len() < 3 {
            let chain = self.agreed(wire).await.expect(ALIVE);
            self.perform(wire, Operation::Redeem { chain }).await.expect(ALIVE);
        }
        self.agreed(wire).await.expect(ALIVE);
        self.asked(wire).await.expect(ALIVE);
        self.registered(wire).await.expect(ALIVE);
        while self.manageable().is_none() {
            let registration = self.registration(false);
            self.perform(wire, registration).await.expect(ALIVE);
        }
        // Some come to the burst logged out.
        if self.choose(4) == 0 {
            self.perform(wire, Operation::LogOut).await.expect(ALIVE);
        }
        self.open_login_page(wire).await.expect(ALIVE);
    }

    /// Does one thing after another, by chance, until the server is killed.
    pub(crate) async fn write(&mut self, wire: &Wire, killed: &AtomicBool) {
        while !killed.load(Ordering::SeqCst) {
            let next = self.next();
            if self.perform(wire, next).await.is_none() {
                return;
            }
        }
    }

    fn next(&mut self) -> Operation {
        let mut likely: Vec<(usize, Operation)> = vec![(2, self.registration(self.choose(3) > 0))];
        let any = |writer: &Self, is: fn(&Stage) -> bool| {
            let chains = writer.chains_that(is);
            (!chains.is_empty()).then(|| chains[writer.choose(chains.len())])
        };
        if self.session.is_some() {
            likely.push((1, Operation::LogOut));
            let registered = any(self, |stage| matches!(stage, Stage::Registered));
            likely.extend(registered.map(|chain| (2, Operation::Ask { chain, verifier: self.verifier() })));
            if let Some(chain) = any(self, |stage| matches!(stage, Stage::Asked { .. })) {
                likely.extend([(3, Operation::Allow { chain }), (1, Operation::Deny { chain })]);
            }
        } else {
            likely.push((6, Operation::LogIn));
        }
        if let Some(chain) = self.manageable() {
            let name = self.fresh_name();
            likely.extend([(2, Operation::Replace { chain, name }), (1, Operation::Delete { chain })]);
        }
        let agreed = any(self, |stage| matches!(stage, Stage::Agreed { .. }));
        likely.extend(agreed.map(|chain| (4, Operation::Redeem { chain })));
        if let Some(chain) = any(self, |stage| matches!(stage, Stage::Connected(_))) {
            likely.extend([(6, Operation::Refresh { chain }), (1, Operation::ReplayCode { chain })]);
            likely.push((1, Operation::Revoke { chain }));
        }
        let held = any(self, |stage| matches!(stage, Stage::Connected(tokens) if !tokens.access.is_empty()));
        likely.extend(held.map(|chain| (2, Operation::RevokeAccess { chain })));
        let old = any(self, |stage| matches!(stage, Stage::Connected(tokens) if tokens.refresh.len() > 2));
        likely.extend(old.map(|chain| (1, Operation::ReplayRefresh { chain })));

        let mut left = self.choose(likely.iter().map(|(weight, _)| weight).sum());
        let chosen = likely.into_iter().find(|(weight, _)| {
            let is_it = left < *weight;
            left = left.saturating_sub(*weight);
            is_it
        });
        chosen.expect("one of them").1
    }

    /// Every client has another name, also one that calls itself anew.
    fn registration(&self, is_public: bool) -> Operation {
        Operation::Register { name: self.fresh_name(), is_public }
    }

    fn fresh_name(&self) -> String {
        format!("{}-{:08x}", self.person, u32::from_be_bytes(self.random.bytes()))
    }

    /// Some client that may change or end its registration.
    fn manageable(&self) -> Option<usize> {
        let those = (0..self.chains.len()).filter(|at| self.chains[*at].is_manageable()).collect::<Vec<_>>();
        (!those.is_empty()).then(|| those[self.choose(those.len())])
    }

    /// A client that is registered and no more.
    async fn registered(&mut self, wire: &Wire) -> Option<usize> {
        if let [chain, ..] = self.chains_that(|stage| matches!(stage, Stage::Registered))[..] {
            return Some(chain);
        }
        let registration = self.registration(self.choose(3) > 0);
        self.perform(wire, registration).await?;
        Some(self.chains.len() - 1)
    }

    /// A client about which the person is being asked.
    async fn asked(&mut self, wire: &Wire) -> Option<usize> {
        if let [chain, ..] = self.chains_that(|stage| matches!(stage, Stage::Asked { .. }))[..] {
            return Some(chain);
        }
        let chain = self.registered(wire).await?;
        let verifier = self.verifier();
        self.perform(wire, Operation::Ask { chain, verifier }).await?;
        Some(chain)
    }

    /// A client with a code.
    async fn agreed(&mut self, wire: &Wire) -> Option<usize> {
        if let [chain, ..] = self.chains_that(|stage| matches!(stage, Stage::Agreed { .. }))[..] {
            return Some(chain);
        }
        let chain = self.asked(wire).await?;
        self.perform(wire, Operation::Allow { chain }).await?;
        Some(chain)
    }
}
