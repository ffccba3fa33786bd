//! Authorization codes: read, counted against guessing, redeemed once.

use super::audit::{Noted, record};
use super::backend::Tx;
use super::grant::{alive, grant_columns, known_grant};
use super::sql::statements;
use super::value::{Row, args};
use super::{KnownGrant, Outcome, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::code::MAX_WRONG_VERIFIERS;
use crate::protocol::{
    AuthorizationCode, ClientId, CodeChallenge, CodeId, RedirectUri, RefreshState, SecretHash,
};

statements! {
    BY_ID = concat!("SELECT a.id AS code_id, a.secret_hash, a.client_id AS code_client_id, a.redirect_uri,
            a.code_challenge, a.expires_at AS code_expires_at, a.redeemed_at, a.wrong_verifiers, a.nonce, ", grant_columns!(), "
        FROM authorization_codes a JOIN grants g ON g.id = a.grant_id WHERE a.id = $1");
    /// Says who won: once, in time, not guessed at too often, and under a grant that is alive.
    REDEEM = concat!("UPDATE authorization_codes SET redeemed_at = $2
        WHERE id = $1 AND redeemed_at IS NULL AND expires_at > $2 AND wrong_verifiers < $3
        AND EXISTS (SELECT 1 FROM grants g WHERE g.id = authorization_codes.grant_id AND ", alive!(), ")
        RETURNING grant_id");
    START_REFRESH = "UPDATE grants SET refresh_generation = $2, refresh_rotated_at = $3, refresh_retries = $4,
            refresh_idle_expires_at = $5, refresh_expires_at = $6
        WHERE id = $1 AND revoked_at IS NULL AND refresh_expires_at IS NULL";
    COUNT_WRONG = "UPDATE authorization_codes SET wrong_verifiers = wrong_verifiers + 1
        WHERE id = $1 AND redeemed_at IS NULL AND wrong_verifiers < $2";
}

/// A code with all that is needed to decide about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCode {
    /// The code.
    pub code: AuthorizationCode,
    /// What its secret must hash to.
    pub secret_hash: SecretHash,
    /// The grant it belongs to, and whether that may be used.
    pub grant: KnownGrant,
}

impl Store {
    /// A code, spent or not, with its grant. A spent one is found as long as its grant is kept, so that a replay is
    /// recognized (RFC 9700 §4.5).
    pub async fn authorization_code(&self, id: &CodeId) -> Result<Option<KnownCode>, StoreError> {
        self.backend.optional(BY_ID, args![id]).await?.as_ref().map(known_code).transpose()
    }

    /// Spends a code at the moment of `audit` and, if there is to be one, starts its grant's chain of refresh
    /// tokens. Lost when it was spent before, has expired or been guessed at too often, or its grant is not alive.
    pub async fn redeem_code(
        &self,
        id: &CodeId,
        refresh: Option<RefreshState>,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let args = (id.clone(), refresh, self.noted(audit));
        self.write_guarded(args, |tx, (id, refresh, audit)| Box::pin(redeem(tx, id, *refresh, audit))).await
    }

    /// Counts a wrong verifier against a code. Lost when the code is spent or dead already.
    pub async fn count_wrong_verifier(&self, id: &CodeId, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((id.clone(), self.noted(audit)), |tx, (id, audit)| {
            Box::pin(async move {
                if tx.execute(COUNT_WRONG, args![id, i64::from(MAX_WRONG_VERIFIERS)]).await? == 0 {
                    return Ok(Outcome::Lost);
                }
                record(tx, audit).await?;
                Ok(Outcome::Won(()))
            })
        })
        .await
    }
}

async fn redeem(
    tx: &mut Tx<'_>,
    id: &CodeId,
    refresh: Option<RefreshState>,
    audit: &Noted,
) -> Result<Outcome, StoreError> {
    let redeemed = tx.optional(REDEEM, args![id, audit.at(), i64::from(MAX_WRONG_VERIFIERS)]).await?;
    let Some(row) = redeemed else { return Ok(Outcome::Lost) };
    if let Some(state) = refresh {
        let args = args![
            row.text("grant_id")?,
            i64::from(state.generation),
            state.rotated_at,
            i64::from(state.retries),
            state.idle_expires_at,
            state.expires_at,
        ];
        if tx.execute(START_REFRESH, args).await? == 0 {
            return Ok(Outcome::Lost);
        }
    }
    record(tx, audit).await?;
    Ok(Outcome::Won(()))
}

fn known_code(row: &Row) -> Result<KnownCode, StoreError> {
    let grant = known_grant(row)?;
    let code = AuthorizationCode {
        id: row.parsed("code_id", CodeId::parse)?,
        grant: grant.grant.id.clone(),
        client: row.parsed("code_client_id", ClientId::parse)?,
        redirect_uri: row.parsed("redirect_uri", |uri| RedirectUri::parse(uri).ok())?,
        challenge: row.parsed("code_challenge", CodeChallenge::parse)?,
        expires_at: row.time("code_expires_at")?,
        redeemed_at: row.optional_time("redeemed_at")?,
        wrong_verifiers: row.count("wrong_verifiers")?,
        nonce: row.optional_text("nonce")?.map(str::to_owned),
    };
    let secret_hash = SecretHash::from_stored(row.text("secret_hash")?.to_owned());
    Ok(KnownCode { code, secret_hash, grant })
}
