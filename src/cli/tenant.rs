//! `gatelet tenant`: groups of people whose data is kept apart.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::admin::{Common, EXIT_CODES, Paging, run};
use super::output::{Cell, Output, Shape, detail, listed};
use super::parse;
use crate::app::admin::{Admin, AdminError, Known};
use crate::protocol::{Tenant, TenantId};

/// Arguments of `gatelet tenant`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct TenantArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: TenantCommand,
}

/// What to do with tenants.
#[derive(Clone, Debug, Subcommand)]
pub enum TenantCommand {
    /// List tenants.
    List {
        /// Which part of the list.
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a tenant.
    Show {
        /// Its identifier.
        #[arg(value_parser = parse::tenant)]
        tenant: TenantId,
    },
    /// Add a tenant.
    Add {
        /// A short word: the `tenant` claim.
        #[arg(value_parser = parse::tenant)]
        tenant: TenantId,
        /// Its name for people [default: the identifier].
        #[arg(long)]
        name: Option<String>,
    },
    /// Give a tenant another name.
    Change {
        /// Its identifier.
        #[arg(value_parser = parse::tenant)]
        tenant: TenantId,
        /// Its name for people.
        #[arg(long)]
        name: String,
    },
    /// Suspend a tenant: it cannot be used, and the grants in it are revoked.
    #[command(visible_alias = "disable")]
    Suspend {
        /// Its identifier.
        #[arg(value_parser = parse::tenant)]
        tenant: TenantId,
    },
    /// Let a suspended tenant be used again; grants are not given back.
    #[command(visible_alias = "enable")]
    Resume {
        /// Its identifier.
        #[arg(value_parser = parse::tenant)]
        tenant: TenantId,
    },
    /// Delete a tenant: memberships and consents in it go, grants in it are revoked.
    Delete {
        /// Its identifier.
        #[arg(value_parser = parse::tenant)]
        tenant: TenantId,
    },
}

/// What is printed of a tenant.
pub(super) const TENANT: Shape<5> = Shape {
    many: "tenants",
    fields: [
        listed("id", "The `tenant` claim."),
        listed("name", "Its name for people."),
        listed("origin", "`config`, `admin` or `withdrawn` (declared once, and no longer)."),
        detail("created_at", "When it was first seen."),
        listed("suspended_at", "Since when it may not be used, or null."),
    ],
};

fn cells(known: &Known<Tenant>) -> [Cell; 5] {
    [
        Cell::text(known.thing.id.to_string()),
        Cell::text(&known.thing.name),
        Cell::text(known.origin.as_str()),
        Cell::time(known.created_at),
        Cell::time(known.suspended_at),
    ]
}

/// Runs `gatelet tenant`.
pub fn run_tenant(args: &TenantArgs) -> ExitCode {
    run(&args.common, async |admin| done(admin, &args.command).await)
}

async fn done(admin: &Admin, command: &TenantCommand) -> Result<Output, AdminError> {
    let tenant = match command {
        TenantCommand::List { paging } => {
            let tenants = admin.tenants(paging.after.as_deref(), paging.limit).await?;
            let next = paging.next(&tenants, |tenant| tenant.thing.id.to_string());
            return Ok(Output::many(&TENANT, tenants.iter().map(cells), next));
        }
        TenantCommand::Show { tenant } => admin.tenant(tenant).await?,
        TenantCommand::Add { tenant, name } => {
            let name = name.clone().unwrap_or_else(|| tenant.to_string());
            admin.add_tenant(Tenant { id: tenant.clone(), name }).await?
        }
        TenantCommand::Change { tenant, name } => {
            admin.rename_tenant(Tenant { id: tenant.clone(), name: name.clone() }).await?
        }
        TenantCommand::Suspend { tenant } => admin.suspend_tenant(tenant).await?,
        TenantCommand::Resume { tenant } => admin.resume_tenant(tenant).await?,
        TenantCommand::Delete { tenant } => {
            admin.delete_tenant(tenant).await?;
            return Ok(Output::done(
                format!("deleted tenant {tenant}"),
                json!({ "deleted": tenant.as_str() }),
            ));
        }
    };
    Ok(Output::one(&TENANT, cells(&tenant)))
}
