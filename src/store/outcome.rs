//! The answer of a guarded write.

/// Who won a one-time transition.
///
/// A verb that answers [`Lost`](Outcome::Lost) has written nothing, not even its audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a lost race must not be treated as won"]
pub enum Outcome<T = ()> {
    /// This call made the transition.
    Won(T),
    /// Another call made it before, or a fact that the guard names no longer holds.
    Lost,
}

impl<T> Outcome<T> {
    /// Whether this call made the transition.
    pub fn is_won(&self) -> bool {
        matches!(self, Self::Won(_))
    }

    /// What was won, if anything.
    pub fn won(self) -> Option<T> {
        match self {
            Self::Won(value) => Some(value),
            Self::Lost => None,
        }
    }
}

impl Outcome<()> {
    /// Won if the guarded statement changed a row.
    pub(super) fn of(rows_changed: u64) -> Self {
        if rows_changed == 0 { Self::Lost } else { Self::Won(()) }
    }
}
