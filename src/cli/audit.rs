//! `gatelet audit` and `gatelet sweep`: what happened, and taking out what has ended.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::admin::{Common, EXIT_CODES, Paging, failed_output, run, run_quietly};
use super::output::{Cell, Output, Shape, detail, listed};
use super::parse::{self, Since};
use crate::app::admin::{Admin, AdminError, AuditFilter, AuditKind, RecordedEvent};
use crate::clock::Clock;
use crate::protocol::{ClientId, Id, TenantId};

/// How long between two looks of `--follow`.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Arguments of `gatelet audit`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct AuditArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to do with the audit log.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// List what happened, newest first.
    List(ListArgs),
}

/// Arguments of `gatelet audit list`.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// From this moment on (RFC 3339), or this long ago: `2h`, `7d`.
    #[arg(long, value_name = "TIME", value_parser = parse::since)]
    pub since: Option<Since>,
    /// What concerns this person, by login name or identifier.
    #[arg(long)]
    pub user: Option<String>,
    /// What concerns this client.
    #[arg(long, value_parser = parse::client)]
    pub client: Option<ClientId>,
    /// What is of this kind.
    #[arg(long, value_parser = parse::audit_kind())]
    pub kind: Option<AuditKind>,
    /// Go on, oldest first, with what happens from now on (or since --since), until the command is ended. With --json each
    /// fact is a line.
    #[arg(long, conflicts_with_all = ["after", "limit"])]
    pub follow: bool,
    /// Which part of the list.
    #[command(flatten)]
    pub paging: Paging,
}

/// What is printed of a fact.
pub(super) const EVENT: Shape<8> = Shape {
    many: "events",
    fields: [
        detail("id", "Its identifier, which grows with time."),
        listed("at", "When."),
        listed("kind", "What happened."),
        listed("user", "The identifier of the person it concerns, or null."),
        listed("client_id", "The client it concerns, or null."),
        listed("tenant", "The tenant it happened in, or null."),
        detail("grant", "The grant it concerns, or null."),
        listed("detail", "More, for the reader; or null."),
    ],
};

fn cells(event: &RecordedEvent) -> [Cell; 8] {
    [
        Cell::text(event.id.as_str()),
        Cell::time(Some(event.at)),
        Cell::text(&event.kind),
        Cell::optional(event.user.as_ref().map(ToString::to_string)),
        Cell::optional(event.client.as_ref().map(ClientId::as_str)),
        Cell::optional(event.tenant.as_ref().map(TenantId::as_str)),
        Cell::optional(event.grant.as_ref().map(ToString::to_string)),
        Cell::optional(event.detail.as_deref()),
    ]
}

/// Runs `gatelet audit`.
pub fn run_audit(args: &AuditArgs) -> ExitCode {
    let AuditCommand::List(list) = &args.command;
    if list.follow {
        return run_quietly(&args.common, async |admin| follow(admin, list, args.common.json).await);
    }
    run(&args.common, async |admin| {
        let after = list.paging.after.as_deref().map(|text| {
            Id::parse(text).ok_or_else(|| AdminError::Invalid(format!("{text:?} is no identifier of a fact")))
        });
        let filter = filter(admin, list).await?;
        let events = admin.audit(&filter, after.transpose()?.as_ref(), list.paging.limit).await?;
        let next = list.paging.next(&events, |event| event.id.to_string());
        Ok(Output::many(&EVENT, events.iter().map(cells), next))
    })
}

async fn filter(admin: &Admin, list: &ListArgs) -> Result<AuditFilter, AdminError> {
    let user = match &list.user {
        Some(name) => Some(admin.user_id(name).await?),
        None => None,
    };
    let since = list.since.as_ref().map(|since| since.before(Clock::system().now()));
    Ok(AuditFilter { since, user, client: list.client.clone(), kind: list.kind })
}

/// Prints facts as they come, until the process is ended or nobody reads on.
async fn follow(admin: &Admin, list: &ListArgs, as_json: bool) -> Result<(), AdminError> {
    let mut watch = admin.watch_audit(filter(admin, list).await?);
    loop {
        for event in admin.new_audit(&mut watch).await? {
            let line = Output::line(&EVENT, cells(&event));
            if !line.print_line(as_json).map_err(failed_output)? {
                return Ok(());
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Arguments of `gatelet sweep`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct SweepArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Runs `gatelet sweep`: what a running server does every few minutes, once.
pub fn run_sweep(args: &SweepArgs) -> ExitCode {
    run(&args.common, async |admin| {
        let rows = admin.sweep().await?;
        let lines: Vec<String> =
            rows.iter().map(|(kind, rows)| format!("{:18} {rows}", kind.replace('_', " "))).collect();
        Ok(Output::lines(lines, json!({ "swept": rows })))
    })
}
