//! The `gatelet` program as people start it: its banner, what it refuses, how it stops and starts again.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod audit;
mod banner;
mod beside;
mod clients;
mod commands;
mod document;
mod hosting;
mod https;
mod keys;
mod log_lines;
mod marks;
mod network;
mod operating;
mod program;
mod refusals;
mod registering;
mod restarts;
mod serve;
mod serve_keys;
mod stopping;
mod walkthrough;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

/// Why a case was not run; under `CI=true` a failure.
struct NotRun(&'static str);

type Case = fn() -> Result<(), NotRun>;

/// A list of cases from the names of functions.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CASES: &[(&str, crate::Case)] = &[$((stringify!($name), $name)),+];
    };
}
use cases;

fn main() -> ExitCode {
    let modules: [(&str, &[(&'static str, Case)]); 18] = [
        ("audit", audit::CASES),
        ("banner", banner::CASES),
        ("beside", beside::CASES),
        ("clients", clients::CASES),
        ("commands", commands::CASES),
        ("https", https::CASES),
        ("keys", keys::CASES),
        ("log_lines", log_lines::CASES),
        ("marks", marks::CASES),
        ("hosting", hosting::CASES),
        ("operating", operating::CASES),
        ("refusals", refusals::CASES),
        ("registering", registering::CASES),
        ("restarts", restarts::CASES),
        ("serve", serve::CASES),
        ("serve_keys", serve_keys::CASES),
        ("stopping", stopping::CASES),
        ("walkthrough", walkthrough::CASES),
    ];
    let trials = modules.into_iter().flat_map(|(module, cases)| {
        cases.iter().map(move |(name, case)| {
            Trial::ignorable_test(format!("{module}::{name}"), move || {
                match catch_unwind(AssertUnwindSafe(case)) {
                    Ok(Ok(())) => Ok(Completion::Completed),
                    Ok(Err(NotRun(why))) if std::env::var("CI").as_deref() != Ok("true") => {
                        Ok(Completion::ignored_with(why))
                    }
                    Ok(Err(NotRun(why))) => Err(why.into()),
                    Err(_) => Err("panicked, see above".into()),
                }
            })
        })
    });
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.collect());
    if !conclusion.has_failed() {
        let _ = std::fs::remove_dir_all(program::root());
    }
    conclusion.exit_code()
}
