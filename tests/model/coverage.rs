//! What occurred, and what has to: histories that never come to an outcome prove nothing about it.

use std::collections::BTreeMap;
use std::fmt;

/// Each operation with each of its outcomes, in the words of the model.
const OUTCOMES: &[(&str, &[&str])] = &[
    ("issue", &["issued", "suspended client", "suspended user", "suspended tenant"]),
    (
        "redeem",
        &[
            "redeemed",
            "suspended client",
            "wrong secret",
            "another client's code",
            "another redirect URI",
            "wrong verifier",
            "guessed at too often",
            "code replayed",
            "code expired",
            "grant ended",
            "another resource",
        ],
    ),
    (
        "refresh",
        &[
            "rotated",
            "rotated, less scope",
            "answered again",
            "repeated too often",
            "suspended client",
            "wrong secret",
            "another client's token",
            "grant ended",
            "chain expired",
            "not used for too long",
            "old token replayed",
            "token replayed after the window",
            "another resource",
            "too much scope",
        ],
    ),
    (
        "introspect",
        &[
            "access token active",
            "access token expired",
            "access token revoked",
            "key revoked",
            "refresh token active",
            "answered again",
            "grant ended",
            "chain expired",
            "not used for too long",
            "old token replayed",
            "token replayed after the window",
            "not the asker's business",
            "suspended client",
            "wrong secret",
        ],
    ),
    (
        "revoke",
        &[
            "access token revoked",
            "refresh token revoked",
            "nothing to revoke",
            "another client's token",
            "suspended client",
            "wrong secret",
        ],
    ),
    ("key", &["rotated", "revoked"]),
    ("suspend", &["suspended", "suspended before"]),
    ("sweep", &["swept"]),
    (
        "two at once",
        &["redeem, redeem", "redeem, refresh", "refresh, refresh", "refresh, suspend", "refresh, revoke"],
    ),
    ("wait", &["to the last second", "to the end", "past the end"]),
];

/// From so many histories on, every outcome has to have occurred.
const ENOUGH: usize = 1000;

/// How often each outcome occurred.
#[derive(Clone, Default)]
pub(crate) struct Coverage {
    pub(crate) histories: usize,
    counts: BTreeMap<(&'static str, String), usize>,
}

impl Coverage {
    pub(crate) fn count(&mut self, operation: &'static str, outcome: &str) {
        *self.counts.entry((operation, outcome.to_owned())).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        for (key, count) in &other.counts {
            *self.counts.entry(key.clone()).or_default() += count;
        }
    }

    fn of(&self, operation: &'static str, outcome: &str) -> usize {
        self.counts.get(&(operation, outcome.to_owned())).copied().unwrap_or(0)
    }

    /// How many requests and waits there were.
    pub(crate) fn steps(&self) -> usize {
        self.counts.iter().filter(|((operation, _), _)| *operation != "two at once").map(|(_, n)| n).sum()
    }

    /// What never occurred though it should have, and what occurred and is not listed.
    pub(crate) fn missing(&self) -> Vec<String> {
        let listed =
            || OUTCOMES.iter().flat_map(|(operation, all)| all.iter().map(move |one| (*operation, *one)));
        let never = listed().filter(|(operation, outcome)| self.of(operation, outcome) == 0);
        let never = never.map(|(operation, outcome)| format!("{operation}: {outcome} never occurred"));
        let strange = self.counts.keys().filter(|(operation, outcome)| {
            !listed().any(|(known, one)| known == *operation && one == outcome)
        });
        let strange = strange.map(|(operation, outcome)| format!("{operation}: {outcome} is not listed"));
        never.filter(|_| self.histories >= ENOUGH).chain(strange).collect()
    }
}

/// One row for each outcome, one column for each database.
pub(crate) struct Table<'a>(pub(crate) &'a [(&'static str, Coverage)]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = |f: &mut fmt::Formatter<'_>, cell: &dyn Fn(&(&'static str, Coverage)) -> String| {
            self.0.iter().try_for_each(|column| write!(f, "{:>12}", cell(column))).and_then(|()| writeln!(f))
        };
        write!(f, "{:48}", "")?;
        columns(f, &|(name, _)| (*name).to_owned())?;
        for (operation, outcomes) in OUTCOMES {
            for outcome in *outcomes {
                write!(f, "{operation:12}{outcome:36}")?;
                columns(f, &|(_, coverage)| coverage.of(operation, outcome).to_string())?;
            }
        }
        write!(f, "{:48}", "histories")?;
        columns(f, &|(_, coverage)| coverage.histories.to_string())
    }
}
