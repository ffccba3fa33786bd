//! Turning declared secrets into what the database may hold.

use super::StartError;
use crate::config::{Declared, DeclaredClient, DeclaredMembership, DeclaredPassword, DeclaredUser};
use crate::protocol::{
    Client, Id, InitialAccessToken, InitialAccessTokenId, PasswordHash, Timestamp, User, UserId,
};
use crate::random::Random;
use crate::store::{self, Account, Declarations, Store};
use crate::tokens::{ClientSecret, PasswordHasher, ServerSecrets};

/// The declarations with every secret hashed. What is declared as before comes out as it is stored, so that a start
/// without changes changes nothing.
pub(super) async fn hashed(
    store: &Store,
    declared: Declared,
    secrets: &ServerSecrets,
    passwords: &PasswordHasher,
    random: &Random,
    now: Timestamp,
) -> Result<Declarations, StartError> {
    let mut users = Vec::with_capacity(declared.users.len());
    for user in declared.users {
        let stored = match &user.id {
            Some(id) => store.account(id).await?,
            None => store.account_by_username(&User::fold(&user.username)).await?,
        };
        let id = match (&user.id, &stored) {
            (Some(id), _) => id.clone(),
            (None, Some(account)) => account.user.id.clone(),
            (None, None) => UserId::from(Id::new(now, random.bytes())),
        };
        let password_hash = password_hash(user.password.as_ref(), stored.as_ref(), passwords).await?;
        users.push(declared_user(user, id, password_hash));
    }
    let clients = declared.clients.into_iter().map(|client| with_hashes(client, secrets, now)).collect();
    let tokens = declared.registration_tokens.into_iter();
    let tokens = tokens.map(|token| {
        let id = InitialAccessTokenId::new(now, random.bytes());
        let hash = secrets.hash(&ClientSecret::from_text(token.secret.expose_secret().to_owned()));
        InitialAccessToken {
            scopes: token.scopes,
            machines: token.machines,
            max_uses: token.max_uses,
            expires_at: token.expires_at,
            ..InitialAccessToken::new(id, &token.name, hash, now)
        }
    });
    Ok(Declarations {
        tenants: declared.tenants,
        roles: declared.roles,
        users,
        resources: declared.resources,
        clients,
        registration_tokens: tokens.collect(),
    })
}

fn declared_user(user: DeclaredUser, id: UserId, password_hash: Option<PasswordHash>) -> store::DeclaredUser {
    store::DeclaredUser {
        user: User { id, username: user.username, name: user.name, email: user.email, suspended_at: None },
        password_hash,
        attributes: user.attributes,
        memberships: user.memberships.into_iter().map(declared_membership).collect(),
    }
}

fn declared_membership(declared: DeclaredMembership) -> store::DeclaredMembership {
    let DeclaredMembership { tenant, roles, attributes } = declared;
    store::DeclaredMembership { tenant, roles, attributes }
}

async fn password_hash(
    declared: Option<&DeclaredPassword>,
    stored: Option<&Account>,
    passwords: &PasswordHasher,
) -> Result<Option<PasswordHash>, StartError> {
    let stored = stored.and_then(|account| account.password_hash.as_ref());
    match declared {
        None => Ok(None),
        Some(DeclaredPassword::Hash(hash)) => Ok(Some(hash.clone())),
        Some(DeclaredPassword::Plain(plain)) => {
            let plain = plain.expose_secret();
            if let Some(stored) = stored
                && passwords.verify(plain, Some(stored)).await?
            {
                return Ok(Some(stored.clone()));
            }
            Ok(Some(passwords.hash(plain).await?))
        }
    }
}

fn with_hashes(declared: DeclaredClient, secrets: &ServerSecrets, now: Timestamp) -> Client {
    let texts =
        declared.secrets.into_iter().map(|secret| ClientSecret::from_text(secret.expose_secret().to_owned()));
    let secret_hashes = texts.map(|secret| secrets.hash(&secret)).collect();
    Client { secret_hashes, registered_at: now, ..declared.client }
}
