//! The chain of refresh tokens, which is a few columns of its grant: rotation and retry are one `UPDATE` each.

use std::time::Duration;

use super::audit::record;
use super::grant::alive;
use super::sql::statements;
use super::value::args;
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{GrantId, Timestamp};

statements! {
    ROTATE = concat!("UPDATE grants AS g SET refresh_generation = refresh_generation + 1, refresh_rotated_at = $3,
            refresh_retries = 0, refresh_idle_expires_at = $4
        WHERE g.id = $1 AND g.refresh_generation = $2 AND g.refresh_idle_expires_at > $3 AND g.refresh_expires_at > $3
        AND ", alive!());
    RETRY = concat!("UPDATE grants AS g SET refresh_retries = refresh_retries + 1
        WHERE g.id = $1 AND g.refresh_generation = $2 AND g.refresh_rotated_at > $4 AND g.refresh_retries < $5
        AND g.refresh_idle_expires_at > $3 AND g.refresh_expires_at > $3 AND ", alive!());
}

/// How often, and for how long, the token before the live one may be presented again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryLimit {
    /// How long after the rotation.
    pub window: Duration,
    /// How often in one generation.
    pub times: u32,
}

impl Store {
    /// Replaces the live refresh token, whose generation was presented, by the next, at the moment of `audit`. Lost
    /// when another request has rotated, the chain has expired or been revoked, or someone named in the grant no
    /// longer stands.
    pub async fn rotate_refresh(
        &self,
        grant: &GrantId,
        presented_generation: u32,
        idle_expires_at: Timestamp,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (grant.clone(), presented_generation, idle_expires_at, self.noted(audit));
        self.write_guarded(args, |tx, (grant, generation, idle_expires_at, audit)| {
            Box::pin(async move {
                let args = args![grant, i64::from(*generation), audit.at(), *idle_expires_at];
                if tx.execute(ROTATE, args).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Counts that the token before the live one, whose generation is `current_generation`, was presented again.
    /// Lost when that came too late or too often for `limit`, when the chain has moved on, or as for
    /// [`rotate_refresh`](Self::rotate_refresh).
    pub async fn retry_refresh(
        &self,
        grant: &GrantId,
        current_generation: u32,
        limit: RetryLimit,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (grant.clone(), current_generation, limit, self.noted(audit));
        self.write_guarded(args, |tx, (grant, generation, limit, audit)| {
            Box::pin(async move {
                let (now, since) = (audit.at(), audit.at().minus(limit.window));
                let args = args![grant, i64::from(*generation), now, since, i64::from(limit.times)];
                if tx.execute(RETRY, args).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}
