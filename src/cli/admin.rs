//! What the administrative commands share: whose database they open, how they end, what they take from standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::config::variables;
use super::output::Output;
use super::{current_thread, log};
use crate::app::StartError;
use crate::app::admin::{self, Admin, AdminError, Place};
use crate::config::{self, LogConfig, LogLevel};

/// How the audit log names who types commands.
const ACTOR: &str = "command line";

/// The exit codes, for every command's help.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: a fault, or the database did not answer
  2  wrong usage
  3  there is no such thing
  4  refused: it is there already, belongs to the configuration file, or may not be done as things are
  5  the database or its configuration cannot be opened";

/// A fault.
pub(super) const FAILED: u8 = 1;
/// Wrong usage: what clap itself ends with.
pub(super) const USAGE: u8 = 2;
/// There is no such thing.
pub(super) const NOT_FOUND: u8 = 3;
/// Refused.
pub(super) const REFUSED: u8 = 4;
/// The database or its configuration cannot be opened.
pub(super) const NOT_OPEN: u8 = 5;

/// Whose database, and how to print.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The server's configuration file [default: $GATELET_CONFIG, else gatelet.toml if it is there].
    #[arg(long, value_name = "PATH", global = true, conflicts_with_all = ["data", "dev"])]
    pub config: Option<PathBuf>,
    /// Work on the data of `gatelet dev` in this directory.
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Work on the data of `gatelet dev` in .gatelet, which is also what happens when there is no configuration.
    #[arg(long, global = true)]
    pub dev: bool,
    /// Print one JSON document, for scripts.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Which part of a list.
#[derive(Args, Clone, Debug)]
pub struct Paging {
    /// Go on after this one, which a longer list names at its end.
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
    /// List this many at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

impl Paging {
    /// Where a list goes on: after its last, when there may be more.
    pub(super) fn next<T>(&self, listed: &[T], id: impl Fn(&T) -> String) -> Option<String> {
        (listed.len() >= self.limit as usize).then(|| listed.last().map(id)).flatten()
    }
}

/// Opens the database, has the work done, prints what it says, and answers with the exit code.
pub(super) fn run(common: &Common, work: impl AsyncFnOnce(&Admin) -> Result<Output, AdminError>) -> ExitCode {
    run_quietly(common, async |admin| {
        let output = work(admin).await?;
        output.print(common.json).map_err(failed_output)
    })
}

/// [`run`] for work that prints by itself.
pub(super) fn run_quietly(
    common: &Common,
    work: impl AsyncFnOnce(&Admin) -> Result<(), AdminError>,
) -> ExitCode {
    run_opened(common, admin::open, work)
}

/// [`run`] for work that makes sense before the first start of a server too: where there is no database, an empty one is
/// made.
pub(super) fn run_or_begin(
    common: &Common,
    work: impl AsyncFnOnce(&Admin) -> Result<Output, AdminError>,
) -> ExitCode {
    run_opened(common, admin::open_or_begin, async |admin| {
        let output = work(admin).await?;
        output.print(common.json).map_err(failed_output)
    })
}

fn run_opened(
    common: &Common,
    open: impl AsyncFnOnce(Place, &'static str) -> Result<Admin, StartError>,
    work: impl AsyncFnOnce(&Admin) -> Result<(), AdminError>,
) -> ExitCode {
    log::start(&LogConfig { level: LogLevel::Warn, ..LogConfig::default() });
    let place = match place(common) {
        Ok(place) => place,
        Err(code) => return code,
    };
    let runtime = match current_thread() {
        Ok(runtime) => runtime,
        Err(error) => return end(FAILED, &error),
    };
    runtime.block_on(async {
        let admin = match open(place, ACTOR).await {
            Ok(admin) => admin,
            Err(error) => return end(NOT_OPEN, &error),
        };
        let done = work(&admin).await;
        admin.close().await;
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error),
        }
    })
}

/// Says why nothing was done.
pub(super) fn refuse(error: &AdminError) -> ExitCode {
    end(code(error), error)
}

/// Standard output takes no more.
pub(super) fn failed_output(error: std::io::Error) -> AdminError {
    AdminError::fault(error)
}

fn end(code: u8, error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {}", super::output::visible(&error.to_string()));
    ExitCode::from(code)
}

fn code(error: &AdminError) -> u8 {
    match error {
        AdminError::NotFound { .. } => NOT_FOUND,
        AdminError::Taken { .. }
        | AdminError::Configured { .. }
        | AdminError::Overtaken { .. }
        | AdminError::Refused(_) => REFUSED,
        AdminError::Invalid(_) => USAGE,
        AdminError::Failed(_) => FAILED,
    }
}

/// What is named; else a configuration, if there is one; else the data of `gatelet dev`, if it is here.
fn place(common: &Common) -> Result<Place, ExitCode> {
    let dev = Path::new(super::dev::DATA);
    if let Some(data) = common.data.as_deref().or(common.dev.then_some(dev)) {
        return Ok(Place::Dev(data.to_owned()));
    }
    let configured = common.config.is_some()
        || Path::new(config::DEFAULT_FILE).exists()
        || variables().any(|(name, _)| name.starts_with("GATELET_"));
    if !configured {
        if admin::dev_database(dev).exists() {
            return Ok(Place::Dev(dev.to_owned()));
        }
        eprintln!(
            "error: there is neither a configuration nor the data of `gatelet dev` here; name one with --config or --data"
        );
        return Err(ExitCode::from(NOT_OPEN));
    }
    match config::load(common.config.as_deref(), variables()) {
        Ok(config) => Ok(Place::Serve(Box::new(config))),
        Err(errors) => {
            for problem in errors.problems() {
                eprintln!("error: {problem}");
            }
            Err(ExitCode::from(NOT_OPEN))
        }
    }
}

/// Refuses to change nothing, which the audit log would call a change.
pub(super) fn require_change(is_some: bool) -> Result<(), AdminError> {
    match is_some {
        true => Ok(()),
        false => Err(AdminError::Invalid("say what is to be changed; --help lists what can be".to_owned())),
    }
}

/// Longest secret that is read from standard input, in bytes.
const LONGEST_SECRET: u64 = 8192;

/// A secret from standard input, without the line's end.
///
/// # Errors
/// It cannot be read, is no text, or is not there.
pub(super) fn secret_from_stdin() -> Result<String, AdminError> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST_SECRET).read_to_string(&mut text);
    read.map_err(|error| AdminError::Invalid(format!("standard input: {error}")))?;
    let secret =
        text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if secret.is_empty() {
        return Err(AdminError::Invalid("there is no secret on standard input".to_owned()));
    }
    Ok(secret.to_owned())
}
