//! What holds of the rows whatever was acknowledged: every operation is there as a whole, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::server::GUEST;
use crate::snapshot::{CodeRow, GrantRow, Snapshot};
use crate::sql::texts;

impl Snapshot {
    /// Everything that contradicts itself.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.check_grants(&mut found);
        self.check_clients(&mut found);
        self.check_people(&mut found);
        found
    }

    /// Allowing leaves grant, code, consent, the mark of the client, and a line of the audit; redeeming the spent code
    /// and a whole chain of refresh tokens; and so on.
    fn check_grants(&self, found: &mut Vec<String>) {
        let mut codes: BTreeMap<&str, Vec<&CodeRow>> = BTreeMap::new();
        for (id, code) in &self.codes {
            codes.entry(&code.grant).or_default().push(code);
            if !self.grants.contains_key(&code.grant) {
                found.push(format!("code {id} has no grant"));
            }
        }
        for (id, grant) in &self.grants {
            let of_grant = codes.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let [code] = of_grant else {
                found.push(format!("grant {id} has {} codes", of_grant.len()));
                continue;
            };
            let whole = [
                ("its code is another client's", code.client == grant.client),
                ("half a chain of refresh tokens", matches!(grant.chain_columns, 0 | 5)),
                (
                    "a code spent without a chain, or the reverse",
                    code.is_redeemed == (grant.chain_columns == 5),
                ),
                ("half revoked", grant.is_revoked == grant.revoked_why.is_some()),
                ("no client", self.clients.contains_key(&grant.client)),
            ];
            found.extend(whole.iter().filter(|(_, ok)| !ok).map(|(what, _)| format!("grant {id}: {what}")));
            self.check_audit(id, grant, code, found);
        }
        let pairs = self.grants.values().map(|grant| (grant.user.clone(), grant.client.clone()));
        let agreed: BTreeSet<_> = pairs.collect();
        let remembered: BTreeSet<_> = self.consents.keys().cloned().collect();
        for pair in agreed.symmetric_difference(&remembered) {
            found.push(format!("a grant without its consent, or the reverse: {pair:?}"));
        }
    }

    /// An event is written with what it tells of.
    fn check_audit(&self, id: &str, grant: &GrantRow, code: &CodeRow, found: &mut Vec<String>) {
        let ends = ["code_replayed", "refresh_replayed", "refresh_token_revoked"];
        let revoked = grant.revoked_why.as_deref();
        let told = [
            ("grant_issued", 1),
            ("code_redeemed", usize::from(code.is_redeemed)),
            ("access_token_revoked", self.revoked_tokens.iter().filter(|jti| jti.starts_with(id)).count()),
            ("refresh_rotated", grant.generation.unwrap_or_default()),
        ];
        let ended = ends.map(|kind| (kind, usize::from(revoked == Some(kind))));
        for (kind, times) in told.into_iter().chain(ended) {
            let events = self.events(kind, id);
            if events != times {
                found.push(format!("grant {id}: {kind} happened {times} times and is told {events} times"));
            }
        }
        if self.events("refresh_retried", id) < grant.retries {
            found.push(format!("grant {id}: a retry is counted and not told"));
        }
    }

    fn check_clients(&self, found: &mut Vec<String>) {
        let used: BTreeSet<&String> = self.grants.values().map(|grant| &grant.client).collect();
        for (id, client) in &self.clients {
            let secrets = self.client_secrets.get(id).copied().unwrap_or_default();
            let whole = [
                ("marked as used without a grant, or the reverse", client.is_used == used.contains(id)),
                (
                    "with a wrong number of secrets",
                    secrets == usize::from(client.auth_methods != "[\"none\"]"),
                ),
                ("registered without an event", self.events("client_registered", id) == 1),
            ];
            found.extend(whole.iter().filter(|(_, ok)| !ok).map(|(what, _)| format!("client {id}: {what}")));
        }
        let strays = self.client_secrets.keys().filter(|client| !self.clients.contains_key(*client));
        found.extend(strays.map(|client| format!("a secret of no client: {client}")));
    }

    fn check_people(&self, found: &mut Vec<String>) {
        // Suspending the guest ends sessions as well; operator.rs looks at those.
        let logged_in = self.events.iter().filter(|((kind, user), _)| kind == "logged_in" && user != GUEST);
        for ((_, user), times) in logged_in {
            let sessions = self.sessions.values().filter(|of| *of == user).count();
            let ended = self.events("logged_out", user);
            if sessions + ended != *times {
                found.push(format!(
                    "{user} logged in {times} times, out {ended}, and has {sessions} sessions"
                ));
            }
        }
        let strays = self.sessions.values().filter(|user| self.events("logged_in", user) == 0);
        found.extend(strays.map(|user| format!("a session of {user} without an event")));
    }
}

/// What SQLite says about its own file, read beside the running server: a look before its start would do the recovery
/// that is the server's to do.
pub(crate) async fn damage(url: &str) -> Vec<String> {
    if !url.starts_with("sqlite:") {
        return Vec::new();
    }
    let mut found = texts(url, "PRAGMA integrity_check").await;
    found.retain(|line| line != "ok");
    found.extend(texts(url, "PRAGMA foreign_key_check").await);
    found
}
