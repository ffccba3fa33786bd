//! `gatelet role`: what members of a tenant can be.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::admin::{Common, EXIT_CODES, run};
use super::output::{Cell, Output, Shape, listed};
use super::parse;
use crate::app::admin::{Admin, AdminError, Known};
use crate::protocol::{Role, RoleName};

/// Arguments of `gatelet role`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct RoleArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: RoleCommand,
}

/// What to do with roles.
#[derive(Clone, Debug, Subcommand)]
pub enum RoleCommand {
    /// List roles.
    List,
    /// Show a role.
    Show {
        /// Its name.
        #[arg(value_parser = parse::role)]
        role: RoleName,
    },
    /// Add a role.
    Add {
        /// Its name in tokens.
        #[arg(value_parser = parse::role)]
        role: RoleName,
        /// What it means, for people [default: the name].
        #[arg(long)]
        description: Option<String>,
    },
    /// Describe a role anew.
    Change {
        /// Its name.
        #[arg(value_parser = parse::role)]
        role: RoleName,
        /// What it means, for people.
        #[arg(long)]
        description: String,
    },
    /// Delete a role and take it from everybody who has it.
    Delete {
        /// Its name.
        #[arg(value_parser = parse::role)]
        role: RoleName,
    },
}

/// What is printed of a role.
pub(super) const ROLE: Shape<3> = Shape {
    many: "roles",
    fields: [
        listed("name", "Its name in tokens."),
        listed("description", "What it means, for people."),
        listed("origin", "`config` or `admin`."),
    ],
};

fn cells(known: &Known<Role>) -> [Cell; 3] {
    let Role { name, description } = &known.thing;
    [Cell::text(name.to_string()), Cell::text(description), Cell::text(known.origin.as_str())]
}

/// Runs `gatelet role`.
pub fn run_role(args: &RoleArgs) -> ExitCode {
    run(&args.common, async |admin| done(admin, &args.command).await)
}

async fn done(admin: &Admin, command: &RoleCommand) -> Result<Output, AdminError> {
    let role = match command {
        RoleCommand::List => {
            return Ok(Output::many(&ROLE, admin.roles().await?.iter().map(cells), None));
        }
        RoleCommand::Show { role } => admin.role(role).await?,
        RoleCommand::Add { role, description } => {
            let description = description.clone().unwrap_or_else(|| role.to_string());
            admin.add_role(Role { name: role.clone(), description }).await?
        }
        RoleCommand::Change { role, description } => {
            admin.describe_role(Role { name: role.clone(), description: description.clone() }).await?
        }
        RoleCommand::Delete { role } => {
            admin.delete_role(role).await?;
            return Ok(Output::done(format!("deleted role {role}"), json!({ "deleted": role.as_str() })));
        }
    };
    Ok(Output::one(&ROLE, cells(&role)))
}
