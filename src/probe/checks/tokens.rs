//! The token zoo, fired at the server.

use std::borrow::Cow;

use crate::probe::control::{Issuer, Sample};
use crate::probe::door::Door;
use crate::probe::listener::KeyListener;
use crate::probe::mcp::Answer;
use crate::probe::report::{Check, Rule};
use crate::probe::{Findings, ProbeError, Wanted};
use crate::zoo;

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
const DIALLED: Rule = Rule::new(
    "token/jku-not-dialled",
    "RFC 8725 §3.10",
    "No address that a token names is dialled, whatever becomes of the token.",
    "Ignore `jku` and `x5u`; fetch keys from the configured issuer alone.",
);

/// What is known of the server before the zoo is fired.
#[derive(Clone, Copy, Debug)]
pub(in crate::probe) struct Known<'a> {
    /// What its tokens are asked for with.
    pub(in crate::probe) wanted: &'a Wanted,
    /// Whether the scope is one that this very request needs.
    pub(in crate::probe) scope_is_demanded: bool,
    /// Whether it asks the issuer about tokens.
    pub(in crate::probe) introspects: bool,
}

/// Fires every specimen.
pub(in crate::probe) async fn check(
    issuer: &Issuer,
    door: &Door,
    known: Known<'_>,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    let samples = issuer.zoo(known.wanted).await?;
    let (mut unchallenged, mut uncoded) = (Vec::new(), Vec::new());
    for sample in &samples {
        let rule = rule(sample);
        if let Some(reason) = out_of_sight(sample, known) {
            findings.add(rule.not_checked(reason));
            continue;
        }
        let needs_scope = sample.status == 403;
        let answer = door.knock(&sample.token, needs_scope).await?;
        if answer.is_refusal() && !sample.valid {
            match &answer.challenge {
                None => unchallenged.push(sample.name.as_str()),
                Some(challenge) => {
                    let is_coded = challenge.get("error") == sample.error.as_deref();
                    if !is_coded || (needs_scope && challenge.get("scope").is_none()) {
                        uncoded.push(sample.name.as_str());
                    }
                }
            }
        }
        findings.add(judge(&rule, sample, &answer, known));
    }
    let names = |names: &[&str]| names.join(", ");
    findings.add(REFUSALS.broken_if(
        (!unchallenged.is_empty()).then(|| format!("no challenge after {}", names(&unchallenged))),
    ));
    findings.add(match uncoded.is_empty() {
        true => CODES.kept(),
        false => CODES.advised(format!("not said after {}", names(&uncoded))),
    });
    findings.add(dialled(issuer, door, known.wanted, &samples).await?);
    Ok(())
}

/// The rule that a specimen is about.
fn rule(sample: &Sample) -> Rule {
    let remedy = match sample.remedy.as_str() {
        // An older or newer control plane may not say.
        "" => zoo::specimen(&sample.name).map(|specimen| specimen.remedy).unwrap_or_default().to_owned(),
        remedy => remedy.to_owned(),
    };
    Rule {
        id: Cow::Owned(format!("token/{}", sample.name)),
        title: Cow::Owned(sample.why.clone()),
        section: Cow::Owned(sample.section.clone()),
        remedy: Cow::Owned(remedy),
    }
}

/// Why nobody outside can say what the server should do with a specimen.
fn out_of_sight(sample: &Sample, known: Known<'_>) -> Option<&'static str> {
    match sample.depends_on.as_deref() {
        Some("tenant") if known.wanted.tenant.is_none() => Some(
            "only a server that belongs to one tenant has to refuse others; say which with --tenant if this one does",
        ),
        Some("introspection") if !known.introspects => Some(
            "the server did not ask the issuer about the good token, so it cannot see a revocation before the token \
             expires",
        ),
        _ if sample.status == 403 && known.wanted.scope.is_none() => {
            Some("the server names no scope that it needs; name one with --scope if it needs any")
        }
        _ => None,
    }
}

/// What an answer to a specimen means.
fn judge(rule: &Rule, sample: &Sample, answer: &Answer, known: Known<'_>) -> Check {
    let told = answer.told();
    if answer.is_busy() {
        return rule.not_checked(format!("the server was busy: {told}"));
    }
    if sample.valid {
        return rule.broken_if((!answer.is_success()).then(|| format!("refused: {told}")));
    }
    if answer.is_success() && sample.status == 403 && !known.scope_is_demanded {
        return rule.not_checked(
            "the metadata name scopes, and initialize and tools/list need none of them; name one that these need with \
             --scope",
        );
    }
    if answer.is_success() {
        return rule.broken(format!("accepted: {told}"));
    }
    let is_right = answer.status == sample.status
        // A server may say of another tenant's token that it is not good here, or that it does not suffice.
        || (sample.depends_on.as_deref() == Some("tenant") && answer.is_refusal())
        // RFC 6750 §3.1: `invalid_request`.
        || (sample.name == "malformed" && answer.status == 400);
    match (is_right, sample.status) {
        (true, _) => rule.kept(),
        (false, 403) if answer.status == 401 => rule.advised(format!("refused with {told} instead of 403")),
        (false, status) => rule.broken(format!("answered {told} instead of {status}")),
    }
}

/// Sends a token that names an address of ours, and looks whether anybody calls there.
async fn dialled(
    issuer: &Issuer,
    door: &Door,
    wanted: &Wanted,
    samples: &[Sample],
) -> Result<Check, ProbeError> {
    if !wanted.is_loopback() {
        return Ok(
            DIALLED.not_checked("the probe listens on loopback, which a server elsewhere may not reach")
        );
    }
    let attacker = samples.iter().find(|sample| sample.name == "embedded-jwk");
    let Some(jwk) = attacker.and_then(|sample| header_of(&sample.token)?.get("jwk").cloned()) else {
        return Ok(DIALLED.not_checked("the zoo has no specimen with an attacker's key"));
    };
    let listener = KeyListener::start(&jwk).await?;
    let header = serde_json::json!({ "jku": listener.url() });
    let token = issuer.specimen(wanted, "jku", header).await?;
    if header_of(&token).is_none_or(|header| header.get("jku").is_none_or(|jku| *jku != listener.url())) {
        return Ok(DIALLED.not_checked("the control plane made the token with another jku"));
    }
    let answer = door.knock(&token, false).await?;
    // A server that lets the token in without a look at its key is told so by the specimen itself.
    Ok(match (answer.is_success(), listener.calls()) {
        (_, 0) => DIALLED.kept(),
        (true, _) => {
            DIALLED.broken(format!("fetched the attacker's key and accepted the token: {}", answer.told()))
        }
        (false, _) => {
            DIALLED.broken(format!("dialled the address in the token, then answered {}", answer.told()))
        }
    })
}

fn header_of(token: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    use base64::Engine as _;
    let (header, _) = token.split_once('.')?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::report::Outcome;

    fn sample(name: &str, status: u16, depends_on: Option<&str>) -> Sample {
        Sample {
            name: name.to_owned(),
            token: "t".to_owned(),
            valid: status == 200,
            status,
            error: None,
            section: "RFC 9068 §4".to_owned(),
            why: "Why.".to_owned(),
            remedy: String::new(),
            depends_on: depends_on.map(str::to_owned),
        }
    }

    fn answer(status: u16) -> Answer {
        Answer { status, challenge: None, session: None, rpc_error: None }
    }

    fn wanted(scope: Option<&str>, tenant: Option<&str>) -> Wanted {
        Wanted {
            resource: "http://127.0.0.1:8000/mcp".to_owned(),
            user: None,
            scope: scope.map(str::to_owned),
            tenant: tenant.map(str::to_owned),
        }
    }

    fn word(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Kept => "kept",
            Outcome::Broken(_) => "broken",
            Outcome::Advice(_) => "advice",
            Outcome::NotChecked(_) => "not checked",
        }
    }

    #[test]
    fn an_answer_is_judged_by_what_the_specimen_asks_for() {
        // RFC 6750 §3.1; MCP 2026-07-28 authorization, Error Handling
        let wanted = wanted(Some("mcp:read"), Some("acme"));
        let known = Known { wanted: &wanted, scope_is_demanded: true, introspects: true };
        for (name, status, depends_on, answered, expected) in [
            ("valid", 200, None, 200, "kept"),
            ("valid", 200, None, 202, "kept"),
            ("valid", 200, None, 401, "broken"),
            ("expired", 401, None, 401, "kept"),
            ("expired", 401, None, 200, "broken"),
            ("expired", 401, None, 403, "broken"),
            ("expired", 401, None, 400, "broken"),
            ("expired", 401, None, 500, "broken"),
            ("expired", 401, None, 429, "not checked"),
            ("malformed", 401, None, 400, "kept"),
            ("scope-stripped", 403, None, 403, "kept"),
            ("scope-stripped", 403, None, 401, "advice"),
            ("scope-stripped", 403, None, 200, "broken"),
            ("other-tenant", 401, Some("tenant"), 403, "kept"),
            ("other-tenant", 401, Some("tenant"), 200, "broken"),
            ("revoked", 401, Some("introspection"), 200, "broken"),
        ] {
            let sample = sample(name, status, depends_on);
            let check = judge(&rule(&sample), &sample, &answer(answered), known);
            assert_eq!(word(&check.outcome), expected, "{name} {answered}");
        }
    }

    #[test]
    fn what_only_the_operator_knows_is_not_judged() {
        let nothing = wanted(None, None);
        let known = Known { wanted: &nothing, scope_is_demanded: false, introspects: false };
        let tenant = sample("other-tenant", 401, Some("tenant"));
        let revoked = sample("revoked", 401, Some("introspection"));
        let stripped = sample("scope-stripped", 403, None);
        for sample in [&tenant, &revoked, &stripped] {
            assert!(out_of_sight(sample, known).is_some(), "{}", sample.name);
        }
        assert_eq!(out_of_sight(&sample("expired", 401, None), known), None);
        let told = wanted(Some("mcp:read"), Some("acme"));
        let known = Known { wanted: &told, scope_is_demanded: false, introspects: true };
        for sample in [&tenant, &revoked, &stripped] {
            assert_eq!(out_of_sight(sample, known), None, "{}", sample.name);
        }
        // Scopes of the metadata may be those of tools.
        let check = judge(&rule(&stripped), &stripped, &answer(200), known);
        assert_eq!(word(&check.outcome), "not checked");
    }

    #[test]
    fn a_remedy_that_the_control_plane_does_not_tell_is_the_zoos_own() {
        let rule = rule(&sample("expired", 401, None));
        assert_eq!(rule.id, "token/expired");
        assert_eq!(rule.remedy, zoo::specimen("expired").unwrap().remedy);
    }
}
