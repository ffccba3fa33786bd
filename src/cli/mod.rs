//! The command line: one file for each verb.

pub mod admin;
pub mod audit;
mod banner;
pub mod client;
pub mod client_members;
mod client_shown;
pub mod completions;
pub mod config;
pub mod dev;
pub mod grant;
pub mod initial_token;
pub mod key;
mod listen;
mod log;
mod open_files;
mod output;
mod parse;
pub mod probe;
mod reference;
pub mod resource;
pub mod role;
pub mod serve;
mod stop;
pub mod tenant;
pub mod test;
pub mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use reference::reference;

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
    /// Start issuers for integration tests, driven over HTTP: the control plane's address and key are printed as JSON.
    Test(test::TestArgs),
    /// Send good and bad tokens to an MCP server, and say what it wrongly accepts and refuses.
    Probe(probe::ProbeArgs),
    /// Look at configuration without starting anything.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// People: list, show, add, change, set a password, suspend, delete.
    User(user::UserArgs),
    /// Signing keys: list, generate, rotate, import, export, revoke; and the key that seals them.
    Key(key::KeyArgs),
    /// Tenants: list, show, add, change, suspend, delete.
    Tenant(tenant::TenantArgs),
    /// Roles: list, show, add, change, delete.
    Role(role::RoleArgs),
    /// Resources (MCP servers): list, show, add, change, delete.
    Resource(resource::ResourceArgs),
    /// Clients: list, show, add, change, exchange secrets, suspend, delete.
    Client(client::ClientArgs),
    /// Initial access tokens, by which clients register: list, show, issue, revoke.
    InitialToken(initial_token::InitialTokenArgs),
    /// Grants, which people gave to clients: list, show, revoke.
    Grant(grant::GrantArgs),
    /// Single tokens: issue (in dev mode), inspect, revoke.
    Token(grant::TokenArgs),
    /// The audit log: what happened.
    Audit(audit::AuditArgs),
    /// Delete what has ended, as a running server does every few minutes, and say what that was.
    Sweep(audit::SweepArgs),
    /// Print completions for a shell.
    Completions(completions::CompletionsArgs),
    /// Print the man page, or write those of all commands.
    Man(completions::ManArgs),
}

/// Does what the command line says.
pub fn run(cli: &Cli) -> ExitCode {
    match &cli.command {
        Command::Dev(args) => dev::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Test(args) => test::run(args),
        Command::Probe(args) => probe::run(args),
        Command::Config(command) => config::run(command),
        Command::User(args) => user::run_user(args),
        Command::Key(args) => key::run_key(args),
        Command::Tenant(args) => tenant::run_tenant(args),
        Command::Role(args) => role::run_role(args),
        Command::Resource(args) => resource::run_resource(args),
        Command::Client(args) => client::run_client(args),
        Command::InitialToken(args) => initial_token::run_initial_token(args),
        Command::Grant(args) => grant::run_grant(args),
        Command::Token(args) => grant::run_token(args),
        Command::Audit(args) => audit::run_audit(args),
        Command::Sweep(args) => audit::run_sweep(args),
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => completions::man(args),
    }
}

/// Says in one line why nothing was started.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

/// The runtime of a command that does one thing.
fn current_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The runtime on which a server runs.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
