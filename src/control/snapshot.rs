//! The whole state of an issuer, kept and put back: its database, clock, chance, configuration and faults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

use super::address::is_name;
use super::answer::Refused;
use super::faults::Placed;
use super::issuer::{Held, TestIssuer};
use crate::protocol::Timestamp;

/// A state that can be put back, as often as a test likes.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    file: PathBuf,
    now: Timestamp,
    is_frozen: bool,
    drawn: Option<u64>,
    held: Held,
    faults: Placed,
}

impl TestIssuer {
    /// Keeps the state under a name, in place of what was kept under it before.
    ///
    /// # Errors
    /// The name cannot be one, or the database cannot be copied.
    pub async fn keep(&self, name: &str) -> Result<(), Refused> {
        if !is_name(name) {
            let why = "name: has other characters than lower-case letters, digits and hyphens";
            return Err(Refused::invalid(why));
        }
        let file = self.database().with_extension(format!("{name}.snapshot"));
        // Nobody writes meanwhile, and what is in the log is in the file when the server has ended.
        let mut running = self.running().write().await;
        running.app.close().await;
        let copied = std::fs::copy(self.database(), &file);
        let held = self.held().clone();
        self.start_again(&mut running, &held.config).await?;
        copied?;
        let snapshot = Snapshot {
            file,
            now: self.clock().now(),
            is_frozen: self.clock().is_frozen(),
            drawn: self.random().drawn(),
            held,
            faults: self.faults.kept(),
        };
        self.snapshots().insert(name.to_owned(), snapshot);
        Ok(())
    }

    /// Puts a state back.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn put_back(&self, name: &str) -> Result<(), Refused> {
        let snapshot = self.snapshots().get(name).cloned();
        let snapshot = snapshot.ok_or_else(|| Refused::not_found("snapshot", name))?;
        let mut running = self.running().write().await;
        running.app.close().await;
        std::fs::copy(&snapshot.file, self.database())?;
        if snapshot.is_frozen {
            self.clock().freeze();
        } else {
            self.clock().thaw();
        }
        self.clock().set(snapshot.now);
        self.start_again(&mut running, &snapshot.held.config).await?;
        if let Some(drawn) = snapshot.drawn {
            self.random().wind_to(drawn);
        }
        self.faults.put_back(snapshot.faults);
        *self.held() = snapshot.held;
        Ok(())
    }

    /// The names under which states are kept.
    pub fn kept(&self) -> Vec<String> {
        self.snapshots().keys().cloned().collect()
    }

    fn snapshots(&self) -> MutexGuard<'_, BTreeMap<String, Snapshot>> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
