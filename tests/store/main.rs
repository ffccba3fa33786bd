//! The store's suite: one list of cases, each run on a SQLite file of its own and on a database of its own in a
//! private PostgreSQL cluster.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/sql.rs"]
mod sql;

mod administering;
mod authorizing;
mod clients;
mod codes;
mod database;
mod documents;
mod guessing;
mod keys;
mod managing;
mod opening;
mod reconciling;
mod refreshing;
mod registration_tokens;
mod revoking;
mod suspending;
mod sweeping;
mod transactions;
mod world;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use common::{Suite, cases};
use database::Database;

type Case = common::Case<Database>;

const LISTS: &[(&str, &[Case])] = &[
    ("administering", administering::CASES),
    ("authorizing", authorizing::CASES),
    ("clients", clients::CASES),
    ("codes", codes::CASES),
    ("documents", documents::CASES),
    ("guessing", guessing::CASES),
    ("keys", keys::CASES),
    ("managing", managing::CASES),
    ("opening", opening::CASES),
    ("reconciling", reconciling::CASES),
    ("refreshing", refreshing::CASES),
    ("registration_tokens", registration_tokens::CASES),
    ("revoking", revoking::CASES),
    ("suspending", suspending::CASES),
    ("sweeping", sweeping::CASES),
    ("transactions", transactions::CASES),
];

fn main() -> ExitCode {
    let mut suite = Suite::default();
    suite.on_sqlite("sqlite::", LISTS, Database::sqlite);
    suite.on_postgres(LISTS, Database::postgres);
    suite.run(&Arguments::from_args())
}
