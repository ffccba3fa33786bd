//! The signing keys in this repository's `keys/`. Everybody can read them: they make tests fast and repeatable, and a
//! server that real people trust must refuse them.

use std::sync::{Arc, OnceLock};

use super::key::SigningKey;

/// A private key that is public.
#[derive(Clone, Copy, Debug)]
pub struct TestKey {
    /// The key in PKCS#8 PEM.
    pub pem: &'static str,
    /// Its RFC 7638 thumbprint, which is its `kid`.
    pub thumbprint: &'static str,
}

macro_rules! test_key {
    ($number:literal, $thumbprint:literal) => {
        TestKey {
            pem: include_str!(concat!("../../keys/test-rs256-", $number, ".pem")),
            thumbprint: $thumbprint,
        }
    };
}

/// All committed test keys.
pub const TEST_KEYS: [TestKey; 8] = [
    test_key!("1", "APHQW_f4LUvwCIZcJrUolhngW72yub-0rPnIYGAgdXw"),
    test_key!("2", "m8yve9DZKrpbYtTk8gZiVyiBH_0a6MinlwnZQXYuCJA"),
    test_key!("3", "bBpT7TtDhX2SRhDw0oEG0OEA5q5hkcO_OUy5FPTjskc"),
    test_key!("4", "3aKyYXpdb7xekAqimN6EA3RYvY9UxnZkkLGZVvmOP2U"),
    test_key!("5", "IrRIY053xy-px9r7YHA-m_rBxe7vRLg6ktl5gOvee9c"),
    test_key!("6", "I7qCf7mSd3i8MKt63hb16_zpwFxciOJdrbJ5kOvslNE"),
    test_key!("7", "muHoxeODPzqB0rDABH9gPjQYJmGoDQ7C5AQ2RwIRiZc"),
    test_key!("8", "Jdv22XYv0OU54JnbuYT5AFClMtPxms38cyej2mszHVs"),
];

/// The committed keys, parsed at first use: parsing one takes longer than all else about a new issuer of a test.
static PARSED: [OnceLock<Arc<SigningKey>>; TEST_KEYS.len()] = [const { OnceLock::new() }; TEST_KEYS.len()];

impl TestKey {
    /// The key, ready to sign.
    #[expect(clippy::expect_used, reason = "the committed keys are parsed in this file's tests")]
    pub fn signing_key(&self) -> Arc<SigningKey> {
        let parsed = || {
            Arc::new(SigningKey::import_pem(self.pem, None).expect("a committed test key is a good RSA key"))
        };
        let place = TEST_KEYS.iter().position(|key| key.pem == self.pem);
        place.map_or_else(parsed, |place| Arc::clone(PARSED[place].get_or_init(parsed)))
    }
}

/// Whether this is the RFC 7638 thumbprint of a committed test key. Use [`SigningKey::is_test_key`] where there is a
/// key, since its `kid` may be another.
pub fn is_test_key(thumbprint: &str) -> bool {
    TEST_KEYS.iter().any(|key| key.thumbprint == thumbprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_keys_are_known_by_thumbprint() {
        for key in TEST_KEYS {
            assert_eq!(key.signing_key().kid(), key.thumbprint);
            assert!(is_test_key(key.thumbprint) && key.signing_key().is_test_key());
        }
        assert!(!is_test_key("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }

    #[test]
    fn every_committed_key_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut pems: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "pem")).collect();
        pems.sort();
        let committed: Vec<_> = pems.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        assert_eq!(committed, TEST_KEYS.map(|key| key.pem));
        let readme = include_str!("../../keys/README.md");
        for (number, key) in (1..).zip(TEST_KEYS) {
            let row = format!("| `test-rs256-{number}.pem` | `{}` |", key.thumbprint);
            assert!(readme.contains(&row), "keys/README.md says: {row}");
        }
    }
}
