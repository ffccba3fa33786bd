//! What an administrator does to signing keys, beside a running server: hasten, install, revoke, and seal everything
//! anew under another key-encryption key.

use super::audit::{self, Noted};
use super::backend::Tx;
use super::signing_key::{INSERT_ACTIVE, is_sealed_like, is_sealed_under, new_key};
use super::sql::statements;
use super::value::args;
use super::{Outcome, SigningKey, SigningKeyState, Store, StoreError};
use crate::audit::AuditEvent;
use crate::protocol::{Sealed, ServerSecretId, Timestamp};

statements! {
    HASTEN = "UPDATE signing_keys SET activate_at = $2 WHERE kid = $1 AND state = 'next'";
    RETIRE_ACTIVE = "UPDATE signing_keys SET state = 'retired', slot = NULL, retired_at = $2, expires_at = $3
        WHERE alg = $1 AND state = 'active'";
    /// The private part goes at once; the name stays for a while, so that it is not given to another key.
    REVOKE = "UPDATE signing_keys SET state = 'revoked', slot = NULL, sealed = '', activate_at = NULL,
            retired_at = $3, expires_at = $4
        WHERE kid = $1 AND state = $2";
    PROMOTE = "UPDATE signing_keys SET state = 'active', slot = alg, activate_at = NULL, activated_at = $2
        WHERE alg = $1 AND state = 'next' RETURNING kid, created_at";
    /// Somebody else may have sealed it anew.
    RESEAL_KEY = "UPDATE signing_keys SET sealed = $3 WHERE kid = $1 AND sealed = $2";
    RESEAL_SECRET = "UPDATE server_secrets SET sealed = $3 WHERE id = $1 AND sealed = $2";
    /// Whatever is still sealed under another key: made meanwhile, or unknown to who sealed anew.
    SEALED_OTHERWISE = "SELECT kid FROM signing_keys WHERE sealed <> '' AND substr(sealed, 1, 9) <> $1
        UNION ALL SELECT id FROM server_secrets WHERE substr(sealed, 1, 9) <> $1";
}

/// What became of the signatures when a key was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRevoked {
    /// It did not sign (any more, or yet): nothing changes for new tokens.
    NotSigning,
    /// The key that waited signs from now on.
    NextTookOver {
        /// Which.
        kid: String,
        /// Since when it is published.
        published_at: Timestamp,
    },
    /// A key that nobody knew before signs from now on.
    FreshTookOver {
        /// Which.
        kid: String,
    },
}

/// A row that is sealed anew.
#[derive(Clone, Debug)]
pub struct Resealed<I> {
    /// Which row.
    pub id: I,
    /// As it is sealed, unless somebody was faster.
    pub from: Sealed,
    /// As it is to be sealed.
    pub to: Sealed,
}

/// Everything that is sealed in the database.
#[derive(Clone, Debug)]
pub struct Rewrap {
    /// Signing keys, by `kid`.
    pub keys: Vec<Resealed<String>>,
    /// Server secrets.
    pub secrets: Vec<Resealed<ServerSecretId>>,
    /// The name of the key-encryption key under which they are sealed.
    pub from: String,
    /// The name of the one under which they are to be sealed.
    pub to: String,
}

struct Revocation {
    kid: String,
    was: SigningKeyState,
    fresh: SigningKey,
    forget_at: Timestamp,
    audit: Noted,
}

struct Installation {
    key: SigningKey,
    expires_at: Timestamp,
    audit: Noted,
}

impl Store {
    /// Decides when a waiting key is to take over at the earliest; lost when it does not wait.
    pub async fn hasten_signing_key(&self, kid: &str, activate_at: Timestamp) -> Result<Outcome, StoreError> {
        self.write_guarded((kid.to_owned(), activate_at), |tx, (kid, at)| {
            Box::pin(async move { Ok(Outcome::of(tx.execute(HASTEN, args![kid, *at]).await?)) })
        })
        .await
    }

    /// Lets a key sign from now on that nobody knows yet, and retires the one that did, published until `expires_at`.
    /// Lost when a key has this name, or the database is sealed under another key-encryption key. The fact's moment is
    /// the present.
    pub async fn install_signing_key(
        &self,
        key: SigningKey,
        expires_at: Timestamp,
        audit: AuditEvent,
    ) -> Result<Outcome, StoreError> {
        let installation = Installation { key, expires_at, audit: self.noted(audit) };
        self.write_guarded(installation, |tx, installation| Box::pin(install(tx, installation))).await
    }

    /// Revokes a key that was seen in the state `was`: its private part is deleted, it is published no longer, and if it
    /// signed, the key that waits takes over, or else `fresh`. Its name is kept until `forget_at`. Lost when it is in
    /// another state by now, or the database is sealed under another key-encryption key. The fact's moment is the
    /// present.
    pub async fn revoke_signing_key(
        &self,
        (kid, was): (&str, SigningKeyState),
        fresh: SigningKey,
        forget_at: Timestamp,
        audit: AuditEvent,
    ) -> Result<Outcome<KeyRevoked>, StoreError> {
        let kid = kid.to_owned();
        let revocation = Revocation { kid, was, fresh, forget_at, audit: self.noted(audit) };
        self.write_guarded(revocation, |tx, revocation| Box::pin(revoke(tx, revocation))).await
    }

    /// Replaces everything that is sealed, in one transaction. Lost, and nothing changed, when anything has been made or
    /// sealed anew since it was read. The fact's moment is the present.
    pub async fn rewrap(&self, rewrap: Rewrap, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((rewrap, self.noted(audit)), |tx, (rewrap, audit)| {
            Box::pin(reseal(tx, rewrap, audit))
        })
        .await
    }
}

async fn install(tx: &mut Tx<'_>, installation: &Installation) -> Result<Outcome, StoreError> {
    let Installation { key, expires_at, audit } = installation;
    if !is_sealed_like(tx, key).await? {
        return Ok(Outcome::Lost);
    }
    tx.execute(RETIRE_ACTIVE, args![key.alg.as_str(), audit.at(), *expires_at]).await?;
    if tx.execute(INSERT_ACTIVE, &new_key(key)).await? == 0 {
        return Ok(Outcome::Lost);
    }
    audit::record(tx, audit).await?;
    Ok(Outcome::Won(()))
}

async fn revoke(tx: &mut Tx<'_>, revocation: &Revocation) -> Result<Outcome<KeyRevoked>, StoreError> {
    let Revocation { kid, was, fresh, forget_at, audit } = revocation;
    let args = args![kid, was.as_str(), audit.at(), *forget_at];
    if !is_sealed_like(tx, fresh).await? || tx.execute(REVOKE, args).await? == 0 {
        return Ok(Outcome::Lost);
    }
    audit::record(tx, audit).await?;
    if *was != SigningKeyState::Active {
        return Ok(Outcome::Won(KeyRevoked::NotSigning));
    }
    if let Some(row) = tx.optional(PROMOTE, args![fresh.alg.as_str(), audit.at()]).await? {
        let (kid, published_at) = (row.text("kid")?.to_owned(), row.time("created_at")?);
        return Ok(Outcome::Won(KeyRevoked::NextTookOver { kid, published_at }));
    }
    let inserted = tx.execute(INSERT_ACTIVE, &new_key(fresh)).await?;
    Ok(if inserted == 0 {
        Outcome::Lost
    } else {
        Outcome::Won(KeyRevoked::FreshTookOver { kid: fresh.kid.clone() })
    })
}

async fn reseal(tx: &mut Tx<'_>, rewrap: &Rewrap, audit: &Noted) -> Result<Outcome, StoreError> {
    // First, so that nobody adds a key under the old one from here on.
    if !is_sealed_under(tx, &rewrap.from).await? {
        return Ok(Outcome::Lost);
    }
    let mut missed = false;
    for Resealed { id, from, to } in &rewrap.keys {
        missed |= tx.execute(RESEAL_KEY, args![id, from.as_str(), to.as_str()]).await? == 0;
    }
    for Resealed { id, from, to } in &rewrap.secrets {
        missed |= tx.execute(RESEAL_SECRET, args![id, from.as_str(), to.as_str()]).await? == 0;
    }
    let left = tx.optional(SEALED_OTHERWISE, args![&format!("{}.", rewrap.to)]).await?;
    if missed || left.is_some() {
        return Ok(Outcome::Lost);
    }
    audit::record(tx, audit).await?;
    Ok(Outcome::Won(()))
}
