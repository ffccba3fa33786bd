//! SARIF 2.1.0 (OASIS standard): findings are errors, advice is a note; what was not checked is a result that says so.

use serde_json::{Value, json};

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
    let results: Vec<Value> = report.checks.iter().map(|check| result(report, &rules, check)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "gatelet probe",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_iter().map(described).collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    })
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

/// A `result` (§3.27). Its place is the server's URL: there is no source that could be shown.
fn result(report: &Report, rules: &[&Rule], check: &Check) -> Value {
    let (kind, level) = match check.outcome {
        Outcome::Kept => ("pass", "none"),
        Outcome::Broken(_) => ("fail", "error"),
        Outcome::Advice(_) => ("fail", "note"),
        // §3.27.9: the tool needs a person's help.
        Outcome::NotChecked(_) => ("open", "none"),
    };
    let rule = &check.rule;
    let text = match check.outcome.message() {
        Some(message) => format!("{message}. {} {} ({})", rule.title, rule.remedy, rule.section),
        None => format!("{} ({})", rule.title, rule.section),
    };
    json!({
        "ruleId": rule.id,
        "ruleIndex": rules.iter().position(|known| known.id == rule.id),
        "kind": kind,
        "level": level,
        "message": { "text": text },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": report.target } } }],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        assert_eq!(results.len(), 4);
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert_eq!(
                result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
                "http://127.0.0.1:8000/mcp"
            );
        }
        let kinds: Vec<_> = results.iter().map(|result| (&result["kind"], &result["level"])).collect();
        let expected = [("pass", "none"), ("fail", "error"), ("fail", "note"), ("open", "none")];
        for (kind, expected) in kinds.iter().zip(expected) {
            assert_eq!(*kind, (&json!(expected.0), &json!(expected.1)));
        }
        assert_eq!(results[1]["message"]["text"], "accepted (200). It expired. Refuse it. (RFC 9068 §4)");
    }
}
