//! How tokens are refused, whatever is wrong with them.

use crate::probe::answer::Answer;
use crate::probe::control::Sample;
use crate::probe::report::{Check, Rule};

const REFUSALS: Rule = Rule::new(
    "challenge/refused-tokens",
    "RFC 6750 §3, RFC 9728 §5.1",
    "Every refusal of a token has a `Bearer` challenge: by it a client knows that it needs another token.",
    "Send `WWW-Authenticate: Bearer` with every 401 and 403.",
);
const CODES: Rule = Rule::new(
    "challenge/error-code",
    "RFC 6750 §3.1, MCP 2026-07-28 authorization, Runtime Insufficient Scope Errors",
    "The challenge says `invalid_token`, or `insufficient_scope` with the scope that is needed.",
    "Put `error` into the challenge, and `scope` beside `insufficient_scope`.",
);
const STATUS: Rule = Rule::new(
    "challenge/refused-status",
    "MCP 2026-07-28 authorization, Token Handling, RFC 6750 §3.1",
    "A token that is not good is answered 401 (one that lacks a scope 403): by it a client knows what to do.",
    "Answer 401 with `invalid_token` to whatever token is not accepted; where it is 500 or nothing, a stranger's token \
     reaches code that does not expect it.",
);
/// How tokens are refused, over all of them.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// With another status than there should be, or with no answer at all.
    pub(super) misanswered: Vec<String>,
    /// Without a challenge.
    unchallenged: Vec<String>,
    /// Without the code that says why.
    uncoded: Vec<String>,
}

impl Refusals {
    /// Takes note of an answer.
    pub(super) fn look_at(&mut self, sample: &Sample, answer: &Answer) {
        if sample.valid || answer.is_success() || answer.is_busy() {
            return;
        }
        let name = || sample.name.clone();
        if !is_right(sample, answer) {
            self.misanswered.push(format!("{} ({})", sample.name, answer.status));
        }
        match &answer.challenge {
            _ if !answer.is_refusal() => {}
            None => self.unchallenged.push(name()),
            Some(challenge) => {
                let is_coded = challenge.get("error") == sample.error.as_deref();
                if !is_coded || (sample.status == 403 && challenge.get("scope").is_none()) {
                    self.uncoded.push(name());
                }
            }
        }
    }

    /// What came out.
    pub(super) fn checks(&self) -> [Check; 3] {
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
        [
            STATUS.broken_if(list(&self.misanswered).map(|names| format!("answered otherwise: {names}"))),
            REFUSALS.broken_if(list(&self.unchallenged).map(|names| format!("no challenge after {names}"))),
            match list(&self.uncoded) {
                None => CODES.kept(),
                Some(names) => CODES.advised(format!("not said after {names}")),
            },
        ]
    }
}

/// Whether a refusal has the status that it should have.
fn is_right(sample: &Sample, answer: &Answer) -> bool {
    answer.status == sample.status
        // A server may say of another tenant's token that it is not good here, or that it does not suffice.
        || (sample.depends_on.as_deref() == Some("tenant") && answer.is_refusal())
        // That is advice, and given where the token is judged.
        || (sample.status == 403 && answer.status == 401)
        // RFC 6750 §3.1: `invalid_request`.
        || (sample.name == "malformed" && answer.status == 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_judged_by_their_status_once_for_all_tokens() {
        // MCP 2026-07-28 authorization, Token Handling; RFC 6750 §3, §3.1
        let mut refusals = Refusals::default();
        for (name, status, depends_on, answered) in [
            ("expired", 401, None, 401),
            ("malformed", 401, None, 400),
            ("other-tenant", 401, Some("tenant"), 403),
            ("scope-stripped", 403, None, 401),
            ("jku", 401, None, 429),
            ("valid", 200, None, 500),
        ] {
            refusals.look_at(&Sample::for_tests(name, status, depends_on), &Answer::of_status(answered));
        }
        assert!(refusals.misanswered.is_empty(), "{refusals:?}");
        refusals.look_at(&Sample::for_tests("wrong-audience", 401, None), &Answer::of_status(403));
        refusals.look_at(&Sample::for_tests("no-expiry", 401, None), &Answer::of_status(500));
        let [status, unchallenged, _] = refusals.checks();
        let told = "answered otherwise: wrong-audience (403), no-expiry (500)";
        assert_eq!((status.outcome.is_finding(), status.outcome.message()), (true, Some(told)));
        let told = "no challenge after expired, other-tenant, scope-stripped, wrong-audience";
        assert_eq!(unchallenged.outcome.message(), Some(told));
    }
}
