//! The token zoo, fired at the server.

use std::borrow::Cow;

use super::dialling;
use super::refusals::Refusals;
use crate::probe::answer::Answer;
use crate::probe::control::{Issuer, Sample};
use crate::probe::door::Door;
use crate::probe::report::{Check, Rule};
use crate::probe::{Findings, ProbeError, Wanted};
use crate::zoo;

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
    let mut refusals = Refusals::default();
    for sample in &samples {
        let rule = rule(sample);
        if let Some(reason) = out_of_sight(sample, known) {
            findings.add(rule.not_checked(reason));
            continue;
        }
        match door.knock(&sample.token, sample.status == 403).await {
            Ok(answer) => {
                refusals.look_at(sample, &answer);
                findings.add(judge(&rule, sample, &answer, known));
            }
            Err(ProbeError::Unreachable { why, .. }) => {
                door.is_standing(&rule.id).await?;
                refusals.misanswered.push(format!("{} ({why})", sample.name));
                findings.add(rule.not_checked(format!("the server did not answer: {why}")));
            }
            Err(error) => return Err(error),
        }
    }
    findings.extend(refusals.checks());
    findings.extend(dialling::check(issuer, door, known.wanted, &samples).await?);
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
        return rule.not_checked(answer.busy());
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
    match (sample.status, answer.status) {
        (403, 401) => rule.advised(format!("refused with {told} instead of 403")),
        _ => rule.kept(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::report::Outcome;

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
            // Refused is refused; how is another rule's.
            ("expired", 401, None, 403, "kept"),
            ("expired", 401, None, 500, "kept"),
            ("expired", 401, None, 429, "not checked"),
            ("malformed", 401, None, 400, "kept"),
            ("scope-stripped", 403, None, 403, "kept"),
            ("scope-stripped", 403, None, 401, "advice"),
            ("scope-stripped", 403, None, 200, "broken"),
            ("other-tenant", 401, Some("tenant"), 403, "kept"),
            ("other-tenant", 401, Some("tenant"), 200, "broken"),
            ("revoked", 401, Some("introspection"), 200, "broken"),
        ] {
            let sample = Sample::for_tests(name, status, depends_on);
            let check = judge(&rule(&sample), &sample, &Answer::of_status(answered), known);
            assert_eq!(word(&check.outcome), expected, "{name} {answered}");
        }
    }

    #[test]
    fn what_only_the_operator_knows_is_not_judged() {
        let nothing = wanted(None, None);
        let known = Known { wanted: &nothing, scope_is_demanded: false, introspects: false };
        let tenant = Sample::for_tests("other-tenant", 401, Some("tenant"));
        let revoked = Sample::for_tests("revoked", 401, Some("introspection"));
        let stripped = Sample::for_tests("scope-stripped", 403, None);
        for sample in [&tenant, &revoked, &stripped] {
            assert!(out_of_sight(sample, known).is_some(), "{}", sample.name);
        }
        assert_eq!(out_of_sight(&Sample::for_tests("expired", 401, None), known), None);
        let told = wanted(Some("mcp:read"), Some("acme"));
        let known = Known { wanted: &told, scope_is_demanded: false, introspects: true };
        for sample in [&tenant, &revoked, &stripped] {
            assert_eq!(out_of_sight(sample, known), None, "{}", sample.name);
        }
        // Scopes of the metadata may be those of tools.
        let check = judge(&rule(&stripped), &stripped, &Answer::of_status(200), known);
        assert_eq!(word(&check.outcome), "not checked");
    }

    #[test]
    fn a_remedy_that_the_control_plane_does_not_tell_is_the_zoos_own() {
        let rule = rule(&Sample::for_tests("expired", 401, None));
        assert_eq!(rule.id, "token/expired");
        assert_eq!(rule.remedy, zoo::specimen("expired").unwrap().remedy);
    }
}
