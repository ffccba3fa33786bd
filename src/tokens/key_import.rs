//! Reading private keys that people bring along.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair,
    UnparsedPublicKey,
};
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, SecretDocument};
use rsa::traits::PublicKeyParts;
use thiserror::Error;

use super::key::Pair;
use super::seal::OpenError;

/// Fewest bits of an imported RSA key (RFC 7518 §3.3).
const MIN_BITS: usize = 2048;
/// Longest `kid`: it stands in every token.
const MAX_KID: usize = 128;

/// Why a text or a row is no usable signing key. Never repeats key material.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Encrypted PEM.
    #[error("the private key is encrypted; decrypt it first, e.g. with `openssl pkey`")]
    Encrypted,
    /// Not a private key in a PEM form that we know, or one whose parts contradict each other.
    #[error(
        "not a sound private key in PEM: RSA of at most 4096 bits (`BEGIN PRIVATE KEY` or `BEGIN RSA PRIVATE KEY`), or \
         P-256 (`BEGIN PRIVATE KEY` or `BEGIN EC PRIVATE KEY`)"
    )]
    NotPrivateKey,
    /// Too short to be safe (RFC 7518 §3.3).
    #[error("the RSA key has {0} bits; RS256 needs at least 2048")]
    TooShort(usize),
    /// The name that the key is to have is none.
    #[error("a kid is 1 to 128 printable ASCII characters without spaces, quotes or backslashes")]
    Kid,
    /// The library refused to take, to generate or to write out a key.
    #[error("the cryptographic library refused the key")]
    Refused,
    /// The sealed key does not open.
    #[error("the stored signing key does not open: {0}")]
    Sealed(#[from] OpenError),
}

/// Whether a key can bear this name: it stands in headers, logs and command lines as it is.
pub(super) fn is_kid(text: &str) -> bool {
    (1..=MAX_KID).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\'))
}

/// The key pair in a PEM text.
pub(super) fn pair(pem: &str) -> Result<Pair, KeyError> {
    if pem.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    let pem = pem.trim();
    match rsa_pair(pem) {
        Err(KeyError::NotPrivateKey) => p256_pair(pem),
        pair_or_not => pair_or_not,
    }
}

fn rsa_pair(pem: &str) -> Result<Pair, KeyError> {
    // `rsa` checks that the parts agree and that there are at most 4096 bits, beyond which signing takes long.
    let key = RsaPrivateKey::from_pkcs8_pem(pem)
        .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
        .map_err(|_| KeyError::NotPrivateKey)?;
    let bits = key.n().bits();
    if bits < MIN_BITS {
        return Err(KeyError::TooShort(bits));
    }
    let der = key.to_pkcs8_der().map_err(|_| KeyError::Refused)?;
    RsaKeyPair::from_pkcs8(der.as_bytes()).map(Pair::Rsa).map_err(|_| KeyError::Refused)
}

fn p256_pair(pem: &str) -> Result<Pair, KeyError> {
    let (label, der) = SecretDocument::from_pem(pem).map_err(|_| KeyError::NotPrivateKey)?;
    if !matches!(label, "PRIVATE KEY" | "EC PRIVATE KEY") {
        return Err(KeyError::NotPrivateKey);
    }
    let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_bytes())
        .map_err(|_| KeyError::NotPrivateKey)?;
    // The file may name a public key that belongs to another private one.
    let signature = pair.sign(&SystemRandom::new(), b"one pair").map_err(|_| KeyError::Refused)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
        .verify(b"one pair", signature.as_ref())
        .map_err(|_| KeyError::NotPrivateKey)?;
    Ok(Pair::P256(pair))
}

#[cfg(test)]
mod tests {
    use rsa::BigUint;
    use rsa::pkcs1::der::EncodePem;
    use rsa::pkcs1::{EncodeRsaPrivateKey, UintRef};
    use rsa::pkcs8::LineEnding;
    use rsa::traits::PrivateKeyParts;

    use super::*;
    use crate::protocol::SigningAlg;
    use crate::tokens::key::SigningKey;
    use crate::tokens::test_keys::TEST_KEYS;

    #[test]
    fn both_pem_forms_import_as_the_same_key() {
        let pkcs8 = TEST_KEYS[0].pem;
        let pkcs1 =
            RsaPrivateKey::from_pkcs8_pem(pkcs8).unwrap().to_pkcs1_pem(LineEnding::CRLF).unwrap().to_string();
        assert!(pkcs1.contains("BEGIN RSA PRIVATE KEY"));
        let elliptic = (include_str!("testdata/p256.pem"), include_str!("testdata/p256-sec1.pem"));
        assert!(elliptic.1.contains("BEGIN EC PRIVATE KEY"));
        for (alg, a, b) in
            [(SigningAlg::Rs256, pkcs8, pkcs1.as_str()), (SigningAlg::Es256, elliptic.0, elliptic.1)]
        {
            let (a, b) = (SigningKey::import_pem(a, None).unwrap(), SigningKey::import_pem(b, None).unwrap());
            assert_eq!((a.alg(), a.public_jwk()), (alg, b.public_jwk()));
        }
    }

    #[test]
    fn an_imported_key_keeps_the_kid_it_is_given() {
        // RFC 7517 §4.5
        let key = SigningKey::import_pem(TEST_KEYS[0].pem, Some("mine")).unwrap();
        assert_eq!((key.kid(), key.public_jwk().kid()), ("mine", "mine"));
        assert!(key.is_test_key(), "another kid hides no test key");
        for kid in ["", "a b", "a\"", "a\\", "a\n", "é", &"a".repeat(129)] {
            assert_eq!(SigningKey::import_pem(TEST_KEYS[0].pem, Some(kid)).unwrap_err(), KeyError::Kid);
        }
    }

    #[test]
    fn what_is_no_safe_private_key_is_refused() {
        let short = include_str!("testdata/rsa-1024.pem");
        let other_curve = include_str!("testdata/p384.pem");
        let garbled = TEST_KEYS[0].pem.replacen("MII", "MIJ", 1);
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (pem, refusal) in [
            ("", KeyError::NotPrivateKey),
            (public, KeyError::NotPrivateKey),
            (other_curve, KeyError::NotPrivateKey),
            (&garbled, KeyError::NotPrivateKey),
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
        assert_eq!(contradictory.unwrap_err(), KeyError::NotPrivateKey);
    }
}
