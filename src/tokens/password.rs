//! Passwords: Argon2id, off the async threads and bounded in memory.

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::protocol::PasswordHash;
use crate::random::Random;

/// Memory of one hash in KiB, passes over it, and lanes: the first choice of OWASP's Password Storage Cheat Sheet for
/// a server whose memory is short.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LEN: usize = 16;

/// How many callers may wait for each permit before newcomers are turned away: at some 11 ms a hash, a second's work.
const WAITING_PER_PERMIT: usize = 64;

/// Stands in for the hash of a user who does not exist; no password is known for it. Its parameters are those above,
/// so that checking against it takes as long as checking against a real one.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Z2F0ZWxldCBkZWNveSBzYWx0\
                     $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was neither hashed nor checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Longer than [`PasswordHasher::MAX_BYTES`].
    #[error("a password has at most {} bytes", PasswordHasher::MAX_BYTES)]
    TooLong,
    /// Too many others are waiting; try again in a second.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// The stored hash is not one of Argon2 in PHC form.
    #[error("the stored password hash cannot be read")]
    BadStoredHash,
    /// The library or the runtime gave up, for want of memory or because the server stops.
    #[error("the password could not be hashed")]
    Failed,
}

/// A place in the queue of those whose passwords are to be checked.
#[derive(Debug)]
pub struct PasswordPlace {
    _admitted: OwnedSemaphorePermit,
}

/// Hashes and checks passwords on blocking threads, one permit (19 MiB) for each at a time. Cheap to clone.
#[derive(Clone)]
pub struct PasswordHasher {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    random: Random,
}

impl PasswordHasher {
    /// Longest password in bytes. Longer than anyone types, short enough to cost nothing to hash.
    pub const MAX_BYTES: usize = 1024;

    /// As many hashes at once as there are cores.
    pub fn new(random: Random) -> Self {
        Self::with_permits(available_parallelism().map_or(1, usize::from), random)
    }

    /// `permits` hashes at once, at least one.
    pub fn with_permits(permits: usize, random: Random) -> Self {
        let permits = permits.max(1);
        Self {
            running: Arc::new(Semaphore::new(permits)),
            admitted: Arc::new(Semaphore::new(permits.saturating_mul(1 + WAITING_PER_PERMIT))),
            random,
        }
    }

    /// Hashes a new password with a fresh salt.
    ///
    /// # Errors
    /// Too long, too many waiting, or out of memory.
    pub async fn hash(&self, password: &str) -> Result<PasswordHash, PasswordError> {
        let salt = self.random.bytes::<SALT_LEN>();
        self.run(self.place()?, password, move |argon2, password| {
            let hash = argon2.hash_password_with_salt(password, &salt).map_err(|_| PasswordError::Failed)?;
            Ok(PasswordHash::from_stored(hash.to_string()))
        })
        .await
    }

    /// Takes a place in the queue. Who does that before anything else does no work for people who are then turned away.
    ///
    /// # Errors
    /// Too many waiting.
    pub fn place(&self) -> Result<PasswordPlace, PasswordError> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        Ok(PasswordPlace { _admitted: admitted })
    }

    /// [`PasswordHasher::verify_in`] a place that is taken now.
    ///
    /// # Errors
    /// Too long, too many waiting, or an unreadable hash.
    pub async fn verify(&self, password: &str, stored: Option<&PasswordHash>) -> Result<bool, PasswordError> {
        self.verify_in(self.place()?, password, stored).await
    }

    /// Whether `password` is the one of which `stored` is the hash. Without a hash (no such user, or one without a
    /// password) the answer is no, after the same work, so that nobody learns by timing who exists.
    ///
    /// # Errors
    /// Too long, or an unreadable hash.
    pub async fn verify_in(
        &self,
        place: PasswordPlace,
        password: &str,
        stored: Option<&PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let exists = stored.is_some();
        let hash = stored.map_or(DECOY, PasswordHash::as_str).to_owned();
        let matches = self.run(place, password, move |argon2, password| {
            match argon2.verify_password(password, hash.as_str()) {
                Ok(()) => Ok(true),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(_) => Err(PasswordError::BadStoredHash),
            }
        });
        // The decoy matches no known password; that nobody passes without a hash must not hang on this.
        Ok(matches.await? && exists)
    }

    /// Runs `work` on a blocking thread. The permits go with the work, not with the caller: one who hangs up frees
    /// nothing that is still in use.
    async fn run<T: Send + 'static>(
        &self,
        place: PasswordPlace,
        password: &str,
        work: impl FnOnce(&Argon2<'_>, &[u8]) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        if password.len() > Self::MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        let running = self.running.clone().acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        let permits = (running, place);
        let password = password.to_owned();
        let finished = spawn_blocking(move || {
            let outcome = work(&argon2()?, password.as_bytes());
            drop(permits);
            outcome
        });
        finished.await.map_err(|_| PasswordError::Failed)?
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHasher({} free)", self.running.available_permits())
    }
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> PasswordHasher {
        PasswordHasher::with_permits(2, Random::seeded(1))
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let stored = hasher().hash("correct horse").await.unwrap();
        assert!(stored.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(hasher().verify("correct horse", Some(&stored)).await, Ok(true));
        assert_eq!(hasher().verify("correct horsf", Some(&stored)).await, Ok(false));
        assert_eq!(hasher().verify("", Some(&stored)).await, Ok(false));
    }

    #[tokio::test]
    async fn the_same_password_hashes_differently_every_time() {
        let hasher = hasher();
        assert_ne!(hasher.hash("x").await.unwrap().as_str(), hasher.hash("x").await.unwrap().as_str());
    }

    #[tokio::test]
    async fn nobody_logs_in_as_a_user_who_does_not_exist() {
        assert_eq!(hasher().verify("anything", None).await, Ok(false));
    }

    #[tokio::test]
    async fn the_decoy_costs_what_a_real_hash_costs() {
        let real = hasher().hash("x").await.unwrap();
        let costs = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(costs(DECOY), costs(real.as_str()));
        let lengths = |hash: &str| hash.split('$').skip(5).map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(DECOY), lengths(real.as_str()));
        let decoy = PasswordHash::from_stored(DECOY.to_owned());
        assert_eq!(hasher().verify("x", Some(&decoy)).await, Ok(false), "readable, so the work is done");
    }

    #[tokio::test]
    async fn a_password_beyond_1024_bytes_is_refused_whether_or_not_the_user_exists() {
        let long = "é".repeat(513);
        assert_eq!(hasher().hash(&long).await.unwrap_err(), PasswordError::TooLong);
        assert_eq!(hasher().verify(&long, None).await, Err(PasswordError::TooLong));
        assert!(hasher().hash(&"é".repeat(512)).await.is_ok());
    }

    #[tokio::test]
    async fn an_unreadable_hash_is_an_error_and_no_login() {
        let unknown = "$scrypt$ln=1$Z2F0ZWxldCBkZWNveSBzYWx0$AAAAAAAAAAAAAAAAAAAAAA";
        for (stored, outcome) in [
            ("", Err(PasswordError::BadStoredHash)),
            ("plain", Err(PasswordError::BadStoredHash)),
            (unknown, Err(PasswordError::BadStoredHash)),
            ("$argon2id$v=19$m=19456,t=2,p=1", Ok(false)),
        ] {
            let hash = PasswordHash::from_stored(stored.to_owned());
            assert_eq!(hasher().verify("plain", Some(&hash)).await, outcome, "{stored}");
        }
    }

    #[tokio::test]
    async fn newcomers_are_turned_away_when_the_queue_is_full() {
        let hasher = PasswordHasher::with_permits(1, Random::seeded(1));
        let _everyone = hasher.admitted.clone().acquire_many_owned(65).await.unwrap();
        assert_eq!(hasher.verify("x", None).await, Err(PasswordError::Busy));
    }

    #[tokio::test]
    async fn no_more_hashes_run_at_once_than_there_are_permits() {
        let hasher = PasswordHasher::with_permits(1, Random::seeded(1));
        let busy = hasher.running.clone().acquire_owned().await.unwrap();
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.verify("x", None).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        drop(busy);
        assert_eq!(waiting.await.unwrap(), Ok(false));
        assert_eq!(hasher.running.available_permits(), 1);
        assert_eq!(hasher.admitted.available_permits(), 65);
    }
}
