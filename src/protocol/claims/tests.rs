use serde_json::json;

use super::*;
use crate::protocol::fixtures;

fn name(text: &str) -> ClaimName {
    ClaimName::parse(text).unwrap()
}

fn mapping(claim: &str, from: &str) -> ClaimMapping {
    ClaimMapping { name: name(claim), from: ClaimSource::parse(from).unwrap() }
}

fn attributes(pairs: Value) -> Attributes {
    serde_json::from_value(pairs).unwrap()
}

#[test]
fn sources_and_names_are_read_back_as_they_are_written() {
    for text in [
        "tenant",
        "roles",
        "role",
        "user.username",
        "user.name",
        "user.email",
        "user.attributes.cost-centre",
        "membership.attributes.a.b",
        "client.attributes.x_1",
    ] {
        let mapping = mapping("claim", text);
        assert_eq!(mapping.from.to_string(), text);
        let stored = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<ClaimMapping>(&stored).unwrap(), mapping);
    }
    for text in
        ["", "user", "user.attributes.", "user.attributes.a b", "tenant.attributes.x", "user.password_hash"]
    {
        assert_eq!(ClaimSource::parse(text), None, "{text}");
    }
    assert!(serde_json::from_str::<ClaimMapping>(r#"{"name": "sub", "from": "user.email"}"#).is_err());
}

#[test]
fn a_token_says_what_is_known_under_the_names_that_are_configured() {
    // RFC 9068 §2.2.3.1
    let tenant = TenantId::parse("acme").unwrap();
    let roles = ["editor", "viewer"].map(|role| RoleName::parse(role).unwrap());
    let person = PersonFacts {
        username: "alice".to_owned(),
        name: Some("Alice".to_owned()),
        email: None,
        attributes: attributes(json!({"department": "sales", "groups": ["a", "b"]})),
        membership: attributes(json!({"seat": "7"})),
    };
    let client = attributes(json!({"tier": "gold"}));
    let facts =
        ClaimFacts { tenant: Some(&tenant), roles: &roles, person: Some(&person), client: Some(&client) };
    let mut resource = fixtures::resource();
    let mut names = ClaimNames::default();
    let claims = |names: &ClaimNames, resource: &Resource, facts: &ClaimFacts<'_>| {
        serde_json::to_value(facts.claims(&names.at(resource))).unwrap()
    };
    assert_eq!(claims(&names, &resource, &facts), json!({"tenant": "acme", "roles": ["editor", "viewer"]}));
    names.role = Some(name("role"));
    assert_eq!(
        claims(&names, &resource, &facts),
        json!({"tenant": "acme", "roles": ["editor", "viewer"], "role": "editor"}),
        "the first of the membership's list"
    );
    resource.claims = vec![
        mapping("org_id", "tenant"),
        mapping("login", "user.username"),
        mapping("name", "user.name"),
        mapping("email", "user.email"),
        mapping("department", "user.attributes.department"),
        mapping("groups", "user.attributes.groups"),
        mapping("seat", "membership.attributes.seat"),
        mapping("plan", "client.attributes.tier"),
        mapping("nothing", "client.attributes.unheard_of"),
    ];
    assert_eq!(
        claims(&names, &resource, &facts),
        json!({
            "org_id": "acme", "roles": ["editor", "viewer"], "role": "editor", "login": "alice", "name": "Alice",
            "department": "sales", "groups": ["a", "b"], "seat": "7", "plan": "gold",
        }),
        "a resource's own name stands in place of the server's, and what is unknown is omitted"
    );
    let machine = ClaimFacts { roles: &[], person: None, ..facts };
    assert_eq!(claims(&names, &resource, &machine), json!({"org_id": "acme", "plan": "gold"}));
}
