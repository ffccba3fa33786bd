use serde_json::json;

use super::*;
use crate::protocol::fixtures::{self, at, scope};
use crate::protocol::{ClientAuthMethod, ErrorCode, ResourceUri, RoleName, TenantId};

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://id.example/oauth", "sub": "alice", "aud": "https://mcp.example/mcp", "client_id": "c",
        "iat": 1000, "exp": 1900, "jti": "j", "scope": "read write", "tenant": "acme", "x:mapped": ["a"],
    });
    claims.as_object().unwrap().clone()
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut claims = claims();
    claims.insert(name.to_owned(), value);
    claims
}

fn read(claims: Map<String, Value>, now: i64) -> Option<IssuedToken> {
    IssuedToken::read(claims, &fixtures::policy().issuer, at(now))
}

fn token() -> IssuedToken {
    read(claims(), 1000).unwrap()
}

fn answer_of(token: &IssuedToken, grant: &Grant, alive: bool, resources: &[Resource]) -> Option<Answer> {
    let standing = Standing { grant, is_alive: alive, resource: None, roles: &[], now: fixtures::at(101) };
    let behind = Behind::Grant { standing, username: Some("alice@acme") };
    AccessToken { token, client: &fixtures::client(&[]), behind, resources }
        .answer()
        .map(|(answer, _)| answer)
}

fn machine() -> Client {
    Client {
        grant_types: vec![GrantType::ClientCredentials],
        auth_methods: vec![ClientAuthMethod::ClientSecretBasic],
        machine_scopes: scope("read write"),
        tenant: TenantId::parse("acme"),
        ..fixtures::client(&[])
    }
}

fn answer_of_machine(client: &Client, resource: Resource) -> Option<Answer> {
    let token = &read(with("sub", json!("c")), 1000).unwrap();
    AccessToken { token, client, behind: Behind::Machine, resources: &[resource] }
        .answer()
        .map(|(answer, _)| answer)
}

#[test]
fn a_request_names_one_token_and_may_hint_at_anything() {
    // RFC 7662 §2.1
    let read = |form: &str| {
        let params = Params::parse(form.as_bytes()).unwrap();
        token_of(&params).map(str::to_owned).map_err(|error| error.code())
    };
    use super::token as token_of;
    for hint in ["", "&token_type_hint=refresh_token", "&token_type_hint=unheard_of"] {
        assert_eq!(read(&format!("token=x{hint}")).as_deref(), Ok("x"), "{hint}");
    }
    for form in ["", "token=", "token=x&token=y", "token=x&token_type_hint=a&token_type_hint=b"] {
        assert_eq!(read(form), Err(ErrorCode::InvalidRequest), "{form}");
    }
}

#[test]
fn a_token_counts_within_its_time_and_under_this_issuer() {
    // RFC 7662 §4
    assert!(read(claims(), 1899).is_some());
    assert!(read(claims(), 1900).is_none(), "expired");
    assert!(read(with("nbf", json!(1500)), 1500).is_some());
    assert!(read(with("nbf", json!(1500)), 1499).is_none(), "not yet");
    assert!(read(with("nbf", json!("soon")), 1000).is_none());
    assert!(read(with("iss", json!("https://id.example/oauth/")), 1000).is_none(), "another issuer");
    assert!(read(with("aud", json!(["https://mcp.example/mcp"])), 1000).is_none());
    for name in ["iss", "sub", "aud", "client_id", "exp", "jti"] {
        let mut claims = claims();
        claims.remove(name);
        assert!(read(claims, 1000).is_none(), "{name}");
    }
}

#[test]
fn an_active_token_is_answered_as_it_stands() {
    // RFC 7662 §2.2
    let answer = answer_of(&token(), &fixtures::grant(), true, &[fixtures::resource()]).unwrap();
    let mut expected = claims();
    expected.extend([
        ("active".to_owned(), json!(true)),
        ("token_type".to_owned(), json!("Bearer")),
        ("username".to_owned(), json!("alice@acme")),
    ]);
    assert_eq!(answer, expected);
    // A mapped claim that is called so does not speak for us.
    let posing = read(with("active", json!(false)), 1000).unwrap();
    let answer = answer_of(&posing, &fixtures::grant(), true, &[fixtures::resource()]).unwrap();
    assert_eq!(answer["active"], true);
}

#[test]
fn what_ended_since_ends_the_token() {
    // RFC 7662 §2.2 and §4
    let (grant, resource) = (fixtures::grant(), fixtures::resource());
    assert_eq!(answer_of(&token(), &grant, false, std::slice::from_ref(&resource)), None, "grant or person");
    assert_eq!(answer_of(&token(), &grant, true, &[]), None, "the resource is gone");
    let elsewhere =
        Resource { uri: ResourceUri::parse("https://other.example/mcp").unwrap(), ..resource.clone() };
    assert_eq!(answer_of(&token(), &grant, true, std::slice::from_ref(&elsewhere)), None);
    assert!(answer_of(&token(), &grant, true, &[elsewhere, resource.clone()]).is_some());
    let shut = Resource { tenants: vec![TenantId::parse("globex").unwrap()], ..resource.clone() };
    assert_eq!(answer_of(&token(), &grant, true, &[shut]), None, "the tenant is shut out");
    // A token that names a grant of somebody else's was never issued.
    let of_another = Grant { client: ClientId::parse("d").unwrap(), ..grant.clone() };
    assert_eq!(answer_of(&token(), &of_another, true, std::slice::from_ref(&resource)), None);
    let bob = read(with("sub", json!("bob")), 1000).unwrap();
    assert_eq!(answer_of(&bob, &grant, true, &[resource]), None);
}

#[test]
fn what_may_no_longer_be_given_is_out_of_the_scope() {
    // RFC 7662 §2.2
    let mut grant = fixtures::grant();
    grant.resources[0].scope = scope("read admin");
    let token = read(with("scope", json!("read admin")), 1000).unwrap();
    let resource = [fixtures::resource()];
    let owner = [RoleName::parse("owner").unwrap()];
    let asked = |roles: &[RoleName]| {
        let standing =
            Standing { grant: &grant, is_alive: true, resource: None, roles, now: fixtures::at(101) };
        let behind = Behind::Grant { standing, username: None };
        let client = fixtures::client(&[]);
        AccessToken { token: &token, client: &client, behind, resources: &resource }
            .answer()
            .map(|(answer, _)| answer)
    };
    assert_eq!(asked(&owner).unwrap()["scope"], "read admin");
    assert_eq!(asked(&[]).unwrap()["scope"], "read");
    // A narrowed token whose one scope is gone is good for nothing.
    let token = read(with("scope", json!("admin")), 1000).unwrap();
    let standing =
        Standing { grant: &grant, is_alive: true, resource: None, roles: &[], now: fixtures::at(101) };
    let behind = Behind::Grant { standing, username: None };
    let client = fixtures::client(&[]);
    assert!(AccessToken { token: &token, client: &client, behind, resources: &resource }.answer().is_none());
}

#[test]
fn a_client_that_lost_the_tenant_has_no_token_for_it() {
    let bound = Client { tenants: vec![TenantId::parse("globex").unwrap()], ..fixtures::client(&[]) };
    let grant = fixtures::grant();
    let standing =
        Standing { grant: &grant, is_alive: true, resource: None, roles: &[], now: fixtures::at(101) };
    let behind = Behind::Grant { standing, username: None };
    let (token, resources) = (token(), [fixtures::resource()]);
    for (client, active) in [(fixtures::client(&[]), true), (bound, false)] {
        let found = AccessToken { token: &token, client: &client, behind, resources: &resources };
        assert_eq!(found.answer().is_some(), active);
    }
}

#[test]
fn what_is_mapped_is_told_as_it_is_now() {
    // RFC 7662 §2.2
    let mapping = |name: &str, from| ClaimMapping { name: ClaimName::parse(name).unwrap(), from };
    let mappings = [
        mapping("tenant", ClaimSource::Tenant),
        mapping("roles", ClaimSource::Roles),
        mapping("active", ClaimSource::Name),
    ];
    let answer = json!({"active": true, "sub": "alice", "tenant": "acme", "roles": ["editor"]});
    let answer = answer.as_object().unwrap();
    let told = |now: &[(&str, Value)]| {
        let now = now.iter().map(|(name, value)| (ClaimName::parse(name).unwrap(), value.clone()));
        update(answer.clone(), &mappings, now.collect()).map(Value::from)
    };
    let (acme, viewer) = (("tenant", json!("acme")), ("roles", json!(["viewer"])));
    let expected = json!({"active": true, "sub": "alice", "tenant": "acme", "roles": ["viewer"]});
    assert_eq!(told(&[acme.clone(), viewer, ("active", json!("no"))]), Some(expected));
    let without = json!({"active": true, "sub": "alice", "tenant": "acme"});
    assert_eq!(told(&[acme]), Some(without), "a role that was lost is told no more");
    assert_eq!(told(&[("tenant", json!("globex"))]), None, "a machine that moved has no token of before");
    assert_eq!(told(&[]), None);
}

#[test]
fn a_token_without_scope_is_answered_without_scope() {
    let mut claims = claims();
    claims.remove("scope");
    let token = read(claims, 1000).unwrap();
    let answer = answer_of(&token, &fixtures::grant(), true, &[fixtures::resource()]).unwrap();
    assert_eq!(answer.get("scope"), None);
}

#[test]
fn a_machines_token_is_good_while_the_machine_may_have_it() {
    // RFC 7662 §4
    let (machine, resource) = (machine(), fixtures::resource());
    let answer = answer_of_machine(&machine, resource.clone()).unwrap();
    assert_eq!((&answer["sub"], &answer["scope"]), (&json!("c"), &json!("read write")));
    assert_eq!(answer.get("username"), None);
    let less = Client { machine_scopes: scope("read"), ..machine.clone() };
    assert_eq!(answer_of_machine(&less, resource.clone()).unwrap()["scope"], "read");
    for ended in [
        Client { machine_scopes: scope(""), ..machine.clone() },
        Client { grant_types: vec![GrantType::RefreshToken], ..machine.clone() },
        Client { id: ClientId::parse("d").unwrap(), ..machine.clone() },
    ] {
        assert_eq!(answer_of_machine(&ended, resource.clone()), None, "{ended:?}");
    }
    let globex = Resource { tenants: vec![TenantId::parse("globex").unwrap()], ..resource };
    assert_eq!(answer_of_machine(&machine, globex), None);
}

#[test]
fn a_token_is_told_to_its_own_client_and_to_the_server_that_it_is_for() {
    // RFC 7662 §2.2 and §4
    let issued_to = ClientId::parse("c").unwrap();
    let resource = fixtures::resource();
    // Another one that takes the same tokens is somebody else's.
    let uri = ResourceUri::parse("https://twin.example/mcp").unwrap();
    let twin = Resource { uri, audience: Some(resource.audience().to_owned()), ..resource.clone() };
    let resources = vec![resource, twin];
    let own = fixtures::client(&[]);
    let other = Client { id: ClientId::parse("d").unwrap(), ..own.clone() };
    let server = Client { introspects: vec![fixtures::resource().uri], ..other.clone() };
    let elsewhere = ResourceUri::parse("https://other.example/mcp").unwrap();
    let stranger = Client { introspects: vec![elsewhere], ..other.clone() };
    let seen = |caller: Caller<'_>| caller.sees(&issued_to, resources.clone());
    assert_eq!((seen(Caller::Client(&own)), seen(Caller::Anybody)), (resources.clone(), resources.clone()));
    assert_eq!(seen(Caller::Client(&server)), resources[..1]);
    assert!(seen(Caller::Client(&other)).is_empty() && seen(Caller::Client(&stranger)).is_empty());
    let grant = fixtures::grant();
    assert!(Caller::Client(&own).may_see_refresh_token(&grant));
    for caller in [Caller::Client(&server), Caller::Client(&other), Caller::Anybody] {
        assert!(!caller.may_see_refresh_token(&grant), "{caller:?}");
    }
}

#[test]
fn a_refresh_token_is_for_this_server_and_no_bearer_token() {
    // RFC 7662 §2.2
    let (grant, issuer) = (fixtures::grant(), fixtures::policy().issuer);
    let about = |decisions: &[RefreshDecision]| {
        let claims = BTreeMap::from([(ClaimName::parse("tenant").unwrap(), json!("acme"))]);
        refresh_token(&grant, decisions, Some("alice"), claims, &issuer)
    };
    let (rotate, retry) = (RefreshDecision::Rotate(scope("read")), RefreshDecision::Retry(scope("read")));
    let refused = RefreshDecision::Refuse(OAuthError::new(ErrorCode::InvalidGrant, ""));
    for decisions in [vec![rotate.clone()], vec![retry], vec![refused.clone(), rotate.clone()]] {
        let expected = json!({
            "active": true, "iss": issuer.as_str(), "aud": issuer.as_str(), "sub": "alice", "client_id": "c",
            "scope": "read", "iat": 1000, "exp": 5000, "username": "alice", "tenant": "acme",
        });
        assert_eq!(Value::from(about(&decisions).unwrap()), expected);
    }
    let at_another = RefreshDecision::Rotate(scope("write"));
    assert_eq!(about(&[rotate, at_another]).unwrap()["scope"], "read write", "of several resources");
    for decisions in [vec![], vec![refused], vec![RefreshDecision::Replay(grant.id.clone())]] {
        assert_eq!(about(&decisions), None);
    }
    assert_eq!(Value::from(inactive()), json!({"active": false}));
}
