//! What a server does while nobody asks: it sweeps what has ended (`store::sweep` lists what that is) and rotates signing
//! keys.

use std::time::Duration;

use crate::flow::Engine;
use crate::store::StoreError;

/// How long between two rounds.
const EVERY: Duration = Duration::from_secs(300);
/// How long between two batches of one round, so that requests get between.
const PAUSE: Duration = Duration::from_millis(20);

/// Keeps house for as long as it is run.
pub(super) async fn run(engine: Engine) {
    loop {
        once(&engine).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// One round.
pub(super) async fn once(engine: &Engine) {
    match sweep(engine).await {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(rows, "swept"),
        // The next round tries again.
        Err(error) => tracing::warn!(%error, "could not sweep"),
    }
    if let Err(error) = engine.tend_keys().await {
        tracing::warn!(%error, "could not tend the signing keys");
    }
}

async fn sweep(engine: &Engine) -> Result<u64, StoreError> {
    let mut rows = 0;
    loop {
        let swept = engine.sweep_batch().await?;
        if swept.is_nothing() {
            return Ok(rows);
        }
        rows += swept.rows();
        tokio::time::sleep(PAUSE).await;
    }
}
