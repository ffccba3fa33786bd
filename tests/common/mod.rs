//! What test binaries with a database share: a list of cases, each run on SQLite or on PostgreSQL or on both.
//!
//! Include it with `#[path = "../common/mod.rs"] mod common;` and name the binary's cases
//! `type Case = common::Case<Database>;`.

mod postgres;

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Trial};

use postgres::{LazyCluster, NOT_RUN};

/// A test, given its database `D`.
pub(crate) struct Case<D> {
    pub(crate) name: &'static str,
    pub(crate) run: fn(D) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A list of cases from the names of async functions.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CASES: &[crate::Case] =
            &[$(crate::Case { name: stringify!($name), run: |database| Box::pin($name(database)) }),+];
    };
}
pub(crate) use cases;

/// Cases under the names of their modules.
pub(crate) type Lists<D> = [(&'static str, &'static [Case<D>])];

/// The cases to run, and the cluster of those that need PostgreSQL.
#[derive(Default)]
pub(crate) struct Suite {
    cluster: Arc<LazyCluster>,
    trials: Vec<Trial>,
}

impl Suite {
    /// Adds cases under `prefix`, each with a SQLite database of its own.
    pub(crate) fn on_sqlite<D: 'static>(&mut self, prefix: &str, lists: &Lists<D>, database: fn() -> D) {
        self.trials.extend(named(prefix, lists).map(|(name, test)| {
            Trial::test(name, move || {
                run(test(database()));
                Ok(())
            })
        }));
    }

    /// Adds cases under `postgres::`, each with an empty PostgreSQL database of its own, given by its URL; ignored
    /// where PostgreSQL is not installed.
    pub(crate) fn on_postgres<D: 'static>(&mut self, lists: &Lists<D>, database: fn(String) -> D) {
        self.trials.extend(named("postgres::", lists).map(|(name, test)| {
            let cluster = self.cluster.clone();
            Trial::ignorable_test(name, move || {
                let Some(url) = cluster.database() else { return Ok(Completion::ignored_with(NOT_RUN)) };
                run(test(database(url)));
                Ok(Completion::Completed)
            })
        }));
    }

    /// Runs what `arguments` select, and stops the cluster.
    pub(crate) fn run(self, arguments: &Arguments) -> ExitCode {
        let conclusion = libtest_mimic::run(arguments, self.trials);
        // The last handle: the cluster stops here.
        drop(self.cluster);
        conclusion.exit_code()
    }
}

type Test<D> = fn(D) -> Pin<Box<dyn Future<Output = ()> + Send>>;

fn named<D: 'static>(prefix: &str, lists: &Lists<D>) -> impl Iterator<Item = (String, Test<D>)> {
    lists.iter().flat_map(move |(list, cases)| {
        cases.iter().map(move |case| (format!("{prefix}{list}::{}", case.name), case.run))
    })
}

fn run(test: Pin<Box<dyn Future<Output = ()> + Send>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(test);
}
