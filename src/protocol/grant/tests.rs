use super::*;
use crate::protocol::KnownScopes;
use crate::protocol::fixtures::{self, scope};

fn scope_for(
    grant: &Grant,
    resource: &Resource,
    roles: &[&str],
    named: Option<&str>,
) -> Result<Scope, ErrorCode> {
    let roles: Vec<RoleName> = roles.iter().map(|role| RoleName::parse(role).unwrap()).collect();
    let named = named.map(|uri| ResourceUri::parse(uri).unwrap());
    let standing =
        Standing { grant, is_alive: true, resource: Some(resource), roles: &roles, now: fixtures::at(101) };
    standing.scope_for(named.as_ref()).map_err(|error| error.code())
}

#[test]
fn what_a_person_may_no_longer_give_leaves_their_grants() {
    let (mut grant, mut resource) = (fixtures::grant(), fixtures::resource());
    grant.resources[0].scope = scope("read admin");
    assert_eq!(scope_for(&grant, &resource, &["owner"], None), Ok(scope("read admin offline_access")));
    assert_eq!(scope_for(&grant, &resource, &[], None), Ok(scope("read offline_access")), "the role is gone");
    grant.resources[0].scope = scope("admin");
    assert_eq!(scope_for(&grant, &resource, &[], None), Err(ErrorCode::InvalidGrant), "nothing is left");
    grant.resources[0].scope = scope("withdrawn");
    assert_eq!(scope_for(&grant, &resource, &[], None), Err(ErrorCode::InvalidGrant), "the scope is gone");
    grant.resources[0].scope = scope("");
    assert_eq!(scope_for(&grant, &resource, &[], None), Ok(scope("offline_access")), "nothing was granted");
    grant.resources[0].scope = scope("read");
    resource.tenants = vec![TenantId::parse("globex").unwrap()];
    assert_eq!(
        scope_for(&grant, &resource, &[], None),
        Err(ErrorCode::InvalidGrant),
        "the tenant is shut out"
    );
}

#[test]
fn a_grant_without_its_resource_or_its_people_is_over() {
    let (grant, resource) = (fixtures::grant(), fixtures::resource());
    let standing = Standing {
        grant: &grant,
        is_alive: true,
        resource: Some(&resource),
        roles: &[],
        now: fixtures::at(101),
    };
    assert!(standing.scope_for(None).is_ok());
    for ended in [Standing { is_alive: false, ..standing }, Standing { resource: None, ..standing }] {
        assert_eq!(ended.scope_for(None).map_err(|error| error.code()), Err(ErrorCode::InvalidGrant));
    }
}

#[test]
fn the_resource_of_a_grant_goes_by_all_its_names() {
    // RFC 8707 §2.2
    let (grant, mut resource) = (fixtures::grant(), fixtures::resource());
    resource.aliases = vec![ResourceUri::parse("https://old.example/mcp").unwrap()];
    for uri in ["https://MCP.example/mcp/", "https://mcp.example/mcp", "https://old.example/mcp/"] {
        assert!(scope_for(&grant, &resource, &[], Some(uri)).is_ok(), "{uri}");
    }
    let other = scope_for(&grant, &resource, &[], Some("https://other.example/mcp"));
    assert_eq!(other, Err(ErrorCode::InvalidTarget));
}

/// A grant for the usual resource and one at `other.example` that has scopes of the same names.
fn two() -> (Grant, Resource, Resource) {
    let (mut grant, notes) = (fixtures::grant(), fixtures::resource());
    let uri = ResourceUri::parse("https://other.example/mcp").unwrap();
    grant.resources.push(Granted { resource: uri.clone(), scope: scope("read") });
    let other = Resource { uri, ..fixtures::resource() };
    (grant, notes, other)
}

#[test]
fn a_request_says_which_of_several_resources_it_means() {
    // RFC 8707 §2.2: a token for each
    let (grant, notes, mut other) = two();
    assert_eq!(
        scope_for(&grant, &notes, &[], Some("https://mcp.example/mcp/")),
        Ok(scope("read write offline_access"))
    );
    let at_other = Some("https://OTHER.example/mcp");
    assert_eq!(scope_for(&grant, &other, &[], at_other), Ok(scope("read offline_access")));
    let without =
        Standing { grant: &grant, is_alive: true, resource: None, roles: &[], now: fixtures::at(101) };
    let refusal = |named: Option<&ResourceUri>| without.scope_for(named).map_err(|error| error.code());
    assert_eq!(refusal(None), Err(ErrorCode::InvalidTarget), "which?");
    assert_eq!(refusal(Some(&other.uri)), Err(ErrorCode::InvalidGrant), "no longer served");
    let third = ResourceUri::parse("https://third.example/mcp").unwrap();
    assert_eq!(refusal(Some(&third)), Err(ErrorCode::InvalidTarget));
    other.aliases = vec![third];
    let alias = Some("https://third.example/mcp");
    assert_eq!(scope_for(&grant, &other, &[], alias), Ok(scope("read offline_access")));
}

#[test]
fn the_resource_that_is_looked_up_is_the_one_that_was_granted() {
    // The audience of a token does not follow the spelling of a request.
    let (grant, ..) = two();
    let uri = |text: &str| ResourceUri::parse(text).unwrap();
    let meant = |named: Option<&str>| grant.meant(named.map(uri).as_ref()).map(ToString::to_string);
    assert_eq!(meant(Some("https://OTHER.example/mcp/")).as_deref(), Some("https://other.example/mcp"));
    assert_eq!(meant(Some("https://third.example/")).as_deref(), Some("https://third.example/"));
    assert_eq!(meant(None), None);
    let one = fixtures::grant();
    for named in [None, Some(uri("https://third.example/"))] {
        assert_eq!(one.meant(named.as_ref()), Some(&fixtures::resource().uri));
    }
}

#[test]
fn what_was_granted_at_one_resource_is_not_granted_at_another() {
    let (grant, _, other) = two();
    let named = Some("https://other.example/mcp");
    let given = scope_for(&grant, &other, &["owner"], named).unwrap();
    assert!(!given.contains(&crate::protocol::ScopeToken::parse("write").unwrap()));
    assert_eq!(grant.scope(), scope("read write offline_access"));
}

#[test]
fn any_token_of_a_sign_in_opens_what_may_be_told_about_the_person() {
    // OpenID Connect Core §5.3.1; RFC 8707 §2.2
    let (mut grant, notes) = (fixtures::grant(), fixtures::resource());
    let own = Resource::userinfo(&fixtures::policy().issuer);
    let told = Granted { resource: own.uri.clone(), scope: scope("openid email") };
    grant.resources.push(told.clone());
    assert_eq!(grant.meant(None), Some(&notes.uri), "beside it there is one MCP server");
    assert_eq!(scope_for(&grant, &notes, &[], None), Ok(scope("read write openid email offline_access")));
    let named = Some("https://id.example/oauth/userinfo");
    assert_eq!(scope_for(&grant, &own, &[], named), Ok(scope("openid email offline_access")));
    grant.resources = vec![told];
    assert_eq!(grant.meant(None), Some(&own.uri));
    assert_eq!(scope_for(&grant, &own, &[], None), Ok(scope("openid email offline_access")));
    let other = scope_for(&grant, &own, &[], Some("https://mcp.example/mcp"));
    assert_eq!(other, Err(ErrorCode::InvalidTarget));
}

#[test]
fn a_grant_for_no_resource_gives_no_token_for_one() {
    let grant = Grant { resources: Vec::new(), ..fixtures::grant() };
    let resource = fixtures::resource();
    let named = Some("https://mcp.example/mcp");
    assert_eq!(scope_for(&grant, &resource, &[], named), Err(ErrorCode::InvalidTarget));
    let standing =
        Standing { grant: &grant, is_alive: true, resource: None, roles: &[], now: fixtures::at(101) };
    assert_eq!(standing.scope_for(None).map_err(|error| error.code()), Err(ErrorCode::InvalidTarget));
}

#[test]
fn a_scope_that_wants_a_fresh_login_leaves_with_time() {
    // RFC 9470 §4; the fixture's person logged in at 90
    let (mut grant, mut resource) = (fixtures::grant(), fixtures::resource());
    let KnownScopes::Listed(scopes) = &mut resource.scopes else { panic!("listed") };
    scopes[1].max_age = Some(std::time::Duration::from_secs(60));
    let at = |grant: &Grant, now| {
        let now = fixtures::at(now);
        Standing { grant, is_alive: true, resource: Some(&resource), roles: &[], now }.scope_for(None)
    };
    assert_eq!(at(&grant, 150), Ok(scope("read write offline_access")));
    assert_eq!(at(&grant, 151), Ok(scope("read offline_access")), "the rest goes on");
    grant.resources[0].scope = scope("write");
    assert_eq!(at(&grant, 151).map_err(|error| error.code()), Err(ErrorCode::InvalidGrant), "none left");
}
