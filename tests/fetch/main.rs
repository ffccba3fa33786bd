//! The guarded fetch, over real sockets: what it must not reach, what it takes, and what it costs.
//!
//! Cases that need addresses of their own on this machine's loopback interface need root and iproute2; without them
//! they are ignored, and fail under CI=true.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that does not find what it expects ends with words"
)]

mod answers;
mod deployment;
mod hostile;
mod interface;
mod limits;
mod peer;
mod tls;

use std::future::Future;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

/// Set for the process that [`tls`] starts with another environment.
const CHILD: &str = "GATELET_TEST_FETCH_URL";

fn main() -> ExitCode {
    if let Ok(url) = std::env::var(CHILD) {
        return run(tls::child(url));
    }
    let mut trials = Vec::new();
    trials.extend(answers::trials());
    trials.extend(deployment::trials());
    trials.extend(hostile::trials());
    trials.extend(limits::trials());
    trials.extend(tls::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn run<T>(case: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(case)
}

/// A case as a trial under its own name.
macro_rules! trials {
    ($($case:ident),* $(,)?) => {
        vec![$( libtest_mimic::Trial::test(stringify!($case), || { crate::run($case()); Ok(()) }) ),*]
    };
}
use trials;

/// A case that needs addresses of its own.
fn with_addresses<F: Future<Output = ()>>(
    name: &str,
    case: impl FnOnce(interface::Addresses) -> F + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, || match interface::Addresses::add() {
        Ok(addresses) => {
            run(case(addresses));
            Ok(Completion::Completed)
        }
        Err(why) if std::env::var("CI").as_deref() == Ok("true") => Err(why.into()),
        Err(why) => Ok(Completion::ignored_with(why)),
    })
}
