//! `gatelet initial-token`: initial access tokens, by which clients register.

use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use serde_json::json;

use super::admin::{Common, EXIT_CODES, run};
use super::output::{Cell, Output, Shape, detail, listed};
use super::parse;
use crate::app::admin::{Admin, AdminError, InitialTokenWish};
use crate::protocol::{InitialAccessToken, Scope, ScopeToken};

/// Arguments of `gatelet initial-token`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct InitialTokenArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: InitialTokenCommand,
}

/// What to do with initial access tokens (RFC 7591), by which clients register where others may not, or for more. A token
/// is named by its name.
#[derive(Clone, Debug, Subcommand)]
pub enum InitialTokenCommand {
    /// List tokens.
    List,
    /// Show a token, but not its text.
    Show {
        /// Its name.
        name: String,
    },
    /// Make a token. Its text is shown this once.
    Issue(IssueArgs),
    /// Take a token back; clients that registered with it stay.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// Arguments of `gatelet initial-token issue`.
#[derive(Args, Clone, Debug)]
pub struct IssueArgs {
    /// What it is called here and in the log.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
    /// How many clients may register with it [default: any number].
    #[arg(long, value_name = "N", value_parser = parse::uses)]
    pub uses: Option<u32>,
    /// How long it is good, such as `7d` [default: until it is revoked].
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    pub expires_in: Option<Duration>,
    /// The most that clients which register with it can be given, with spaces between [default: `registration.scopes` of
    /// the configuration].
    #[arg(long, value_name = "SCOPES", value_parser = Scope::parse)]
    pub scope: Option<Scope>,
    /// They may use client credentials, for these scopes.
    #[arg(long, requires = "scope")]
    pub client_credentials: bool,
}

/// What is printed of an initial access token.
pub(super) const INITIAL_TOKEN: Shape<10> = Shape {
    many: "initial_tokens",
    fields: [
        listed("name", "Its name."),
        listed("origin", "`config` or `admin`."),
        listed("good", "Whether a client may register with it now."),
        listed("uses", "How many clients have registered with it."),
        listed("max_uses", "How many may in all, or null for any number."),
        listed("expires_at", "Until when it is good, or null."),
        listed(
            "scopes",
            "The most that those clients can be given, or null for what open registration gives.",
        ),
        detail("client_credentials", "Whether they may use client credentials."),
        detail("created_at", "When it was made."),
        detail("last_used_at", "When a client registered with it last, or null."),
    ],
};

fn cells(admin: &Admin, token: &InitialAccessToken) -> [Cell; 10] {
    let scopes = |scopes: &Scope| Cell::list(scopes.iter().map(ScopeToken::as_str));
    [
        Cell::text(&token.name),
        Cell::text(if token.is_declared { "config" } else { "admin" }),
        Cell::yes(admin.is_good(token)),
        Cell::number(Some(token.uses.into())),
        Cell::number(token.max_uses.map(u64::from)),
        Cell::time(token.expires_at),
        token.scopes.as_ref().map_or_else(Cell::nothing, scopes),
        Cell::yes(token.machines),
        Cell::time(Some(token.created_at)),
        Cell::time(token.last_used_at),
    ]
}

/// Runs `gatelet initial-token`.
pub fn run_initial_token(args: &InitialTokenArgs) -> ExitCode {
    run(&args.common, async |admin| done(admin, &args.command).await)
}

async fn done(admin: &Admin, command: &InitialTokenCommand) -> Result<Output, AdminError> {
    match command {
        InitialTokenCommand::List => {
            let tokens = admin.initial_tokens().await?;
            Ok(Output::many(&INITIAL_TOKEN, tokens.iter().map(|token| cells(admin, token)), None))
        }
        InitialTokenCommand::Show { name } => {
            Ok(Output::one(&INITIAL_TOKEN, cells(admin, &admin.initial_token(name).await?)))
        }
        InitialTokenCommand::Issue(args) => {
            let IssueArgs { name, uses, expires_in, scope, client_credentials } = args.clone();
            let wish = InitialTokenWish {
                name,
                max_uses: uses,
                expires_in,
                scopes: scope,
                machines: client_credentials,
            };
            let (token, text) = admin.issue_initial_token(wish).await?;
            Ok(Output::one(&INITIAL_TOKEN, cells(admin, &token)).with_secret("initial_access_token", &text))
        }
        InitialTokenCommand::Revoke { name } => {
            admin.revoke_initial_token(name).await?;
            Ok(Output::done(format!("revoked initial access token {name}"), json!({ "revoked": name })))
        }
    }
}
