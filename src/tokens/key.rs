//! Signing keys: RS256, parsed once.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use thiserror::Error;

use super::jwk::PublicJwk;
use super::key_encryption_key::KeyEncryptionKey;
use super::seal::OpenError;
use super::test_keys;
use crate::protocol::Sealed;
use crate::random::Random;

/// Fewest bits of an imported RSA key (RFC 7518 §3.3).
const MIN_BITS: usize = 2048;

/// Why a text or a row is no usable signing key. Never repeats key material.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Encrypted PEM.
    #[error("the private key is encrypted; decrypt it first, e.g. with `openssl pkey`")]
    Encrypted,
    /// Not an RSA private key in a PEM form that we know, or one whose parts contradict each other.
    #[error(
        "not a sound RSA private key of at most 4096 bits in PEM (`BEGIN PRIVATE KEY` or `BEGIN RSA PRIVATE KEY`)"
    )]
    NotRsaPrivateKey,
    /// Too short to be safe (RFC 7518 §3.3).
    #[error("the RSA key has {0} bits; RS256 needs at least 2048")]
    TooShort(usize),
    /// The library refused to take, to generate or to write out a key.
    #[error("the cryptographic library refused the key")]
    Refused,
    /// The sealed key does not open.
    #[error("the stored signing key does not open: {0}")]
    Sealed(#[from] OpenError),
}

/// The library did not sign, which happens only when it gets no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("signing failed")]
pub struct SigningFailed;

/// An RSA key that signs with RS256 (RFC 7518 §3.3).
///
/// Holds the key as the library's parsed pair: parsing costs half a signature and the library's set-up at first use
/// the other half, so neither may happen per token. Shared by all threads.
pub struct SigningKey {
    pair: RsaKeyPair,
    jwk: PublicJwk,
}

impl SigningKey {
    /// Generates a key of 2048 bits. Takes 20 to 200 ms of one core: not on a request's path.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn generate() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Refused)?;
        Self::from_pair(pair, None)
    }

    /// Takes a key from PKCS#8 or PKCS#1 PEM. Its `kid` is the thumbprint unless `kid` gives another.
    ///
    /// # Errors
    /// Not an RSA private key, encrypted, inconsistent, or of fewer than 2048 or more than 4096 bits.
    pub fn import_pem(pem: &str, kid: Option<&str>) -> Result<Self, KeyError> {
        if pem.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let pem = pem.trim();
        // `rsa` checks that the parts agree and that there are at most 4096 bits, beyond which signing takes long.
        let key = RsaPrivateKey::from_pkcs8_pem(pem)
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
            .map_err(|_| KeyError::NotRsaPrivateKey)?;
        let bits = key.n().bits();
        if bits < MIN_BITS {
            return Err(KeyError::TooShort(bits));
        }
        let der = key.to_pkcs8_der().map_err(|_| KeyError::Refused)?;
        let pair = RsaKeyPair::from_pkcs8(der.as_bytes()).map_err(|_| KeyError::Refused)?;
        Self::from_pair(pair, kid)
    }

    /// Opens a key that was read from the database under the `kid` that its row has.
    ///
    /// # Errors
    /// [`KeyError::Sealed`], or the row holds no key.
    pub fn open(kid: &str, sealed: &Sealed, kek: &KeyEncryptionKey) -> Result<Self, KeyError> {
        let der = kek.open(&purpose(kid), sealed)?;
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| KeyError::Refused)?;
        Self::from_pair(pair, Some(kid))
    }

    /// Seals the private key for its row in the database.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn seal(&self, kek: &KeyEncryptionKey, random: &Random) -> Result<Sealed, KeyError> {
        let der = self.pair.as_der().map_err(|_| KeyError::Refused)?;
        Ok(kek.seal(&purpose(self.kid()), der.as_ref(), random))
    }

    fn from_pair(pair: RsaKeyPair, kid: Option<&str>) -> Result<Self, KeyError> {
        let public =
            RsaPublicKey::from_pkcs1_der(pair.public_key().as_ref()).map_err(|_| KeyError::Refused)?;
        Ok(Self { jwk: PublicJwk::new(&public, kid), pair })
    }

    /// The key's name in the JWKS and in the headers of what it signs.
    pub fn kid(&self) -> &str {
        self.jwk.kid()
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

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256. Takes about 0.2 ms, which is cheaper inline than on another thread.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SigningFailed)?;
        Ok(signature)
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
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    use rsa::BigUint;
    use rsa::pkcs1::der::EncodePem;
    use rsa::pkcs1::{EncodeRsaPrivateKey, UintRef};
    use rsa::pkcs8::LineEnding;
    use rsa::traits::PrivateKeyParts;

    use super::*;
    use crate::tokens::base64url;
    use crate::tokens::test_keys::TEST_KEYS;

    fn verifies(jwk: &PublicJwk, message: &[u8], signature: &[u8]) -> bool {
        let (n, e) = jwk.components();
        let (n, e) = (base64url::decode(n).unwrap(), base64url::decode(e).unwrap());
        RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }

    #[test]
    fn a_key_is_parsed_once_and_not_for_every_signature() {
        // Destructured without `..`: no DER or PEM is kept from which a signature could parse the key again.
        let SigningKey { pair, jwk: _ } = TEST_KEYS[0].signing_key();
        let _: RsaKeyPair = pair;
    }

    #[test]
    fn signatures_verify_with_the_public_jwk() {
        let key = TEST_KEYS[0].signing_key();
        let signature = key.sign(b"message").unwrap();
        assert!(verifies(key.public_jwk(), b"message", &signature));
        assert!(!verifies(key.public_jwk(), b"massage", &signature));
        assert!(!verifies(TEST_KEYS[1].signing_key().public_jwk(), b"message", &signature));
    }

    #[test]
    fn generated_keys_differ_and_have_2048_bits() {
        let (a, b) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        assert_ne!(a.kid(), b.kid());
        assert_eq!(a.sign(b"").unwrap().len(), 256);
        assert!(!a.is_test_key());
    }

    #[test]
    fn both_pem_forms_import_as_the_same_key() {
        let pkcs8 = TEST_KEYS[0].pem;
        let pkcs1 =
            RsaPrivateKey::from_pkcs8_pem(pkcs8).unwrap().to_pkcs1_pem(LineEnding::CRLF).unwrap().to_string();
        assert!(pkcs1.contains("BEGIN RSA PRIVATE KEY"));
        let (a, b) = (SigningKey::import_pem(pkcs8, None), SigningKey::import_pem(&pkcs1, None));
        assert_eq!(a.unwrap().public_jwk(), b.unwrap().public_jwk());
    }

    #[test]
    fn an_imported_key_keeps_the_kid_it_is_given() {
        let key = SigningKey::import_pem(TEST_KEYS[0].pem, Some("mine")).unwrap();
        assert_eq!((key.kid(), key.public_jwk().kid()), ("mine", "mine"));
        assert!(key.is_test_key(), "another kid hides no test key");
    }

    #[test]
    fn what_is_no_safe_rsa_key_is_refused() {
        let short = include_str!("testdata/rsa-1024.pem");
        let elliptic = include_str!("testdata/p256.pem");
        let garbled = TEST_KEYS[0].pem.replacen("MII", "MIJ", 1);
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (pem, refusal) in [
            ("", KeyError::NotRsaPrivateKey),
            (public, KeyError::NotRsaPrivateKey),
            (elliptic, KeyError::NotRsaPrivateKey),
            (&garbled, KeyError::NotRsaPrivateKey),
            (encrypted, KeyError::Encrypted),
            (short, KeyError::TooShort(1024)),
        ] {
            assert_eq!(SigningKey::import_pem(pem, None).unwrap_err(), refusal, "{pem}");
        }
    }

    #[test]
    fn a_key_whose_parts_contradict_each_other_is_refused() {
        let good = RsaPrivateKey::from_pkcs8_pem(TEST_KEYS[0].pem).unwrap();
        let other = RsaPrivateKey::from_pkcs8_pem(TEST_KEYS[1].pem).unwrap();
        let pem = |d: &BigUint| {
            let [n, e, d, p, q] =
                [good.n(), good.e(), d, &good.primes()[0], &good.primes()[1]].map(BigUint::to_bytes_be);
            let integer = |bytes| UintRef::new(bytes).unwrap();
            let key = rsa::pkcs1::RsaPrivateKey {
                modulus: integer(&n),
                public_exponent: integer(&e),
                private_exponent: integer(&d),
                prime1: integer(&p),
                prime2: integer(&q),
                exponent1: integer(&[1]),
                exponent2: integer(&[1]),
                coefficient: integer(&[1]),
                other_prime_infos: None,
            };
            key.to_pem(LineEnding::LF).unwrap()
        };
        assert!(SigningKey::import_pem(&pem(good.d()), None).is_ok(), "derived parts are worked out again");
        let contradictory = SigningKey::import_pem(&pem(other.d()), None);
        assert_eq!(contradictory.unwrap_err(), KeyError::NotRsaPrivateKey);
    }

    #[test]
    fn a_sealed_key_opens_under_its_kid_only() {
        let (kek, random) = (KeyEncryptionKey::from_bytes(&[1; 32]), Random::seeded(1));
        let key = TEST_KEYS[0].signing_key();
        let sealed = key.seal(&kek, &random).unwrap();
        let opened = SigningKey::open(key.kid(), &sealed, &kek).unwrap();
        assert_eq!(opened.public_jwk(), key.public_jwk());
        assert_eq!(opened.sign(b"m"), key.sign(b"m"));
        let moved = SigningKey::open("another", &sealed, &kek).unwrap_err();
        assert_eq!(moved, KeyError::Sealed(OpenError::Altered));
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = TEST_KEYS[0].signing_key();
        assert_eq!(format!("{key:?}"), format!("SigningKey({}, ..)", key.kid()));
    }
}
