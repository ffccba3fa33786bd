//! The key-encryption key: it lives outside the database and seals what is secret inside it, so that a stolen
//! backup signs nothing.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;

use super::seal::{OpenError, Sealer};
use super::{base64url, subkey};
use crate::protocol::Sealed;
use crate::random::Random;

/// People write such keys with `openssl rand -base64 32` and its relatives: with or without padding.
const WRITTEN_BY_PEOPLE: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Longest key file that is read; a key takes 44 characters.
const MAX_FILE_BYTES: u64 = 1024;

/// Why there is no key-encryption key.
#[derive(Debug, Error)]
pub enum KeyEncryptionKeyError {
    /// The file cannot be read or written.
    #[error("key file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Others than the file's owner may open it.
    #[error("key file {path} has mode {mode:03o}: others than its owner may open it; run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not the base64 of 32 bytes.
    #[error("a key-encryption key is 32 random bytes in base64, as `openssl rand -base64 32` prints them")]
    Malformed,
}

/// 256 bits that seal signing keys, server secrets and the like at rest.
#[derive(Clone)]
pub struct KeyEncryptionKey(Sealer);

impl KeyEncryptionKey {
    /// From 32 random bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let fingerprint = subkey::tag(&subkey::derive(bytes, "gatelet kek fingerprint"), b"");
        Self(Sealer::new(&base64url::encode(&fingerprint[..6]), subkey::derive(bytes, "gatelet kek sealing")))
    }

    /// From base64 of 32 bytes, in either alphabet, with or without padding; white space around it is ignored.
    ///
    /// # Errors
    /// [`KeyEncryptionKeyError::Malformed`]. The text is not repeated in it.
    pub fn from_text(text: &str) -> Result<Self, KeyEncryptionKeyError> {
        let text = text.trim();
        [alphabet::STANDARD, alphabet::URL_SAFE]
            .iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, WRITTEN_BY_PEOPLE).decode(text).ok())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .map(|bytes| Self::from_bytes(&bytes))
            .ok_or(KeyEncryptionKeyError::Malformed)
    }

    /// Reads a key file that only its owner may open.
    ///
    /// # Errors
    /// The file cannot be read, is open to others (on Unix), or does not hold a key.
    pub fn read_file(path: &Path) -> Result<Self, KeyEncryptionKeyError> {
        let failed = |source| KeyEncryptionKeyError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        refuse_exposed(&file, path)?;
        let mut text = String::new();
        file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
        Self::from_text(&text)
    }

    /// Draws a fresh key and writes it to a new file with mode 0600, safely on disk when this returns. A file that
    /// exists is never replaced: what was sealed under its key would be lost.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create_file(path: &Path, random: &Random) -> Result<Self, KeyEncryptionKeyError> {
        let failed = |source| KeyEncryptionKeyError::File { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let bytes = random.bytes::<32>();
        let mut file = options.open(path).map_err(failed)?;
        writeln!(file, "{}", base64url::encode(bytes)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// Draws a key that lasts as long as this process.
    pub fn generate(random: &Random) -> Self {
        Self::from_bytes(&random.bytes())
    }

    /// Names the key without telling it: 8 characters that stand before everything sealed under it.
    pub fn fingerprint(&self) -> &str {
        self.0.name()
    }

    /// Seals `plain`. `purpose` says what it is, down to the row (`signing key <kid>`), and is needed to open it:
    /// so a sealed text that is moved to another row or column opens no longer.
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &Random) -> Sealed {
        Sealed::from_stored(self.0.seal(purpose, plain, random))
    }

    /// Opens what was sealed under this key for the same purpose.
    ///
    /// # Errors
    /// Sealed under another key or for another purpose, or altered.
    pub fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Vec<u8>, OpenError> {
        self.0.open(purpose, sealed.as_str())
    }
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), KeyEncryptionKeyError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata =
        file.metadata().map_err(|source| KeyEncryptionKeyError::File { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyEncryptionKeyError::Exposed { path: path.to_owned(), mode })
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &File, _: &Path) -> Result<(), KeyEncryptionKeyError> {
    Ok(())
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyEncryptionKey({}, ..)", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of this test's own, removed at its end.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("gatelet-kek-{}-{name}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_created_file_reads_back_and_is_never_replaced() {
        let directory = Directory::new("create");
        let path = directory.0.join("kek");
        let random = Random::seeded(1);
        let created = KeyEncryptionKey::create_file(&path, &random).unwrap();
        assert_eq!(KeyEncryptionKey::read_file(&path).unwrap().fingerprint(), created.fingerprint());
        let again = KeyEncryptionKey::create_file(&path, &random).unwrap_err();
        assert!(matches!(again, KeyEncryptionKeyError::File { .. }), "{again}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_open_to_others_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = Directory::new("mode");
        let path = directory.0.join("kek");
        KeyEncryptionKey::create_file(&path, &Random::seeded(1)).unwrap();
        for (mode, accepted) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let outcome = KeyEncryptionKey::read_file(&path);
            assert_eq!(outcome.is_ok(), accepted, "{mode:o} {outcome:?}");
        }
        let refusal = KeyEncryptionKey::read_file(&path).unwrap_err().to_string();
        assert!(refusal.contains("mode 620") && refusal.contains("chmod 600"), "{refusal}");
    }

    #[test]
    fn every_usual_base64_of_32_bytes_is_the_same_key() {
        let expected = KeyEncryptionKey::from_bytes(&[0xfb; 32]);
        for text in [
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=",
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s",
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=\n",
        ] {
            assert_eq!(KeyEncryptionKey::from_text(text).unwrap().fingerprint(), expected.fingerprint());
        }
        for text in ["", "+/v7", "not base64", &"A".repeat(44)] {
            assert!(KeyEncryptionKey::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_wrong_key_is_named_by_fingerprint() {
        let (right, wrong) = (KeyEncryptionKey::from_bytes(&[1; 32]), KeyEncryptionKey::from_bytes(&[2; 32]));
        let sealed = right.seal("totp", b"plain", &Random::seeded(1));
        assert_eq!(right.open("totp", &sealed).unwrap(), b"plain");
        assert_eq!(
            wrong.open("totp", &sealed),
            Err(OpenError::OtherKey {
                sealed_under: right.fingerprint().to_owned(),
                at_hand: wrong.fingerprint().to_owned()
            })
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = KeyEncryptionKey::from_bytes(&[1; 32]);
        assert_eq!(format!("{key:?}"), format!("KeyEncryptionKey({}, ..)", key.fingerprint()));
    }
}
