//! `gatelet config`: looks at configuration without starting anything.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand};

use crate::config::{self, Config};
use crate::protocol::RegistrationMode;

/// `EX_CONFIG` of sysexits.h: something was found in an unconfigured or misconfigured state.
pub(super) const EX_CONFIG: u8 = 78;

/// What to do with the configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration and say what it declares.
    Check(CheckArgs),
    /// Print a complete configuration file, with every key explained, or a starting point.
    Example(ExampleArgs),
}

/// Arguments of `gatelet config check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// The configuration file [default: $GATELET_CONFIG, else gatelet.toml if it is there].
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
}

/// Arguments of `gatelet config example`.
#[derive(Args, Clone, Debug, Default)]
pub struct ExampleArgs {
    /// Print a starting point for a common deployment instead.
    #[arg(long, value_name = "NAME", value_parser = profiles())]
    pub profile: Option<String>,
    /// Print the starting point as environment lines.
    #[arg(long, requires = "profile")]
    pub environment: bool,
}

fn profiles() -> PossibleValuesParser {
    config::PROFILES.map(|profile| PossibleValue::new(profile.name).help(profile.about)).into()
}

/// Runs `gatelet config`.
pub fn run(command: &ConfigCommand) -> ExitCode {
    match command {
        ConfigCommand::Check(args) => check(args),
        ConfigCommand::Example(args) => example(args),
    }
}

/// Checks a configuration: a summary and warnings, or every error and the exit code 78.
pub fn check(args: &CheckArgs) -> ExitCode {
    match config::load(args.config.as_deref(), variables()) {
        Ok(config) => {
            print!("{}", summary(&config));
            for warning in &config.warnings {
                eprintln!("warning: {warning}");
            }
            ExitCode::SUCCESS
        }
        Err(errors) => {
            for problem in errors.problems() {
                eprintln!("error: {problem}");
            }
            ExitCode::from(EX_CONFIG)
        }
    }
}

/// Prints the example, or a starting point.
pub fn example(args: &ExampleArgs) -> ExitCode {
    let profile = config::PROFILES.into_iter().find(|profile| Some(profile.name) == args.profile.as_deref());
    match profile {
        None => print!("{}", config::example()),
        Some(profile) if args.environment => print!("{}", config::environment_lines(profile.text)),
        Some(profile) => print!("{}", profile.text),
    }
    ExitCode::SUCCESS
}

/// The environment.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(text_pair)
}

/// Variables that are not text cannot be ours.
fn text_pair((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

/// What is configured, in a few lines and without any secret.
fn summary(config: &Config) -> String {
    let declared = &config.declared;
    let listed = |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    let database = config.database_url.expose_secret();
    let clients = declared.clients.iter().map(|declared| {
        let client = &declared.client;
        let proof = match (declared.secrets.is_empty(), &client.keys) {
            (true, None) => "public",
            (false, None) => "with a secret",
            (true, Some(_)) => "with keys",
            (false, Some(_)) => "with a secret and keys",
        };
        format!("{} ({proof})", client.id)
    });
    let rows = [
        ("issuer", config.policy.issuer.to_string()),
        ("pages", config.policy.issuer.public_url().page_url("/")),
        ("listen", listed(config.listen.iter().map(ToString::to_string).collect())),
        // A PostgreSQL URL may hold a password.
        ("database", if database.starts_with("sqlite:") { database } else { "PostgreSQL" }.to_owned()),
        (
            "registration",
            match config.policy.registration {
                RegistrationMode::Open => "open",
                RegistrationMode::Token => "token",
                RegistrationMode::Off => "off",
            }
            .to_owned(),
        ),
        ("scopes", config.policy.scopes_supported.to_string()),
        ("tenants", listed(declared.tenants.iter().map(|tenant| tenant.id.to_string()).collect())),
        ("roles", listed(declared.roles.iter().map(|role| role.name.to_string()).collect())),
        ("users", listed(declared.users.iter().map(|user| user.username.clone()).collect())),
        ("resources", listed(declared.resources.iter().map(|resource| resource.uri.to_string()).collect())),
        ("clients", listed(clients.collect())),
    ];
    rows.iter().map(|(name, value)| format!("{name:<13} {value}\n")).collect()
}
