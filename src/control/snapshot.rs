//! The whole state of an issuer, kept and put back: its database, clock, chance, configuration and faults.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

use super::address::is_name;
use super::answer::Refused;
use super::faults::Placed;
use super::issuer::{Held, TestIssuer, remove_files};
use crate::fetch::Supplied;
use crate::protocol::Timestamp;

/// A state that can be put back, as often as a test likes.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    file: PathBuf,
    now: Timestamp,
    is_frozen: bool,
    drawn: Option<u64>,
    held: Held,
    /// The test keys that it has had.
    test_keys: Vec<usize>,
    faults: Placed,
    documents: HashMap<String, Supplied>,
}

impl TestIssuer {
    /// Keeps the state under a name, in place of what was kept under it before, or under a fresh one; the name. What was
    /// asked so far is no part of it.
    ///
    /// # Errors
    /// The name cannot be one, or the database cannot be copied.
    pub async fn keep(&self, name: Option<&str>) -> Result<String, Refused> {
        if name.is_some_and(|name| !is_name(name)) {
            let why = "name: has other characters than lower-case letters, digits and hyphens";
            return Err(Refused::invalid(why));
        }
        let mut changes = self.changing.lock().await;
        changes.made += 1;
        let name = name.map_or_else(|| self.fresh_name(), str::to_owned);
        // A fresh file each time: one that is being put back stays as it was.
        let file = self.file(&format!("{}.snapshot", changes.made));
        self.app().engine().store.copy_to(&file).await?;
        let snapshot = Snapshot {
            file,
            now: self.clock().now(),
            is_frozen: self.clock().is_frozen(),
            drawn: self.random().drawn(),
            held: self.held().clone(),
            test_keys: self.test_keys_taken(),
            faults: self.faults.kept(),
            documents: self.fetcher().supplied_documents(),
        };
        let replaced = self.snapshots().insert(name.clone(), snapshot);
        if let Some(replaced) = replaced {
            // Whoever puts a state back holds the lock that is held here.
            remove_files(&replaced.file);
        }
        Ok(name)
    }

    /// Puts a state back. Whoever is being answered meanwhile is answered by the state before.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn put_back(&self, name: &str) -> Result<(), Refused> {
        let mut changes = self.changing.lock().await;
        let snapshot = self.snapshots().get(name).cloned();
        let snapshot = snapshot.ok_or_else(|| Refused::not_found("snapshot", name))?;
        let database = self.file(&format!("{}.db", changes.made + 1));
        std::fs::copy(&snapshot.file, &database)?;
        let database = format!("sqlite:{}", database.display());
        let running = self.started(&mut changes, &snapshot.held.description, database).await?;
        // From here on nothing waits, so that nobody sees half of it.
        if snapshot.is_frozen {
            self.clock().freeze();
        } else {
            self.clock().thaw();
        }
        self.clock().set(snapshot.now);
        if let Some(drawn) = snapshot.drawn {
            self.random().wind_to(drawn);
        }
        self.faults.put_back(snapshot.faults);
        self.fetcher().supply_only(snapshot.documents);
        *self.held() = snapshot.held;
        self.put_back_test_keys(snapshot.test_keys);
        self.exchange(running);
        Ok(())
    }

    fn fresh_name(&self) -> String {
        let snapshots = self.snapshots();
        let mut names = (1..).map(|n| format!("s-{n}"));
        names.find(|name| !snapshots.contains_key(name)).unwrap_or_default()
    }

    /// The names under which states are kept.
    pub fn kept(&self) -> Vec<String> {
        self.snapshots().keys().cloned().collect()
    }

    fn snapshots(&self) -> MutexGuard<'_, BTreeMap<String, Snapshot>> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
