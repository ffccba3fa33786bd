//! Nothing that the server has acknowledged is lost when its process is killed, and nothing is half done: eight people
//! with their clients keep `gatelet serve` busy, SIGKILL ends it at a random moment, it starts again on the same data,
//! and everything that was ever acknowledged is looked at. `docs/durability.md` tells what that proves and what not.
//!
//! `cargo test --test crash -- --kills 100 --seed 7` kills more often, or by the moments of another run.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/sql.rs"]
mod sql;

mod chain;
mod check;
mod http;
mod invariants;
mod killing;
mod ledger;
mod operation;
mod operations;
mod operator;
mod recovery;
mod requests;
mod server;
mod snapshot;
mod tally;
mod writer;

use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::Arguments;

use common::{Suite, cases};

type Case = common::Case<Database>;

/// The database of a case.
pub(crate) enum Database {
    Sqlite,
    Postgres(String),
}

/// How often to kill, and what the moments and the writers' choices follow from.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) kills: usize,
    pub(crate) seed: u64,
}

/// Set by [`main`], before any case runs.
pub(crate) static PLAN: OnceLock<Plan> = OnceLock::new();

const LISTS: &[(&str, &[Case])] = &[("killing", killing::CASES)];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    let kills = take(&mut arguments, "--kills").unwrap_or(40);
    let now = std::time::UNIX_EPOCH.elapsed().expect("a time after 1970");
    let seed = take(&mut arguments, "--seed").unwrap_or(now.as_secs());
    let _ = PLAN.set(Plan { kills: kills.try_into().expect("a number of kills"), seed });
    let mut suite = Suite::default();
    suite.on_sqlite("sqlite::", LISTS, || Database::Sqlite);
    suite.on_postgres(LISTS, Database::Postgres);
    suite.run(&Arguments::from_iter(arguments))
}

/// Takes an option of ours and its number out of libtest's arguments.
fn take(arguments: &mut Vec<String>, name: &str) -> Option<u64> {
    let at = arguments.iter().position(|argument| argument == name)?;
    let value = arguments.get(at + 1).and_then(|value| value.parse().ok());
    let value = value.unwrap_or_else(|| panic!("{name} needs a number"));
    arguments.drain(at..at + 2);
    Some(value)
}
