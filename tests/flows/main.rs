//! Whole flows through loopback HTTP, as a browser and a client see them. What has to hold for requests that come at
//! once is asked of SQLite and of PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/postgres.rs"]
mod postgres;

mod authorizing;
mod client_authentication;
mod code_flow;
mod consenting;
mod discovery;
mod limits;
mod logging_in;
mod machines;
mod prompts;
mod races;
mod redeeming;
mod refreshing;
mod registering;
mod surface;
mod world;

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Trial};

use postgres::{LazyCluster, NOT_RUN};
use world::Database;

/// A test, given the database of its server.
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

/// Run on SQLite.
const LISTS: &[(&str, &[Case])] = &[
    ("authorizing", authorizing::CASES),
    ("client_authentication", client_authentication::CASES),
    ("code_flow", code_flow::CASES),
    ("consenting", consenting::CASES),
    ("discovery", discovery::CASES),
    ("limits", limits::CASES),
    ("logging_in", logging_in::CASES),
    ("machines", machines::CASES),
    ("prompts", prompts::CASES),
    ("races", races::CASES),
    ("redeeming", redeeming::CASES),
    ("refreshing", refreshing::CASES),
    ("registering", registering::CASES),
    ("surface", surface::CASES),
];

/// Run on PostgreSQL too.
const ON_POSTGRES: &[(&str, &[Case])] = &[("code_flow", code_flow::CASES), ("races", races::CASES)];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cluster = Arc::new(LazyCluster::default());
    let mut trials = Vec::new();
    for (list, case) in LISTS.iter().flat_map(|(list, cases)| cases.iter().map(move |case| (list, *case))) {
        trials.push(Trial::test(format!("{list}::{}", case.name), move || {
            run(case, Database::Sqlite);
            Ok(())
        }));
    }
    for (list, case) in ON_POSTGRES.iter().flat_map(|(list, cases)| cases.iter().map(move |c| (list, *c))) {
        let cluster = cluster.clone();
        trials.push(Trial::ignorable_test(format!("postgres::{list}::{}", case.name), move || {
            let Some(url) = cluster.database() else { return Ok(Completion::ignored_with(NOT_RUN)) };
            run(case, Database::Postgres(url));
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
