//! What is printed of a client.

use serde_json::{Map, Value};

use super::output::{Cell, Shape, attributes, detail, listed};
use crate::app::admin::KnownClient;
use crate::protocol::{ClientKeys, MachineScopes, RedirectUri, ResourceUri, ScopeToken, TenantId};

/// What is printed of a client.
pub(super) const CLIENT: Shape<23> = Shape {
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
        detail("post_logout_redirect_uris", "Where a browser may be sent after a logout."),
        listed("grant_types", "What it may offer for tokens."),
        detail("auth_methods", "The ways in which it authenticates."),
        detail("jwks_uri", "The address of its public keys, or null."),
        detail(
            "jwks",
            "Its public keys, or those that were last at their address: a JSON Web Key Set, or null.",
        ),
        detail("scope", "What it asks for when a request names no scope, or null."),
        detail("resource", "The resource that it means when it names none, or null."),
        detail("audience", "The `aud` of its tokens when it names no resource, or null."),
        detail("machine_scopes", "The scopes that it may obtain for itself."),
        detail("machine_at", "Those at single resources: an object from resource to a list of scopes."),
        detail("tenant", "The tenant that its own tokens belong to, or null."),
        detail("people_of", "The tenants in which people may use it; empty for `tenant` alone, or all."),
        detail("introspects", "The resources for which it may introspect tokens."),
        detail("attributes", "What claims can be mapped from: an object."),
        detail("first_party", "Whether people are not asked whether they let it in."),
        detail("registered_at", "When it was first seen."),
        detail(
            "used_at",
            "When somebody first let it in, for one that registered itself or is known by a document; or null.",
        ),
        listed("suspended_at", "Since when it may do nothing, or null."),
    ],
};

pub(super) fn cells(known: &KnownClient) -> [Cell; 23] {
    let KnownClient { known, used_at } = known;
    let client = &known.thing;
    let uris = |uris: &[RedirectUri]| Cell::list(uris.iter().map(RedirectUri::as_str));
    let address = match &client.keys {
        Some(ClientKeys::Remote { uri, .. }) => Some(uri),
        Some(ClientKeys::Inline { .. }) | None => None,
    };
    [
        Cell::text(client.id.as_str()),
        Cell::optional(client.name.as_deref()),
        Cell::text(known.origin.as_str()),
        Cell::optional(client.uri.as_deref()),
        uris(&client.redirect_uris),
        uris(&client.post_logout_redirect_uris),
        Cell::list(client.grant_types.iter().map(|grant| grant.as_str())),
        Cell::list(client.auth_methods.iter().map(|method| method.as_str())),
        Cell::optional(address),
        key_set(client.keys.as_ref().and_then(ClientKeys::jwks)),
        Cell::optional(client.scope.as_ref().map(ToString::to_string)),
        Cell::optional(client.default_resource.as_ref().map(ResourceUri::as_str)),
        Cell::optional(client.audience.as_deref()),
        Cell::list(client.machine_scopes.iter().map(ScopeToken::as_str)),
        machine(&client.machine),
        Cell::optional(client.tenant.as_ref().map(TenantId::as_str)),
        Cell::list(client.tenants.iter().map(TenantId::as_str)),
        Cell::list(client.introspects.iter().map(ResourceUri::as_str)),
        attributes(&client.attributes),
        Cell::yes(client.first_party),
        Cell::time(known.created_at),
        Cell::time(*used_at),
        Cell::time(known.suspended_at),
    ]
}

/// A key set: how many keys, for people.
fn key_set(jwks: Option<&str>) -> Cell {
    let Some(set) = jwks.and_then(|jwks| serde_json::from_str::<Value>(jwks).ok()) else {
        return Cell::nothing();
    };
    let keys = set.get("keys").and_then(Value::as_array).map_or(0, Vec::len);
    Cell::of(if keys == 1 { "1 key".to_owned() } else { format!("{keys} keys") }, set)
}

fn machine(single: &[MachineScopes]) -> Cell {
    let scopes = |of: &MachineScopes| of.scopes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let shown = single.iter().map(|of| format!("{}={}", of.resource, scopes(of).join(",")));
    let by_resource: Map<_, _> =
        single.iter().map(|of| (of.resource.to_string(), scopes(of).into())).collect();
    Cell::of(shown.collect::<Vec<_>>().join(" "), by_resource.into())
}
