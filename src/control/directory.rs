//! A directory that is gone when the test is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::random::Random;

/// Where files live in memory, on the systems that have it.
const MEMORY: &str = "/dev/shm";

/// A fresh directory, removed with the last clone of this value.
#[derive(Clone, Debug)]
pub(super) struct Directory(Arc<Removed>);

#[derive(Debug)]
struct Removed(PathBuf);

impl Directory {
    /// Makes one, in memory where that is possible.
    pub(super) fn fresh() -> Self {
        let name: String = Random::system().bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("gatelet-test-{}-{name}", std::process::id());
        let in_memory = Path::new(MEMORY).join(&name);
        if std::fs::create_dir(&in_memory).is_ok() {
            return Self(Arc::new(Removed(in_memory)));
        }
        let on_disk = std::env::temp_dir().join(&name);
        std::fs::create_dir(&on_disk).expect("a directory for the test's database");
        Self(Arc::new(Removed(on_disk)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0.0
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        // What cannot be removed is the operating system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
