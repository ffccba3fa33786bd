use super::*;
use crate::protocol::fixtures::{resource_uri, scope};

fn notes() -> Resource {
    let known = |token: &str, roles: &[&str]| ResourceScope {
        description: format!("may {token}"),
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
        ..Resource::unregistered(resource_uri("https://mcp.example.com/mcp"))
    }
}

#[test]
fn unknown_scopes_are_dropped_and_nothing_left_means_the_default() {
    let resource = notes();
    for (asked, granted) in [
        (Some("read other"), "read"),
        (Some("other"), "read"),
        (Some(""), "read"),
        (None, "read"),
        (Some("write offline_access"), "write"),
        (Some("offline_access"), "read"),
        (Some("openid profile email"), "read"),
    ] {
        let asked = asked.map(scope);
        assert_eq!(resource.requested_scope(asked.as_ref(), None), scope(granted), "{asked:?}");
    }
}

#[test]
fn a_ceiling_holds_for_what_is_asked_and_for_the_default() {
    let resource = notes();
    let ceiling = scope("read");
    assert_eq!(resource.requested_scope(Some(&scope("read write")), Some(&ceiling)), scope("read"));
    assert_eq!(resource.requested_scope(None, Some(&scope("write"))), scope(""));
}

#[test]
fn a_developers_server_gets_what_is_asked() {
    let resource = Resource::unregistered(resource_uri("http://localhost:3000/mcp"));
    assert_eq!(
        resource.requested_scope(Some(&scope("x y openid offline_access")), None),
        scope("x y"),
        "what this server itself understands belongs to no MCP server"
    );
    assert_eq!(resource.known(&scope("x offline_access")), scope("x"));
    assert_eq!(resource.grantable(&scope("x"), &[]), scope("x"));
    assert_eq!(resource.describe(&ScopeToken::parse("x").unwrap()), None);
}

#[test]
fn a_scope_bound_to_roles_can_be_given_by_members_with_one_of_them() {
    let (resource, owner) = (notes(), RoleName::parse("owner").unwrap());
    assert_eq!(resource.grantable(&scope("read admin other"), &[]), scope("read"));
    assert_eq!(resource.grantable(&scope("read admin"), &[owner]), scope("read admin"));
    assert_eq!(resource.describe(&ScopeToken::parse("admin").unwrap()), Some("may admin"));
}

#[test]
fn the_audience_is_the_uri_unless_configured() {
    let mut resource = notes();
    assert_eq!(resource.audience(), "https://mcp.example.com/mcp");
    resource.audience = Some("mcp-server-api".into());
    assert_eq!(resource.audience(), "mcp-server-api");
}

#[test]
fn a_resource_may_be_bound_to_tenants() {
    let (mut resource, acme) = (notes(), TenantId::parse("acme").unwrap());
    assert!(resource.admits_tenant(&acme));
    resource.tenants = vec![TenantId::parse("globex").unwrap()];
    assert!(!resource.admits_tenant(&acme));
    resource.tenants.push(acme.clone());
    assert!(resource.admits_tenant(&acme));
}

#[test]
fn the_shortest_lifetime_and_the_youngest_login_count() {
    let mut resource = notes();
    let KnownScopes::Listed(scopes) = &mut resource.scopes else { panic!("listed") };
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    (scopes[1].access_token_ttl, scopes[1].max_age) = (Some(minute), Some(hour));
    (scopes[2].access_token_ttl, scopes[2].max_age) = (Some(hour), Some(minute));
    scopes[2].asks_each_time = true;
    let default = Duration::from_secs(900);
    for (asked, ttl, max_age) in [
        ("read", default, None),
        ("read write", minute, Some(hour)),
        ("admin", default, Some(minute)),
        ("write admin", minute, Some(minute)),
    ] {
        assert_eq!(resource.token_ttl(&scope(asked), default), ttl, "{asked}");
        assert_eq!(resource.max_age(&scope(asked)), max_age, "{asked}");
    }
    resource.access_token_ttl = Some(Duration::from_secs(30));
    assert_eq!(resource.token_ttl(&scope("write"), default), Duration::from_secs(30));
    assert_eq!(resource.asked_each_time(&scope("read admin")), scope("admin"));
    let (then, all) = (Timestamp::from_seconds(1000), scope("read write admin"));
    for (now, left) in [(1060, "read write admin"), (1061, "read write"), (4601, "read")] {
        assert_eq!(resource.fresh(&all, then, Timestamp::from_seconds(now)), scope(left), "{now}");
    }
}
