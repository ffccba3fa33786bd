//! A directory that is gone when the test is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::random::Random;

/// Where files live in memory, on the systems that have it.
const MEMORY: &str = "/dev/shm";

/// What the names of the directories begin with; the number of the process follows.
const PREFIX: &str = "gatelet-test-";

/// A fresh directory, removed with the last clone of this value.
#[derive(Clone, Debug)]
pub(crate) struct Directory(Arc<Removed>);

#[derive(Debug)]
struct Removed(PathBuf);

impl Directory {
    /// Makes one, for its owner alone, in memory where that is possible.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn fresh() -> io::Result<Self> {
        sweep(Path::new(MEMORY));
        let name: String = Random::system().bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{PREFIX}{}-{name}", std::process::id());
        let in_memory = Path::new(MEMORY).join(&name);
        if make(&in_memory).is_ok() {
            return Ok(Self(Arc::new(Removed(in_memory))));
        }
        let on_disk = std::env::temp_dir().join(&name);
        make(&on_disk)?;
        Ok(Self(Arc::new(Removed(on_disk))))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0.0
    }
}

/// Removes what processes have left that were killed, where the system tells which those are.
fn sweep(directory: &Path) {
    let processes = Path::new("/proc");
    if !processes.join("self").exists() {
        return;
    }
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        let is_number = |process: &&str| process.bytes().all(|byte| byte.is_ascii_digit());
        if process.filter(is_number).is_some_and(|process| !processes.join(process).exists()) {
            // Another process may be faster, or it may be somebody else's.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for Removed {
    fn drop(&mut self) {
        // What cannot be removed is the operating system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
