//! Random histories agree with a small model: people, clients and operators do what they do, in any order and at any
//! moment, and each answer of the real server is the one that `model.rs` predicts. `docs/histories.md` tells more.
//!
//! `cargo test --test model -- --histories 10000 --seed 7` plays more histories, or those of another run.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod coverage;
mod draft;
mod histories;
mod keys;
mod model;
mod player;
mod playing;
mod stage;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock};

use libtest_mimic::Arguments;

use common::{Suite, cases};
use coverage::{Coverage, Table};

type Case = common::Case<Database>;

/// The database of a case.
pub(crate) enum Database {
    Sqlite,
    Postgres(String),
}

/// How many histories to play, and the seed of the first.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) histories: usize,
    pub(crate) seed: u64,
}

/// Set by [`main`], before any case runs: for SQLite and for PostgreSQL.
pub(crate) static PLAN: OnceLock<[Plan; 2]> = OnceLock::new();
/// What occurred, by database.
pub(crate) static TALLY: Mutex<BTreeMap<&'static str, Coverage>> = Mutex::new(BTreeMap::new());

const LISTS: &[(&str, &[Case])] = &[("histories", histories::CASES)];

impl Database {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        let [sqlite, postgres] = PLAN.get().expect("set before any case runs");
        match self {
            Self::Sqlite => *sqlite,
            Self::Postgres(_) => *postgres,
        }
    }
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    let now = std::time::UNIX_EPOCH.elapsed().expect("a time after 1970");
    // Seeds follow one another, so runs that begin in different seconds have few of them in common.
    let seed = take(&mut arguments, "--seed").unwrap_or(now.as_secs() * 1000);
    let histories = take(&mut arguments, "--histories");
    // PostgreSQL takes its time: a tenth of the histories, or a fifth of those that are asked for.
    let plans = match histories {
        None => [2000, 200],
        Some(1) => [1, 1],
        Some(all) => [all - all / 5, all / 5],
    };
    let plans = plans.map(|histories| Plan { histories: histories.try_into().expect("a number"), seed });
    let _ = PLAN.set(plans);
    let mut suite = Suite::default();
    suite.on_sqlite("sqlite::", LISTS, || Database::Sqlite);
    suite.on_postgres(LISTS, Database::Postgres);
    let code = suite.run(&Arguments::from_iter(arguments));
    conclude(code)
}

/// Prints what occurred. Outcomes that never did, on neither database, fail the run.
fn conclude(code: ExitCode) -> ExitCode {
    let tally: Vec<_> = std::mem::take(&mut *TALLY.lock().expect("all cases are over")).into_iter().collect();
    if tally.is_empty() || code != ExitCode::SUCCESS {
        return code;
    }
    println!("{}", Table(&tally));
    let mut all = Coverage::default();
    tally.iter().for_each(|(_, coverage)| all.add(coverage));
    println!("{} histories, {} steps, and server and model agree", all.histories, all.steps());
    all.missing().iter().fold(code, |_, missing| {
        println!("{missing}");
        ExitCode::FAILURE
    })
}

/// Takes an option of ours and its number out of libtest's arguments.
fn take(arguments: &mut Vec<String>, name: &str) -> Option<u64> {
    let at = arguments.iter().position(|argument| argument == name)?;
    let value = arguments.get(at + 1).and_then(|value| value.parse().ok());
    let value = value.unwrap_or_else(|| panic!("{name} needs a number"));
    arguments.drain(at..at + 2);
    Some(value)
}
