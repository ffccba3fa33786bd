//! What a person is asked, and what their answer comes to.

use super::*;
use crate::protocol::case::{Case, by_document, consent, first_party, ticks};
use crate::protocol::fixtures::{membership, resource, scope};
use crate::protocol::step::Step;
use crate::protocol::{ClientAuthMethod, ClientOrigin, KnownScopes, ResourceScope, RoleName};

#[test]
fn an_unknown_program_is_always_asked_about() {
    // RFC 8252 §8.6
    let mut case = Case::default();
    let ask = case.ask();
    let only = ask.only();
    assert_eq!((&only.offered, &only.remembered), (&scope("read write"), &scope("")));
    assert_eq!((ask.is_repetition, &ask.tenants), (false, &case.memberships));
    case.consents = vec![consent("acme", "read write", "127.0.0.1", 1)];
    let again = case.ask();
    assert_eq!((&again.only().remembered, again.is_repetition), (&scope("read write"), true));
    case.query = "&scope=read&prompt=none";
    assert_eq!(case.rejection(), ErrorCode::ConsentRequired);
}

#[test]
fn what_is_new_is_told_from_what_was_allowed() {
    let consents = vec![consent("acme", "read", "127.0.0.1", 1)];
    let ask = Case { consents, ..Case::default() }.ask();
    assert_eq!((&ask.only().remembered, ask.is_repetition), (&scope("read"), false));
    for (tenant, host) in [("acme", "evil.example"), ("globex", "127.0.0.1")] {
        let consents = vec![consent(tenant, "read write", host, 1)];
        let ask = Case { consents, ..Case::default() }.ask();
        assert_eq!((&ask.only().remembered, ask.is_repetition), (&scope(""), false), "{tenant} {host}");
    }
}

#[test]
fn a_changed_document_is_another_client_to_decide_about() {
    // Client ID Metadata Documents §6
    let mut case = by_document("http://127.0.0.1/cb", &[ClientAuthMethod::None]);
    let ask = case.ask();
    assert_eq!(
        (&ask.only().remembered, ask.is_repetition, ask.has_changed),
        (&scope("read write"), true, false)
    );
    case.consents[0].document_digest = Some("two".to_owned());
    let ask = case.ask();
    assert_eq!((&ask.only().remembered, ask.is_repetition, ask.has_changed), (&scope(""), false, true));
    case.query = "&scope=read";
    let agreement = case.agree("read", "acme").unwrap();
    assert_eq!(agreement.remembered().0, "read", "what the other was allowed is forgotten");
    case.consents.clear();
    assert!(!case.ask().has_changed, "it was never allowed");
}

#[test]
fn tenants_are_those_of_person_resource_and_client_together() {
    let both = vec![membership("acme", &[]), membership("globex", &[])];
    let order = |case: &Case| case.ask().tenants.iter().map(|m| m.tenant.id.to_string()).collect::<Vec<_>>();
    let mut case = Case { memberships: both, ..Case::default() };
    assert_eq!(order(&case), ["acme", "globex"]);
    case.query = "&tenant=globex";
    assert_eq!(order(&case), ["globex", "acme"]);
    case.query = "&tenant=initech";
    assert_eq!(order(&case), ["acme", "globex"], "a wish for a foreign tenant is none");
    case.consents = vec![consent("acme", "read", "127.0.0.1", 1), consent("globex", "read", "127.0.0.1", 2)];
    assert_eq!(order(&case), ["globex", "acme"], "the latest choice is proposed");
    case.resources[0].tenants = vec![TenantId::parse("acme").unwrap()];
    assert_eq!(order(&case), ["acme"]);
    case.client.tenant = TenantId::parse("globex");
    assert_eq!(case.rejection(), ErrorCode::AccessDenied);
    case.resources[0].tenants.clear();
    assert_eq!(order(&case), ["globex"]);
    case.memberships.clear();
    assert_eq!(case.rejection(), ErrorCode::AccessDenied);
}

#[test]
fn nobody_gives_away_what_their_role_does_not_allow() {
    let mut case = Case { query: "&scope=admin", ..Case::default() };
    assert_eq!(case.rejection(), ErrorCode::InvalidScope);
    case.memberships.push(membership("globex", &["owner"]));
    assert_eq!(case.ask().only().offered, scope("admin"));
    case.query = "&scope=admin+read";
    assert_eq!(case.ask().only().offered, scope("admin read"), "in the order in which it was asked");
    assert_eq!(case.agree("admin read", "acme").map(|a| a.scope()), Ok(scope("read")));
    assert_eq!(case.agree("admin read", "globex").map(|a| a.scope()), Ok(scope("admin read")));
}

#[test]
fn a_tenant_where_nothing_of_it_is_theirs_to_give_is_refused_and_not_granted_emptily() {
    // RFC 6749 §3.3
    let mut case = Case { query: "&scope=admin&tenant=acme", ..Case::default() };
    case.memberships.push(membership("globex", &["owner"]));
    assert_eq!(case.ask().only().offered, scope("admin"), "another tenant can be chosen");
    assert_eq!(case.agree("admin", "acme").unwrap_err().code(), ErrorCode::AccessDenied);
    case.client = first_party();
    assert_eq!(case.rejection(), ErrorCode::AccessDenied);
}

#[test]
fn what_was_allowed_for_another_receiver_is_not_remembered_for_this_one() {
    let consents = vec![consent("acme", "write other", "evil.example", 1)];
    let case = Case { consents, ..Case::default() };
    assert_eq!(case.agree("read", "acme").unwrap().remembered().0, "read");
}

#[test]
fn what_the_person_unticks_is_not_granted() {
    // RFC 9700 §4.14.2 and OAuth 2.1 §7.9: the grant is what was agreed to
    let mut case = Case { query: "&scope=read+write+offline_access", ..Case::default() };
    case.consents = vec![consent("acme", "write other", "127.0.0.1", 1)];
    let agreement = case.agree("read admin offline_access", "acme").unwrap();
    assert_eq!(agreement.scope(), scope("read offline_access"));
    assert_eq!(agreement.remembered(), ("other read".to_owned(), "write".to_owned()));
    for (nothing, tenant) in [("", "acme"), ("admin", "acme"), ("read", "globex")] {
        assert_eq!(case.agree(nothing, tenant).unwrap_err().code(), ErrorCode::AccessDenied);
    }
}

#[test]
fn nothing_asked_of_a_developers_server_is_nothing_granted() {
    let mut case = Case { query: "", ..Case::default() };
    case.resources = vec![Resource::unregistered(resource().uri)];
    let ask = case.ask();
    assert_eq!((&ask.only().offered, ask.is_repetition), (&scope(""), false), "it was never asked before");
    let agreement = case.agree_to(&ask.ticks(), "acme").unwrap();
    assert_eq!(agreement.scope(), scope(""));
    assert!(case.agree_to(&[], "acme").is_err(), "not even the resource was ticked");
}

#[test]
fn a_registered_scope_is_a_default_and_the_ceiling_is_the_servers() {
    let mut case = Case { query: "", ..Case::default() };
    case.client.scope = Some(scope("write"));
    assert_eq!(case.ask().only().offered, scope("write"));
    case.query = "&scope=read+write";
    assert_eq!(case.ask().only().offered, scope("read write"), "step-up beyond the registered scope");
    case.policy.registration_scopes = Some(scope("read"));
    assert_eq!(case.ask().only().offered, scope("read"));
    // RFC 7591 §3: the operator has said what the holders of an initial access token may register.
    case.client.ceiling = Some(scope("write"));
    assert_eq!(case.ask().only().offered, scope("write"));
    case.client.origin = ClientOrigin::Admin;
    assert_eq!(case.ask().only().offered, scope("read write"));
}

/// The usual resource and one at `other.example`, where `read` is there too and `write` is for owners.
fn two(query: &'static str) -> Case {
    let mut other = Resource { uri: other(), ..resource() };
    other.scopes = KnownScopes::Listed(vec![known("read", None), known("write", Some("owner"))]);
    other.default_scopes = scope("");
    Case { query, resources: vec![resource(), other], ..Case::default() }
}

fn other() -> ResourceUri {
    ResourceUri::parse("https://other.example/mcp").unwrap()
}

fn known(token: &str, role: Option<&str>) -> ResourceScope {
    let roles = role.iter().map(|role| RoleName::parse(role).unwrap()).collect();
    ResourceScope { roles, ..ResourceScope::new(ScopeToken::parse(token).unwrap()) }
}

fn granted(agreement: &Agreement) -> Vec<(String, String)> {
    let granted = agreement.resources.iter();
    granted.map(|granted| (granted.resource.to_string(), granted.scope.to_string())).collect()
}

#[test]
fn each_resource_is_asked_for_what_it_knows_of_the_scope() {
    // RFC 8707 §2.1
    let ask = two("&scope=read+write").ask();
    let offered: Vec<_> = ask.resources.iter().map(|asked| asked.offered.to_string()).collect();
    assert_eq!(offered, ["read write", "read"], "who is no owner is not asked for what owners may give");
    let ask = two("&scope=admin+write").ask();
    assert_eq!(ask.only().offered, scope("write"), "nothing is theirs to give at the other");
    let ask = two("").ask();
    assert_eq!(ask.resources[1].ticks(), [Tick { resource: other(), scope: None }]);
}

#[test]
fn a_tick_counts_at_the_resource_where_it_was_made() {
    // RFC 8707 §2.1
    let case = two("&scope=read+write");
    let (here, there) = (resource().uri, other());
    let mut both = ticks(&here, "read");
    both.extend(ticks(&there, "read write"));
    let agreement = case.agree_to(&both, "acme").unwrap();
    let pair = |uri: &ResourceUri, scope: &str| (uri.to_string(), scope.to_owned());
    assert_eq!(granted(&agreement), [pair(&here, "read"), pair(&there, "read")]);
    let agreement = case.agree_to(&ticks(&there, "read"), "acme").unwrap();
    assert_eq!(granted(&agreement), [pair(&there, "read")], "nothing was ticked at the first");
    let refused: Vec<_> = agreement.decisions.iter().map(|decision| decision.refused.to_string()).collect();
    assert_eq!(refused, ["read write", ""]);
    let third = ResourceUri::parse("https://third.example/mcp").unwrap();
    assert!(case.agree_to(&ticks(&third, "read"), "acme").is_err(), "nobody was asked about that one");
    let unknown = Tick { resource: there.clone(), scope: None };
    assert!(case.agree_to(&[unknown], "acme").is_err(), "there was something to tick");
}

#[test]
fn a_resource_that_is_closed_to_the_tenant_is_left_out() {
    let mut case = two("&scope=read");
    case.memberships.push(membership("globex", &[]));
    case.resources[1].tenants = vec![TenantId::parse("globex").unwrap()];
    assert_eq!(case.ask().tenants.len(), 2);
    let all = case.ask().ticks();
    assert_eq!(case.agree_to(&all, "acme").unwrap().resources.len(), 1);
    assert_eq!(case.agree_to(&all, "globex").unwrap().resources.len(), 2);
    case.memberships.pop();
    assert_eq!(case.ask().only().resource.uri, resource().uri, "nobody is asked in vain");
    case.resources.remove(0);
    assert_eq!(case.rejection(), ErrorCode::AccessDenied);
}

#[test]
fn consents_are_remembered_resource_by_resource() {
    let mut case = two("&scope=read");
    case.consents = vec![consent("acme", "read", "127.0.0.1", 1)];
    let ask = case.ask();
    let remembered: Vec<_> =
        ask.resources.iter().map(|asked| (asked.remembered.to_string(), asked.is_known)).collect();
    assert_eq!(remembered, [("read".to_owned(), true), (String::new(), false)]);
    assert!(!ask.is_repetition);
    case.consents.push(Consent { resource: other(), ..consent("acme", "read", "127.0.0.1", 1) });
    assert!(case.ask().is_repetition);
}

#[test]
fn what_was_left_unticked_is_shown_unticked_again_and_given_to_nobody_without_a_word() {
    let mut case = Case { client: first_party(), ..Case::default() };
    assert!(matches!(case.step(), Step::Issue(_)));
    case.consents = vec![Consent { refused: scope("write"), ..consent("acme", "read", "elsewhere", 1) }];
    assert_eq!(case.ask().only().refused, scope("write"), "whoever the receiver was");
    assert_eq!(case.agree("read write", "acme").unwrap().remembered(), ("read write".into(), "".into()));
    case.query = "&scope=read";
    assert!(matches!(case.step(), Step::Issue(_)), "what was refused is not asked for");
    assert_eq!(case.agree("read", "acme").unwrap().remembered(), ("read".into(), "write".into()));
}

#[test]
fn what_belongs_to_no_resource_can_be_asked_for_alone() {
    let case = Case { resources: Vec::new(), query: "&scope=offline_access", ..Case::default() };
    let ask = case.ask();
    assert_eq!((ask.ticks(), ask.is_repetition, ask.tenants.len()), (Vec::new(), false, 1));
    let agreement = case.agree_to(&[], "acme").unwrap();
    assert_eq!((agreement.resources.len(), agreement.general), (0, scope("offline_access")));
}

#[test]
fn a_tick_is_read_as_it_is_written() {
    let (with, without) = (ticks(&other(), "read").remove(0), Tick { resource: other(), scope: None });
    for tick in [with, without] {
        assert_eq!(Tick::parse(&tick.to_string()), Some(tick));
    }
    for text in
        ["", "read", "mcp read", "https://a.example/ \"", "https://a.example/ a b", "https://a.example/ "]
    {
        assert_eq!(Tick::parse(text), None, "{text:?}");
    }
}

#[test]
fn what_is_told_about_the_person_is_their_choice_but_for_openid() {
    // OpenID Connect Core §3.1.2.4, §5.4
    let own = |case: &Case| Resource::userinfo(&case.policy.issuer);
    let mut case = Case { query: "&scope=openid+read+email+profile+offline_access", ..Case::default() };
    case.resources.push(own(&case));
    let ask = case.ask();
    let offered: Vec<_> = ask.resources.iter().map(|asked| asked.offered.to_string()).collect();
    assert_eq!(offered, ["read", "openid email profile"]);
    let mut ticked = ticks(&resource().uri, "read");
    ticked.extend(ticks(&own(&case).uri, "email"));
    let agreement = case.agree_to(&ticked, "acme").unwrap();
    let granted = |agreement: &Agreement| {
        agreement.resources.iter().map(|granted| granted.scope.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(granted(&agreement), ["read", "openid email"]);
    assert_eq!(agreement.general, scope("offline_access"));
    assert_eq!(agreement.decisions[1].refused, scope("profile"), "it is not ticked for them again");
    let nothing = case.agree_to(&[], "acme").unwrap();
    assert_eq!(granted(&nothing), ["openid"], "to be known is what remains of what was allowed");
    // A client that named the server goes on to ask for a token for it (RFC 8707 §2.2).
    case.query = "&scope=openid+read&resource=https://mcp.example/mcp";
    assert_eq!(case.agree_to(&[], "acme").unwrap_err().code(), ErrorCode::AccessDenied);
    assert_eq!(granted(&case.agree_to(&ticked, "acme").unwrap()), ["read", "openid"]);
    case.query = "&scope=openid+admin&resource=https://mcp.example/mcp";
    assert_eq!(case.rejection(), ErrorCode::InvalidScope);
    case.query = "&scope=openid+read+email+profile+offline_access";
    // An operator's ceiling is one for what is told as well.
    case.policy.registration_scopes = Some(scope("read openid"));
    assert_eq!(case.ask().resources[1].offered, scope("openid"));
    case.client.origin = ClientOrigin::Admin;
    assert_eq!(case.ask().resources[1].offered, scope("openid email profile"));
}

/// The person is an owner of acme and nobody in particular in globex, and the second resource is acme's.
fn owner_of_acme(query: &'static str) -> Case {
    let mut case = two(query);
    case.memberships = vec![membership("acme", &["owner"]), membership("globex", &[])];
    case.resources[1].tenants = vec![TenantId::parse("acme").unwrap()];
    case
}

fn offered(ask: &Ask) -> Vec<(String, String)> {
    let pair = |asked: &AskedResource| (asked.resource.uri.to_string(), asked.offered.to_string());
    ask.resources.iter().map(pair).collect()
}

/// What the server remembers of an answer.
fn remember(case: &mut Case, agreement: &Agreement, given_at: i64) {
    let tenant = agreement.tenant.as_str();
    let consents = agreement.decisions.iter().map(|decision| Consent {
        resource: decision.resource.clone(),
        scope: decision.allowed.clone(),
        refused: decision.refused.clone(),
        ..consent(tenant, "", "127.0.0.1", given_at)
    });
    case.consents.retain(|consent| consent.tenant != agreement.tenant);
    case.consents.extend(consents);
}

#[test]
fn what_the_named_tenant_cannot_give_is_not_asked_about() {
    // OAuth 2.1 §7.9
    let (here, there) = (resource().uri.to_string(), other().to_string());
    let all = [(here.clone(), "read admin".to_owned()), (there, "read".to_owned())];
    assert_eq!(offered(&owner_of_acme("&scope=read+admin").ask()), all, "while nobody has chosen a tenant");
    assert_eq!(offered(&owner_of_acme("&scope=read+admin&tenant=acme").ask()), all);
    let named = owner_of_acme("&scope=read+admin&tenant=globex");
    assert_eq!(offered(&named.ask()), [(here, "read".to_owned())]);
    let mut ticked = ticks(&resource().uri, "read admin");
    ticked.extend(ticks(&other(), "read"));
    assert_eq!(granted(&named.agree_to(&ticked, "acme").unwrap()).len(), 1, "nor given by another tenant");
    let mut in_vain = owner_of_acme("&scope=admin&tenant=globex");
    in_vain.resources.pop();
    assert_eq!(in_vain.ask().only().offered, scope("admin"), "another tenant can be chosen");
}

#[test]
fn the_page_can_say_which_tenant_gives_what() {
    let ask = owner_of_acme("&scope=read+admin").ask();
    let gives: Vec<Vec<bool>> = ask
        .resources
        .iter()
        .flat_map(|asked| asked.ticks().into_iter().map(move |tick| (asked, tick)))
        .map(|(asked, tick)| ask.tenants.iter().map(|member| asked.may_be_given(&tick, member)).collect())
        .collect();
    assert_eq!(gives, [[true, true], [true, false], [true, false]]);
}

#[test]
fn what_the_chosen_tenant_cannot_give_is_asked_once() {
    // OAuth 2.1 §7.9
    let mut case = owner_of_acme("&scope=read+admin");
    let answer = case.agree_to(&case.ask().ticks(), "globex").unwrap();
    assert_eq!(granted(&answer), [(resource().uri.to_string(), "read".to_owned())]);
    remember(&mut case, &answer, 1);
    let again = case.ask();
    assert_eq!((again.tenants[0].tenant.id.as_str(), again.is_repetition), ("globex", true));
    assert_eq!(offered(&again), [(resource().uri.to_string(), "read".to_owned())]);
    assert!(!again.has_refused() && !again.has_changed, "nobody refused it");

    case.query = "&scope=read+admin+write";
    let more = case.ask();
    let expected =
        [(resource().uri.to_string(), "read write".to_owned()), (other().to_string(), "write".to_owned())];
    assert_eq!((offered(&more), more.is_repetition), (expected.into(), false), "what is new, wherever");
    let globex = membership("globex", &[]);
    assert!(!more.resources[1].may_be_given(&more.resources[1].ticks()[0], &globex));
    let answer = case.agree_to(&more.ticks(), "globex").unwrap();
    remember(&mut case, &answer, 2);
    assert!(case.ask().is_repetition);

    case.query = "&scope=admin";
    case.resources.pop();
    let only = case.ask();
    assert_eq!(only.tenants[0].tenant.id.as_str(), "acme", "a tenant is proposed that can give it");
    assert_eq!((&only.only().offered, &only.only().refused), (&scope("admin"), &scope("")));
}

#[test]
fn what_was_only_passed_over_was_not_allowed() {
    let mut case = owner_of_acme("&scope=read");
    let answer = case.agree_to(&case.ask().ticks(), "globex").unwrap();
    remember(&mut case, &answer, 1);
    case.resources.remove(0);
    case.resources[0].tenants.clear();
    let ask = case.ask();
    assert_eq!((ask.only().is_known, ask.is_repetition), (false, false));
    // Nor is a resource of which nothing in particular is asked any more.
    case.query = "";
    let ask = case.ask();
    assert_eq!((&ask.only().offered, ask.is_repetition), (&scope(""), false));
}

#[test]
fn a_resource_without_scopes_is_not_asked_about_again_where_it_is_closed() {
    let mut case = owner_of_acme("");
    assert_eq!(case.ask().resources.len(), 2);
    let answer = case.agree_to(&case.ask().ticks(), "globex").unwrap();
    remember(&mut case, &answer, 1);
    assert_eq!((case.ask().only().resource.uri.clone(), case.ask().is_repetition), (resource().uri, true));
}
