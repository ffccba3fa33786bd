//! `gatelet test`: issuers for integration tests, driven over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tokio::sync::oneshot;

use super::{fail, listen, log, open_files, runtime, stop};
use crate::config::LogConfig;
use crate::control::{TestMode, TestModeOptions};
use crate::serve;

/// Arguments of `gatelet test`.
#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The key of the control plane [default: a fresh one].
    #[arg(long, value_name = "KEY", env = "GATELET_CONTROL_KEY", hide_env_values = true)]
    pub control_key: Option<String>,
    /// Scheme, host and port by which issuers are reached [default: http://127.0.0.1:PORT]; an issuer can have its own.
    #[arg(long, value_name = "URL")]
    pub origin: Option<String>,
    /// Let other machines in, or other containers. Its people and keys are known to everybody.
    #[arg(long)]
    pub expose: bool,
    /// A further host name by which requests may address the server; can be given several times.
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Go on when the standard input closes, which otherwise ends the process.
    #[arg(long)]
    pub stay: bool,
}

/// Why test mode does not start as it was told to.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "{0} can be reached from other machines; test mode has well-known people and keys. Add --expose if you mean it"
    )]
    NotLoopback(SocketAddr),
    #[error("the control key has fewer than 16 characters, or others than visible ASCII")]
    WeakKey,
}

/// Runs `gatelet test` until its standard input closes, or it is told to stop.
pub fn run(args: &TestArgs) -> ExitCode {
    log::start(&LogConfig::default());
    open_files::allow_many();
    match runtime() {
        Ok(runtime) => runtime.block_on(start(args)),
        Err(error) => fail(&error),
    }
}

async fn start(args: &TestArgs) -> ExitCode {
    if !args.listen.ip().is_loopback() && !args.expose {
        return fail(&Refused::NotLoopback(args.listen));
    }
    let is_good = |key: &String| key.len() >= 16 && key.bytes().all(|byte| byte.is_ascii_graphic());
    if args.control_key.as_ref().is_some_and(|key| !is_good(key)) {
        return fail(&Refused::WeakKey);
    }
    let (listeners, address) = match listen::loopback(args.listen).await {
        Ok(bound) => bound,
        Err(error) => return fail(&error),
    };
    let own = if address.ip().is_unspecified() {
        SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
    } else {
        address
    };
    let options = TestModeOptions {
        origin: args.origin.clone().unwrap_or_else(|| format!("http://{own}")),
        key: args.control_key.clone(),
        hosts: args.hosts.clone(),
        exposed: args.expose,
    };
    let mode = match TestMode::start(options).await {
        Ok(mode) => mode,
        Err(error) => return fail(&error),
    };
    // Before anybody can know that it is ready, and tell it to stop.
    let told = match stop::listen() {
        Ok(told) => told,
        Err(error) => return fail(&error),
    };
    let alone = if args.stay { None } else { Some(input_closed()) };
    if let Err(error) = announce(&mode).await {
        return fail(&error);
    }
    let housekeeping = mode.keep_house();
    let stop = async {
        match alone {
            Some(closed) => tokio::select! {
                () = told => {}
                _ = closed => {}
            },
            None => told.await,
        }
        mode.end_waits();
    };
    serve::serve(listeners, mode.router(), stop).await;
    housekeeping.abort();
    mode.close().await;
    ExitCode::SUCCESS
}

/// Says in one line of JSON that it is ready, and where.
async fn announce(mode: &TestMode) -> std::io::Result<()> {
    let mut ready = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "control_url": mode.control_url(),
        "control_key": mode.key(),
    });
    if let Some(issuer) = mode.issuer("default")
        && let (Some(ready), serde_json::Value::Object(view)) =
            (ready.as_object_mut(), serde_json::to_value(issuer.view().await)?)
    {
        let view = view.into_iter().filter(|(name, _)| name != "control_url");
        ready.extend(view);
        ready.insert(
            "issuer_control_url".to_owned(),
            format!("{}/issuers/default", mode.control_url()).into(),
        );
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ready}")?;
    out.flush()
}

/// Done when the standard input closes: with the process that started this one, however that ended. What is written
/// there is not read for anything. A thread of its own waits: one of the runtime would keep the process from ending.
fn input_closed() -> oneshot::Receiver<()> {
    let (closed, is_closed) = oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        let mut input = std::io::stdin().lock();
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        // Whoever waited may have ended before.
        let _ = closed.send(());
    });
    is_closed
}
