//! The audit log, and what is swept.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::{Admin, AdminError};
use crate::protocol::{Id, Timestamp};
use crate::store::{AuditFilter, RecordedEvent};

/// How long after its moment a fact may come to be seen: its verb takes the moment first and commits later.
const LATE: Duration = Duration::from_secs(10);
/// How many facts one look takes.
const MOST: u32 = 1000;

/// Looks at the audit log again and again, and sees each fact once.
#[derive(Debug)]
pub struct AuditWatch {
    filter: AuditFilter,
    began: Timestamp,
    seen: HashSet<Id>,
}

impl Admin {
    /// At most `limit` facts, newest first, older than the one with the identifier `before`.
    ///
    /// # Errors
    /// Faults.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<&Id>,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, AdminError> {
        Ok(self.engine.store.matching_audit_events(filter, before, limit).await?)
    }

    /// Begins to watch for facts that `filter` asks for, from `filter.since` on or from now.
    pub fn watch_audit(&self, filter: AuditFilter) -> AuditWatch {
        let began = filter.since.unwrap_or_else(|| self.engine.clock.now());
        AuditWatch { filter, began, seen: HashSet::new() }
    }

    /// The facts that have come since the last look, oldest first.
    ///
    /// # Errors
    /// Faults.
    pub async fn new_audit(&self, watch: &mut AuditWatch) -> Result<Vec<RecordedEvent>, AdminError> {
        let filter = AuditFilter { since: Some(watch.began), ..watch.filter.clone() };
        let (mut events, mut before) = (Vec::new(), None);
        loop {
            let page = self.audit(&filter, before.as_ref(), MOST).await?;
            before = page.last().map(|event| event.id.clone());
            let is_last = page.len() < MOST as usize;
            events.extend(page);
            if is_last {
                break;
            }
        }
        events.retain(|event| watch.seen.insert(event.id.clone()));
        events.reverse();
        watch.began = watch.began.max(self.engine.clock.now().minus(LATE));
        let oldest = Id::new(watch.began, [0; 10]);
        watch.seen.retain(|id| *id >= oldest);
        Ok(events)
    }

    /// Deletes everything that has ended; how many rows of each kind there were.
    ///
    /// # Errors
    /// Faults.
    pub async fn sweep(&self) -> Result<BTreeMap<&'static str, u64>, AdminError> {
        let mut rows = BTreeMap::new();
        loop {
            let swept = self.engine.sweep_batch().await?;
            for (kind, more) in swept.kinds() {
                *rows.entry(kind).or_default() += more;
            }
            if swept.is_nothing() {
                return Ok(rows);
            }
        }
    }
}
