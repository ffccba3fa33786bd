//! The rules of OAuth 2.1 and of MCP authorization as plain functions over plain values.
//!
//! Nothing here waits, reads a clock, draws a random number, logs, or knows a database or HTTP library:
//! values go in, a decision comes out. Whoever reviews Gatelet can start here.

mod administration;
pub mod ask;
mod attributes;
mod authorize;
#[cfg(test)]
mod case;
mod claim_name;
mod claims;
mod client;
pub mod client_assertion;
pub mod client_auth;
mod client_change;
pub mod client_document;
mod client_document_url;
pub mod client_information;
mod client_metadata;
pub mod client_rules;
pub mod code;
mod error;
#[cfg(test)]
mod fixtures;
mod grant;
mod id;
mod initial_access;
pub mod introspection;
mod issuer;
pub mod key_rotation;
pub mod lockout;
pub mod logout;
mod loopback;
mod machine;
mod metadata;
mod network;
mod own_audience;
mod params;
mod person;
mod pkce;
mod policy;
mod public_url;
mod rate;
mod redirect_uri;
pub mod refresh;
pub mod registration;
pub mod resource;
pub mod revocation;
mod scope;
mod signing_alg;
pub mod step;
mod stored_secret;
mod test_mark;
mod timestamp;
pub mod token_request;
mod userinfo;

pub use administration::{ResourceChange, ScopeRules};
pub use attributes::{Attribute, AttributeChanges, AttributeName, Attributes, change_attributes};
pub use authorize::{Addressed, AuthorizationRequest, Prompt, Received, ReturnAddress};
pub use claim_name::ClaimName;
pub use claims::{ClaimFacts, ClaimMapping, ClaimNames, ClaimSource, PersonFacts};
pub use client::{Client, ClientAuthMethod, ClientKeys, ClientOrigin, DocumentState, GrantType};
pub use client_change::ClientChange;
pub use client_document_url::DocumentUrl;
pub use client_metadata::Misfit;
pub use error::{Answer, Endpoint, ErrorCode, OAuthError};
pub use grant::{AuthorizationCode, Consent, Grant, Granted, Interaction, RefreshState, Standing};
pub use id::{
    BrowserSessionId, ClientId, CodeId, GrantId, Id, InitialAccessTokenId, InteractionId, RoleName,
    ServerSecretId, TenantId, UserId,
};
pub use initial_access::InitialAccessToken;
pub use issuer::{Issuer, IssuerError};
pub use loopback::is_loopback;
pub use machine::MachineScopes;
pub use metadata::Metadata;
pub use network::{MalformedNetwork, Network, sender};
pub use params::Params;
pub use person::{ACR_PASSWORD, BrowserSession, Membership, Role, SHORTEST_SECRET, Tenant, User};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use policy::{ClientDocuments, IntrospectionMode, Lifetimes, Policy, RegistrationMode};
pub use public_url::{PublicUrl, UrlError};
pub use rate::{Rate, Rates, TooMany, Used};
pub use redirect_uri::{RedirectUri, RedirectUriError};
pub use resource::{KnownScopes, Resource, ResourceScope, ResourceUri};
pub use scope::{MalformedScope, Scope, ScopeToken};
pub use signing_alg::SigningAlg;
pub use stored_secret::{PasswordHash, Sealed, SecretHash};
pub use test_mark::TEST_MARK;
pub use timestamp::Timestamp;
pub use userinfo::UserInfo;
