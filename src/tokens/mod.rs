//! Everything that is signed, sealed, hashed or drawn by chance: the only module that knows cryptographic libraries.
//!
//! A secret has a type of its own here, without `Display` or `Serialize`, and comes out only through a method whose
//! name begins with `expose_`; what may be stored of it is a type of [`crate::protocol`].

mod access_token;
pub mod assertion;
mod base64url;
pub mod client_key_set;
mod client_secret;
pub mod forge;
mod id_token;
mod jwk;
mod key;
mod key_encryption_key;
mod key_import;
mod key_ring;
mod marked;
mod new_keys;
mod password;
mod refresh;
#[cfg(test)]
mod sample;
mod seal;
mod secret;
mod server_secret;
mod subkey;
mod test_keys;

pub use access_token::{AccessTokenClaims, Jti};
pub use client_secret::ClientSecret;
pub use id_token::{IdTokenClaims, at_hash};
pub use jwk::PublicJwk;
pub use key::{SigningFailed, SigningKey};
pub use key_encryption_key::{KeyEncryptionKey, KeyEncryptionKeyError};
pub use key_import::KeyError;
pub use key_ring::{IssueError, KeyRing, TokenKind};
pub use marked::Marked;
pub use new_keys::{NewKeys, TestKeyPool, TestKeyShare};
pub use password::{PasswordError, PasswordHasher, PasswordPlace};
pub use refresh::{PresentedRefreshToken, RefreshToken};
pub use seal::OpenError;
pub use secret::{
    BrowserSessionToken, CodeToken, InitialAccessTokenText, OpaqueSecret, OpaqueToken, RegistrationToken,
    Secret, TokenId,
};
pub use server_secret::{ServerSecret, ServerSecrets};
pub use test_keys::{TEST_KEYS, TestKey, is_test_key};
