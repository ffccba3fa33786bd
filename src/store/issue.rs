//! Completing an authorization: one verb that leaves a grant with its code, or nothing.

use super::audit::{Noted, record};
use super::backend::Tx;
use super::sql::statements;
use super::value::{args, json};
use super::{Outcome, Store, StoreError, consent, interaction};
use crate::audit::AuditEvent;
use crate::protocol::{
    AuthorizationCode, BrowserSessionId, ClientId, Consent, Grant, InteractionId, SecretHash, Timestamp,
};

statements! {
    /// The person must still be logged in, a member and not suspended, the client and the tenant not suspended.
    GRANT = "INSERT INTO grants (id, user_id, client_id, tenant_id, resources, scope, auth_time, issued_at, secret_id)
        SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT), $9
        WHERE EXISTS (SELECT 1 FROM browser_sessions s JOIN users u ON u.id = s.user_id
            WHERE s.id = $10 AND s.user_id = $2 AND s.expires_at > CAST($11 AS BIGINT) AND u.suspended_at IS NULL)
        AND EXISTS (SELECT 1 FROM clients c WHERE c.id = $3 AND c.suspended_at IS NULL)
        AND EXISTS (SELECT 1 FROM memberships m JOIN tenants t ON t.id = m.tenant_id
            WHERE m.user_id = $2 AND m.tenant_id = $4 AND t.suspended_at IS NULL)";
    CODE = "INSERT INTO authorization_codes
        (id, secret_hash, grant_id, client_id, redirect_uri, code_challenge, issued_at, expires_at, wrong_verifiers,
            nonce)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)";
    /// Matches once in a client's life, so that the row that all its installations share is not locked again.
    MARK_USED = "UPDATE clients SET used_at = $2 WHERE id = $1 AND used_at IS NULL
        AND origin IN ('dynamic', 'document')";
}

/// A completed authorization.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The browser session of the person who agreed.
    pub session: BrowserSessionId,
    /// The parked request that this completes, unless nobody had to be asked.
    pub interaction: Option<InteractionId>,
    /// The decisions to remember, one for each resource that was decided about.
    pub consents: Vec<Consent>,
    /// The new grant. It has no refresh tokens before its code is redeemed.
    pub grant: Grant,
    /// Its code.
    pub code: AuthorizationCode,
    /// What the code's secret hashes to.
    pub code_secret_hash: SecretHash,
}

impl Store {
    /// Takes the interaction, remembers the consents, and inserts the grant with its code. Lost, with nothing
    /// written, when the interaction was taken before or person, session, client, tenant or membership have ended.
    pub async fn issue(&self, issue: Issue, audit: AuditEvent) -> Result<Outcome, StoreError> {
        let args = (issue, self.noted(audit));
        self.write_guarded(args, |tx, (issue, audit)| Box::pin(complete(tx, issue, audit))).await
    }
}

async fn complete(tx: &mut Tx<'_>, issue: &Issue, audit: &Noted) -> Result<Outcome, StoreError> {
    let now = audit.at();
    if let Some(id) = &issue.interaction
        && !interaction::take(tx, id, &issue.session, now).await?
    {
        return Ok(Outcome::Lost);
    }
    if !insert_grant(tx, &issue.grant, &issue.session, now).await? {
        return Ok(Outcome::Lost);
    }
    insert_code(tx, issue).await?;
    for consent in &issue.consents {
        consent::remember(tx, consent).await?;
    }
    mark_used(tx, &issue.grant.client, now).await?;
    record(tx, audit).await?;
    Ok(Outcome::Won(()))
}

/// Notes that somebody let a client in that nobody declared: from now on it stays.
pub(super) async fn mark_used(tx: &mut Tx<'_>, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(MARK_USED, args![client, now]).await.map(drop)
}

async fn insert_grant(
    tx: &mut Tx<'_>,
    grant: &Grant,
    session: &BrowserSessionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (resources, general) = (json(&grant.resources)?, grant.general.to_string());
    let args = args![
        &grant.id,
        &grant.user,
        &grant.client,
        &grant.tenant,
        &resources,
        &general,
        grant.auth_time,
        grant.issued_at,
        &grant.secret,
        session,
        now,
    ];
    Ok(tx.execute(GRANT, args).await? > 0)
}

async fn insert_code(tx: &mut Tx<'_>, issue: &Issue) -> Result<(), StoreError> {
    let code = &issue.code;
    let args = args![
        &code.id,
        issue.code_secret_hash.as_str(),
        &code.grant,
        &code.client,
        code.redirect_uri.as_str(),
        code.challenge.as_str(),
        issue.grant.issued_at,
        code.expires_at,
        code.nonce.as_deref(),
    ];
    tx.execute(CODE, args).await.map(drop)
}
