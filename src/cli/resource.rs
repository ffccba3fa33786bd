//! `gatelet resource`: the MCP servers that tokens are for.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::admin::{Common, EXIT_CODES, Paging, require_change, run};
use super::output::{Cell, Output, Shape, detail, listed};
use super::parse::{self, OrNothing, listed as listed_of, or_nothing};
use crate::app::admin::{Admin, AdminError, Known};
use crate::protocol::{
    ClaimMapping, KnownScopes, Resource, ResourceChange, ResourceScope, ResourceUri, Scope, ScopeRules,
    ScopeToken, SigningAlg, TenantId,
};

/// Arguments of `gatelet resource`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct ResourceArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: ResourceCommand,
}

/// What to do with resources. A resource is named by its URI or one of its aliases.
#[derive(Clone, Debug, Subcommand)]
pub enum ResourceCommand {
    /// List resources.
    List {
        /// Which part of the list.
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a resource.
    Show {
        /// Its URI.
        #[arg(value_parser = ResourceUri::parse)]
        uri: ResourceUri,
    },
    /// Add a resource.
    Add {
        /// Its canonical URI, which clients send as `resource` and which is the audience of its tokens.
        #[arg(value_parser = ResourceUri::parse)]
        uri: ResourceUri,
        /// What it is.
        #[command(flatten)]
        members: Members,
    },
    /// Change a resource; what is not named stays.
    Change {
        /// Its URI.
        #[arg(value_parser = ResourceUri::parse)]
        uri: ResourceUri,
        /// What it is to be.
        #[command(flatten)]
        members: Members,
        /// A scope to be taken away; can be given several times.
        #[arg(long = "drop-scope", value_name = "SCOPE", value_parser = ScopeToken::parse)]
        drop_scopes: Vec<ScopeToken>,
    },
    /// Delete a resource. Grants at it find it gone.
    Delete {
        /// Its URI.
        #[arg(value_parser = ResourceUri::parse)]
        uri: ResourceUri,
    },
}

/// What a resource is.
#[derive(Args, Clone, Debug)]
pub struct Members {
    /// Its name for people [default: the URI].
    #[arg(long)]
    pub name: Option<String>,
    /// The `aud` claim that it checks, when that is not its URI; empty for the URI.
    #[arg(long)]
    pub audience: Option<String>,
    /// Another URI by which clients name it; can be given several times and replaces those that it has, empty takes them
    /// away.
    #[arg(long = "alias", value_name = "URI", value_parser = or_nothing(ResourceUri::parse))]
    pub aliases: Vec<OrNothing<ResourceUri>>,
    /// A scope, what it allows in words, and the roles that may give it: `notes:write[editor,admin]=Change your notes`.
    /// Can be given several times; describes a scope that is there anew, and leaves its rules.
    #[arg(long = "scope", value_name = "SCOPE[ROLE,…]=WORDS", value_parser = parse::resource_scope)]
    pub scopes: Vec<ResourceScope>,
    /// The rules of a scope: `notes:write consent=always max_age=5m access_token_ttl=2m`, in quotation marks. `consent` is
    /// whether people are asked each time (`always`) or not again (`remembered`); `max_age` is how long ago the person may
    /// have logged in, `0s` for any time; `access_token_ttl` is the longest life of a token with it, `0s` for that of the
    /// resource. Can be given several times; what is not named stays.
    #[arg(long = "scope-rule", value_name = "SCOPE RULES", value_parser = parse::scope_rules)]
    pub scope_rules: Vec<ScopeRules>,
    /// The scopes that a client gets which asks for nothing in particular, with spaces between.
    #[arg(long, value_name = "SCOPES", value_parser = Scope::parse)]
    pub default_scopes: Option<Scope>,
    /// A tenant whose members may use it [default: all]; can be given several times and replaces those that it has.
    #[arg(long = "tenant", value_name = "TENANT", value_parser = parse::tenant)]
    pub tenants: Vec<TenantId>,
    /// Let members of every tenant use it.
    #[arg(long, conflicts_with = "tenants")]
    pub all_tenants: bool,
    /// Lifetime of its access tokens, such as `5m`; `0s` for the server's.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    pub access_token_ttl: Option<Duration>,
    /// What its access tokens are signed with.
    #[arg(long, value_name = "ALG", value_parser = parse::signing_alg())]
    pub signing_alg: Option<SigningAlg>,
    /// A claim that its tokens have, and where its value comes from: `department=user.attributes.department`, or `tenant`,
    /// `roles`, `role`, `user.username`, `user.name`, `user.email`, `membership.attributes.<name>`,
    /// `client.attributes.<name>`. Can be given several times and replaces those that it has; empty takes them away.
    #[arg(long = "claim", value_name = "NAME=SOURCE", value_parser = or_nothing(parse::claim))]
    pub claims: Vec<OrNothing<ClaimMapping>>,
}

/// What is printed of a resource.
pub(super) const RESOURCE: Shape<12> = Shape {
    many: "resources",
    fields: [
        listed("uri", "Its canonical URI."),
        listed("name", "Its name for people."),
        detail("audience", "The `aud` of its tokens."),
        detail("aliases", "Other URIs by which clients name it."),
        listed(
            "scopes",
            "What it can permit: a list of objects with `name`, `description`, `roles`, `consent` (`always` or `remembered`), \
             `max_age_seconds` and `access_token_seconds` (or null).",
        ),
        detail("default_scopes", "What a client gets that asks for nothing in particular."),
        detail("tenants", "The tenants whose members may use it; empty for all."),
        detail("access_token_seconds", "How long its access tokens live, or null for the server's lifetime."),
        detail("signing_alg", "What its access tokens are signed with."),
        detail("claims", "Claims that only its tokens have: an object from name to source."),
        listed("origin", "`config` or `admin`."),
        detail("created_at", "When it was first seen."),
    ],
};

fn cells(known: &Known<Resource>) -> [Cell; 12] {
    let resource = &known.thing;
    let scopes = match &resource.scopes {
        KnownScopes::Listed(scopes) => scopes.as_slice(),
        KnownScopes::Any => &[],
    };
    let names: Vec<&str> = scopes.iter().map(|scope| scope.token.as_str()).collect();
    let described = scopes.iter().map(|scope| {
        let roles: Vec<String> = scope.roles.iter().map(ToString::to_string).collect();
        json!({
            "name": scope.token.as_str(),
            "description": scope.description,
            "roles": roles,
            "consent": if scope.asks_each_time { "always" } else { "remembered" },
            "max_age_seconds": scope.max_age.map(|age| age.as_secs()),
            "access_token_seconds": scope.access_token_ttl.map(|ttl| ttl.as_secs()),
        })
    });
    let ttl = resource.access_token_ttl.map(|ttl| ttl.as_secs());
    [
        Cell::text(resource.uri.as_str()),
        Cell::text(&resource.name),
        Cell::text(resource.audience()),
        Cell::list(resource.aliases.iter().map(ResourceUri::as_str)),
        Cell::of(names.join(" "), described.collect()),
        Cell::list(resource.default_scopes.iter().map(ScopeToken::as_str)),
        Cell::list(resource.tenants.iter().map(TenantId::as_str)),
        Cell::number(ttl),
        Cell::text(resource.signing_alg.as_str()),
        claims(&resource.claims),
        Cell::text(known.origin.as_str()),
        Cell::time(known.created_at),
    ]
}

fn claims(claims: &[ClaimMapping]) -> Cell {
    let shown: Vec<String> = claims.iter().map(|claim| format!("{}={}", claim.name, claim.from)).collect();
    let by_name: Map<String, Value> =
        claims.iter().map(|claim| (claim.name.to_string(), claim.from.to_string().into())).collect();
    Cell::of(shown.join(" "), by_name.into())
}

impl Members {
    fn change(&self, drop_scopes: &[ScopeToken]) -> ResourceChange {
        let some = |list: &[TenantId]| (!list.is_empty()).then(|| list.to_vec());
        ResourceChange {
            name: self.name.clone(),
            audience: self.audience.clone(),
            aliases: listed_of(&self.aliases),
            put_scopes: self.scopes.clone(),
            scope_rules: self.scope_rules.clone(),
            drop_scopes: drop_scopes.to_vec(),
            default_scopes: self.default_scopes.clone(),
            tenants: if self.all_tenants { Some(Vec::new()) } else { some(&self.tenants) },
            access_token_ttl: self.access_token_ttl,
            signing_alg: self.signing_alg,
            claims: listed_of(&self.claims),
        }
    }
}

/// Runs `gatelet resource`.
pub fn run_resource(args: &ResourceArgs) -> ExitCode {
    run(&args.common, async |admin| done(admin, &args.command).await)
}

async fn done(admin: &Admin, command: &ResourceCommand) -> Result<Output, AdminError> {
    let resource = match command {
        ResourceCommand::List { paging } => {
            let resources = admin.resources(paging.after.as_deref(), paging.limit).await?;
            let next = paging.next(&resources, |resource| resource.thing.uri.to_string());
            return Ok(Output::many(&RESOURCE, resources.iter().map(cells), next));
        }
        ResourceCommand::Show { uri } => admin.resource(uri).await?,
        ResourceCommand::Add { uri, members } => admin.add_resource(uri, &members.change(&[])).await?,
        ResourceCommand::Change { uri, members, drop_scopes } => {
            let change = members.change(drop_scopes);
            require_change(change != ResourceChange::default())?;
            admin.change_resource(uri, change).await?
        }
        ResourceCommand::Delete { uri } => {
            admin.delete_resource(uri).await?;
            return Ok(Output::done(format!("deleted resource {uri}"), json!({ "deleted": uri.as_str() })));
        }
    };
    Ok(Output::one(&RESOURCE, cells(&resource)))
}
