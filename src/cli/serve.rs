//! `gatelet serve`: the server that a configuration file describes.

use std::path::PathBuf;
use std::process::ExitCode;

use axum::Router;
use clap::Args;

use super::config::EX_CONFIG;
use super::{fail, log, runtime, stop};
use crate::app::serve_mode;
use crate::config::{self, Config};
use crate::serve;

/// Arguments of `gatelet serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// The configuration file [default: $GATELET_CONFIG, else gatelet.toml if it is there].
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
}

/// Runs `gatelet serve` until it is told to stop.
pub fn run(args: &ServeArgs) -> ExitCode {
    let config = match config::load(args.config.as_deref(), super::config::variables()) {
        Ok(config) => config,
        Err(errors) => {
            for problem in errors.problems() {
                eprintln!("error: {problem}");
            }
            return ExitCode::from(EX_CONFIG);
        }
    };
    log::start(&config.log);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(start(config)),
        Err(error) => fail(&error),
    }
}

async fn start(config: Config) -> ExitCode {
    // First of all, so that a second server on the same address does not touch the database.
    let (mut listeners, mut listen) = (Vec::new(), Vec::new());
    for address in &config.listen {
        match serve::bind(*address).await {
            Ok(listener) => {
                listen.push(listener.local_addr().unwrap_or(*address));
                listeners.push(listener);
            }
            Err(error) => return fail(&error),
        }
    }
    let issuer = config.policy.issuer.to_string();
    let app = match serve_mode::build(config).await {
        Ok(app) => app,
        Err(error) => return fail(&error),
    };
    // Before anybody can know that it is ready, and tell it to stop.
    let stop = match stop::listen() {
        Ok(stop) => stop,
        Err(error) => return fail(&error),
    };
    tracing::info!(issuer, ?listen, "serving");
    let housekeeping = app.keep_house();
    serve::serve(listeners, app.router(Router::new()), stop).await;
    housekeeping.abort();
    app.close().await;
    ExitCode::SUCCESS
}
