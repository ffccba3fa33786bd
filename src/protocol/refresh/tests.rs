use super::*;
use crate::protocol::fixtures::{self, at, scope};
use crate::protocol::{ClientId, Grant, Granted, RefreshState};

/// The fixture's chain: generation 5, rotated at 1000, idle until 5000, ends at 9000.
struct Case {
    grant: Grant,
    alive: bool,
    generation: u32,
    scope: Option<&'static str>,
    resource: Option<&'static str>,
    window: u64,
    now: i64,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            grant: fixtures::grant(),
            alive: true,
            generation: 5,
            scope: None,
            resource: None,
            window: 60,
            now: 1010,
        }
    }
}

impl Case {
    fn decide(&self) -> RefreshDecision {
        let asked = self.scope.map(scope);
        let resource = self.resource.map(|text| ResourceUri::parse(text).unwrap());
        Refresh {
            standing: Standing {
                grant: &self.grant,
                is_alive: self.alive,
                resource: Some(&fixtures::resource()),
                roles: &[],
                now: at(self.now),
            },
            client: &fixtures::client(&[]),
            generation: self.generation,
            scope: asked.as_ref(),
            resource: resource.as_ref(),
            retry_window: Duration::from_secs(self.window),
            now: at(self.now),
        }
        .decide()
    }

    fn refusal(&self) -> ErrorCode {
        match self.decide() {
            RefreshDecision::Refuse(error) => error.code(),
            other => panic!("{other:?}"),
        }
    }

    fn chain(&mut self) -> &mut RefreshState {
        self.grant.refresh.as_mut().unwrap()
    }
}

#[test]
fn the_live_token_is_exchanged() {
    let all = scope("read write offline_access");
    assert_eq!(Case::default().decide(), RefreshDecision::Rotate(all.clone()));
    let mut worn = Case::default();
    worn.chain().retries = MAX_RETRIES;
    assert_eq!(worn.decide(), RefreshDecision::Rotate(all));
}

#[test]
fn the_token_before_it_is_answered_alike_for_a_while_and_then_ends_the_grant() {
    // RFC 9700 §4.14.2
    let all = scope("read write offline_access");
    let replay = RefreshDecision::Replay(fixtures::grant().id);
    for (generation, now, window, decision) in [
        (4, 1059, 60, RefreshDecision::Retry(all)),
        (4, 1060, 60, replay.clone()),
        (4, 1000, 0, replay.clone()),
        (3, 1001, 60, replay.clone()),
        (0, 1001, 60, replay.clone()),
        (6, 1001, 60, replay.clone()),
        (u32::MAX, 1001, 60, replay),
    ] {
        let case = Case { generation, now, window, ..Case::default() };
        assert_eq!(case.decide(), decision, "generation {generation} at {now}");
    }
}

#[test]
fn retries_have_an_end_that_costs_nobody_the_grant() {
    let mut case = Case { generation: 4, ..Case::default() };
    case.chain().retries = 63;
    assert!(matches!(case.decide(), RefreshDecision::Retry(_)));
    case.chain().retries = 64;
    assert_eq!(case.refusal(), ErrorCode::InvalidGrant);
}

#[test]
fn a_replay_is_not_hidden_by_a_request_that_is_wrong_in_another_way() {
    // RFC 9700 §4.14.2: or a thief would try out old tokens at no risk
    let replay = RefreshDecision::Replay(fixtures::grant().id);
    let scope = Case { generation: 3, scope: Some("admin"), ..Case::default() };
    assert_eq!(scope.decide(), replay);
    let resource = Case { generation: 3, resource: Some("https://other.example/mcp"), ..Case::default() };
    assert_eq!(resource.decide(), replay);
}

#[test]
fn a_chain_that_is_over_sends_people_to_log_in_again_whatever_else_is_wrong() {
    // RFC 6749 §5.2: clients start over on invalid_grant, not on invalid_scope or invalid_target
    for (alive, now) in [(true, 5000), (false, 1010)] {
        let scope = Case { alive, now, scope: Some("admin"), ..Case::default() };
        assert_eq!(scope.refusal(), ErrorCode::InvalidGrant);
        let old = Case { alive, now, generation: 0, ..Case::default() };
        assert_eq!(old.refusal(), ErrorCode::InvalidGrant, "there is nothing left to revoke");
    }
}

#[test]
fn a_retry_is_narrowed_and_refused_like_the_rotation_was() {
    let retry = Case { generation: 4, scope: Some("read"), ..Case::default() };
    assert_eq!(retry.decide(), RefreshDecision::Retry(scope("read offline_access")));
    let wider = Case { generation: 4, scope: Some("admin"), ..Case::default() };
    assert_eq!(wider.refusal(), ErrorCode::InvalidScope);
}

#[test]
fn another_clients_or_an_ended_token_is_refused() {
    use ErrorCode::InvalidGrant;
    let mut foreign = Case { generation: 0, ..Case::default() };
    foreign.grant.client = ClientId::parse("other").unwrap();
    assert_eq!(foreign.refusal(), InvalidGrant, "and revokes nothing");
    let mut without = Case::default();
    without.grant.refresh = None;
    assert_eq!(without.refusal(), InvalidGrant);
    assert_eq!(Case { alive: false, ..Case::default() }.refusal(), InvalidGrant);
    assert_eq!(Case { now: 5000, ..Case::default() }.refusal(), InvalidGrant);
    assert!(matches!(Case { now: 4999, ..Case::default() }.decide(), RefreshDecision::Rotate(_)));
    let mut busy = Case { now: 9000, ..Case::default() };
    busy.chain().idle_expires_at = at(9999);
    assert_eq!(busy.refusal(), InvalidGrant);
}

#[test]
fn a_request_narrows_its_own_answer_and_never_widens() {
    // RFC 9700 §4.14.2; RFC 6749 §6
    for (asked, granted) in [
        (Some("read"), Some("read offline_access")),
        (Some("read write offline_access"), Some("read write offline_access")),
        (Some("offline_access"), Some("read write offline_access")),
        (Some("read admin"), None),
        (Some("admin"), None),
    ] {
        let case = Case { scope: asked, ..Case::default() };
        match granted {
            Some(granted) => {
                assert_eq!(case.decide(), RefreshDecision::Rotate(scope(granted)), "{asked:?}")
            }
            None => assert_eq!(case.refusal(), ErrorCode::InvalidScope, "{asked:?}"),
        }
    }
}

#[test]
fn what_may_no_longer_be_given_leaves_the_next_token_and_is_not_asked_for_in_vain() {
    // OWASP ASVS 8.3.2. `admin` needs a role that the person of these cases has lost.
    for (asked, answer) in [
        (None, Ok("read offline_access")),
        (Some("read admin"), Ok("read offline_access")),
        (Some("admin"), Err(ErrorCode::InvalidScope)),
    ] {
        let mut case = Case { scope: asked, ..Case::default() };
        case.grant.resources[0].scope = scope("read admin");
        match answer {
            Ok(left) => assert_eq!(case.decide(), RefreshDecision::Rotate(scope(left)), "{asked:?}"),
            Err(code) => assert_eq!(case.refusal(), code, "{asked:?}"),
        }
    }
}

#[test]
fn what_is_told_about_the_person_is_narrowed_too() {
    // RFC 6749 §6; OpenID Connect Core §12.1: without openid in it, profile and email mean nothing
    for (asked, given) in [
        (None, "read write openid email offline_access"),
        (Some("read"), "read offline_access"),
        (Some("read email"), "read offline_access"),
        (Some("read openid"), "read openid offline_access"),
        (Some("openid email"), "openid email offline_access"),
    ] {
        let mut case = Case { scope: asked, ..Case::default() };
        let own = crate::protocol::Resource::userinfo(&fixtures::policy().issuer);
        case.grant.resources.push(Granted { resource: own.uri, scope: scope("openid email") });
        assert_eq!(case.decide(), RefreshDecision::Rotate(scope(given)), "{asked:?}");
    }
    let wider = Case { scope: Some("openid"), ..Case::default() };
    assert_eq!(wider.refusal(), ErrorCode::InvalidScope);
}

#[test]
fn the_resource_stays_the_one_of_the_grant() {
    // RFC 8707 §2.2
    let same = Case { resource: Some("https://mcp.example/mcp/"), ..Case::default() };
    assert!(matches!(same.decide(), RefreshDecision::Rotate(_)));
    let other = Case { resource: Some("https://other.example/mcp"), ..Case::default() };
    assert_eq!(other.refusal(), ErrorCode::InvalidTarget);
}

#[test]
fn a_grant_for_several_resources_is_refreshed_for_one_at_a_time() {
    // RFC 8707 §2.2
    let other = ResourceUri::parse("https://other.example/mcp").unwrap();
    for (resource, asked, answer) in [
        (None, None, Err(ErrorCode::InvalidTarget)),
        (Some("https://third.example/mcp"), None, Err(ErrorCode::InvalidTarget)),
        (Some("https://mcp.example/mcp"), None, Ok("read write offline_access")),
        (Some("https://mcp.example/mcp"), Some("read far"), Ok("read offline_access")),
        (Some("https://mcp.example/mcp"), Some("far"), Err(ErrorCode::InvalidScope)),
        (Some("https://mcp.example/mcp"), Some("admin"), Err(ErrorCode::InvalidScope)),
    ] {
        let mut case = Case { resource, scope: asked, ..Case::default() };
        case.grant.resources.push(Granted { resource: other.clone(), scope: scope("read far") });
        match answer {
            Ok(given) => assert_eq!(case.decide(), RefreshDecision::Rotate(scope(given)), "{asked:?}"),
            Err(code) => assert_eq!(case.refusal(), code, "{resource:?} {asked:?}"),
        }
    }
}
