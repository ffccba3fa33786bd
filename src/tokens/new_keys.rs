//! Where a server takes new signing keys from: it makes them, or a test lends it those of the repository.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::key::SigningKey;
use super::key_import::KeyError;
use super::test_keys::{TEST_KEYS, TestKey};
use crate::protocol::SigningAlg;

/// How many test keys there are.
const ALL: usize = TEST_KEYS.len();

/// Where a server takes new signing keys from.
#[derive(Clone, Debug, Default)]
pub enum NewKeys {
    /// They are made, which takes up to 200 ms.
    #[default]
    Generated,
    /// They are the committed test keys, as long as the server has not had them all; further ones are made.
    TestKeys(TestKeyShare),
}

impl NewKeys {
    /// A key that the server has never had.
    ///
    /// # Errors
    /// The operating system has no chance to draw from.
    pub fn key(&self, alg: SigningAlg) -> Result<Arc<SigningKey>, KeyError> {
        let lent = match self {
            Self::TestKeys(share) if alg == SigningAlg::Rs256 => share.take(),
            _ => None,
        };
        lent.map_or_else(|| SigningKey::generate(alg).map(Arc::new), |key| Ok(key.signing_key()))
    }

    /// Keys of the server that need not be opened again, because they are so already.
    pub fn in_hand(&self) -> Vec<Arc<SigningKey>> {
        match self {
            Self::Generated => Vec::new(),
            Self::TestKeys(share) => {
                share.taken().into_iter().map(|key| TEST_KEYS[key].signing_key()).collect()
            }
        }
    }
}

/// The test keys that the servers of one process share. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TestKeyPool(Arc<Mutex<[usize; ALL]>>);

impl TestKeyPool {
    /// The share of one more server. Its keys are those that the fewest others have; after a `seed`, the same each time.
    pub fn share(&self, seed: Option<u64>) -> TestKeyShare {
        let in_order = |first: usize| std::array::from_fn(|n| (first + n) % ALL);
        let mut uses = self.uses();
        let first = match seed {
            Some(seed) => usize::try_from(seed % ALL as u64).unwrap_or_default(),
            None => (0..ALL).min_by_key(|key| uses[*key]).unwrap_or_default(),
        };
        uses[first] += 1;
        drop(uses);
        TestKeyShare(Arc::new(Share {
            pool: self.clone(),
            order: in_order(first),
            is_seeded: seed.is_some(),
            held: Mutex::new(Held { promised: Some(first), ..Held::default() }),
        }))
    }

    /// How many servers have each.
    fn uses(&self) -> MutexGuard<'_, [usize; ALL]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The test keys of one server: all but one can become its own, and that one never does.
#[derive(Clone, Debug)]
pub struct TestKeyShare(Arc<Share>);

#[derive(Debug)]
struct Share {
    pool: TestKeyPool,
    /// All of them; the last is the stranger's.
    order: [usize; ALL],
    is_seeded: bool,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The one that comes first, until it is taken.
    promised: Option<usize>,
    taken: Vec<usize>,
    /// Whether there are no others after it.
    first_alone: bool,
}

impl TestKeyShare {
    /// Lends the first key alone, further ones are made: servers that share a database would each lend themselves the
    /// others at a time of its own, and so one key twice.
    pub fn first_alone(self) -> Self {
        self.held().first_alone = true;
        self
    }

    /// Another key for the server; none when it has had all that can be its own.
    fn take(&self) -> Option<TestKey> {
        let mut held = self.held();
        if let Some(first) = held.promised.take() {
            held.taken.push(first);
            return Some(TEST_KEYS[first]);
        }
        if held.first_alone {
            return None;
        }
        let mut uses = self.0.pool.uses();
        let own = &self.0.order[..ALL - 1];
        let mut free = own.iter().copied().filter(|key| !held.taken.contains(key));
        let next = if self.0.is_seeded { free.next() } else { free.min_by_key(|key| uses[*key]) }?;
        uses[next] += 1;
        held.taken.push(next);
        Some(TEST_KEYS[next])
    }

    /// A key that is not the server's and never will be: an attacker's.
    pub fn stranger(&self) -> TestKey {
        TEST_KEYS[self.0.order[ALL - 1]]
    }

    /// The keys that the server has had, to be put back later.
    pub fn taken(&self) -> Vec<usize> {
        self.held().taken.clone()
    }

    /// Makes these the keys that it has had.
    pub fn put_back(&self, taken: Vec<usize>) {
        let mut held = self.held();
        let mut uses = self.0.pool.uses();
        taken.iter().for_each(|key| uses[*key] += 1);
        held.give_back(&mut uses);
        held.taken = taken;
    }

    /// Leaves its keys to others: the server has ended.
    pub fn give_back(&self) {
        self.held().give_back(&mut self.0.pool.uses());
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn give_back(&mut self, uses: &mut [usize; ALL]) {
        for key in self.taken.drain(..).chain(self.promised.take()) {
            uses[key] = uses[key].saturating_sub(1);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        held.give_back(&mut self.pool.uses());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kid(source: &NewKeys) -> String {
        source.key(SigningAlg::Rs256).unwrap().kid().to_owned()
    }

    #[test]
    fn a_server_never_has_a_key_twice_nor_the_strangers() {
        for seed in [None, Some(5)] {
            let share = TestKeyPool::default().share(seed);
            let source = NewKeys::TestKeys(share.clone());
            let mut kids: Vec<String> = (0..ALL).map(|_| kid(&source)).collect();
            assert!(!kids.iter().any(|kid| kid == share.stranger().thumbprint));
            // The last is made: all that could be lent were.
            assert_eq!(kids.iter().filter(|kid| super::super::is_test_key(kid)).count(), ALL - 1);
            kids.sort();
            kids.dedup();
            assert_eq!(kids.len(), ALL);
        }
    }

    #[test]
    fn servers_have_different_keys_until_there_are_more_of_them() {
        let pool = TestKeyPool::default();
        let shares: Vec<_> = (0..ALL).map(|_| NewKeys::TestKeys(pool.share(None))).collect();
        let mut kids: Vec<String> = shares.iter().map(kid).collect();
        let left = kids[3].clone();
        kids.sort();
        kids.dedup();
        assert_eq!(kids.len(), ALL);
        let NewKeys::TestKeys(share) = &shares[3] else { unreachable!() };
        share.give_back();
        assert_eq!(kid(&NewKeys::TestKeys(pool.share(None))), left);
        drop(shares);
        assert_eq!(*pool.uses(), [0; ALL]);
    }

    #[test]
    fn a_seed_lends_the_same_keys_whatever_others_have() {
        let kids = |pool: &TestKeyPool| {
            let source = NewKeys::TestKeys(pool.share(Some(7)));
            [kid(&source), kid(&source), kid(&source)]
        };
        let pool = TestKeyPool::default();
        let others: Vec<_> = (0..3).map(|_| pool.share(None)).collect();
        assert_eq!(kids(&pool), kids(&TestKeyPool::default()));
        drop(others);
    }

    #[test]
    fn what_is_put_back_is_lent_again() {
        let pool = TestKeyPool::default();
        let share = pool.share(Some(0));
        let source = NewKeys::TestKeys(share.clone());
        kid(&source);
        let before = share.taken();
        let second = kid(&source);
        share.put_back(before);
        assert_eq!(kid(&source), second);
        assert_eq!(pool.uses().iter().sum::<usize>(), 2);
    }

    #[test]
    fn other_algorithms_have_no_test_keys() {
        let source = NewKeys::TestKeys(TestKeyPool::default().share(None));
        assert_eq!(source.key(SigningAlg::Es256).unwrap().alg(), SigningAlg::Es256);
    }
}
