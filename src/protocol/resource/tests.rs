use super::*;

fn resource_uri(text: &str) -> ResourceUri {
    ResourceUri::parse(text).unwrap()
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

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
fn spellings_of_one_resource_share_a_key() {
    // MCP Canonical Server URI
    for (a, b) in [
        ("https://mcp.example.com/mcp", "https://MCP.example.com/mcp/"),
        ("https://mcp.example.com", "https://mcp.example.com/"),
        ("https://mcp.example.com:443/mcp", "HTTPS://mcp.example.com/mcp"),
    ] {
        assert_eq!(resource_uri(a).lookup_key(), resource_uri(b).lookup_key());
    }
    for (a, b) in [
        ("https://mcp.example.com/mcp", "https://mcp.example.com/MCP"),
        ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp?x"),
        ("https://mcp.example.com/mcp", "http://mcp.example.com/mcp"),
        ("https://mcp.example.com/a?x=/", "https://mcp.example.com/a?x="),
    ] {
        assert_ne!(resource_uri(a).lookup_key(), resource_uri(b).lookup_key());
    }
}

#[test]
fn a_resource_is_an_absolute_uri_without_fragment() {
    // RFC 8707 §2
    for text in [
        "/mcp",
        "mcp",
        "https://a.example/#x",
        "https://u@a.example/",
        "https://u:p@a.example",
        "https://:p@a.example",
        "mailto:x@y",
        "https://a.example/\"",
        "https://a.example/<",
        "https://a.example/>",
        "https://a.example/\\x",
        "https://a.example/ x",
        "https://a.example/é",
        "https://a.example/\n",
        "",
    ] {
        assert!(ResourceUri::parse(text).is_err(), "{text:?}");
    }
    let longest = format!("https://a.example/{}", "x".repeat(2048 - 18));
    assert!(ResourceUri::parse(&longest).is_ok());
    assert!(ResourceUri::parse(&format!("{longest}x")).is_err());
}

#[test]
fn a_stored_resource_is_checked_like_a_sent_one_and_keeps_its_bytes() {
    let read = |json: &str| serde_json::from_str::<ResourceUri>(json).ok();
    let written = "https://MCP.example:443/mcp/";
    assert_eq!(read(&format!("\"{written}\"")), Some(resource_uri(written)));
    assert_eq!(read("\"mcp\""), None);
    assert_eq!(resource_uri(written).to_string(), written);
    assert_eq!(serde_json::to_string(&resource_uri(written)).unwrap(), format!("\"{written}\""));
}

#[test]
fn loopback_is_told_from_look_alikes() {
    for text in [
        "http://localhost:3000/mcp",
        "http://127.0.0.1/",
        "http://127.9.9.9",
        "http://[::1]:1/",
        "http://a.localhost/",
    ] {
        assert!(resource_uri(text).is_loopback(), "{text}");
    }
    for text in ["http://localhost.example/", "http://10.0.0.1/", "http://notlocalhost/", "http://[::2]/"] {
        assert!(!resource_uri(text).is_loopback(), "{text}");
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
fn an_authorization_request_names_several_resources_each_once() {
    // RFC 8707 §2.1
    let (a, b) = ("https://a.example", "https://b.example/mcp");
    assert_eq!(wishes(&[]), Ok(Vec::new()));
    assert_eq!(wishes(&[a, b, "https://A.example/"]), Ok(vec![resource_uri(a), resource_uri(b)]));
    let many: Vec<String> = (0..11).map(|i| format!("https://{i}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(wishes(&many[..10]).map(|wishes| wishes.len()), Ok(10));
    for named in [&many[..], &[a, "x"]] {
        assert_eq!(wishes(named).map_err(|error| error.code()), Err(ErrorCode::InvalidTarget));
    }
}

#[test]
fn a_token_request_names_at_most_one_well_formed_resource() {
    // RFC 8707 §2.2
    assert_eq!(single_wish(&[]), Ok(None));
    assert_eq!(single_wish(&["https://a.example"]), Ok(Some(resource_uri("https://a.example"))));
    for named in [&["x"][..], &["https://a.example", "https://b.example"][..]] {
        assert_eq!(single_wish(named).map_err(|error| error.code()), Err(ErrorCode::InvalidTarget));
    }
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
