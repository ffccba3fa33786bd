//! Where log lines go: to standard error, so that standard output stays what a program prints for its user.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts logging. `RUST_LOG` overrides the configured level.
pub(super) fn start(config: &LogConfig) {
    let configured = || EnvFilter::new(format!("warn,gatelet={}", config.level.as_str()));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| configured());
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match config.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().init(),
    }
}
