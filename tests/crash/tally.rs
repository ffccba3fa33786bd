//! What is counted.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by kind of operation.
#[derive(Clone, Default)]
pub(crate) struct Tally(BTreeMap<&'static str, Counts>);

/// Counts of one kind.
#[derive(Clone, Copy, Default)]
struct Counts {
    acknowledged: usize,
    unanswered: usize,
    committed: usize,
    recovered: usize,
}

impl Tally {
    /// An operation was answered.
    pub(crate) fn acknowledge(&mut self, kind: &'static str) {
        self.0.entry(kind).or_default().acknowledged += 1;
    }

    /// An operation was not answered, and had or had not been committed; repeating it did or did not give what the
    /// first attempt would have given.
    pub(crate) fn settle(&mut self, kind: &'static str, is_committed: bool, is_recovered: bool) {
        let counts = self.0.entry(kind).or_default();
        counts.unanswered += 1;
        counts.committed += usize::from(is_committed);
        counts.recovered += usize::from(is_recovered);
    }

    /// Adds another's counts.
    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, more) in &other.0 {
            let counts = self.0.entry(kind).or_default();
            counts.acknowledged += more.acknowledged;
            counts.unanswered += more.unanswered;
            counts.committed += more.committed;
            counts.recovered += more.recovered;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sum = Counts::default();
        writeln!(
            f,
            "{:16}{:>14}{:>12}{:>14}{:>12}",
            "", "acknowledged", "unanswered", "was committed", "recovered"
        )?;
        for (kind, counts) in &self.0 {
            row(f, kind, counts)?;
            sum.acknowledged += counts.acknowledged;
            sum.unanswered += counts.unanswered;
            sum.committed += counts.committed;
            sum.recovered += counts.recovered;
        }
        row(f, "together", &sum)
    }
}

fn row(f: &mut fmt::Formatter<'_>, kind: &str, counts: &Counts) -> fmt::Result {
    let Counts { acknowledged, unanswered, committed, recovered } = counts;
    writeln!(f, "{kind:16}{acknowledged:>14}{unanswered:>12}{committed:>14}{recovered:>12}")
}
