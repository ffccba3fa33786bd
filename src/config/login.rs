//! `[login]`: how people prove who they are.

use std::num::NonZeroUsize;

use super::check::Check;
use super::read::Example::Value;
use super::read::section;
use super::values::Written;

/// Each password that is checked takes 19 MiB while it is: more than this many is a mistake.
const MOST_PARALLEL: usize = 256;

section! {
    /// How people log in. After five wrong passwords in a row a user name rests: a second at first, then twice as long
    /// after each more, up to a quarter of an hour. Nobody who is logged in and no application notices, so who does
    /// that to somebody on purpose keeps them from the login page alone.
    RawLogin {
        /// How many passwords may be checked at once; each takes a core and 19 MiB while it is. Default: the number
        /// of cores.
        max_parallel: Option<Written<u64>> = Value("2"),
    }
}

/// How people log in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginConfig {
    /// How many passwords may be checked at once; the number of cores when absent.
    pub max_parallel: Option<NonZeroUsize>,
}

impl RawLogin {
    pub(super) fn check(&self, check: &mut Check<'_>) -> LoginConfig {
        let Some(written) = &self.max_parallel else { return LoginConfig::default() };
        let number = usize::try_from(written.value).ok().filter(|number| *number <= MOST_PARALLEL);
        let max_parallel = number.and_then(NonZeroUsize::new);
        if max_parallel.is_none() {
            check.error(&written.place, format!("must be between 1 and {MOST_PARALLEL}"));
        }
        LoginConfig { max_parallel }
    }
}
