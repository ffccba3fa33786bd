//! How many files the process may have open.

/// More than this helps nobody, and some systems refuse what is without bound.
#[cfg(unix)]
const MOST: u64 = 65_536;

/// Lets the process open as many files as the system lets it: each issuer of test mode takes some five, and systems start
/// programs with 256 or 1024.
#[cfg(unix)]
pub(super) fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(MOST, |maximum| maximum.min(MOST));
    if current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        // It goes on with what it has, which is enough for a few issuers.
        tracing::debug!(%error, "could not raise the number of files that may be open");
    }
}

/// Other systems have no such bound.
#[cfg(not(unix))]
pub(super) fn allow_many() {}
