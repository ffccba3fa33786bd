//! For people: a line for each check, and under it what is wrong and what to do.

use std::fmt::Write as _;

use crate::probe::report::{Outcome, Report};

pub(super) fn write(report: &Report) -> String {
    let mut out = format!("MCP server  {}\nissuer      {}\n\n", report.target, report.issuer);
    let width = report.checks.iter().map(|check| check.rule.id.len()).max().unwrap_or_default();
    for check in &report.checks {
        let rule = &check.rule;
        // Writing to a text does not fail.
        let _ = writeln!(out, "{:12}{:width$}  {}", word(&check.outcome), rule.id, rule.section);
        match &check.outcome {
            Outcome::Kept => {}
            Outcome::Broken(what) | Outcome::Advice(what) => {
                let _ = writeln!(out, "{0:12}{what}\n{0:12}{1}\n{0:12}→ {2}", "", rule.title, rule.remedy);
            }
            Outcome::NotChecked(reason) => {
                let _ = writeln!(out, "{:12}{reason}", "");
            }
        }
    }
    let tally = report.tally();
    let _ = writeln!(
        out,
        "\n{} ok, {} wrong, {} advice, {} not checked",
        tally.kept, tally.broken, tally.advice, tally.not_checked
    );
    out
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Kept => "ok",
        Outcome::Broken(_) => "WRONG",
        Outcome::Advice(_) => "advice",
        Outcome::NotChecked(_) => "not checked",
    }
}

#[cfg(test)]
mod tests {
    use crate::probe::report::tests::report;

    #[test]
    fn a_finding_says_what_why_and_what_to_do() {
        let expected = "\
MCP server  http://127.0.0.1:8000/mcp
issuer      http://127.0.0.1:1/oauth

ok          challenge/status  RFC 6750 §3
WRONG       token/expired     RFC 9068 §4
            accepted (200)
            It expired.
            → Refuse it.
";
        let text = super::write(&report());
        assert!(text.starts_with(expected), "{text}");
        assert!(text.ends_with("            no time\n\n1 ok, 1 wrong, 1 advice, 1 not checked\n"), "{text}");
    }
}
