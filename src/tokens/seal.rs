//! Sealing: AES-256-GCM, so that what is stored or handed to a browser can neither be read nor altered.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac::Key;
use thiserror::Error;

use super::{base64url, subkey};
use crate::random::Random;

const SALT_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Why a sealed text does not open.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Not a sealed text at all.
    #[error("this is not a sealed text")]
    Malformed,
    /// Sealed under another key than the one at hand.
    #[error("sealed under key {sealed_under}, but the key at hand is {at_hand}")]
    OtherKey {
        /// Name of the key that would open it.
        sealed_under: String,
        /// Name of the key that was tried.
        at_hand: String,
    },
    /// Altered since, or sealed for another purpose.
    #[error("altered, or sealed for another purpose")]
    Altered,
}

/// Seals and opens under one named key.
///
/// A sealed text is `<key name>.<base64url of salt ‖ nonce ‖ ciphertext ‖ tag>`. Each text has its own AES key,
/// derived from the root key and the random salt, so that however many login continuations strangers ask for, no
/// key meets the 2^32 messages after which random 96-bit nonces wear out (NIST SP 800-38D §8.3).
#[derive(Clone)]
pub(super) struct Sealer {
    name: String,
    root: Key,
}

impl Sealer {
    pub(super) fn new(name: &str, root: Key) -> Self {
        Self { name: name.to_owned(), root }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Seals `plain`; only the same `purpose` opens it again.
    #[expect(clippy::expect_used, reason = "AES-GCM refuses only texts beyond 64 GiB")]
    pub(super) fn seal(&self, purpose: &str, plain: &[u8], random: &Random) -> String {
        let (salt, nonce) = (random.bytes::<SALT_LEN>(), random.bytes::<NONCE_LEN>());
        let mut body = plain.to_vec();
        self.message_key(&salt)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .expect("a text of less than 64 GiB is sealed");
        let mut text = format!("{}.", self.name);
        base64url::encode_onto(&mut text, &[&salt[..], &nonce[..], &body].concat());
        text
    }

    /// Opens what [`Sealer::seal`] made for the same purpose.
    pub(super) fn open(&self, purpose: &str, sealed: &str) -> Result<Vec<u8>, OpenError> {
        let (name, body) = sealed.split_once('.').ok_or(OpenError::Malformed)?;
        if name != self.name {
            return Err(OpenError::OtherKey { sealed_under: name.to_owned(), at_hand: self.name.clone() });
        }
        let body = base64url::decode(body).ok_or(OpenError::Malformed)?;
        let (salt, rest) = body.split_first_chunk::<SALT_LEN>().ok_or(OpenError::Malformed)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Malformed)?;
        if rest.len() < TAG_LEN {
            return Err(OpenError::Malformed);
        }
        let mut plain = rest.to_vec();
        self.message_key(salt)
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(purpose.as_bytes()), &mut plain)
            .map_err(|_| OpenError::Altered)?;
        plain.truncate(rest.len() - TAG_LEN);
        Ok(plain)
    }

    #[expect(clippy::expect_used, reason = "an HMAC-SHA256 has the 32 bytes of an AES-256 key")]
    fn message_key(&self, salt: &[u8; SALT_LEN]) -> LessSafeKey {
        let key = subkey::tag(&self.root, salt);
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("32 bytes are an AES-256 key"))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({}, ..)", self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::sample::one_character_changed;

    fn sealer(name: &str) -> Sealer {
        Sealer::new(name, subkey::derive(&[7; 32], "sealing"))
    }

    #[test]
    fn what_was_sealed_opens_for_its_purpose_only() {
        let sealed = sealer("k1").seal("login", b"hello", &Random::seeded(1));
        assert_eq!(sealer("k1").open("login", &sealed).unwrap(), b"hello");
        assert_eq!(sealer("k1").open("logout", &sealed), Err(OpenError::Altered));
    }

    #[test]
    fn another_key_is_named_in_the_refusal() {
        let sealed = sealer("k1").seal("login", b"hello", &Random::seeded(1));
        let refusal = sealer("k2").open("login", &sealed).unwrap_err();
        assert_eq!(refusal.to_string(), "sealed under key k1, but the key at hand is k2");
        let same_name = Sealer::new("k1", subkey::derive(&[8; 32], "sealing"));
        assert_eq!(same_name.open("login", &sealed), Err(OpenError::Altered));
    }

    #[test]
    fn sealing_twice_gives_different_texts() {
        let random = Random::seeded(1);
        assert_ne!(sealer("k").seal("p", b"x", &random), sealer("k").seal("p", b"x", &random));
    }

    #[test]
    fn a_text_of_another_shape_is_malformed() {
        for text in ["", "k", "k.", "k.AAAA", "k.!", &format!("k.{}", "A".repeat(52))] {
            assert_eq!(sealer("k").open("p", text), Err(OpenError::Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn everything_sealed_opens(plain: Vec<u8>, purpose: String, seed: u64) {
            let sealed = sealer("k").seal(&purpose, &plain, &Random::seeded(seed));
            prop_assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
            prop_assert_eq!(sealer("k").open(&purpose, &sealed), Ok(plain));
        }

        #[test]
        fn one_changed_character_opens_nothing(plain: Vec<u8>, change in one_character_changed()) {
            let sealed = sealer("k").seal("p", &plain, &Random::seeded(1));
            prop_assert!(sealer("k").open("p", &change.apply(&sealed)).is_err());
        }
    }
}
