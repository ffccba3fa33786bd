//! The command line: one file for each verb.

pub mod config;

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
    /// Look at configuration without starting anything.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

/// Does what the command line says.
pub fn run(cli: &Cli) -> ExitCode {
    match &cli.command {
        Command::Config(command) => config::run(command),
    }
}
