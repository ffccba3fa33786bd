//! Wrong passwords, counted by login name.
//!
//! The count is in the database, so that it holds for all instances and over restarts. A row is keyed by a hash of the
//! name, existing or not: what is counted must not tell who exists. A wrong guess costs a password hash before it costs
//! a row, and rows are forgotten after an hour, which bounds them.

use super::sql::statements;
use super::value::args;
use super::{Outcome, Store, StoreError};
use crate::protocol::{Timestamp, lockout};

statements! {
    RESTING = "SELECT rests_until FROM login_failures WHERE name_hash = $1 AND rests_until > $2";
    /// Of guesses that were under way at once, those count (and are answered) that come before the name rests.
    COUNT = "INSERT INTO login_failures (name_hash, failures, last_failed_at, rests_until) VALUES ($1, 1, $2, 0)
        ON CONFLICT (name_hash) DO UPDATE SET last_failed_at = excluded.last_failed_at,
            failures = CASE WHEN login_failures.last_failed_at <= $3 THEN 1 ELSE login_failures.failures + 1 END
        WHERE login_failures.rests_until <= excluded.last_failed_at
        RETURNING failures";
    REST = "UPDATE login_failures SET rests_until = $2 WHERE name_hash = $1";
    FORGET = "DELETE FROM login_failures WHERE name_hash = $1 AND rests_until <= $2";
}

impl Store {
    /// Until when a login name rests, if it does.
    pub async fn login_rests_until(
        &self,
        name_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = self.backend.optional(RESTING, args![name_hash, now]).await?;
        row.map(|row| row.time("rests_until")).transpose()
    }

    /// Counts a wrong password, and has the name rest when it is one of too many. Lost when the name rests already: the
    /// guess must not be answered then, right or wrong.
    pub async fn count_login_failure(
        &self,
        name_hash: String,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((name_hash, now), |tx, (name_hash, now)| {
            Box::pin(async move {
                let forgotten = now.minus(lockout::FORGOTTEN_AFTER);
                let Some(row) = tx.optional(COUNT, args![name_hash, *now, forgotten]).await? else {
                    return Ok(Outcome::Lost);
                };
                let rest = lockout::rest(row.count("failures")?);
                if !rest.is_zero() {
                    tx.execute(REST, args![name_hash, now.plus(rest)]).await?;
                }
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Forgets the failures of a name after the right password. Lost when the name rests: then the password must not be
    /// taken, or guesses that were under way when it began to rest would be answered.
    pub async fn forget_login_failures(
        &self,
        name_hash: String,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((name_hash, now), |tx, (name_hash, now)| {
            Box::pin(async move {
                tx.execute(FORGET, args![name_hash, *now]).await?;
                let rests = tx.optional(RESTING, args![name_hash, *now]).await?.is_some();
                Ok(if rests { Outcome::Lost } else { Outcome::Won(()) })
            })
        })
        .await
    }
}
