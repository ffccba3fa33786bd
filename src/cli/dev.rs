//! `gatelet dev`: everything ready-made, no configuration.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{banner, fail, listen, log, runtime, stop};
use crate::app::dev::{self, DevOptions};
use crate::clock::Clock;
use crate::config::{self, LogConfig};
use crate::protocol::Issuer;
use crate::serve::{self, ListenError};

/// Where dev mode keeps its data unless it is told otherwise.
pub(super) const DATA: &str = ".gatelet";

/// Arguments of `gatelet dev`.
#[derive(Args, Clone, Debug)]
pub struct DevArgs {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8710")]
    pub listen: SocketAddr,
    /// Where to keep database and keys.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    pub data: PathBuf,
    /// The issuer [default: http://localhost:PORT/oauth].
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Let other machines in, directly or through a tunnel. Logging in with one click is switched off then.
    #[arg(long)]
    pub expose: bool,
    /// A further host name by which requests may address the server; can be given several times.
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
}

/// Runs `gatelet dev` until it is told to stop.
pub fn run(args: &DevArgs) -> ExitCode {
    log::start(&LogConfig::default());
    match runtime() {
        Ok(runtime) => runtime.block_on(start(args)),
        Err(error) => fail(&error),
    }
}

/// Why dev mode does not start as it was told to.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "{0} can be reached from other machines; dev mode has well-known passwords. Add --expose if you mean it"
    )]
    NotLoopback(SocketAddr),
    #[error("{0} Choose another port with --listen, or a free one with --listen {1}")]
    Taken(ListenError, SocketAddr),
    #[error("{0} is reached from elsewhere; dev mode has well-known passwords. Add --expose if you mean it")]
    PublicIssuer(String),
    #[error("--issuer {given}: {source}")]
    Issuer { given: String, source: crate::protocol::IssuerError },
}

async fn start(args: &DevArgs) -> ExitCode {
    if !args.listen.ip().is_loopback() && !args.expose {
        return fail(&Refused::NotLoopback(args.listen));
    }
    // First of all, so that a second server on the same address does not touch the database.
    let (listeners, address) = match listen::loopback(args.listen).await {
        Ok(bound) => bound,
        Err(taken @ ListenError::InUse { .. }) => {
            return fail(&Refused::Taken(taken, SocketAddr::new(args.listen.ip(), 0)));
        }
        Err(error) => return fail(&error),
    };
    let given = args.issuer.clone().unwrap_or_else(|| format!("http://localhost:{}/oauth", address.port()));
    let issuer = match Issuer::parse(&given) {
        Ok(issuer) => issuer,
        Err(source) => return fail(&Refused::Issuer { given, source }),
    };
    if !issuer.is_loopback() && !args.expose {
        return fail(&Refused::PublicIssuer(given));
    }
    if let Some(unheard) = config::unheard(&issuer, &[address]) {
        tracing::warn!("--issuer: {unheard}");
    }
    if args.expose && issuer.is_loopback() {
        tracing::warn!(
            "--expose lets other machines in, but to each of them {} is itself; add --issuer with the https address by \
             which all of them reach this server",
            issuer.origin()
        );
    }
    let own = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let hosts = args.hosts.iter().map(|host| host.to_ascii_lowercase()).chain([own]).collect();
    let options =
        DevOptions { data: args.data.clone(), issuer, exposed: args.expose, hosts, clock: Clock::system() };
    let dev = match dev::build(options).await {
        Ok(dev) => dev,
        Err(error) => return fail(&error),
    };
    // Before anybody can know that it is ready, and tell it to stop.
    let stop = match stop::listen() {
        Ok(stop) => stop,
        Err(error) => return fail(&error),
    };
    banner::print(&dev.home);
    let housekeeping = dev.app.keep_house();
    serve::serve(listeners, dev.router, stop).await;
    housekeeping.abort();
    dev.app.close().await;
    ExitCode::SUCCESS
}
