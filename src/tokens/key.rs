//! Signing keys: RS256 and ES256, parsed once.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use thiserror::Error;

use super::jwk::PublicJwk;
use super::key_encryption_key::KeyEncryptionKey;
use super::key_import::{self, KeyError};
use super::seal::OpenError;
use super::test_keys;
use crate::protocol::{Sealed, SigningAlg};
use crate::random::Random;

/// The library did not sign, which happens only when it gets no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("signing failed")]
pub struct SigningFailed;

/// A private key that signs with one algorithm (RFC 8725 §3.1).
///
/// Holds the key as the library's parsed pair: parsing costs half a signature and the library's set-up at first use
/// the other half, so neither may happen per token. Shared by all threads.
pub struct SigningKey {
    pair: Pair,
    jwk: PublicJwk,
}

/// A key pair as the library signs with it.
pub(super) enum Pair {
    /// RS256 (RFC 7518 §3.3).
    Rsa(RsaKeyPair),
    /// ES256 (RFC 7518 §3.4).
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// Generates a key. One for RS256 has 2048 bits and takes 20 to 200 ms of one core: not on a request's path.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn generate(alg: SigningAlg) -> Result<Self, KeyError> {
        let pair = match alg {
            SigningAlg::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            SigningAlg::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::P256),
        };
        Self::from_pair(pair.map_err(|_| KeyError::Refused)?, None)
    }

    /// Takes an RSA key from PKCS#8 or PKCS#1 PEM, or a P-256 key from PKCS#8 or SEC 1 PEM. Its `kid` is the thumbprint
    /// unless `kid` gives another.
    ///
    /// # Errors
    /// Not a private key of these kinds, encrypted, inconsistent, an RSA key of fewer than 2048 or more than 4096 bits,
    /// or a `kid` that is no name.
    pub fn import_pem(pem: &str, kid: Option<&str>) -> Result<Self, KeyError> {
        if kid.is_some_and(|kid| !key_import::is_kid(kid)) {
            return Err(KeyError::Kid);
        }
        Self::from_pair(key_import::pair(pem)?, kid)
    }

    /// Opens a key that was read from the database: of the algorithm, and under the `kid`, that its row has.
    ///
    /// # Errors
    /// [`KeyError::Sealed`], or the row holds no such key.
    pub fn open(
        alg: SigningAlg,
        kid: &str,
        sealed: &Sealed,
        kek: &KeyEncryptionKey,
    ) -> Result<Self, KeyError> {
        let der = kek.open(&purpose(kid), sealed)?;
        let pair = match alg {
            SigningAlg::Rs256 => RsaKeyPair::from_pkcs8(&der).map(Pair::Rsa),
            SigningAlg::Es256 => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map(Pair::P256)
            }
        };
        Self::from_pair(pair.map_err(|_| KeyError::Refused)?, Some(kid))
    }

    /// Seals the private key for its row in the database.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn seal(&self, kek: &KeyEncryptionKey, random: &Random) -> Result<Sealed, KeyError> {
        let purpose = purpose(self.kid());
        match &self.pair {
            Pair::Rsa(pair) => {
                let der = pair.as_der().map_err(|_| KeyError::Refused)?;
                Ok(kek.seal(&purpose, der.as_ref(), random))
            }
            Pair::P256(pair) => {
                let der = pair.to_pkcs8v1().map_err(|_| KeyError::Refused)?;
                Ok(kek.seal(&purpose, der.as_ref(), random))
            }
        }
    }

    /// Seals a key's row anew under another key-encryption key, without taking the key itself apart.
    ///
    /// # Errors
    /// It does not open under `from`.
    pub fn reseal(
        kid: &str,
        sealed: &Sealed,
        from: &KeyEncryptionKey,
        to: &KeyEncryptionKey,
        random: &Random,
    ) -> Result<Sealed, OpenError> {
        Ok(to.seal(&purpose(kid), &from.open(&purpose(kid), sealed)?, random))
    }

    fn from_pair(pair: Pair, kid: Option<&str>) -> Result<Self, KeyError> {
        let jwk = match &pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKey::from_pkcs1_der(pair.public_key().as_ref());
                PublicJwk::rs256(&public.map_err(|_| KeyError::Refused)?, kid)
            }
            Pair::P256(pair) => PublicJwk::es256(pair.public_key().as_ref(), kid).ok_or(KeyError::Refused)?,
        };
        Ok(Self { jwk, pair })
    }

    /// The key's name in the JWKS and in the headers of what it signs.
    pub fn kid(&self) -> &str {
        self.jwk.kid()
    }

    /// The one algorithm that it signs with.
    pub fn alg(&self) -> SigningAlg {
        self.jwk.alg()
    }

    /// The public part.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// Whether this is one of the keys in Gatelet's public repository, whatever `kid` it goes by: everybody can sign
    /// with those.
    pub fn is_test_key(&self) -> bool {
        test_keys::is_test_key(&self.jwk.thumbprint())
    }

    /// Signs: a signature by RSASSA-PKCS1-v1_5 takes about 0.2 ms, one by ECDSA less, which is cheaper inline than on
    /// another thread.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(|_| SigningFailed)?;
                Ok(signature)
            }
            Pair::P256(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| SigningFailed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

fn purpose(kid: &str) -> String {
    format!("signing key {kid}")
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ..)", self.kid())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;
    use crate::tokens::test_keys::TEST_KEYS;

    fn verifies(key: &SigningKey, message: &[u8], signature: &[u8]) -> bool {
        match &key.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key().as_ref();
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(message, signature).is_ok()
            }
            Pair::P256(pair) => {
                let public = pair.public_key().as_ref();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message, signature).is_ok()
            }
        }
    }

    #[test]
    fn a_key_is_parsed_once_and_not_for_every_signature() {
        // Destructured without `..`: no DER or PEM is kept from which a signature could parse the key again.
        let SigningKey { pair, jwk: _ } = SigningKey::import_pem(TEST_KEYS[0].pem, None).unwrap();
        let (Pair::Rsa(RsaKeyPair { .. }) | Pair::P256(EcdsaKeyPair { .. })) = pair;
    }

    #[test]
    fn signatures_verify_with_the_public_key_of_the_same_pair() {
        let generated = SigningKey::generate(SigningAlg::Es256).unwrap();
        let other = SigningKey::generate(SigningAlg::Es256).unwrap();
        let committed = TEST_KEYS.map(|key| SigningKey::import_pem(key.pem, None).unwrap());
        let [first, second, ..] = committed;
        for (key, other) in [(first, second), (generated, other)] {
            let signature = key.sign(b"message").unwrap();
            assert!(verifies(&key, b"message", &signature));
            assert!(!verifies(&key, b"massage", &signature));
            assert!(!verifies(&other, b"message", &signature));
        }
    }

    #[test]
    fn generated_keys_differ_and_have_the_length_that_their_algorithm_asks_for() {
        // RFC 7518 §3.3: 2048 bits or more; §3.4: a signature of two numbers of 32 bytes each
        for (alg, length) in [(SigningAlg::Rs256, 256), (SigningAlg::Es256, 64)] {
            let (a, b) = (SigningKey::generate(alg).unwrap(), SigningKey::generate(alg).unwrap());
            assert_ne!(a.kid(), b.kid());
            assert_eq!((a.alg(), a.sign(b"").unwrap().len()), (alg, length));
            assert!(!a.is_test_key());
        }
    }

    #[test]
    fn a_sealed_key_opens_under_its_kid_only() {
        let (kek, random) = (KeyEncryptionKey::from_bytes(&[1; 32]), Random::seeded(1));
        for key in [TEST_KEYS[0].signing_key(), Arc::new(SigningKey::generate(SigningAlg::Es256).unwrap())] {
            let sealed = key.seal(&kek, &random).unwrap();
            let opened = SigningKey::open(key.alg(), key.kid(), &sealed, &kek).unwrap();
            assert_eq!(opened.public_jwk(), key.public_jwk());
            assert!(verifies(&key, b"m", &opened.sign(b"m").unwrap()));
            let moved = SigningKey::open(key.alg(), "another", &sealed, &kek).unwrap_err();
            assert_eq!(moved, KeyError::Sealed(OpenError::Altered));
            let other = SigningAlg::ALL.into_iter().find(|alg| *alg != key.alg()).unwrap();
            assert_eq!(SigningKey::open(other, key.kid(), &sealed, &kek).unwrap_err(), KeyError::Refused);
        }
    }

    #[test]
    fn a_resealed_key_opens_under_the_new_key_encryption_key_alone() {
        let (old, new) = (KeyEncryptionKey::from_bytes(&[1; 32]), KeyEncryptionKey::from_bytes(&[2; 32]));
        let (key, random) = (TEST_KEYS[0].signing_key(), Random::seeded(1));
        let sealed = key.seal(&old, &random).unwrap();
        let resealed = SigningKey::reseal(key.kid(), &sealed, &old, &new, &random).unwrap();
        assert!(SigningKey::open(key.alg(), key.kid(), &resealed, &new).is_ok());
        assert!(SigningKey::open(key.alg(), key.kid(), &resealed, &old).is_err());
        assert!(SigningKey::reseal(key.kid(), &sealed, &new, &old, &random).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = TEST_KEYS[0].signing_key();
        assert_eq!(format!("{key:?}"), format!("SigningKey({}, ..)", key.kid()));
    }
}
