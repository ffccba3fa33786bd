//! Every page and whole flows in a real browser, against a real server.
//!
//! `cargo test --test browser -- [PART] --shots DIR` writes pictures of the samples instead (four widths, light and
//! dark).
//! It needs `chromium` and `chromedriver`, and axe-core as `tests/browser/install` installs it; what cannot be run
//! without them is ignored, and fails under CI=true.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod axe;
mod chromium;
mod consenting;
mod dev;
mod form_action;
mod leaving;
mod listener;
mod live;
mod logging_in;
mod looks;
mod person;
#[path = "../dev/program.rs"]
#[expect(dead_code, reason = "one case starts the program; how it stops is the affair of tests/dev")]
mod program;
mod proxy;
mod samples;
mod shots;
mod stage;
mod strangers;
mod webdriver;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Trial};

use stage::Stage;

/// Asks one thing of the browser. What is wrong comes back as words, or as a panic.
type Case = Box<dyn for<'a> FnOnce(&'a Stage) -> Playing<'a> + Send>;
type Playing<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;
/// A case that panics.
type Flow = for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A list of cases from the names of async functions.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CASES: &[(&str, crate::Flow)] = &[$((stringify!($name), |stage| Box::pin($name(stage)))),+];
    };
}
pub(crate) use cases;

const FLOWS: &[(&str, &[(&str, Flow)])] = &[
    ("consenting", consenting::CASES),
    ("form_action", form_action::CASES),
    ("leaving", leaving::CASES),
    ("logging_in", logging_in::CASES),
    ("strangers", strangers::CASES),
];

fn main() {
    let (arguments, shots) = arguments();
    let stage = SharedStage::default();
    if let Some(directory) = shots {
        let part = arguments.filter.unwrap_or_default();
        let written = on(&stage, |stage| shots::write(stage, &directory, &part)).flatten();
        strike(&stage);
        match written {
            Ok(count) => println!("{count} pictures in {}", directory.display()),
            Err(why) => {
                eprintln!("{why}");
                std::process::exit(1);
            }
        }
        return;
    }
    let mut cases = looks::cases();
    cases.extend(live::cases());
    cases.extend(dev::cases());
    for (list, (name, flow)) in
        FLOWS.iter().flat_map(|(list, flows)| flows.iter().map(move |flow| (list, *flow)))
    {
        let case: Case = Box::new(move |stage| {
            Box::pin(async move {
                stage.browser.forget().await?;
                flow(stage).await;
                Ok(())
            })
        });
        cases.push((format!("{list}::{name}"), case));
    }
    let trials = cases.into_iter().map(|(name, case)| trial(name, case, stage.clone())).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    strike(&stage);
    conclusion.exit();
}

/// The arguments of libtest, and ours.
fn arguments() -> (Arguments, Option<PathBuf>) {
    let mut all: Vec<String> = std::env::args().collect();
    let shots = all.iter().position(|argument| argument == "--shots").map(|at| {
        let directory = all.drain(at..).nth(1).unwrap_or_else(|| "target/shots".to_owned());
        PathBuf::from(directory)
    });
    (Arguments::from_iter(all), shots)
}

fn trial(name: String, case: Case, stage: SharedStage) -> Trial {
    Trial::ignorable_test(name, move || {
        let play = |stage: &Stage| {
            catch_unwind(AssertUnwindSafe(|| stage.runtime.block_on(case(stage))))
                .unwrap_or_else(|_| Err("panicked, see above".to_owned()))
        };
        match on(&stage, play).flatten() {
            Ok(()) => Ok(Completion::Completed),
            Err(why) if [axe::NEEDS, chromium::NEEDS].contains(&why.as_str()) && !must_run() => {
                Ok(Completion::ignored_with(why))
            }
            Err(why) => Err(why.into()),
        }
    })
}

fn must_run() -> bool {
    std::env::var("CI").as_deref() == Ok("true")
}

/// Set when the first case runs, or the reason why it cannot be: `not run, needs Chromium`.
type SharedStage = Arc<Mutex<Option<Result<Stage, String>>>>;

/// `play` on the stage, one at a time.
fn on<T>(stage: &SharedStage, play: impl FnOnce(&Stage) -> T) -> Result<T, String> {
    let mut stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
    stage.get_or_insert_with(Stage::set).as_ref().map(play).map_err(String::clone)
}

/// Ends the browser and its sites, if there are any.
fn strike(stage: &SharedStage) {
    let taken = stage.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Ok(Stage { runtime, browser, .. })) = taken {
        runtime.block_on(browser.quit());
    }
}
