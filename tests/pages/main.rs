//! Every page that a person sees, with every sample: read as markup, and looked at in a real browser.
//!
//! `cargo test --test pages -- --shots DIR` writes a picture of every sample instead (desktop and phone, light and
//! dark). The browser cases need `chromium` and `chromedriver`; without them they are ignored, and fail under CI=true.

mod browser;
mod looks;
mod markup;
mod shots;
mod site;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;

use browser::Browser;
use site::Site;

fn main() {
    let (arguments, shots) = arguments();
    let stage = Arc::new(Mutex::new(None));
    if let Some(directory) = shots {
        let written = on(&stage, |stage| shots::write(stage, &directory)).flatten();
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
    let mut trials = markup::trials();
    trials.extend(looks::cases().into_iter().map(|(name, case)| browser_trial(name, case, stage.clone())));
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

fn browser_trial(name: String, case: looks::Case, stage: SharedStage) -> Trial {
    Trial::ignorable_test(name, move || {
        let looked = on(&stage, |stage| stage.runtime.block_on(case(&stage.browser, &stage.site)));
        match looked {
            Ok(complaints) => match complaints? {
                none if none.is_empty() => Ok(Completion::Completed),
                some => Err(some.join("\n").into()),
            },
            Err(why) if why == browser::NEEDS && std::env::var("CI").as_deref() != Ok("true") => {
                Ok(Completion::ignored_with(why))
            }
            Err(why) => Err(Failed::from(why)),
        }
    })
}

/// One browser and the site that it looks at.
struct Stage {
    runtime: Runtime,
    site: Site,
    browser: Browser,
}

/// Set when the first browser case runs, or the reason why it cannot be: `not run, needs Chromium`.
type SharedStage = Arc<Mutex<Option<Result<Stage, String>>>>;

/// `look` on the stage, one at a time.
fn on<T>(stage: &SharedStage, look: impl FnOnce(&Stage) -> T) -> Result<T, String> {
    let mut stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
    stage.get_or_insert_with(Stage::set).as_ref().map(look).map_err(String::clone)
}

/// Ends the browser and the site, if there are any.
fn strike(stage: &SharedStage) {
    let taken = stage.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Ok(stage)) = taken {
        stage.runtime.block_on(stage.browser.quit());
    }
}

impl Stage {
    fn set() -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let browser = runtime.block_on(Browser::start())?;
        let site = runtime.block_on(Site::open())?;
        Ok(Self { runtime, site, browser })
    }
}
