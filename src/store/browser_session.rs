//! Logged-in browsers.

use std::time::Duration;

use super::audit::record;
use super::sql::statements;
use super::user::{user, user_columns};
use super::value::{Row, args};
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{BrowserSession, BrowserSessionId, SecretHash, Timestamp, User, UserId};

statements! {
    LIVE = concat!("SELECT s.id, s.user_id, s.secret_hash, s.auth_time, s.seen_at, s.expires_at, ", user_columns!(), "
        FROM browser_sessions s JOIN users u ON u.id = s.user_id
        WHERE s.id = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND u.suspended_at IS NULL");
    /// Somebody who is suspended between password and session gets no session.
    START = "INSERT INTO browser_sessions (id, user_id, secret_hash, auth_time, seen_at, expires_at)
        SELECT $1, $2, $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT)
        WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.suspended_at IS NULL)";
    TOUCH = "UPDATE browser_sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2";
    END = "DELETE FROM browser_sessions WHERE id = $1";
}

/// A live session with the person whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// The session.
    pub session: BrowserSession,
    /// The person, not suspended.
    pub user: User,
    /// What the cookie's secret must hash to.
    pub secret_hash: SecretHash,
}

impl Store {
    /// A session that has neither ended nor been idle for `idle_ttl`, of a person who is not suspended.
    pub async fn browser_session(
        &self,
        id: &BrowserSessionId,
        now: Timestamp,
        idle_ttl: Duration,
    ) -> Result<Option<LiveSession>, StoreError> {
        let row = self.backend.optional(LIVE, args![id, now, now.minus(idle_ttl)]).await?;
        row.as_ref().map(live_session).transpose()
    }

    /// Logs somebody in. Lost when they have been suspended meanwhile.
    pub async fn start_browser_session(
        &self,
        session: BrowserSession,
        secret_hash: SecretHash,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (session, secret_hash, self.noted(audit));
        self.write_guarded(args, |tx, (session, secret_hash, audit)| {
            Box::pin(async move {
                let args = args![
                    &session.id,
                    &session.user,
                    secret_hash.as_str(),
                    session.auth_time,
                    session.seen_at,
                    session.expires_at,
                ];
                if tx.execute(START, args).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }

    /// Notes that a browser was seen. The caller decides how fine: not every request is worth a write.
    pub async fn touch_browser_session(
        &self,
        id: &BrowserSessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write((id.clone(), now), |tx, (id, now)| {
            Box::pin(async move { tx.execute(TOUCH, args![id, *now]).await.map(drop) })
        })
        .await
    }

    /// Logs somebody out. Lost when the session has ended before.
    pub async fn end_browser_session(
        &self,
        id: &BrowserSessionId,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                if tx.execute(END, args![id]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}

fn live_session(row: &Row) -> Result<LiveSession, StoreError> {
    Ok(LiveSession {
        session: BrowserSession {
            id: row.parsed("id", BrowserSessionId::parse)?,
            user: row.parsed("user_id", UserId::parse)?,
            auth_time: row.time("auth_time")?,
            seen_at: row.time("seen_at")?,
            expires_at: row.time("expires_at")?,
        },
        user: user(row)?,
        secret_hash: SecretHash::from_stored(row.text("secret_hash")?.to_owned()),
    })
}
