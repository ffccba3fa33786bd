//! `gatelet grant` and `gatelet token`: what people let clients do, and single tokens.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::admin::{Common, EXIT_CODES, Paging, run, secret_from_stdin};
use super::output::{Cell, Output, Shape, detail, listed};
use super::parse;
use crate::app::admin::{Admin, AdminError, InspectedToken, KnownGrant, TokenWish};
use crate::app::dev::TERMINAL_CLIENT;
use crate::protocol::{ClientId, GrantId, ResourceUri, Scope, TenantId};

/// Arguments of `gatelet grant`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct GrantArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: GrantCommand,
}

/// What to do with grants: one for each completed authorization, so one for each installation of a client.
#[derive(Clone, Debug, Subcommand)]
pub enum GrantCommand {
    /// List grants, newest first.
    List {
        /// Those of this person alone, by login name or identifier.
        #[arg(long)]
        user: Option<String>,
        /// Those to this client alone.
        #[arg(long, value_parser = parse::client)]
        client: Option<ClientId>,
        /// Which part of the list.
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a grant.
    Show {
        /// Its identifier.
        #[arg(value_parser = parse::grant)]
        grant: GrantId,
    },
    /// Revoke a grant, and with it every token issued under it.
    Revoke {
        /// Its identifier.
        #[arg(value_parser = parse::grant)]
        grant: GrantId,
    },
}

/// What is printed of a grant.
pub(super) const GRANT: Shape<11> = Shape {
    many: "grants",
    fields: [
        listed("id", "Its identifier, which every token issued under it carries."),
        listed("user", "The identifier of the person who gave it."),
        listed("client_id", "The client that got it."),
        listed("tenant", "In which tenant."),
        listed("resources", "For what, and how far: an object from resource to a list of scopes."),
        detail("general_scopes", "What was granted that belongs to no resource."),
        detail("issued_at", "When it was given."),
        detail("refreshed_at", "When its refresh token was last exchanged, or null."),
        detail("expires_at", "When its refresh tokens end, or null without them."),
        listed("alive", "Whether it may be used: it and everybody whom it names still stand."),
        detail("revoked_at", "When it was revoked, or null."),
    ],
};

fn cells(known: &KnownGrant) -> [Cell; 11] {
    let grant = &known.grant;
    let scopes = |scope: &Scope| scope.iter().map(ToString::to_string).collect::<Vec<_>>();
    let shown = grant.resources.iter().map(|granted| match granted.scope.is_empty() {
        true => granted.resource.to_string(),
        false => format!("{}={}", granted.resource, scopes(&granted.scope).join(",")),
    });
    let by_resource: serde_json::Map<_, _> = grant
        .resources
        .iter()
        .map(|granted| (granted.resource.to_string(), scopes(&granted.scope).into()))
        .collect();
    [
        Cell::text(grant.id.to_string()),
        Cell::text(grant.user.to_string()),
        Cell::text(grant.client.to_string()),
        Cell::text(grant.tenant.to_string()),
        Cell::of(shown.collect::<Vec<_>>().join(" "), by_resource.into()),
        Cell::list(scopes(&grant.general)),
        Cell::time(Some(grant.issued_at)),
        Cell::time(grant.refresh.map(|refresh| refresh.rotated_at)),
        Cell::time(grant.refresh.map(|refresh| refresh.expires_at.min(refresh.idle_expires_at))),
        Cell::yes(known.is_alive),
        Cell::time(grant.revoked_at),
    ]
}

/// Runs `gatelet grant`.
pub fn run_grant(args: &GrantArgs) -> ExitCode {
    run(&args.common, async |admin| {
        let grant = match &args.command {
            GrantCommand::List { user, client, paging } => {
                let before = paging.after.as_deref().map(parse::grant).transpose();
                let before = before.map_err(|rule| AdminError::Invalid(format!("--after {rule}")))?;
                let (user, client) = (user.as_deref(), client.as_ref());
                let grants = admin.grants(user, client, before.as_ref(), paging.limit).await?;
                let next = paging.next(&grants, |known| known.grant.id.to_string());
                return Ok(Output::many(&GRANT, grants.iter().map(cells), next));
            }
            GrantCommand::Show { grant } => admin.grant(grant).await?,
            GrantCommand::Revoke { grant } => admin.revoke_grant(grant).await?,
        };
        Ok(Output::one(&GRANT, cells(&grant)))
    })
}

/// Arguments of `gatelet token`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct TokenArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// What to do with tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Print an access token without asking anybody, in dev mode alone:
    /// `curl -H "Authorization: Bearer $(gatelet token issue --user alice)" …`.
    Issue(IssueArgs),
    /// Say what there is to say about a token of this server.
    Inspect {
        /// The token; `-` reads it from standard input, which nobody else sees.
        token: String,
    },
    /// Revoke a token: a refresh token with its grant, an access token alone.
    Revoke {
        /// The token; `-` reads it from standard input, which nobody else sees.
        token: String,
    },
}

/// Arguments of `gatelet token issue`.
#[derive(Args, Clone, Debug)]
pub struct IssueArgs {
    /// Whom it speaks for, by login name or identifier.
    #[arg(long)]
    pub user: String,
    /// For which resource (MCP server) [default: the one that a client means that names none].
    #[arg(long, value_name = "URI", value_parser = ResourceUri::parse)]
    pub resource: Option<ResourceUri>,
    /// How far it goes, with spaces between [default: the resource's default scopes].
    #[arg(long, value_name = "SCOPES", value_parser = Scope::parse)]
    pub scope: Option<Scope>,
    /// In which tenant [default: the person's only one].
    #[arg(long, value_parser = parse::tenant)]
    pub tenant: Option<TenantId>,
    /// As which client.
    #[arg(long, value_parser = parse::client, default_value = TERMINAL_CLIENT)]
    pub client: ClientId,
}

/// What is printed of a token that was issued. People get the token alone.
pub(super) const ISSUED: Shape<4> = Shape {
    many: "issued_tokens",
    fields: [
        listed("access_token", "The token."),
        detail("expires_at", "When it ends."),
        detail("scope", "How far it goes, with spaces between."),
        detail("grant", "The grant behind it; revoking that ends it."),
    ],
};

/// What is printed of a token that was inspected.
pub(super) const INSPECTED: Shape<6> = Shape {
    many: "inspected_tokens",
    fields: [
        listed("kind", "`access_token` or `refresh_token`."),
        listed("active", "Whether it is good now."),
        listed("reason", "Why it is not, or null."),
        listed("grant", "The grant that it was issued under, or null."),
        listed("expires_at", "When it ends if nothing else ends it, or null."),
        listed("claims", "What an access token says: an object."),
    ],
};

/// Runs `gatelet token`.
pub fn run_token(args: &TokenArgs) -> ExitCode {
    run(&args.common, async |admin| match &args.command {
        TokenCommand::Issue(args) => issue(admin, args).await,
        TokenCommand::Inspect { token } => {
            Ok(Output::one(&INSPECTED, inspected(admin.inspect_token(&given(token)?).await?)))
        }
        TokenCommand::Revoke { token } => {
            Ok(Output::one(&INSPECTED, inspected(admin.revoke_token(&given(token)?).await?)))
        }
    })
}

async fn issue(admin: &Admin, args: &IssueArgs) -> Result<Output, AdminError> {
    let IssueArgs { user, resource, scope, tenant, client } = args.clone();
    let issued = admin.issue_token(TokenWish { user, tenant, client, resource, scope }).await?;
    let cells = [
        Cell::text(&issued.access_token),
        Cell::time(Some(issued.expires_at)),
        Cell::text(issued.scope),
        Cell::text(issued.grant.to_string()),
    ];
    Ok(Output::one(&ISSUED, cells).with_text(issued.access_token))
}

fn inspected(token: InspectedToken) -> [Cell; 6] {
    let claims = Value::Object(token.claims);
    [
        Cell::text(token.kind),
        Cell::yes(token.ended.is_none()),
        Cell::optional(token.ended),
        Cell::optional(token.grant.map(|grant| grant.to_string())),
        Cell::time(token.expires_at),
        Cell::of(claims.to_string(), claims),
    ]
}

fn given(token: &str) -> Result<String, AdminError> {
    if token == "-" { secret_from_stdin() } else { Ok(token.to_owned()) }
}
