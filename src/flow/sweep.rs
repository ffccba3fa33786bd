//! Taking out what has ended; `store::sweep` lists what that is.

use std::time::Duration;

use super::Engine;
use crate::store::{StoreError, SweepPolicy, Swept};

/// Rows of a kind in one batch.
const BATCH: u32 = 200;
/// How long an ended grant is kept: far longer than any access token lives, so that replays are still recognised.
const DEAD_GRANT_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

impl Engine {
    /// Deletes one batch of each kind of row that has ended; to be called again until nothing was left.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_batch(&self) -> Result<Swept, StoreError> {
        let policy = SweepPolicy {
            dead_grant_kept: DEAD_GRANT_KEPT,
            unused_client_kept: self.policy.lifetimes.unused_client,
            audit_kept: self.policy.lifetimes.audit,
            batch: BATCH,
        };
        self.store.sweep(self.clock.now(), policy).await
    }
}
