//! Authorization requests parked while a logged-in person decides. Whoever takes one deletes it.

use super::audit::record;
use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{BrowserSessionId, Interaction, InteractionId, Timestamp};

statements! {
    PARK = "INSERT INTO interactions (id, session_id, request, expires_at) VALUES ($1, $2, $3, $4)";
    LIVE = "SELECT id, session_id, request, expires_at FROM interactions
        WHERE id = $1 AND session_id = $2 AND expires_at > $3";
    TAKE = "DELETE FROM interactions WHERE id = $1 AND session_id = $2 AND expires_at > $3";
}

impl Store {
    /// Parks a request.
    pub async fn park_interaction(&self, interaction: Interaction) -> Result<(), StoreError> {
        self.write(interaction, |tx, interaction| {
            Box::pin(async move {
                let Interaction { id, session, request, expires_at } = interaction;
                tx.execute(PARK, args![id, session, request, *expires_at]).await.map(drop)
            })
        })
        .await
    }

    /// A request that waits in this browser session.
    pub async fn interaction(
        &self,
        id: &InteractionId,
        session: &BrowserSessionId,
        now: Timestamp,
    ) -> Result<Option<Interaction>, StoreError> {
        self.backend.optional(LIVE, args![id, session, now]).await?.as_ref().map(interaction).transpose()
    }

    /// Ends a request without a grant, because the person refused. Lost when it was taken before or has ended.
    pub async fn drop_interaction(
        &self,
        id: &InteractionId,
        session: &BrowserSessionId,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (id.clone(), session.clone(), self.noted(audit));
        self.write_guarded(args, |tx, (id, session, audit)| {
            Box::pin(async move {
                if !take(tx, id, session, audit.at()).await? {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}

/// Takes a request; true for one caller.
pub(super) async fn take(
    tx: &mut Tx<'_>,
    id: &InteractionId,
    session: &BrowserSessionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE, args![id, session, now]).await? > 0)
}

fn interaction(row: &Row) -> Result<Interaction, StoreError> {
    Ok(Interaction {
        id: row.parsed("id", InteractionId::parse)?,
        session: row.parsed("session_id", BrowserSessionId::parse)?,
        request: row.text("request")?.to_owned(),
        expires_at: row.time("expires_at")?,
    })
}
