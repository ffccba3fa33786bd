//! The command line: one file for each verb.

mod banner;
pub mod config;
pub mod dev;
mod log;
pub mod serve;
mod stop;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A self-contained OAuth 2.1 authorization server made for MCP.
#[derive(Clone, Debug, Parser)]
#[command(name = "gatelet", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Start a server for development: no configuration, ready-made people, a demonstration MCP server.
    Dev(dev::DevArgs),
    /// Start the server that a configuration file describes.
    Serve(serve::ServeArgs),
    /// Look at configuration without starting anything.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

/// Does what the command line says.
pub fn run(cli: &Cli) -> ExitCode {
    match &cli.command {
        Command::Dev(args) => dev::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Config(command) => config::run(command),
    }
}

/// Says in one line why nothing was started.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

/// The runtime on which a server runs.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
