//! For scripts.

use serde_json::{Value, json};

use crate::probe::report::{Check, Outcome, Report};

pub(super) fn document(report: &Report) -> Value {
    let tally = report.tally();
    json!({
        "target": report.target,
        "issuer": report.issuer,
        "ok": tally.kept,
        "wrong": tally.broken,
        "advice": tally.advice,
        "not_checked": tally.not_checked,
        "checks": report.checks.iter().map(check).collect::<Vec<_>>(),
    })
}

fn check(check: &Check) -> Value {
    let outcome = match check.outcome {
        Outcome::Kept => "ok",
        Outcome::Broken(_) => "wrong",
        Outcome::Advice(_) => "advice",
        Outcome::NotChecked(_) => "not_checked",
    };
    let rule = &check.rule;
    let mut value = json!({
        "id": rule.id, "outcome": outcome, "section": rule.section, "rule": rule.title, "remedy": rule.remedy,
    });
    if let Some(message) = check.outcome.message() {
        value["message"] = message.into();
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::probe::report::tests::report;

    #[test]
    fn each_check_is_an_object() {
        let document = super::document(&report());
        assert_eq!((&document["wrong"], &document["not_checked"]), (&json!(1), &json!(1)));
        let expected = json!({
            "id": "token/expired", "outcome": "wrong", "section": "RFC 9068 §4", "rule": "It expired.",
            "remedy": "Refuse it.", "message": "accepted (200)",
        });
        assert_eq!(document["checks"][1], expected);
        assert_eq!(document["checks"][0].get("message"), None);
    }
}
