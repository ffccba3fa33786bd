//! What an issuer of a test has where the test says nothing: people, an MCP server, clients; and what goes without
//! saying, tenants and roles that are only mentioned.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::protocol::UserId;

/// The password of everybody to whom the test gives no other.
pub const PASSWORD: &str = "wonderland";
/// [`PASSWORD`], hashed with next to no work, so that logging in costs a test nothing.
pub(crate) const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$Z2F0ZWxldC10ZXN0a2l0IQ$Hty2oloS4fPdttmJs4unCD4XHVbxkwF9jsPScwvtJh8";

/// Puts in what is left out.
pub(super) fn complete(config: &mut Map<String, Value>) {
    let absent = |config: &Map<String, Value>, key: &str| !config.contains_key(key);
    if absent(config, "users") {
        config.insert("users".to_owned(), people());
    }
    let is_own = !absent(config, "resources");
    if !is_own {
        config.insert("resources".to_owned(), resources());
    }
    if absent(config, "clients") {
        let machine_scopes = scope_names(config);
        config.insert("clients".to_owned(), clients(&machine_scopes));
    }
    call_people_by_their_names(config);
    declare_mentioned(config, "tenants", "id", &tenants_mentioned(config));
    declare_mentioned(config, "roles", "name", &roles_mentioned(config));
}

/// The `sub` of somebody of whom nothing else is said is their user name, which a test knows beforehand.
fn call_people_by_their_names(config: &mut Map<String, Value>) {
    for user in config.get_mut("users").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = user.get("username").and_then(Value::as_str).filter(|name| UserId::parse(name).is_some());
        if let (Some(name), Some(user)) = (name.map(str::to_owned), user.as_object_mut()) {
            user.entry("id").or_insert_with(|| name.into());
        }
    }
}

fn people() -> Value {
    let member = |tenant: &str, roles: &[&str]| json!([{ "tenant": tenant, "roles": roles }]);
    json!([
        { "username": "alice", "name": "Alice Liddell", "email": "alice@acme.example",
          "memberships": member("acme", &["member"]) },
        { "username": "admin", "name": "Ada Admin", "email": "admin@acme.example",
          "memberships": member("acme", &["admin", "member"]) },
        { "username": "grace", "name": "Grace Globe", "email": "grace@globex.example",
          "memberships": member("globex", &["member"]) },
    ])
}

fn resources() -> Value {
    json!([{
        "uri": "http://127.0.0.1:8000/mcp",
        "name": "Notes",
        "scopes": [
            { "name": "mcp:read", "description": "Read your notes" },
            { "name": "mcp:write", "description": "Write and change your notes" },
        ],
        "default_scopes": ["mcp:read"],
    }])
}

fn clients(machine_scopes: &[String]) -> Value {
    json!([
        { "id": "test-app", "name": "Test app",
          "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"] },
        { "id": "test-machine", "name": "Test machine", "secret": "test-machine-secret",
          "grant_types": ["client_credentials"], "machine_scopes": machine_scopes, "tenant": "acme" },
    ])
}

fn items<'a>(table: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    table.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn nested<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn scope_names(config: &Map<String, Value>) -> Vec<String> {
    let scopes = items(config, "resources").flat_map(|resource| nested(resource, "scopes"));
    let names = scopes.filter_map(|scope| scope.get("name")?.as_str().map(str::to_owned));
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

fn texts<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<String> {
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn tenants_mentioned(config: &Map<String, Value>) -> Vec<String> {
    let memberships = items(config, "users").flat_map(|user| nested(user, "memberships"));
    let of_people = memberships.filter_map(|membership| membership.get("tenant"));
    let of_clients = items(config, "clients").filter_map(|client| client.get("tenant"));
    let both = items(config, "clients").chain(items(config, "resources"));
    texts(of_people.chain(of_clients).chain(both.flat_map(|thing| nested(thing, "tenants"))))
}

fn roles_mentioned(config: &Map<String, Value>) -> Vec<String> {
    let memberships = items(config, "users").flat_map(|user| nested(user, "memberships"));
    let scopes = items(config, "resources").flat_map(|resource| nested(resource, "scopes"));
    texts(memberships.chain(scopes).flat_map(|thing| nested(thing, "roles")))
}

/// Declares what is mentioned and not declared. A table that is no list is left for the configuration to complain of.
fn declare_mentioned(config: &mut Map<String, Value>, table: &str, key: &str, mentioned: &[String]) {
    let declared = config.entry(table).or_insert_with(|| json!([]));
    let Some(declared) = declared.as_array_mut() else { return };
    for name in mentioned {
        if !declared.iter().any(|known| known.get(key).and_then(Value::as_str) == Some(name)) {
            declared.push(json!({ key: name }));
        }
    }
}
