//! The `gatelet` program; what it does is in [`gatelet::cli`].

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    gatelet::cli::run(&gatelet::cli::Cli::parse())
}
