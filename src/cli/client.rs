//! `gatelet client`: the programs that ask for tokens.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::admin::{Common, EXIT_CODES, Paging, require_change, run, secret_from_stdin};
use super::client_members::Members;
use super::client_shown::{CLIENT, cells};
use super::output::{Cell, Output};
use super::parse;
use crate::app::admin::{Admin, AdminError, ClientFilter, ClientWithSecret, Origin, WhichSecret};
use crate::protocol::client_rules::Proofs;
use crate::protocol::{ClientChange, ClientId, GrantType, Timestamp};

/// Arguments of `gatelet client`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct ClientArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: ClientCommand,
}

/// What to do with clients.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientCommand {
    /// List clients.
    List {
        /// Those alone that are known this way.
        #[arg(long, value_parser = parse::origin, value_name = "config|admin|dynamic|document|withdrawn")]
        origin: Option<Origin>,
        /// Those alone that registered themselves or are known by a document, and that nobody ever let in.
        #[arg(long)]
        unused: bool,
        /// Which part of the list.
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a client.
    Show {
        /// Its `client_id`.
        #[arg(value_parser = parse::client)]
        client: ClientId,
    },
    /// Add a client: a public one, unless it is said to be confidential or a machine, or nothing is said but what only a
    /// machine does (keys, scopes of its own, introspection) and no redirect URI. A secret that is drawn is shown this
    /// once.
    Add(Box<AddArgs>),
    /// Change a client; what is not named stays.
    Change {
        /// Its `client_id`.
        #[arg(value_parser = parse::client)]
        client: ClientId,
        /// What it is to be.
        #[command(flatten)]
        members: Box<Members>,
        /// Ask people whether they let it in.
        #[arg(long, conflicts_with = "first_party")]
        third_party: bool,
    },
    /// Exchange a client's secret without downtime: add the new one, and drop the old one when it is used no more.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Suspend a client: it may do nothing, and its grants are revoked.
    #[command(visible_alias = "disable")]
    Suspend {
        /// Its `client_id`.
        #[arg(value_parser = parse::client)]
        client: ClientId,
    },
    /// Let a suspended client act again; grants are not given back.
    #[command(visible_alias = "enable")]
    Resume {
        /// Its `client_id`.
        #[arg(value_parser = parse::client)]
        client: ClientId,
    },
    /// Delete a client; its grants are revoked. One that registered itself can do so again: suspend it to keep it out.
    Delete {
        /// Its `client_id`.
        #[arg(value_parser = parse::client)]
        client: ClientId,
    },
}

/// What to do with the secrets of a client, of which it may have two.
#[derive(Clone, Debug, Subcommand)]
pub enum SecretCommand {
    /// Give a client a second secret, which is shown this once.
    Add {
        /// Its `client_id`.
        #[arg(value_parser = parse::client)]
        client: ClientId,
        /// Read the secret from standard input instead of drawing one.
        #[arg(long)]
        stdin: bool,
    },
    /// Take the older of a client's two secrets away.
    Drop {
        /// Its `client_id`.
        #[arg(value_parser = parse::client)]
        client: ClientId,
        /// The newer one instead.
        #[arg(long)]
        newer: bool,
    },
}

/// Arguments of `gatelet client add`.
#[derive(Args, Clone, Debug)]
pub struct AddArgs {
    /// Its `client_id` [default: one that is drawn].
    #[arg(value_parser = parse::client)]
    pub client: Option<ClientId>,
    /// It acts for people, and keeps a secret unless it is given keys.
    #[arg(long)]
    pub confidential: bool,
    /// It acts for itself, by client credentials, and keeps a secret unless it is given keys.
    #[arg(long, conflicts_with = "confidential")]
    pub machine: bool,
    /// Read the secret from standard input instead of drawing one.
    #[arg(long)]
    pub secret_stdin: bool,
    /// What else it is.
    #[command(flatten)]
    pub members: Members,
}

/// Runs `gatelet client`.
pub fn run_client(args: &ClientArgs) -> ExitCode {
    run(&args.common, async |admin| done(admin, &args.command).await)
}

async fn done(admin: &Admin, command: &ClientCommand) -> Result<Output, AdminError> {
    let client = match command {
        ClientCommand::List { origin, unused, paging } => {
            let filter = ClientFilter { origin: *origin, unused: *unused };
            let clients = admin.clients(paging.after.as_deref(), filter, paging.limit).await?;
            let next = paging.next(&clients, |client| client.known.thing.id.to_string());
            return Ok(Output::many(&CLIENT, clients.iter().map(cells), next));
        }
        ClientCommand::Show { client } => admin.client(client).await?,
        ClientCommand::Add(args) => return add(admin, args).await,
        ClientCommand::Change { client, members, third_party } => {
            let mut change = members.change(admin)?;
            if *third_party {
                change.first_party = Some(false);
            }
            require_change(change != ClientChange::default())?;
            let changed = admin.change_client(client, change).await?;
            return with_secrets(admin, changed).await;
        }
        ClientCommand::Secret(SecretCommand::Add { client, stdin }) => {
            let secret = if *stdin { Some(secret_from_stdin()?) } else { None };
            let added = admin.add_client_secret(client, secret).await?;
            return with_secrets(admin, added).await;
        }
        ClientCommand::Secret(SecretCommand::Drop { client, newer }) => {
            let which = if *newer { WhichSecret::Newer } else { WhichSecret::Older };
            admin.drop_client_secret(client, which).await?
        }
        ClientCommand::Suspend { client } => admin.suspend_client(client).await?,
        ClientCommand::Resume { client } => admin.resume_client(client).await?,
        ClientCommand::Delete { client } => {
            admin.delete_client(client).await?;
            return Ok(Output::done(
                format!("deleted client {client}"),
                json!({ "deleted": client.as_str() }),
            ));
        }
    };
    with_secrets(admin, ClientWithSecret { client, secret: None }).await
}

async fn add(admin: &Admin, args: &AddArgs) -> Result<Output, AdminError> {
    let mut change = args.members.change(admin)?;
    let keys = args.members.has_keys();
    let for_itself = args.machine || (!args.confidential && args.members.is_of_machine());
    let grants = match for_itself {
        true => vec![GrantType::ClientCredentials],
        false => vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
    };
    let secret = args.secret_stdin || ((args.confidential || for_itself) && !keys);
    change.grant_types.get_or_insert(grants);
    change.auth_methods.get_or_insert(Proofs { secret, keys }.default_methods());
    let secret = if args.secret_stdin { Some(secret_from_stdin()?) } else { None };
    let added = admin.add_client(args.client.clone(), &change, secret).await?;
    with_secrets(admin, added).await
}

/// A client with the ages of its secrets, and the one that was just made.
async fn with_secrets(admin: &Admin, told: ClientWithSecret) -> Result<Output, AdminError> {
    let times: Vec<Timestamp> = admin.client_secret_times(&told.client.known.thing.id).await?;
    let times = Cell::list(times.into_iter().map(Timestamp::to_rfc3339));
    let output = Output::one(&CLIENT, cells(&told.client)).with("secrets_made_at", times);
    Ok(match told.secret {
        Some(secret) => output.with_secret("client_secret", &secret),
        None => output,
    })
}
