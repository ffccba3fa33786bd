//! `gatelet client`: the programs that ask for tokens.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::admin::{Common, EXIT_CODES, Paging, run, secret_from_stdin};
use super::output::{Cell, Output, Shape, detail, listed};
use super::parse;
use crate::app::admin::{
    Admin, AdminError, ClientFilter, ClientWithSecret, KnownClient, Origin, WhichSecret,
};
use crate::protocol::{
    ClientAuthMethod, ClientChange, ClientId, GrantType, RedirectUri, ResourceUri, Scope, ScopeToken,
    TenantId, Timestamp,
};

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
    /// Add a client: a public one unless it is said to be confidential or a machine. Its secret is shown this once.
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
    /// It acts for people and keeps a secret.
    #[arg(long)]
    pub confidential: bool,
    /// It acts for itself, by client credentials, and keeps a secret.
    #[arg(long, conflicts_with = "confidential")]
    pub machine: bool,
    /// Read the secret from standard input instead of drawing one.
    #[arg(long)]
    pub secret_stdin: bool,
    /// What else it is.
    #[command(flatten)]
    pub members: Members,
}

/// What a client is.
#[derive(Args, Clone, Debug)]
pub struct Members {
    /// Its name for people.
    #[arg(long)]
    pub name: Option<String>,
    /// Its home page.
    #[arg(long, value_parser = parse::home_page)]
    pub uri: Option<String>,
    /// Where answers may be sent; can be given several times and replaces those that it has.
    #[arg(long = "redirect-uri", value_name = "URI", value_parser = RedirectUri::parse)]
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may offer for tokens; can be given several times and replaces what it has.
    #[arg(long = "grant", value_name = "TYPE", value_parser = parse::grant_type)]
    pub grants: Vec<GrantType>,
    /// How it authenticates: client_secret_basic, client_secret_post or none; can be given several times and replaces
    /// what it has.
    #[arg(long = "auth-method", value_name = "METHOD", value_parser = parse::auth_method)]
    pub auth_methods: Vec<ClientAuthMethod>,
    /// What it asks for when a request names no scope, with spaces between; a default, not a ceiling.
    #[arg(long, value_name = "SCOPES", value_parser = Scope::parse)]
    pub scope: Option<Scope>,
    /// The resource that it means when it names none.
    #[arg(long, value_name = "URI", value_parser = ResourceUri::parse)]
    pub resource: Option<ResourceUri>,
    /// A scope that it may obtain for itself; can be given several times and replaces those that it has.
    #[arg(long = "machine-scope", value_name = "SCOPE", value_parser = ScopeToken::parse)]
    pub machine_scopes: Vec<ScopeToken>,
    /// The tenant that its own tokens belong to.
    #[arg(long, value_name = "TENANT", value_parser = parse::tenant)]
    pub tenant: Option<TenantId>,
    /// It is the operator's own: people are not asked whether they let it in.
    #[arg(long)]
    pub first_party: bool,
}

/// What is printed of a client.
pub(super) const CLIENT: Shape<15> = Shape {
    many: "clients",
    fields: [
        listed("client_id", "Its identifier."),
        listed("name", "The name that it or the operator gave it, or null."),
        listed(
            "origin",
            "`config`, `admin`, `dynamic` (registered itself), `document` (known by the document at its identifier) or `withdrawn`.",
        ),
        detail("uri", "Its home page, or null."),
        detail("redirect_uris", "Where answers may be sent."),
        listed("grant_types", "What it may offer for tokens."),
        detail("auth_methods", "The ways in which it authenticates."),
        detail("scope", "What it asks for when a request names no scope, or null."),
        detail("resource", "The resource that it means when it names none, or null."),
        detail("machine_scopes", "The scopes that it may obtain for itself."),
        detail("tenant", "The tenant that its own tokens belong to, or null."),
        detail("first_party", "Whether people are not asked whether they let it in."),
        detail("registered_at", "When it was first seen."),
        detail(
            "used_at",
            "When somebody first let it in, for one that registered itself or is known by a document; or null.",
        ),
        listed("suspended_at", "Since when it may do nothing, or null."),
    ],
};

fn cells(known: &KnownClient) -> [Cell; 15] {
    let KnownClient { known, used_at } = known;
    let client = &known.thing;
    [
        Cell::text(client.id.as_str()),
        Cell::optional(client.name.as_deref()),
        Cell::text(known.origin.as_str()),
        Cell::optional(client.uri.as_deref()),
        Cell::list(client.redirect_uris.iter().map(RedirectUri::as_str)),
        Cell::list(client.grant_types.iter().map(|grant| grant.as_str())),
        Cell::list(client.auth_methods.iter().map(|method| method.as_str())),
        Cell::optional(client.scope.as_ref().map(ToString::to_string)),
        Cell::optional(client.default_resource.as_ref().map(ResourceUri::as_str)),
        Cell::list(client.machine_scopes.iter().map(ScopeToken::as_str)),
        Cell::optional(client.tenant.as_ref().map(TenantId::as_str)),
        Cell::yes(client.first_party),
        Cell::time(known.created_at),
        Cell::time(*used_at),
        Cell::time(known.suspended_at),
    ]
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
            let mut change = members.change();
            if *third_party {
                change.first_party = Some(false);
            }
            admin.change_client(client, change).await?
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
    let mut change = args.members.change();
    let (grants, method) = if args.machine {
        (vec![GrantType::ClientCredentials], ClientAuthMethod::ClientSecretBasic)
    } else if args.confidential {
        (vec![GrantType::AuthorizationCode, GrantType::RefreshToken], ClientAuthMethod::ClientSecretBasic)
    } else {
        (vec![GrantType::AuthorizationCode, GrantType::RefreshToken], ClientAuthMethod::None)
    };
    change.grant_types.get_or_insert(grants);
    change.auth_methods.get_or_insert(vec![method]);
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

impl Members {
    fn change(&self) -> ClientChange {
        fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
            (!list.is_empty()).then(|| list.to_vec())
        }
        ClientChange {
            name: self.name.clone(),
            uri: self.uri.clone(),
            redirect_uris: some(&self.redirect_uris),
            grant_types: some(&self.grants),
            auth_methods: some(&self.auth_methods),
            scope: self.scope.clone(),
            default_resource: self.resource.clone(),
            machine_scopes: some(&self.machine_scopes).map(|scopes| scopes.into_iter().collect()),
            tenant: self.tenant.clone(),
            first_party: self.first_party.then_some(true),
        }
    }
}
