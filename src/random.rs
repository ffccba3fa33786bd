//! The one source of chance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// Fills buffers with random bytes: the operating system's, or a repeatable sequence for tests.
#[derive(Clone, Debug)]
pub struct Random(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Seeded { seed: u64, drawn: Arc<AtomicU64> },
}

impl Random {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A sequence that is the same for the same seed. For tests: whoever knows the seed knows every secret.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded { seed, drawn: Arc::new(AtomicU64::new(0)) })
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        match &self.0 {
            #[expect(
                clippy::expect_used,
                reason = "without the system's randomness nothing safe can be done"
            )]
            Source::System => {
                aws_lc_rs::rand::fill(&mut out).expect("the operating system gives random bytes")
            }
            Source::Seeded { seed, drawn } => {
                for chunk in out.chunks_mut(32) {
                    let n = drawn.fetch_add(1, Ordering::SeqCst);
                    let block = Sha256::new()
                        .chain_update(seed.to_be_bytes())
                        .chain_update(n.to_be_bytes())
                        .finalize();
                    chunk.copy_from_slice(&block[..chunk.len()]);
                }
            }
        }
        out
    }
}
