//! Clients.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, Value, args, json, json_list, json_members};
use super::{Store, StoreError};
use crate::protocol::client_assertion::AssertionAlgorithm;
use crate::protocol::{
    Attributes, Client, ClientAuthMethod, ClientId, ClientKeys, ClientOrigin, DocumentState, GrantType,
    MachineScopes, RedirectUri, ResourceUri, Scope, SecretHash, TenantId, Timestamp,
};

/// The columns that [`client`] reads, of the table `clients` under the name `c`. One that was withdrawn was declared once.
macro_rules! client_columns {
    () => {
        "c.id, CASE c.origin WHEN 'withdrawn' THEN 'config' ELSE c.origin END AS origin, c.name, c.uri, c.about, c.redirect_uris, c.grant_types, c.auth_methods, c.scope,
        c.default_resource, c.machine_scopes, c.tenant_id, c.first_party_at, c.registered_at,
        c.jwks, c.jwks_uri, c.jwks_tried_at, c.document_digest, c.document_fresh_until, c.settings,
        c.management_hash,
        (SELECT s.hash FROM client_secrets s WHERE s.client_id = c.id AND s.position = 0) AS secret_0,
        (SELECT s.hash FROM client_secrets s WHERE s.client_id = c.id AND s.position = 1) AS secret_1"
    };
}
pub(super) use client_columns;

/// The statement by which [`insert`] writes a client.
macro_rules! insert_sql {
    () => {
        "INSERT INTO clients (id, origin, name, uri, about, redirect_uris, grant_types, auth_methods, scope,
            default_resource, machine_scopes, tenant_id, first_party_at, fingerprint, registered_at, last_registered_at,
            jwks, jwks_uri, jwks_tried_at, document_digest, document_fresh_until, settings,
            management_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $18, $19, $20, $21,
            $22)"
    };
}
pub(super) use insert_sql;

/// What follows [`insert_sql`] in a statement that replaces a client, before the condition.
macro_rules! update_sql {
    () => {
        " ON CONFLICT (id) DO UPDATE SET origin = excluded.origin, name = excluded.name,
            uri = excluded.uri, about = excluded.about, redirect_uris = excluded.redirect_uris, grant_types = excluded.grant_types,
            auth_methods = excluded.auth_methods, scope = excluded.scope, default_resource = excluded.default_resource,
            machine_scopes = excluded.machine_scopes, tenant_id = excluded.tenant_id,
            first_party_at = CASE WHEN excluded.first_party_at IS NULL THEN NULL
                ELSE COALESCE(clients.first_party_at, excluded.first_party_at) END,
            suspended_at = CASE WHEN clients.origin = 'withdrawn' THEN NULL ELSE clients.suspended_at END,
            jwks = CASE WHEN excluded.jwks IS NULL AND clients.jwks_uri = excluded.jwks_uri
                THEN clients.jwks ELSE excluded.jwks END,
            jwks_tried_at = CASE WHEN clients.jwks_uri = excluded.jwks_uri THEN clients.jwks_tried_at END,
            jwks_uri = excluded.jwks_uri, document_digest = excluded.document_digest, document_fresh_until = excluded.document_fresh_until,
            settings = excluded.settings"
    };
}
pub(super) use update_sql;

statements! {
    BY_ID = concat!("SELECT ", client_columns!(), " FROM clients c WHERE c.id = $1 AND c.suspended_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = c.tenant_id AND t.suspended_at IS NOT NULL)");
    USED = "SELECT id FROM clients WHERE id = $1 AND used_at IS NOT NULL";
    PUT_SECRET = "INSERT INTO client_secrets (client_id, position, hash, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (client_id, position) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at
        WHERE client_secrets.hash <> excluded.hash";
    DROP_SECRETS = "DELETE FROM client_secrets WHERE client_id = $1 AND position >= $2";
}

/// The column `settings`: members of a client that no statement asks for.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    introspects: Vec<ResourceUri>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    machine: Vec<MachineScopes>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
    contacts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tenants: Vec<TenantId>,
    post_logout_redirect_uris: Vec<RedirectUri>,
    assertion_alg: Option<AssertionAlgorithm>,
    ceiling: Option<Scope>,
    default_max_age: Option<Duration>,
    require_auth_time: bool,
}

impl Settings {
    fn of(client: &Client) -> Self {
        Self {
            introspects: client.introspects.clone(),
            audience: client.audience.clone(),
            machine: client.machine.clone(),
            attributes: client.attributes.clone(),
            contacts: client.contacts.clone(),
            tenants: client.tenants.clone(),
            post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
            assertion_alg: client.assertion_alg,
            ceiling: client.ceiling.clone(),
            default_max_age: client.default_max_age,
            require_auth_time: client.require_auth_time,
        }
    }
}

impl Store {
    /// Whether somebody let in a client that registered itself or is known by a document, or a token of the operator's
    /// registered it.
    pub async fn is_used_client(&self, id: &ClientId) -> Result<bool, StoreError> {
        Ok(self.backend.optional(USED, args![id]).await?.is_some())
    }

    /// A client that may act: a suspended one, or one of a suspended tenant, is not found.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.backend.optional(BY_ID, args![id]).await?.as_ref().map(client).transpose()
    }
}

/// A client that may act, as it is in this transaction.
pub(super) async fn by_id(tx: &mut Tx<'_>, id: &ClientId) -> Result<Option<Client>, StoreError> {
    tx.optional(BY_ID, args![id]).await?.as_ref().map(client).transpose()
}

/// Writes a client by a statement that begins with `insert_sql!`; tells how many rows that changed.
pub(super) async fn insert(
    tx: &mut Tx<'_>,
    statement: super::Statement,
    client: &Client,
    fingerprint: Option<&str>,
) -> Result<u64, StoreError> {
    let redirect_uris = json_list(client.redirect_uris.iter().map(RedirectUri::as_str));
    let about = json_members(&client.about);
    let grant_types = json_list(client.grant_types.iter().map(|grant| grant.as_str()));
    let auth_methods = json_list(client.auth_methods.iter().map(|method| method.as_str()));
    let (jwks_uri, tried_at) = match &client.keys {
        Some(ClientKeys::Remote { uri, tried_at, .. }) => (Some(uri.as_str()), *tried_at),
        Some(ClientKeys::Inline { .. }) | None => (None, None),
    };
    let scope = client.scope.as_ref().map(Scope::to_string);
    let machine_scopes = client.machine_scopes.to_string();
    let settings = json(&Settings::of(client))?;
    let args: &[Value<'_>] = args![
        &client.id,
        client.origin.as_str(),
        client.name.as_deref(),
        client.uri.as_deref(),
        &about,
        &redirect_uris,
        &grant_types,
        &auth_methods,
        scope.as_deref(),
        client.default_resource.as_ref().map(ResourceUri::as_str),
        &machine_scopes,
        client.tenant.as_ref().map(TenantId::as_str),
        client.first_party.then_some(client.registered_at),
        fingerprint,
        client.registered_at,
        client.keys.as_ref().and_then(ClientKeys::jwks),
        jwks_uri,
        tried_at,
        client.document_digest(),
        client.document.as_ref().map(|document| document.fresh_until),
        &settings,
        client.management.as_ref().map(SecretHash::as_str),
    ];
    tx.execute(statement, args).await
}

/// Writes the secrets of a client, of which new ones were made at `now`.
pub(super) async fn put_secrets(tx: &mut Tx<'_>, client: &Client, now: Timestamp) -> Result<(), StoreError> {
    for (position, hash) in (0i64..).zip(&client.secret_hashes) {
        tx.execute(PUT_SECRET, args![&client.id, position, hash.as_str(), now]).await?;
    }
    let live = i64::try_from(client.secret_hashes.len()).unwrap_or(i64::MAX);
    tx.execute(DROP_SECRETS, args![&client.id, live]).await.map(drop)
}

/// The client in a row that holds `client_columns`.
pub(super) fn client(row: &Row) -> Result<Client, StoreError> {
    let secret = |name| -> Result<Option<SecretHash>, StoreError> {
        Ok(row.optional_text(name)?.map(|hash| SecretHash::from_stored(hash.to_owned())))
    };
    let scope = |text: &str| Scope::parse(text).ok();
    let settings: Settings = row.json("settings")?;
    Ok(Client {
        id: row.parsed("id", ClientId::parse)?,
        origin: row.parsed("origin", ClientOrigin::parse)?,
        name: row.optional_text("name")?.map(str::to_owned),
        uri: row.optional_text("uri")?.map(str::to_owned),
        about: row.parsed("about", |members| serde_json::from_str(members).ok())?,
        contacts: settings.contacts,
        tenants: settings.tenants,
        redirect_uris: row.list("redirect_uris", |uri| RedirectUri::parse(uri).ok())?,
        post_logout_redirect_uris: settings.post_logout_redirect_uris,
        grant_types: row.list("grant_types", GrantType::parse)?,
        auth_methods: row.list("auth_methods", ClientAuthMethod::parse)?,
        keys: keys(row)?,
        assertion_alg: settings.assertion_alg,
        scope: row.optional("scope", scope)?,
        ceiling: settings.ceiling,
        default_max_age: settings.default_max_age,
        require_auth_time: settings.require_auth_time,
        default_resource: row.optional("default_resource", |uri| ResourceUri::parse(uri).ok())?,
        audience: settings.audience,
        machine_scopes: row.parsed("machine_scopes", scope)?,
        machine: settings.machine,
        attributes: settings.attributes,
        tenant: row.optional("tenant_id", TenantId::parse)?,
        first_party: row.optional_time("first_party_at")?.is_some(),
        document: document(row)?,
        secret_hashes: [secret("secret_0")?, secret("secret_1")?].into_iter().flatten().collect(),
        introspects: settings.introspects,
        management: secret("management_hash")?,
        registered_at: row.time("registered_at")?,
    })
}

fn keys(row: &Row) -> Result<Option<ClientKeys>, StoreError> {
    let jwks = row.optional_text("jwks")?.map(str::to_owned);
    Ok(match row.optional_text("jwks_uri")? {
        Some(uri) => {
            let tried_at = row.optional_time("jwks_tried_at")?;
            Some(ClientKeys::Remote { uri: uri.to_owned(), jwks, tried_at })
        }
        None => jwks.map(|jwks| ClientKeys::Inline { jwks }),
    })
}

fn document(row: &Row) -> Result<Option<DocumentState>, StoreError> {
    let Some(digest) = row.optional_text("document_digest")? else { return Ok(None) };
    Ok(Some(DocumentState { digest: digest.to_owned(), fresh_until: row.time("document_fresh_until")? }))
}
