//! `gatelet probe`: what an MCP server does with good and bad tokens.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::task::JoinHandle;

use super::{listen, output, runtime, stop};
use crate::control::{TestMode, TestModeError, TestModeOptions};
use crate::probe::{self, Child, Format, Issuer, ProbeError, Report, Settings, ToolScope};
use crate::serve::{self, ListenError};

/// There are findings.
const FINDINGS: u8 = 1;
/// The server could not be probed.
const NOT_PROBED: u8 = 2;

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing wrong was found (advice and what could not be checked do not count)
  1  the server does something wrong
  2  it could not be probed";

/// Arguments of `gatelet probe`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct ProbeArgs {
    /// The MCP server, as clients are given it: http://127.0.0.1:8000/mcp.
    #[arg(value_name = "URL")]
    pub url: String,
    /// The URL that clients are given, if the probe reaches the server by another: what it publishes as `resource` and
    /// expects as `aud`.
    #[arg(long, value_name = "URL")]
    pub resource: Option<String>,
    /// The control plane of the `gatelet test` whose issuer the server trusts (its `control_url`) [default: the probe
    /// is that itself].
    #[arg(long, value_name = "URL", requires = "control_key", conflicts_with = "listen")]
    pub control: Option<String>,
    /// The key of that control plane.
    #[arg(long, value_name = "KEY", env = "GATELET_CONTROL_KEY", hide_env_values = true)]
    pub control_key: Option<String>,
    /// The issuer that the server trusts, by its name there.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub issuer: String,
    /// Where the probe's own issuer is: the server has to trust http://ADDRESS/oauth. A free port will do where the
    /// probe starts the server.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// A scope that every request needs; several in one text, separated by spaces [default: what the server says].
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,
    /// A tool that needs a scope of its own, as NAME=SCOPE, or with what to call it with: 'write_note=mcp:write
    /// {"text": "x"}'. It is called, and does what it does. Can be given several times.
    #[arg(long = "tool", value_name = "NAME=SCOPE", value_parser = str::parse::<ToolScope>)]
    pub tools: Vec<ToolScope>,
    /// The tenant that the server belongs to, if tokens of others are not good at it.
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// The person for whom the tokens are, by user name; a member of the tenant [default: alice of acme].
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// How many seconds the server may take to notice that the issuer's keys are others.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub key_patience: u64,
    /// How many seconds the server may take for one answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
    /// How many seconds the command may take until the server answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub start_patience: u64,
    /// How to write what was found.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub format: FormatArg,
    /// Where to write it instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A report more, in another format, for what reads it in CI: junit=probe.xml. Can be given several times.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub reports: Vec<(FormatArg, PathBuf)>,
    /// A command that starts the server, with GATELET_ISSUER, GATELET_JWKS_URI and GATELET_RESOURCE in its environment;
    /// it is ended afterwards.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// How to write a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// JUnit's XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Table => Self::Table,
            FormatArg::Json => Self::Json,
            FormatArg::Junit => Self::Junit,
            FormatArg::Sarif => Self::Sarif,
        }
    }
}

/// `FORMAT=FILE`.
fn report(text: &str) -> Result<(FormatArg, PathBuf), String> {
    let (format, file) =
        text.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or("write FORMAT=FILE")?;
    Ok((FormatArg::from_str(format, false)?, file.into()))
}

/// Runs `gatelet probe`.
pub fn run(args: &ProbeArgs) -> ExitCode {
    let probed = match runtime() {
        Ok(runtime) => runtime.block_on(until_stopped(args)),
        Err(error) => return not_probed(&error),
    };
    let report = match probed {
        Ok(report) => report,
        Err(error) => return not_probed(&error),
    };
    match write(args, &report) {
        Ok(()) if report.tally().broken > 0 => ExitCode::from(FINDINGS),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => not_probed(&error),
    }
}

/// Writes the report wherever it is wanted.
fn write(args: &ProbeArgs, report: &Report) -> Result<(), Failure> {
    let to_file = |format: FormatArg, file: &Path| {
        let written = std::fs::write(file, Format::from(format).write(report));
        written.map_err(|source| Failure::Report { file: file.to_owned(), source })
    };
    for (format, file) in &args.reports {
        to_file(*format, file)?;
    }
    match &args.output {
        Some(file) => to_file(args.format, file),
        None => Ok(output::print(&Format::from(args.format).write(report))?),
    }
}

fn not_probed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(NOT_PROBED)
}

/// Why nothing came out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error(transparent)]
    TestMode(#[from] TestModeError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
    #[error("{}: {source}", .file.display())]
    Report { file: PathBuf, source: std::io::Error },
    #[error("{0} can be reached from other machines; the probe's issuer listens on loopback alone")]
    NotLoopback(SocketAddr),
    #[error(
        "which issuer does the server trust? Name its control plane with --control and --control-key, give the probe's \
         own a fixed port with --listen, or let the probe start the server: gatelet probe URL -- COMMAND"
    )]
    NoIssuer,
}

/// Probes until it is done, or somebody says stop; the command is ended in any case.
async fn until_stopped(args: &ProbeArgs) -> Result<Report, Failure> {
    let stop = pin!(stop::listen().map_err(Failure::Signals)?);
    let own = match &args.control {
        Some(_) => None,
        None => Some(Own::start(args).await?),
    };
    let found = match (&args.control, &own) {
        (Some(url), _) => {
            Issuer::find(url, args.control_key.as_deref().unwrap_or_default(), &args.issuer).await
        }
        (None, Some(Own { mode, .. })) => Issuer::find(&mode.control_url(), mode.key(), &args.issuer).await,
        (None, None) => return Err(Failure::NoIssuer),
    };
    let issuer = found?;
    let mut child = match args.command.is_empty() {
        true => None,
        false => {
            let resource = args.resource.as_deref().unwrap_or(&args.url);
            Some(Child::start(&args.command, &issuer, &args.url, resource).await?)
        }
    };
    let probed = probed(args, &issuer, child.as_mut(), stop).await;
    if let Some(child) = child {
        child.end().await;
    }
    if let Some(own) = own {
        own.end().await;
    }
    Ok(probed?)
}

/// Test mode in this process, for as long as the probe runs.
struct Own {
    mode: TestMode,
    serving: JoinHandle<()>,
}

impl Own {
    async fn start(args: &ProbeArgs) -> Result<Self, Failure> {
        if !args.listen.ip().is_loopback() {
            return Err(Failure::NotLoopback(args.listen));
        }
        if args.listen.port() == 0 && args.command.is_empty() {
            return Err(Failure::NoIssuer);
        }
        let (listeners, address) = listen::loopback(args.listen).await?;
        let options = TestModeOptions::at(format!("http://{address}"));
        let mode = TestMode::start(options).await?;
        let router = mode.router();
        let serving =
            tokio::spawn(async move { serve::serve(listeners, router, std::future::pending()).await });
        Ok(Self { mode, serving })
    }

    async fn end(self) {
        self.serving.abort();
        self.mode.close().await;
    }
}

async fn probed(
    args: &ProbeArgs,
    issuer: &Issuer,
    child: Option<&mut Child>,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<Report, ProbeError> {
    if let Some(child) = child {
        tokio::select! {
            waited = child.wait_for(&args.url, Duration::from_secs(args.start_patience)) => waited?,
            () = stop.as_mut() => return Err(ProbeError::Stopped),
        }
    }
    let settings = Settings {
        target: args.url.clone(),
        resource: args.resource.clone(),
        scope: args.scope.clone(),
        tenant: args.tenant.clone(),
        user: args.user.clone(),
        tools: args.tools.clone(),
        key_patience: Duration::from_secs(args.key_patience),
        timeout: Duration::from_secs(args.timeout),
    };
    probe::run(&settings, issuer, stop).await
}
