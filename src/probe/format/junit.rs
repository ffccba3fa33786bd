//! JUnit's XML: a finding is a failure, what was not checked is skipped, advice is written beside a test that passes.
//!
//! The names of the tests are the checks' ids, so that a CI system knows them again in the next run.

use std::fmt::Write as _;

use crate::probe::report::{Check, Outcome, Report};

pub(super) fn write(report: &Report) -> String {
    let tally = report.tally();
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
        report.checks.len(),
        tally.broken,
        tally.not_checked
    );
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gatelet probe\" {counts}>\n  <testsuite \
         name=\"{}\" {counts}>\n",
        escaped(&report.target)
    );
    for check in &report.checks {
        case(&mut out, check);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(out: &mut String, check: &Check) {
    let rule = &check.rule;
    let (group, _) = rule.id.split_once('/').unwrap_or((&rule.id, ""));
    let head = format!(
        "    <testcase classname=\"gatelet.probe.{}\" name=\"{}\"",
        escaped(group),
        escaped(&rule.id)
    );
    let text = format!("{} ({})\n{}\n", rule.title, rule.section, rule.remedy);
    // Writing to a text does not fail.
    let _ = match &check.outcome {
        Outcome::Kept => writeln!(out, "{head}/>"),
        Outcome::Broken(what) => writeln!(
            out,
            "{head}>\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
            escaped(&rule.id),
            escaped(what),
            escaped(&text)
        ),
        Outcome::Advice(what) => writeln!(
            out,
            "{head}>\n      <system-out>{}</system-out>\n    </testcase>",
            escaped(&format!("advice: {what}\n{text}"))
        ),
        Outcome::NotChecked(reason) => {
            writeln!(out, "{head}>\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(reason))
        }
    };
}

/// A text between tags or in an attribute (XML 1.0 §2.4, §3.3.3). What XML cannot hold at all (§2.2) becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::probe::report::tests::report;

    #[test]
    fn the_document_is_well_formed_and_counts_what_it_has() {
        let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"gatelet probe\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\">
  <testsuite name=\"http://127.0.0.1:8000/mcp\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\">
    <testcase classname=\"gatelet.probe.challenge\" name=\"challenge/status\"/>
    <testcase classname=\"gatelet.probe.token\" name=\"token/expired\">
      <failure type=\"token/expired\" message=\"accepted (200)\">It expired. (RFC 9068 §4)&#10;Refuse it.&#10;</failure>
    </testcase>
    <testcase classname=\"gatelet.probe.keys\" name=\"keys/lost\">
      <system-out>advice: said &lt;nothing&gt; &amp; &quot;left&quot;\u{fffd}&#10;It is gone &amp; &lt;over&gt;. (RFC 7517 §5)&#10;Look &quot;again&quot;.&#10;</system-out>
    </testcase>
    <testcase classname=\"gatelet.probe.keys\" name=\"keys/lost\">
      <skipped message=\"no time\"/>
    </testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(super::write(&report()), expected);
    }
}
