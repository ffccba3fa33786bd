//! Security-relevant facts, kept in the database beside what they tell of.

use crate::protocol::{ClientId, GrantId, TenantId, Timestamp, UserId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// Somebody logged in.
    LoggedIn,
    /// Somebody logged out.
    LoggedOut,
    /// A client registered itself.
    ClientRegistered,
    /// A client replaced its registration (RFC 7592 §2.2).
    ClientReplaced,
    /// A client deleted itself (RFC 7592 §2.3); its grants were revoked.
    ClientDeleted,
    /// A token was made by which clients may be registered (RFC 7591 §1.2).
    InitialAccessTokenIssued,
    /// Such a token was taken back.
    InitialAccessTokenRevoked,
    /// A client's document was read for the first time, or says something new.
    ClientDocumentRead,
    /// A person let a client act for them; a code was issued.
    GrantIssued,
    /// A person refused a client.
    ConsentRefused,
    /// A code was redeemed for tokens.
    CodeRedeemed,
    /// A redeemed code was presented again; its grant was revoked (RFC 9700 §4.5).
    CodeReplayed,
    /// A code was presented with a wrong verifier.
    WrongVerifier,
    /// A refresh token was exchanged for the next.
    RefreshRotated,
    /// The refresh token before the live one was presented again inside the retry window.
    RefreshRetried,
    /// An old refresh token was presented; its grant was revoked (RFC 9700 §4.14.2).
    RefreshReplayed,
    /// A client gave a refresh token back; its grant was revoked (RFC 7009 §2.1).
    RefreshTokenRevoked,
    /// A client gave an access token back; that token alone was revoked (RFC 7009 §2.1).
    AccessTokenRevoked,
    /// A person's password was replaced; they were logged out everywhere and their grants revoked.
    PasswordChanged,
    /// A signing key was published; it does not sign yet.
    KeyPublished,
    /// A signing key took over from another.
    KeyRotated,
    /// A signing key was brought in and signs at once.
    KeyInstalled,
    /// A signing key was revoked: what it signed is good no longer.
    KeyRevoked,
    /// All that is sealed in the database was sealed anew under another key-encryption key.
    KeysRewrapped,
    /// An account, client or tenant was suspended, and its grants with it.
    Suspended,
    /// An account, client or tenant that was suspended may be used again.
    Resumed,
    /// A grant was revoked by an administrator.
    GrantRevoked,
    /// A client was given a secret, or lost one.
    ClientSecretChanged,
    /// An administrator added something.
    Added,
    /// An administrator changed something.
    Changed,
    /// An administrator deleted something.
    Deleted,
}

impl AuditKind {
    /// Everything that can happen.
    pub const ALL: [Self; 31] = [
        Self::LoggedIn,
        Self::LoggedOut,
        Self::ClientRegistered,
        Self::ClientReplaced,
        Self::ClientDeleted,
        Self::InitialAccessTokenIssued,
        Self::InitialAccessTokenRevoked,
        Self::ClientDocumentRead,
        Self::GrantIssued,
        Self::ConsentRefused,
        Self::CodeRedeemed,
        Self::CodeReplayed,
        Self::WrongVerifier,
        Self::RefreshRotated,
        Self::RefreshRetried,
        Self::RefreshReplayed,
        Self::RefreshTokenRevoked,
        Self::AccessTokenRevoked,
        Self::PasswordChanged,
        Self::KeyPublished,
        Self::KeyRotated,
        Self::KeyInstalled,
        Self::KeyRevoked,
        Self::KeysRewrapped,
        Self::Suspended,
        Self::Resumed,
        Self::GrantRevoked,
        Self::ClientSecretChanged,
        Self::Added,
        Self::Changed,
        Self::Deleted,
    ];

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Its stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoggedIn => "logged_in",
            Self::LoggedOut => "logged_out",
            Self::ClientRegistered => "client_registered",
            Self::ClientReplaced => "client_replaced",
            Self::ClientDeleted => "client_deleted",
            Self::InitialAccessTokenIssued => "initial_access_token_issued",
            Self::InitialAccessTokenRevoked => "initial_access_token_revoked",
            Self::ClientDocumentRead => "client_document_read",
            Self::GrantIssued => "grant_issued",
            Self::ConsentRefused => "consent_refused",
            Self::CodeRedeemed => "code_redeemed",
            Self::CodeReplayed => "code_replayed",
            Self::WrongVerifier => "wrong_verifier",
            Self::RefreshRotated => "refresh_rotated",
            Self::RefreshRetried => "refresh_retried",
            Self::RefreshReplayed => "refresh_replayed",
            Self::RefreshTokenRevoked => "refresh_token_revoked",
            Self::AccessTokenRevoked => "access_token_revoked",
            Self::PasswordChanged => "password_changed",
            Self::KeyPublished => "key_published",
            Self::KeyRotated => "key_rotated",
            Self::KeyInstalled => "key_installed",
            Self::KeyRevoked => "key_revoked",
            Self::KeysRewrapped => "keys_rewrapped",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::GrantRevoked => "grant_revoked",
            Self::ClientSecretChanged => "client_secret_changed",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// One fact: what happened, when, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: AuditKind,
    /// The person it concerns.
    pub user: Option<UserId>,
    /// The client it concerns.
    pub client: Option<ClientId>,
    /// The tenant it happened in.
    pub tenant: Option<TenantId>,
    /// The grant it concerns.
    pub grant: Option<GrantId>,
    /// More, for the reader of the log; never a secret.
    pub detail: Option<String>,
}

impl AuditEvent {
    /// A fact that concerns nobody yet; the other methods add whom.
    pub fn new(at: Timestamp, kind: AuditKind) -> Self {
        Self { at, kind, user: None, client: None, tenant: None, grant: None, detail: None }
    }

    /// Adds the person.
    pub fn user(self, user: &UserId) -> Self {
        Self { user: Some(user.clone()), ..self }
    }

    /// Adds the client.
    pub fn client(self, client: &ClientId) -> Self {
        Self { client: Some(client.clone()), ..self }
    }

    /// Adds the tenant.
    pub fn tenant(self, tenant: &TenantId) -> Self {
        Self { tenant: Some(tenant.clone()), ..self }
    }

    /// Adds the grant with its person, client and tenant.
    pub fn grant(self, grant: &crate::protocol::Grant) -> Self {
        Self {
            user: Some(grant.user.clone()),
            client: Some(grant.client.clone()),
            tenant: Some(grant.tenant.clone()),
            grant: Some(grant.id.clone()),
            ..self
        }
    }

    /// Adds a word of explanation.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}
