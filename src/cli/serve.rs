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
    let mut listeners = Vec::with_capacity(config.listen.len());
    for address in &config.listen {
        match serve::bind(*address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) => return fail(&error),
        }
    }
    let (issuer, listen) = (config.policy.issuer.to_string(), config.listen.clone());
    let app = match serve_mode::build(config).await {
        Ok(app) => app,
        Err(error) => return fail(&error),
    };
    tracing::info!(issuer, ?listen, "serving");
    let housekeeping = app.keep_house();
    serve::serve(listeners, app.router(Router::new()), stop::requested()).await;
    housekeeping.abort();
    app.close().await;
    ExitCode::SUCCESS
}
