//! Server secrets: the keys that make a stolen database useless for forging.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::key_encryption_key::KeyEncryptionKey;
use super::seal::{OpenError, Sealer};
use super::secret::Secret;
use super::{base64url, subkey};
use crate::protocol::{Sealed, SecretHash, ServerSecretId};
use crate::random::Random;

/// 256 random bits, of which only the keys derived for single purposes are kept. Shared by all instances through
/// the database, where it lies sealed.
#[derive(Clone)]
pub struct ServerSecret {
    id: ServerSecretId,
    hashing: hmac::Key,
    refresh: hmac::Key,
    csrf: hmac::Key,
    continuation: Sealer,
}

impl ServerSecret {
    /// Draws a fresh secret and seals it for the database.
    pub fn generate(id: ServerSecretId, kek: &KeyEncryptionKey, random: &Random) -> (Self, Sealed) {
        let root = random.bytes::<32>();
        let sealed = kek.seal(&purpose(&id), &root, random);
        (Self::from_root(id, &root), sealed)
    }

    /// Opens a secret that was read from the database.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::open`].
    pub fn open(id: ServerSecretId, sealed: &Sealed, kek: &KeyEncryptionKey) -> Result<Self, OpenError> {
        let root = kek.open(&purpose(&id), sealed)?;
        Ok(Self::from_root(id, &root.try_into().map_err(|_| OpenError::Malformed)?))
    }

    /// Seals a row anew under another key-encryption key.
    ///
    /// # Errors
    /// It does not open under `from`.
    pub fn reseal(
        id: &ServerSecretId,
        sealed: &Sealed,
        from: &KeyEncryptionKey,
        to: &KeyEncryptionKey,
        random: &Random,
    ) -> Result<Sealed, OpenError> {
        let purpose = purpose(id);
        Ok(to.seal(&purpose, &from.open(&purpose, sealed)?, random))
    }

    fn from_root(id: ServerSecretId, root: &[u8; 32]) -> Self {
        Self {
            hashing: subkey::derive(root, "gatelet secret hashing"),
            refresh: subkey::derive(root, "gatelet refresh tokens"),
            csrf: subkey::derive(root, "gatelet csrf tokens"),
            continuation: Sealer::new(id.as_str(), subkey::derive(root, "gatelet continuations")),
            id,
        }
    }

    /// The id of its row; stands before everything that was made with it.
    pub fn id(&self) -> &ServerSecretId {
        &self.id
    }

    /// The key of refresh tokens.
    pub(super) fn refresh_key(&self) -> &hmac::Key {
        &self.refresh
    }
}

fn purpose(id: &ServerSecretId) -> String {
    format!("server secret {id}")
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerSecret({}, ..)", self.id)
    }
}

/// The server secret in use and those that it replaced, which still verify and open what they made. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerSecrets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    current: ServerSecret,
    older: Vec<ServerSecret>,
}

impl ServerSecrets {
    /// Takes the secret to make new things with and those that may still be met.
    pub fn new(current: ServerSecret, older: Vec<ServerSecret>) -> Self {
        Self(Arc::new(Inner { current, older }))
    }

    /// The secret to make new things with.
    pub fn current(&self) -> &ServerSecret {
        &self.0.current
    }

    /// The secret with this id, if it is still kept.
    pub fn find(&self, id: &ServerSecretId) -> Option<&ServerSecret> {
        self.named(id.as_str())
    }

    /// The keyed hash under which a secret is stored: `<server secret id>.<base64url of HMAC-SHA256>`. The secrets
    /// are long and random, so a fast keyed hash serves; passwords go through [`super::PasswordHasher`].
    pub fn hash(&self, secret: &impl Secret) -> SecretHash {
        SecretHash::from_stored(print_tag(self.current(), hashing, secret.expose_secret()))
    }

    /// Whether `presented` is the secret of which `stored` is the hash, in constant time. False when the server
    /// secret that hashed it is gone.
    pub fn verify(&self, presented: &impl Secret, stored: &SecretHash) -> bool {
        self.verify_tag(hashing, presented.expose_secret(), stored.as_str())
    }

    /// Whether `stored` was made with a server secret that has been replaced, so that the next success should store
    /// a new hash.
    pub fn is_outdated(&self, stored: &SecretHash) -> bool {
        stored.as_str().split_once('.').is_none_or(|(id, _)| id != self.current().id.as_str())
    }

    /// What a login name is counted under: a keyed hash, since people type passwords into the field for names.
    pub fn login_name_tag(&self, folded: &str) -> String {
        print_tag(self.current(), hashing, &format!("login name {folded}"))
    }

    /// A token for a form of the browser that `bound_to` names (its session, its pre-login cookie); another browser's
    /// form does not verify.
    pub fn csrf_token(&self, bound_to: &str) -> String {
        print_tag(self.current(), csrf, bound_to)
    }

    /// Whether `token` came with a form that was made for the same browser; in constant time.
    pub fn verify_csrf(&self, bound_to: &str, token: &str) -> bool {
        self.verify_tag(csrf, bound_to, token)
    }

    /// Seals what a browser is to bring back, such as the request that it asked with before login. URL-safe.
    /// `purpose` should name what it is and the cookie that it belongs to; expiry belongs into `plain`.
    pub fn seal_text(&self, purpose: &str, plain: &[u8], random: &Random) -> String {
        self.current().continuation.seal(purpose, plain, random)
    }

    /// Opens what [`ServerSecrets::seal_text`] made for the same purpose.
    ///
    /// # Errors
    /// Altered, malformed, for another purpose, or sealed with a server secret that is gone.
    pub fn open_text(&self, purpose: &str, sealed: &str) -> Result<Vec<u8>, OpenError> {
        let named = sealed.split_once('.').and_then(|(id, _)| self.named(id));
        named.unwrap_or(self.current()).continuation.open(purpose, sealed)
    }

    fn named(&self, id: &str) -> Option<&ServerSecret> {
        std::iter::once(&self.0.current).chain(&self.0.older).find(|secret| secret.id.as_str() == id)
    }

    fn verify_tag(&self, key: fn(&ServerSecret) -> &hmac::Key, text: &str, stored: &str) -> bool {
        stored.split_once('.').is_some_and(|(id, tag)| {
            let (Some(secret), Some(tag)) = (self.named(id), base64url::decode_exactly::<32>(tag)) else {
                return false;
            };
            hmac::verify(key(secret), text.as_bytes(), &tag).is_ok()
        })
    }
}

fn hashing(secret: &ServerSecret) -> &hmac::Key {
    &secret.hashing
}

fn csrf(secret: &ServerSecret) -> &hmac::Key {
    &secret.csrf
}

fn print_tag(secret: &ServerSecret, key: fn(&ServerSecret) -> &hmac::Key, text: &str) -> String {
    format!("{}.{}", secret.id, base64url::encode(subkey::tag(key(secret), text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::Timestamp;
    use crate::tokens::sample::{one_character_changed, server_secret};
    use crate::tokens::{ClientSecret, OpaqueSecret};

    fn one() -> ServerSecrets {
        ServerSecrets::new(server_secret(1), vec![])
    }

    #[test]
    fn a_secret_verifies_against_its_own_hash_only() {
        let random = Random::seeded(9);
        let (mine, other) = (OpaqueSecret::generate(&random), OpaqueSecret::generate(&random));
        let stored = one().hash(&mine);
        assert!(one().verify(&mine, &stored));
        assert!(!one().verify(&other, &stored));
        assert!(!stored.as_str().contains(mine.expose_secret()));
    }

    #[test]
    fn hashes_outlive_the_replacement_of_the_server_secret_but_not_its_removal() {
        let secret = ClientSecret::from_text("configured: any text".to_owned());
        let stored = one().hash(&secret);
        let replaced = ServerSecrets::new(server_secret(2), vec![server_secret(1)]);
        assert!(replaced.verify(&secret, &stored));
        assert!(replaced.is_outdated(&stored) && !one().is_outdated(&stored));
        let removed = ServerSecrets::new(server_secret(2), vec![]);
        assert!(!removed.verify(&secret, &stored));
        assert!(removed.find(server_secret(1).id()).is_none());
    }

    #[test]
    fn a_malformed_hash_verifies_nothing() {
        let secret = ClientSecret::from_text(String::new());
        let id = server_secret(1).id().clone();
        for stored in [String::new(), ".".to_owned(), id.to_string(), format!("{id}."), format!("{id}.AAAA")]
        {
            assert!(!one().verify(&secret, &SecretHash::from_stored(stored)));
        }
    }

    #[test]
    fn a_csrf_token_is_good_for_its_browser_and_no_hash() {
        let token = one().csrf_token("session-1");
        assert!(one().verify_csrf("session-1", &token));
        assert!(!one().verify_csrf("session-2", &token));
        let as_hash = SecretHash::from_stored(token);
        assert!(!one().verify(&ClientSecret::from_text("session-1".to_owned()), &as_hash));
    }

    #[test]
    fn a_continuation_opens_after_the_replacement_of_the_server_secret() {
        let sealed = one().seal_text("login", b"request", &Random::seeded(3));
        let replaced = ServerSecrets::new(server_secret(2), vec![server_secret(1)]);
        assert_eq!(replaced.open_text("login", &sealed).unwrap(), b"request");
        let removed = ServerSecrets::new(server_secret(2), vec![]);
        assert!(matches!(removed.open_text("login", &sealed), Err(OpenError::OtherKey { .. })));
        assert_eq!(one().open_text("login", "x"), Err(OpenError::Malformed));
    }

    #[test]
    fn a_stored_secret_opens_in_its_own_row_only() {
        let (random, kek) = (Random::seeded(4), KeyEncryptionKey::from_bytes(&[1; 32]));
        let id = |n| ServerSecretId::new(Timestamp::from_seconds(n), [0; 10]);
        let (made, sealed) = ServerSecret::generate(id(1), &kek, &random);
        let opened = ServerSecret::open(id(1), &sealed, &kek).unwrap();
        let token = ServerSecrets::new(made, vec![]).csrf_token("x");
        assert!(ServerSecrets::new(opened, vec![]).verify_csrf("x", &token));
        assert_eq!(ServerSecret::open(id(2), &sealed, &kek).unwrap_err(), OpenError::Altered);
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = server_secret(1);
        assert_eq!(format!("{secret:?}"), format!("ServerSecret({}, ..)", secret.id()));
    }

    proptest! {
        #[test]
        fn one_changed_character_of_a_hash_verifies_nothing(change in one_character_changed()) {
            let secret = OpaqueSecret::generate(&Random::seeded(1));
            let altered = change.apply(one().hash(&secret).as_str());
            prop_assert!(!one().verify(&secret, &SecretHash::from_stored(altered)));
        }

        #[test]
        fn one_changed_character_of_a_secret_does_not_verify(change in one_character_changed()) {
            let secret = OpaqueSecret::generate(&Random::seeded(1));
            let altered = ClientSecret::from_text(change.apply(secret.expose_secret()));
            prop_assert!(!one().verify(&altered, &one().hash(&secret)));
        }
    }
}
