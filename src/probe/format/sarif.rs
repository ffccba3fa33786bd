//! SARIF 2.1.0 (OASIS standard): findings are errors, advice is a note; what was not checked is a notification.
//!
//! Written so that code scanning of forges takes it, which wants more than the standard and less: GitHub's takes every
//! result for an alert, whatever its `kind`, and refuses the whole document for one location that is a URL with a scheme.

use serde_json::{Value, json};
use url::Url;

use crate::probe::report::{Check, Outcome, Report, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn document(report: &Report) -> Value {
    let mut rules: Vec<&Rule> = Vec::new();
    for check in &report.checks {
        if rules.iter().all(|rule| rule.id != check.rule.id) {
            rules.push(&check.rule);
        }
    }
    let place = place(&report.target);
    let results = report.checks.iter().filter_map(|check| result(report, &place, &rules, check));
    let notifications = report.checks.iter().filter_map(|check| notification(&rules, check));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "gatelet probe",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
            }],
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

/// Host and path of the server, as a relative reference. Without the port, which is another each time that the probe
/// starts the server on a free one, and without a scheme.
fn place(target: &str) -> String {
    let Ok(url) = Url::parse(target) else { return "mcp-server".to_owned() };
    // A colon would make a scheme of the first segment (RFC 3986 §4.2): of an IPv6 address.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).replace(':', "-");
    format!("{host}{}", url.path().trim_end_matches('/'))
}

/// A `reportingDescriptor` (§3.49).
fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": format!("{} ({})", rule.title, rule.section) },
        "help": { "text": rule.remedy },
    })
}

/// A `result` (§3.27), for what is to be mended. Its place is the server: there is no source that could be shown.
fn result(report: &Report, place: &str, rules: &[&Rule], check: &Check) -> Option<Value> {
    let (level, what) = match &check.outcome {
        Outcome::Broken(what) => ("error", what),
        Outcome::Advice(what) => ("note", what),
        Outcome::Kept | Outcome::NotChecked(_) => return None,
    };
    let rule = &check.rule;
    Some(json!({
        "ruleId": rule.id,
        "ruleIndex": rules.iter().position(|known| known.id == rule.id),
        "kind": "fail",
        "level": level,
        "message": { "text": format!("{what}. {} {} ({})", rule.title, rule.remedy, rule.section) },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": place }, "region": { "startLine": 1 } },
            "logicalLocations": [{ "fullyQualifiedName": report.target, "kind": "resource" }],
        }],
        // §3.27.17: the same in each run, whatever the server's words and port.
        "partialFingerprints": { "rule/v1": format!("{}@{place}", rule.id) },
    }))
}

/// A `notification` (§3.58), for what could not be found out.
fn notification(rules: &[&Rule], check: &Check) -> Option<Value> {
    let Outcome::NotChecked(reason) = &check.outcome else { return None };
    let rule = &check.rule;
    let index = rules.iter().position(|known| known.id == rule.id);
    Some(json!({
        "level": "note",
        "message": { "text": format!("{} was not checked: {reason}", rule.id) },
        "associatedRule": { "id": rule.id, "index": index },
    }))
}

#[cfg(test)]
mod tests {
    use crate::probe::report::tests::report;

    #[test]
    fn every_result_names_a_rule_that_is_described() {
        // SARIF 2.1.0 §3.13.2, §3.14.11, §3.27.5 to §3.27.12
        let document = super::document(&report());
        assert_eq!(document["version"], "2.1.0");
        let run = &document["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 3, "each once");
        let results = run["results"].as_array().unwrap();
        let levels: Vec<_> = results.iter().map(|result| &result["level"]).collect();
        assert_eq!(levels, ["error", "note"], "what is right, and what was not checked, is no result");
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let location = &result["locations"][0];
            assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "127.0.0.1/mcp");
            assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "http://127.0.0.1:8000/mcp");
        }
        assert_eq!(results[0]["message"]["text"], "accepted (200). It expired. Refuse it. (RFC 9068 §4)");
        let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        assert_eq!(notifications.len(), 1);
        assert_eq!(notifications[0]["message"]["text"], "keys/lost was not checked: no time");
        assert_eq!(rules[2]["id"], notifications[0]["associatedRule"]["id"]);
    }

    #[test]
    fn a_finding_is_the_same_in_every_run() {
        // SARIF 2.1.0 §3.27.17
        let fingerprint = |target: &str, what: &str| {
            let mut report = report();
            report.target = target.to_owned();
            report.checks[1].outcome = crate::probe::Outcome::Broken(what.to_owned());
            super::document(&report)["runs"][0]["results"][0]["partialFingerprints"].clone()
        };
        let first = fingerprint("http://127.0.0.1:8000/mcp", "accepted (200)");
        assert_eq!(first, fingerprint("http://127.0.0.1:41234/mcp", "accepted (202)"));
        assert_ne!(first, fingerprint("http://127.0.0.1:8000/other", "accepted (200)"));
    }

    #[test]
    fn the_place_is_a_relative_reference() {
        // RFC 3986 §4.2
        for (target, expected) in [
            ("https://mcp.example:8443/a/mcp?x=1", "mcp.example/a/mcp"),
            ("http://localhost:8000", "localhost"),
            ("http://[::1]:8000/mcp/", "--1/mcp"),
        ] {
            assert_eq!(super::place(target), expected);
        }
    }
}
