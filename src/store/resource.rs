//! MCP servers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backend::Tx;
use super::sql::{Statement, statements};
use super::value::{Row, args, json, json_list};
use super::{Store, StoreError, suspend};
use crate::protocol::{
    ClaimMapping, KnownScopes, Resource, ResourceScope, ResourceUri, RoleName, Scope, ScopeToken, SigningAlg,
    TenantId, Timestamp,
};

/// The columns that [`resource`] reads, of the table `resources` under the name `r`.
macro_rules! resource_columns {
    () => {
        "r.uri, r.name, r.audience, r.aliases, r.known_scopes, r.scopes, r.default_scopes, r.tenants,
        r.access_token_ttl, r.settings"
    };
}

pub(super) use resource_columns;

/// The statement by which [`write`] writes a resource.
macro_rules! insert_sql {
    () => {
        "INSERT INTO resources (uri, name, audience, aliases, known_scopes, scopes, default_scopes, tenants,
            access_token_ttl, origin, created_at, settings)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $12, $10, $11)"
    };
}
pub(super) use insert_sql;

/// What follows [`insert_sql`] in a statement that replaces a resource, before the condition.
macro_rules! update_sql {
    () => {
        " ON CONFLICT (uri) DO UPDATE SET name = excluded.name, audience = excluded.audience,
            aliases = excluded.aliases, known_scopes = excluded.known_scopes, scopes = excluded.scopes,
            default_scopes = excluded.default_scopes, tenants = excluded.tenants,
            access_token_ttl = excluded.access_token_ttl, settings = excluded.settings"
    };
}
pub(super) use update_sql;

statements! {
    BY_NAME = concat!("SELECT ", resource_columns!(), " FROM resource_names n JOIN resources r ON r.uri = n.resource_uri
        WHERE n.lookup_key = $1");
    ALL = concat!("SELECT ", resource_columns!(), " FROM resources r ORDER BY r.uri");
    /// A table that operators write is short enough to be read through.
    BY_AUDIENCE = concat!("SELECT ", resource_columns!(), " FROM resources r WHERE COALESCE(r.audience, r.uri) = $1 ORDER BY r.uri");
    /// A resource of another origin is left alone, which the count of rows tells.
    UPSERT = concat!(insert_sql!(), update_sql!(), " WHERE resources.origin = 'config'");
    FORGET_NAMES = "DELETE FROM resource_names WHERE resource_uri = $1";
    NAME = "INSERT INTO resource_names (lookup_key, resource_uri) VALUES ($1, $2) ON CONFLICT (lookup_key) DO NOTHING";
    NAMED = "SELECT resource_uri FROM resource_names WHERE lookup_key = $1";
    DECLARED = "SELECT uri AS id FROM resources WHERE origin = 'config'";
    REMOVE = "DELETE FROM resources WHERE uri = $1 AND origin = 'config'";
}

/// A scope in the JSON of the column `scopes`.
#[derive(Serialize, Deserialize)]
struct StoredScope {
    token: ScopeToken,
    description: String,
    roles: Vec<RoleName>,
    #[serde(default, skip_serializing_if = "is_unset")]
    asks_each_time: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_token_ttl: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls it with")]
fn is_unset(flag: &bool) -> bool {
    !flag
}

/// The column `settings`: members of a resource that no statement asks for.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    signing_alg: SigningAlg,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claims: Vec<ClaimMapping>,
}

impl Settings {
    fn of(resource: &Resource) -> Self {
        Self { signing_alg: resource.signing_alg, claims: resource.claims.clone() }
    }
}

impl Store {
    /// The resource that a URI names: its own, or one of its aliases, in any spelling that
    /// [`ResourceUri::lookup_key`] makes equal.
    pub async fn resource(&self, uri: &ResourceUri) -> Result<Option<Resource>, StoreError> {
        self.backend.optional(BY_NAME, args![&uri.lookup_key()]).await?.as_ref().map(resource).transpose()
    }

    /// The resources whose tokens have this audience: one, unless the operator has made two accept each other's.
    pub async fn resources_with_audience(&self, audience: &str) -> Result<Vec<Resource>, StoreError> {
        self.backend.all(BY_AUDIENCE, args![audience]).await?.iter().map(resource).collect()
    }

    /// Every resource, by URI.
    pub async fn resources(&self) -> Result<Vec<Resource>, StoreError> {
        self.backend.all(ALL, &[]).await?.iter().map(resource).collect()
    }
}

/// The resource in a row that holds `resource_columns`.
pub(super) fn resource(row: &Row) -> Result<Resource, StoreError> {
    let uri = |text: &str| ResourceUri::parse(text).ok();
    let scopes = match row.text("known_scopes")? {
        "any" => KnownScopes::Any,
        _ => KnownScopes::Listed(row.parsed("scopes", listed_scopes)?),
    };
    let Settings { signing_alg, claims } = row.json("settings")?;
    let ttl = |seconds| u64::try_from(seconds).map(Duration::from_secs).ok();
    Ok(Resource {
        uri: row.parsed("uri", uri)?,
        aliases: row.list("aliases", uri)?,
        name: row.text("name")?.to_owned(),
        audience: row.optional_text("audience")?.map(str::to_owned),
        scopes,
        default_scopes: row.parsed("default_scopes", |text| Scope::parse(text).ok())?,
        tenants: row.list("tenants", TenantId::parse)?,
        access_token_ttl: row.optional_time("access_token_ttl")?.and_then(|at| ttl(at.seconds())),
        signing_alg,
        claims,
    })
}

fn listed_scopes(json: &str) -> Option<Vec<ResourceScope>> {
    let stored: Vec<StoredScope> = serde_json::from_str(json).ok()?;
    let scope = |stored: StoredScope| ResourceScope {
        token: stored.token,
        description: stored.description,
        roles: stored.roles,
        asks_each_time: stored.asks_each_time,
        max_age: stored.max_age.map(Duration::from_secs),
        access_token_ttl: stored.access_token_ttl.map(Duration::from_secs),
    };
    Some(stored.into_iter().map(scope).collect())
}

fn stored_scopes(known: &KnownScopes) -> Result<(&'static str, String), StoreError> {
    let KnownScopes::Listed(scopes) = known else { return Ok(("any", "[]".to_owned())) };
    let stored = |scope: &ResourceScope| StoredScope {
        token: scope.token.clone(),
        description: scope.description.clone(),
        roles: scope.roles.clone(),
        asks_each_time: scope.asks_each_time,
        max_age: scope.max_age.map(|age| age.as_secs()),
        access_token_ttl: scope.access_token_ttl.map(|ttl| ttl.as_secs()),
    };
    Ok(("listed", json(&scopes.iter().map(stored).collect::<Vec<_>>())?))
}

/// Writes a declared resource; see `reconcile`.
pub(super) async fn upsert(tx: &mut Tx<'_>, resource: &Resource, now: Timestamp) -> Result<(), StoreError> {
    match write(tx, UPSERT, resource, "config", now).await? {
        0 => Err(taken(resource.uri.as_str())),
        _ => Ok(()),
    }
}

/// Writes a resource and its names by a statement that begins with `insert_sql!`; tells how many rows that changed. A
/// name that another resource has is [`StoreError::TakenByAnother`].
pub(super) async fn write(
    tx: &mut Tx<'_>,
    statement: Statement,
    resource: &Resource,
    origin: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (known, scopes) = stored_scopes(&resource.scopes)?;
    let aliases = json_list(resource.aliases.iter().map(ResourceUri::as_str));
    let tenants = json_list(resource.tenants.iter().map(TenantId::as_str));
    let default_scopes = resource.default_scopes.to_string();
    let settings = json(&Settings::of(resource))?;
    let ttl = resource.access_token_ttl.map(|ttl| Timestamp::from_seconds(0).plus(ttl));
    let args = args![
        resource.uri.as_str(),
        &resource.name,
        resource.audience.as_deref(),
        &aliases,
        known,
        &scopes,
        &default_scopes,
        &tenants,
        ttl,
        now,
        &settings,
        origin,
    ];
    let written = tx.execute(statement, args).await?;
    if written == 0 {
        return Ok(0);
    }
    tx.execute(FORGET_NAMES, args![resource.uri.as_str()]).await?;
    for uri in std::iter::once(&resource.uri).chain(&resource.aliases) {
        let key = uri.lookup_key();
        tx.execute(NAME, args![&key, resource.uri.as_str()]).await?;
        let owner = tx.optional(NAMED, args![&key]).await?;
        let owner = owner.as_ref().map(|row| row.text("resource_uri")).transpose()?;
        if owner != Some(resource.uri.as_str()) {
            return Err(taken(uri.as_str()));
        }
    }
    Ok(written)
}

fn taken(uri: &str) -> StoreError {
    StoreError::TakenByAnother { what: "resource", id: uri.to_owned() }
}

/// Removes declared resources that are declared no longer, with what was granted at them, unless another one is declared
/// to have the name.
pub(super) async fn remove_undeclared(
    tx: &mut Tx<'_>,
    declared: &[Resource],
    now: Timestamp,
) -> Result<(), StoreError> {
    for row in tx.all(DECLARED, &[]).await? {
        let uri = row.text("id")?;
        if !declared.iter().any(|resource| resource.uri.as_str() == uri) {
            tx.execute(REMOVE, args![uri]).await?;
            if !ResourceUri::parse(uri).is_ok_and(|uri| declared.iter().any(|other| other.is_named_by(&uri)))
            {
                suspend::end_everything_at(tx, uri, now).await?;
            }
        }
    }
    Ok(())
}
