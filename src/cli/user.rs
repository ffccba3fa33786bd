//! `gatelet user`: people.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, json};

use super::admin::{Common, EXIT_CODES, Paging, run, secret_from_stdin};
use super::output::{Cell, Output, Shape, attributes, detail, listed};
use super::parse;
use crate::app::admin::{AddUser, Admin, AdminError, KnownUser, MembershipChange, UserChange};
use crate::protocol::{Attribute, AttributeName, Attributes, RoleName, TenantId, User, UserId};

/// Arguments of `gatelet user`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct UserArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What to do with people. A person is named by login name or identifier.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// List people.
    List {
        /// Of this tenant alone.
        #[arg(long, value_name = "TENANT", value_parser = parse::tenant)]
        tenant: Option<TenantId>,
        /// Which part of the list.
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a person.
    Show {
        /// Login name or identifier.
        user: String,
    },
    /// Add a person.
    Add(AddArgs),
    /// Change a person.
    Change(ChangeArgs),
    /// Let a person belong to a tenant, with these roles and no others.
    Join {
        /// Login name or identifier.
        user: String,
        /// The tenant and the roles there: TENANT or TENANT=ROLE,ROLE.
        #[arg(value_name = "TENANT[=ROLE,…]", value_parser = parse::membership)]
        membership: (TenantId, Vec<RoleName>),
        /// What claims can be mapped from for this person in this tenant alone: `seat=7`, `desks:=["a","b"]` for a list,
        /// `seat=` takes it away. Can be given several times; those that are not named stay.
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = parse::attribute)]
        attributes: Vec<(AttributeName, Option<Attribute>)>,
    },
    /// Take a person out of a tenant; what they let clients do there is revoked.
    Leave {
        /// Login name or identifier.
        user: String,
        /// The tenant.
        #[arg(value_parser = parse::tenant)]
        tenant: TenantId,
    },
    /// Set a person's password; they are logged out everywhere and their grants are revoked.
    Password {
        /// Login name or identifier.
        user: String,
        /// Read the password from standard input. There is no other way: arguments are seen by others.
        #[arg(long, required = true)]
        stdin: bool,
    },
    /// Suspend a person: they are logged out everywhere, and their grants are revoked.
    #[command(visible_alias = "disable")]
    Suspend {
        /// Login name or identifier.
        user: String,
    },
    /// Let a suspended person log in again; sessions and grants are not given back.
    #[command(visible_alias = "enable")]
    Resume {
        /// Login name or identifier.
        user: String,
    },
    /// Delete a person. Nobody gets their identifier again.
    Delete {
        /// Login name or identifier.
        user: String,
    },
}

/// Arguments of `gatelet user add`.
#[derive(Args, Clone, Debug)]
pub struct AddArgs {
    /// What the person types to log in.
    #[arg(value_parser = User::parse_username)]
    pub username: String,
    /// What tokens call the person (`sub`) [default: one that is drawn].
    #[arg(long, value_parser = parse::user_id)]
    pub id: Option<UserId>,
    /// What the person is called.
    #[arg(long)]
    pub name: Option<String>,
    /// The mail address.
    #[arg(long, value_parser = User::parse_email)]
    pub email: Option<String>,
    /// A tenant that the person belongs to, and the roles there; can be given several times.
    #[arg(long = "tenant", value_name = "TENANT[=ROLE,…]", value_parser = parse::membership)]
    pub tenants: Vec<(TenantId, Vec<RoleName>)>,
    /// What claims can be mapped from: `department=sales`, `groups:=["staff","on-call"]` for a list. Can be given several
    /// times.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = parse::attribute)]
    pub attributes: Vec<(AttributeName, Option<Attribute>)>,
    /// Read the password from standard input; without it the person cannot log in before `user password`.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Arguments of `gatelet user change`.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = true, args = ["username", "name", "email", "attributes"])]
pub struct ChangeArgs {
    /// Login name or identifier.
    pub user: String,
    /// Another login name.
    #[arg(long, value_parser = User::parse_username)]
    pub username: Option<String>,
    /// What the person is called; empty takes it away.
    #[arg(long)]
    pub name: Option<String>,
    /// The mail address; empty takes it away.
    #[arg(long, value_parser = parse::email_or_nothing)]
    pub email: Option<String>,
    /// What claims can be mapped from: `department=sales`, `groups:=["staff","on-call"]` for a list, `department=` takes it away. Can be given several
    /// times; those that are not named stay.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = parse::attribute)]
    pub attributes: Vec<(AttributeName, Option<Attribute>)>,
}

/// What is printed of a person.
pub(super) const USER: Shape<12> = Shape {
    many: "users",
    fields: [
        listed("id", "The `sub` of their tokens."),
        listed("username", "What they type to log in."),
        listed("name", "What they are called, or null."),
        detail("email", "Their mail address, or null."),
        listed("tenants", "Where they belong: an object from tenant to a list of roles."),
        detail("attributes", "What claims can be mapped from: an object."),
        detail(
            "tenant_attributes",
            "What claims can be mapped from in single tenants: an object from tenant to an object.",
        ),
        detail("has_password", "Whether they have a password."),
        detail("password_declared", "Whether the configuration file gives it."),
        listed("origin", "`config`, `admin` or `withdrawn` (declared once, and no longer)."),
        detail("created_at", "When they were first seen."),
        listed("suspended_at", "Since when they may not log in, or null."),
    ],
};

fn cells(user: &KnownUser) -> [Cell; 12] {
    let KnownUser { known, memberships, .. } = user;
    let words = |roles: &[RoleName]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let shown = memberships.iter().map(|(tenant, roles)| match roles.is_empty() {
        true => tenant.to_string(),
        false => format!("{tenant}={}", words(roles).join(",")),
    });
    let by_tenant: serde_json::Map<_, _> =
        memberships.iter().map(|(tenant, roles)| (tenant.to_string(), json!(words(roles)))).collect();
    [
        Cell::text(known.thing.id.to_string()),
        Cell::text(&known.thing.username),
        Cell::optional(known.thing.name.as_deref()),
        Cell::optional(known.thing.email.as_deref()),
        Cell::of(shown.collect::<Vec<_>>().join(" "), by_tenant.into()),
        attributes(&user.attributes),
        in_tenants(&user.membership_attributes),
        Cell::yes(user.has_password),
        Cell::yes(user.password_is_declared),
        Cell::text(known.origin.as_str()),
        Cell::time(known.created_at),
        Cell::time(known.suspended_at),
    ]
}

fn in_tenants(all: &[(TenantId, Attributes)]) -> Cell {
    let cells = all.iter().map(|(tenant, of)| (tenant.to_string(), attributes(of)));
    let (shown, objects): (Vec<_>, Map<_, _>) =
        cells.map(|(tenant, cell)| (format!("{tenant}: {}", cell.shown()), (tenant, cell.json()))).unzip();
    Cell::of(shown.join("; "), objects.into())
}

/// Runs `gatelet user`.
pub fn run_user(args: &UserArgs) -> ExitCode {
    run(&args.common, async |admin| done(admin, &args.command).await)
}

async fn done(admin: &Admin, command: &UserCommand) -> Result<Output, AdminError> {
    let user = match command {
        UserCommand::List { tenant, paging } => {
            let users = admin.users(paging.after.as_deref(), tenant.as_ref(), paging.limit).await?;
            let next = paging.next(&users, |user| user.known.thing.id.to_string());
            return Ok(Output::many(&USER, users.iter().map(cells), next));
        }
        UserCommand::Show { user } => admin.user(user).await?,
        UserCommand::Add(args) => add(admin, args).await?,
        UserCommand::Change(args) => {
            let ChangeArgs { user, username, name, email, attributes } = args.clone();
            let attributes = attributes.into_iter().collect();
            admin.change_user(&user, UserChange { username, name, email, attributes }).await?
        }
        UserCommand::Join { user, membership: (tenant, roles), attributes } => {
            let attributes = attributes.iter().cloned().collect();
            admin.put_membership(user, tenant, MembershipChange { roles: roles.clone(), attributes }).await?
        }
        UserCommand::Leave { user, tenant } => admin.drop_membership(user, tenant).await?,
        UserCommand::Password { user, .. } => {
            admin.set_password(user, &secret_from_stdin()?).await?;
            admin.user(user).await?
        }
        UserCommand::Suspend { user } => admin.suspend_user(user).await?,
        UserCommand::Resume { user } => admin.resume_user(user).await?,
        UserCommand::Delete { user } => {
            let id = admin.delete_user(user).await?;
            return Ok(Output::done(format!("deleted user {id}"), json!({ "deleted": id.as_str() })));
        }
    };
    Ok(Output::one(&USER, cells(&user)))
}

async fn add(admin: &Admin, args: &AddArgs) -> Result<KnownUser, AdminError> {
    let AddArgs { username, id, name, email, tenants, attributes, password_stdin } = args.clone();
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let password = if password_stdin { Some(secret_from_stdin()?) } else { None };
    admin
        .add_user(
            AddUser { username, id, name, email, memberships: tenants, attributes },
            password.as_deref(),
        )
        .await
}
