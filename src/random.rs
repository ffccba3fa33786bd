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

    /// How many blocks a repeatable sequence has given; nothing for the operating system's.
    pub fn drawn(&self) -> Option<u64> {
        match &self.0 {
            Source::System => None,
            Source::Seeded { drawn, .. } => Some(drawn.load(Ordering::SeqCst)),
        }
    }

    /// Takes a repeatable sequence back (or on) to where it had given so many blocks, for all clones of it; the
    /// operating system's is left alone.
    pub fn wind_to(&self, blocks: u64) {
        if let Source::Seeded { drawn, .. } = &self.0 {
            drawn.store(blocks, Ordering::SeqCst);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_sequence_and_a_place_in_it_can_be_gone_back_to() {
        let (one, same) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(one.bytes::<40>(), same.bytes::<40>());
        let place = one.drawn().unwrap();
        let next = one.bytes::<16>();
        one.clone().wind_to(place);
        assert_eq!(one.bytes::<16>(), next);
        assert_ne!(Random::seeded(8).bytes::<40>(), same.bytes::<40>());
        assert_eq!(Random::system().drawn(), None);
    }
}
