//! What a server does while nobody asks: it sweeps what has ended (`store::sweep` lists what that is) and rotates signing
//! keys.

use std::time::Duration;

use crate::flow::Engine;
use crate::store::{StoreError, SweepPolicy};

/// How long between two rounds.
const EVERY: Duration = Duration::from_secs(300);
/// How long between two batches of one round, so that requests get between.
const PAUSE: Duration = Duration::from_millis(20);
/// Rows of a kind in one batch.
const BATCH: u32 = 200;
/// How long an ended grant is kept: far longer than any access token lives, so that replays are still recognised.
const DEAD_GRANT_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Keeps house for as long as it is run.
pub(super) async fn run(engine: Engine) {
    loop {
        match sweep(&engine).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "swept"),
            // The next round tries again.
            Err(error) => tracing::warn!(%error, "could not sweep"),
        }
        if let Err(error) = engine.tend_keys().await {
            tracing::warn!(%error, "could not tend the signing keys");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn sweep(engine: &Engine) -> Result<u64, StoreError> {
    let policy = SweepPolicy {
        dead_grant_kept: DEAD_GRANT_KEPT,
        unused_client_kept: engine.policy.lifetimes.unused_client,
        audit_kept: engine.policy.lifetimes.audit,
        batch: BATCH,
    };
    let mut rows = 0;
    loop {
        let swept = engine.store.sweep(engine.clock.now(), policy).await?;
        if swept.is_nothing() {
            return Ok(rows);
        }
        rows += swept.rows();
        tokio::time::sleep(PAUSE).await;
    }
}
