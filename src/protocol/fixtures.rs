//! Values that the tests of this module share.

use std::time::Duration;

use super::*;

pub(super) fn client(redirect_uris: &[&str]) -> Client {
    Client {
        name: Some("Client".to_owned()),
        redirect_uris: redirect_uris.iter().map(|uri| RedirectUri::parse(uri).unwrap()).collect(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        ..Client::new(ClientId::parse("c").unwrap(), ClientOrigin::Dynamic, at(0))
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

pub(super) fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

pub(super) fn resource_uri(text: &str) -> ResourceUri {
    ResourceUri::parse(text).unwrap()
}

pub(super) fn resource() -> Resource {
    let known = |token: &str, roles: &[&str]| ResourceScope {
        roles: roles.iter().map(|role| RoleName::parse(role).unwrap()).collect(),
        ..ResourceScope::new(ScopeToken::parse(token).unwrap())
    };
    Resource {
        scopes: KnownScopes::Listed(vec![
            known("read", &[]),
            known("write", &[]),
            known("admin", &["owner"]),
        ]),
        default_scopes: scope("read"),
        ..Resource::unregistered(resource_uri("https://mcp.example/mcp"))
    }
}

pub(super) fn membership(tenant: &str, roles: &[&str]) -> Membership {
    Membership {
        tenant: Tenant { id: TenantId::parse(tenant).unwrap(), name: tenant.to_uppercase() },
        roles: roles.iter().map(|role| RoleName::parse(role).unwrap()).collect(),
    }
}

pub(super) fn grant() -> Grant {
    Grant {
        id: GrantId::new(at(100), [1; 10]),
        user: UserId::parse("alice").unwrap(),
        client: ClientId::parse("c").unwrap(),
        tenant: TenantId::parse("acme").unwrap(),
        resources: vec![Granted { resource: resource().uri, scope: scope("read write") }],
        general: scope("offline_access"),
        auth_time: at(90),
        issued_at: at(100),
        secret: ServerSecretId::new(at(1), [2; 10]),
        refresh: Some(RefreshState {
            generation: 5,
            rotated_at: at(1000),
            retries: 0,
            idle_expires_at: at(5000),
            expires_at: at(9000),
        }),
        revoked_at: None,
    }
}

pub(super) fn policy() -> Policy {
    Policy {
        issuer: Issuer::parse("https://id.example/oauth").unwrap(),
        lifetimes: Lifetimes { retry_window: Duration::from_secs(60), ..Lifetimes::default() },
        registration: RegistrationMode::Open,
        registration_scopes: None,
        max_unused_clients: Policy::MAX_UNUSED_CLIENTS,
        rates: Rates::default(),
        client_documents: ClientDocuments::Any,
        introspection: IntrospectionMode::Authenticated,
        loopback_resources: false,
        claims: ClaimNames::default(),
        default_resource: None,
        scopes_supported: scope("read write offline_access"),
    }
}
