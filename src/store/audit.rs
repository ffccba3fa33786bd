//! The record of security facts, written in the transaction of the verb that makes them true.

use std::sync::atomic::Ordering;

use super::admin::AFTER_EVERY_ID;
use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args};
use super::{Store, StoreError};
use crate::audit::{AuditEvent, AuditKind};
use crate::protocol::{ClientId, GrantId, Id, TenantId, Timestamp, UserId};

statements! {
    RECORD = "INSERT INTO audit_events (id, at, kind, user_id, client_id, tenant_id, grant_id, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    RECENT = "SELECT id, at, kind, user_id, client_id, tenant_id, grant_id, detail FROM audit_events
        WHERE id < $1 ORDER BY id DESC LIMIT $2";
    /// What is NULL is not asked for.
    MATCHING = "SELECT id, at, kind, user_id, client_id, tenant_id, grant_id, detail FROM audit_events
        WHERE id < $1 AND id >= $2 AND (CAST($3 AS TEXT) IS NULL OR user_id = $3)
        AND (CAST($4 AS TEXT) IS NULL OR client_id = $4) AND (CAST($5 AS TEXT) IS NULL OR kind = $5)
        ORDER BY id DESC LIMIT $6";
}

/// A fact with the identifier under which it will be recorded: drawn once, although the verb may run twice.
pub(super) struct Noted {
    id: Id,
    /// The fact.
    pub(super) event: AuditEvent,
}

impl Noted {
    /// The moment of the fact, which is the present of the verb.
    pub(super) fn at(&self) -> Timestamp {
        self.event.at
    }
}

/// Which facts to list; what is absent is not asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Those from this moment on.
    pub since: Option<Timestamp>,
    /// Those that concern this person.
    pub user: Option<UserId>,
    /// Those that concern this client.
    pub client: Option<ClientId>,
    /// Those of this kind.
    pub kind: Option<AuditKind>,
}

/// A fact as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its identifier, which grows with time. Of facts of one second, those of one instance are in their order.
    pub id: Id,
    /// When it happened.
    pub at: Timestamp,
    /// What happened: the stored name of an [`AuditKind`], perhaps one of another version.
    pub kind: String,
    /// The person it concerns.
    pub user: Option<UserId>,
    /// The client it concerns.
    pub client: Option<ClientId>,
    /// The tenant it happened in.
    pub tenant: Option<TenantId>,
    /// The grant it concerns.
    pub grant: Option<GrantId>,
    /// More, for the reader.
    pub detail: Option<String>,
}

impl Store {
    /// Draws the identifier of a fact that a verb is going to record: a later one than those of this instance before it,
    /// within a second too, so that a reader of the log sees cause before effect.
    pub(super) fn noted(&self, event: AuditEvent) -> Noted {
        let mut chance: [u8; 10] = self.random.bytes();
        chance[..4].copy_from_slice(&self.noted.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        Noted { id: Id::new(event.at, chance), event }
    }

    /// Records a fact that changes nothing else, such as a refused consent.
    pub async fn record(&self, audit: AuditEvent) -> Result<(), StoreError> {
        self.write(self.noted(audit), |tx, audit| Box::pin(record(tx, audit))).await
    }

    /// At most `limit` facts, newest first, older than the one with the identifier `before`.
    pub async fn audit_events(
        &self,
        before: Option<&Id>,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let before = before.map_or(AFTER_EVERY_ID, Id::as_str);
        self.backend.all(RECENT, args![before, i64::from(limit)]).await?.iter().map(recorded).collect()
    }
}

impl Store {
    /// At most `limit` facts that `filter` asks for, newest first, older than the one with the identifier `before`.
    pub async fn matching_audit_events(
        &self,
        filter: &AuditFilter,
        before: Option<&Id>,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let since = filter.since.map(|since| Id::new(since, [0; 10]));
        let args = args![
            before.map_or(AFTER_EVERY_ID, Id::as_str),
            since.as_ref().map_or("", Id::as_str),
            filter.user.as_ref().map(UserId::as_str),
            filter.client.as_ref().map(ClientId::as_str),
            filter.kind.map(AuditKind::as_str),
            i64::from(limit),
        ];
        self.backend.all(MATCHING, args).await?.iter().map(recorded).collect()
    }
}

/// Records a fact within the verb that makes it true.
pub(super) async fn record(tx: &mut Tx<'_>, audit: &Noted) -> Result<(), StoreError> {
    let event = &audit.event;
    let args = args![
        &audit.id,
        event.at,
        event.kind.as_str(),
        event.user.as_ref().map(UserId::as_str),
        event.client.as_ref().map(ClientId::as_str),
        event.tenant.as_ref().map(TenantId::as_str),
        event.grant.as_ref().map(GrantId::as_str),
        event.detail.as_deref(),
    ];
    tx.execute(RECORD, args).await.map(drop)
}

fn recorded(row: &Row) -> Result<RecordedEvent, StoreError> {
    Ok(RecordedEvent {
        id: row.parsed("id", Id::parse)?,
        at: row.time("at")?,
        kind: row.text("kind")?.to_owned(),
        user: row.optional("user_id", UserId::parse)?,
        client: row.optional("client_id", ClientId::parse)?,
        tenant: row.optional("tenant_id", TenantId::parse)?,
        grant: row.optional("grant_id", GrantId::parse)?,
        detail: row.optional_text("detail")?.map(str::to_owned),
    })
}
