//! What was found.

use std::borrow::Cow;

/// One thing that a resource server has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, of letters, digits, hyphens and a slash.
    pub id: Cow<'static, str>,
    /// The rule in one sentence.
    pub title: Cow<'static, str>,
    /// The text that asks for it.
    pub section: Cow<'static, str>,
    /// What the author of the server should do who does not keep it.
    pub remedy: Cow<'static, str>,
}

impl Rule {
    /// A rule of ours.
    pub(super) const fn new(
        id: &'static str,
        section: &'static str,
        title: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            id: Cow::Borrowed(id),
            title: Cow::Borrowed(title),
            section: Cow::Borrowed(section),
            remedy: Cow::Borrowed(remedy),
        }
    }

    /// The server keeps it.
    pub(super) fn kept(&self) -> Check {
        self.came_out(Outcome::Kept)
    }

    /// The server does not keep it.
    pub(super) fn broken(&self, what: impl Into<String>) -> Check {
        self.came_out(Outcome::Broken(what.into()))
    }

    /// The server does not do what the text recommends.
    pub(super) fn advised(&self, what: impl Into<String>) -> Check {
        self.came_out(Outcome::Advice(what.into()))
    }

    /// It could not be found out.
    pub(super) fn not_checked(&self, reason: impl Into<String>) -> Check {
        self.came_out(Outcome::NotChecked(reason.into()))
    }

    /// Kept where nothing speaks against it.
    pub(super) fn broken_if(&self, what: Option<String>) -> Check {
        what.map_or_else(|| self.kept(), |what| self.broken(what))
    }

    fn came_out(&self, outcome: Outcome) -> Check {
        Check { rule: self.clone(), outcome }
    }
}

/// What came out of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server keeps the rule.
    Kept,
    /// The server breaks it, in this way: a finding.
    Broken(String),
    /// The server does without something that the text recommends and does not demand: no finding.
    Advice(String),
    /// It could not be found out, for this reason.
    NotChecked(String),
}

impl Outcome {
    /// What is said of it, if there is something to say.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Kept => None,
            Self::Broken(text) | Self::Advice(text) | Self::NotChecked(text) => Some(text),
        }
    }

    /// Whether it is a finding.
    pub fn is_finding(&self) -> bool {
        matches!(self, Self::Broken(_))
    }
}

/// One rule, and what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule.
    pub rule: Rule,
    /// What came out.
    pub outcome: Outcome,
}

/// Everything that was checked at one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The URL of the MCP server.
    pub target: String,
    /// The issuer whose tokens were sent to it.
    pub issuer: String,
    /// In the order in which it was checked.
    pub checks: Vec<Check>,
}

/// How many checks came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// [`Outcome::Kept`].
    pub kept: usize,
    /// [`Outcome::Broken`].
    pub broken: usize,
    /// [`Outcome::Advice`].
    pub advice: usize,
    /// [`Outcome::NotChecked`].
    pub not_checked: usize,
}

impl Report {
    /// Counts.
    pub fn tally(&self) -> Tally {
        self.checks.iter().fold(Tally::default(), |mut tally, check| {
            match check.outcome {
                Outcome::Kept => tally.kept += 1,
                Outcome::Broken(_) => tally.broken += 1,
                Outcome::Advice(_) => tally.advice += 1,
                Outcome::NotChecked(_) => tally.not_checked += 1,
            }
            tally
        })
    }
}

/// Longest text of a server that is repeated, in characters.
const LONGEST: usize = 200;

/// A server's own words in quotes: nothing in them commands a terminal, and there are not too many.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", short.escape_debug())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const RULE: Rule = Rule::new("token/expired", "RFC 9068 §4", "It expired.", "Refuse it.");
    const OTHER: Rule = Rule::new("keys/lost", "RFC 7517 §5", "It is gone & <over>.", "Look \"again\".");

    /// One check of each outcome.
    pub(in crate::probe) fn report() -> Report {
        Report {
            target: "http://127.0.0.1:8000/mcp".to_owned(),
            issuer: "http://127.0.0.1:1/oauth".to_owned(),
            checks: vec![
                Rule::new("challenge/status", "RFC 6750 §3", "401.", "Answer 401.").kept(),
                RULE.broken("accepted (200)"),
                OTHER.advised("said <nothing> & \"left\"\u{7}"),
                OTHER.not_checked("no time"),
            ],
        }
    }

    #[test]
    fn only_a_broken_rule_is_a_finding() {
        let report = report();
        assert_eq!(report.tally(), Tally { kept: 1, broken: 1, advice: 1, not_checked: 1 });
        let findings: Vec<_> = report.checks.iter().filter(|check| check.outcome.is_finding()).collect();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].outcome.message(), Some("accepted (200)"));
    }

    #[test]
    fn what_a_server_says_commands_no_terminal_and_is_short() {
        assert_eq!(quoted("a\u{1b}[2J\r\n\u{202e}b"), r#""a\u{1b}[2J\r\n\u{202e}b""#);
        assert_eq!(quoted(&"x".repeat(300)).chars().count(), LONGEST + 3);
    }
}
