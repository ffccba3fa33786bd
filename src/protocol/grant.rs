//! Grants: one per completed authorization, and everything that is issued under it.

use super::{
    BrowserSessionId, ClientId, CodeChallenge, CodeId, GrantId, InteractionId, RedirectUri, ResourceUri,
    Scope, ServerSecretId, TenantId, Timestamp, UserId,
};

/// That a person let one installation of a client act for them at a resource, in one tenant.
///
/// A client may be shared by all installations of a product; the grant is what tells them apart. Revoking it ends
/// one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its identifier, which every code and token issued under it carries.
    pub id: GrantId,
    /// Who gave it.
    pub user: UserId,
    /// To which client.
    pub client: ClientId,
    /// In which tenant; every token takes the tenant from here.
    pub tenant: TenantId,
    /// For which resource (RFC 8707 §2).
    pub resource: ResourceUri,
    /// How far it goes, `offline_access` included when it was asked for.
    pub scope: Scope,
    /// When the person had proved who they are.
    pub auth_time: Timestamp,
    /// When it was given.
    pub issued_at: Timestamp,
    /// The server secret under which its refresh tokens are made.
    pub secret: ServerSecretId,
    /// The chain of refresh tokens, when the client uses them.
    pub refresh: Option<RefreshState>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Where a grant's chain of refresh tokens stands. The tokens themselves are derived, not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshState {
    /// The number of the live token, counted from zero.
    pub generation: u32,
    /// When the live token was made.
    pub rotated_at: Timestamp,
    /// How often the token before it was presented again since.
    pub retries: u32,
    /// When the live token ends for want of use.
    pub idle_expires_at: Timestamp,
    /// When the chain ends however busy it is.
    pub expires_at: Timestamp,
}

/// A code that waits to be redeemed (RFC 6749 §4.1.2), without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Its identifier, the first part of the code.
    pub id: CodeId,
    /// The grant it belongs to.
    pub grant: GrantId,
    /// The client it was given to.
    pub client: ClientId,
    /// Where it was sent.
    pub redirect_uri: RedirectUri,
    /// The challenge that the redeemer must meet (RFC 7636 §4.4).
    pub challenge: CodeChallenge,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
    /// How many wrong verifiers have been presented.
    pub wrong_verifiers: u32,
}

/// The remembered decision of a person about a client at a resource, in one tenant. A grant is one use of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who decided.
    pub user: UserId,
    /// About which client.
    pub client: ClientId,
    /// In which tenant.
    pub tenant: TenantId,
    /// At which resource.
    pub resource: ResourceUri,
    /// What was allowed.
    pub scope: Scope,
    /// The receiver it was given for; another one is asked about anew.
    pub redirect_host: String,
    /// When it was last given.
    pub given_at: Timestamp,
}

/// An authorization request parked while the person whose browser sent it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Its identifier.
    pub id: InteractionId,
    /// The browser session it belongs to; no other may resume it.
    pub session: BrowserSessionId,
    /// The request's parameters, form-encoded.
    pub request: String,
    /// When it ends.
    pub expires_at: Timestamp,
}
