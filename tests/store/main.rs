//! The store's suite: one list of cases, each run on a SQLite file of its own and on a database of its own in a
//! private PostgreSQL cluster.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/postgres.rs"]
mod postgres;

mod authorizing;
mod clients;
mod codes;
mod database;
mod guessing;
mod keys;
mod opening;
mod reconciling;
mod refreshing;
mod suspending;
mod sweeping;
mod transactions;
mod world;

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Trial};

use database::Database;
use postgres::{LazyCluster, NOT_RUN};

/// A test that runs on either database.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    run: fn(Database) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A list of cases from the names of async functions.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CASES: &[crate::Case] =
            &[$(crate::Case { name: stringify!($name), run: |database| Box::pin($name(database)) }),+];
    };
}
pub(crate) use cases;

const LISTS: &[(&str, &[Case])] = &[
    ("authorizing", authorizing::CASES),
    ("clients", clients::CASES),
    ("codes", codes::CASES),
    ("guessing", guessing::CASES),
    ("keys", keys::CASES),
    ("opening", opening::CASES),
    ("reconciling", reconciling::CASES),
    ("refreshing", refreshing::CASES),
    ("suspending", suspending::CASES),
    ("sweeping", sweeping::CASES),
    ("transactions", transactions::CASES),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cluster = Arc::new(LazyCluster::default());
    let mut trials = Vec::new();
    for (list, case) in LISTS.iter().flat_map(|(list, cases)| cases.iter().map(move |case| (list, *case))) {
        trials.push(Trial::test(format!("sqlite::{list}::{}", case.name), move || {
            run(case, Database::sqlite());
            Ok(())
        }));
        let cluster = cluster.clone();
        trials.push(Trial::ignorable_test(format!("postgres::{list}::{}", case.name), move || {
            let Some(url) = cluster.database() else { return Ok(Completion::ignored_with(NOT_RUN)) };
            run(case, Database::postgres(url));
            Ok(Completion::Completed)
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The last handle: the cluster stops here.
    drop(cluster);
    conclusion.exit_code()
}

fn run(case: Case, database: Database) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on((case.run)(database));
}
