use super::*;
use crate::protocol::fixtures::{self, at, resource_uri, scope};
use crate::protocol::{ClientId, CodeChallenge, CodeId, Grant};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

const OTHER: &str = "https://other.example/mcp";

fn code() -> AuthorizationCode {
    AuthorizationCode {
        id: CodeId::new(at(100), [3; 10]),
        grant: fixtures::grant().id,
        client: fixtures::grant().client,
        redirect_uri: RedirectUri::parse("http://127.0.0.1:5/cb").unwrap(),
        challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap(),
        expires_at: at(160),
        redeemed_at: None,
        wrong_verifiers: 0,
        nonce: None,
    }
}

fn redeem() -> CodeDecision {
    CodeDecision::Redeem(scope("read write offline_access"))
}

fn decide(change: impl FnOnce(&mut AuthorizationCode, &mut Redemption<'_>)) -> CodeDecision {
    decide_at(&fixtures::grant(), None, change)
}

/// The same under a grant, for a request that names a resource.
fn decide_at(
    grant: &Grant,
    resource: Option<&str>,
    change: impl FnOnce(&mut AuthorizationCode, &mut Redemption<'_>),
) -> CodeDecision {
    let (mut code, served, named) = (code(), fixtures::resource(), resource.map(resource_uri));
    let client = fixtures::client(&["http://127.0.0.1/cb"]);
    let template = code.clone();
    let mut redemption = Redemption {
        code: &template,
        standing: Standing { grant, is_alive: true, resource: Some(&served), roles: &[], now: at(101) },
        client: &client,
        redirect_uri: Some("http://127.0.0.1:5/cb"),
        verifier: VERIFIER,
        resource: named.as_ref(),
        now: at(159),
    };
    change(&mut code, &mut redemption);
    Redemption { code: &code, ..redemption }.decide()
}

fn refusal(decision: CodeDecision) -> (ErrorCode, bool) {
    match decision {
        CodeDecision::Refuse { error, count } => (error.code(), count),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_is_redeemed_by_its_client_with_its_verifier() {
    // RFC 9700 §4.5.3
    assert_eq!(decide(|_, _| ()), redeem());
    // OAuth 2.1 §10.2: redirect_uri need not be repeated
    assert_eq!(decide(|_, redemption| redemption.redirect_uri = None), redeem());
    assert_eq!(decide(|code, _| code.wrong_verifiers = 2), redeem());
}

#[test]
fn what_does_not_belong_to_the_code_is_refused() {
    // OAuth 2.1 §4.1.2
    use ErrorCode::InvalidGrant;
    let other = ClientId::parse("other").unwrap();
    assert_eq!(refusal(decide(|code, _| code.client = other)), (InvalidGrant, false));
    for uri in ["http://127.0.0.1:6/cb", "http://127.0.0.1/cb", "nonsense"] {
        assert_eq!(refusal(decide(|_, r| r.redirect_uri = Some(uri))), (InvalidGrant, false), "{uri}");
    }
    assert_eq!(refusal(decide(|_, r| r.now = at(160))), (InvalidGrant, false));
    assert_eq!(refusal(decide(|_, r| r.standing.is_alive = false)), (InvalidGrant, false));
}

#[test]
fn wrong_verifiers_are_counted_and_the_third_is_the_last() {
    // RFC 7636 §4.6
    for verifier in ["x", "aBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"] {
        assert_eq!(refusal(decide(|_, r| r.verifier = verifier)), (ErrorCode::InvalidGrant, true));
    }
    assert_eq!(refusal(decide(|code, _| code.wrong_verifiers = 3)), (ErrorCode::InvalidGrant, false));
    let dead = decide(|code, r| {
        code.wrong_verifiers = 3;
        r.verifier = "x";
    });
    assert_eq!(refusal(dead), (ErrorCode::InvalidGrant, false), "nothing is left to count");
}

#[test]
fn only_the_client_of_a_code_can_wear_it_out() {
    // Else whoever saw a code pass by could end the login of an honest person by guessing.
    let other = ClientId::parse("other").unwrap();
    let stranger = decide(|code, r| {
        code.client = other;
        r.verifier = "x";
    });
    assert_eq!(refusal(stranger), (ErrorCode::InvalidGrant, false));
    let elsewhere = decide(|_, r| {
        r.redirect_uri = Some("http://127.0.0.1:6/cb");
        r.verifier = "x";
    });
    assert_eq!(refusal(elsewhere), (ErrorCode::InvalidGrant, false));
}

#[test]
fn a_code_that_is_over_sends_people_to_log_in_again_whatever_else_is_wrong() {
    // RFC 6749 §5.2: clients start over on invalid_grant, not on invalid_target
    let grant = fixtures::grant();
    let expired = decide_at(&grant, Some(OTHER), |_, r| r.now = at(160));
    assert_eq!(refusal(expired), (ErrorCode::InvalidGrant, false));
    let ended = decide_at(&grant, Some(OTHER), |_, r| r.standing.is_alive = false);
    assert_eq!(refusal(ended), (ErrorCode::InvalidGrant, false));
}

#[test]
fn a_replay_revokes_only_when_client_and_verifier_are_right() {
    // OAuth 2.1 §7.5.2
    let replay = CodeDecision::Replay(fixtures::grant().id);
    assert_eq!(decide(|code, _| code.redeemed_at = Some(at(110))), replay);
    let late = decide(|code, r| {
        code.redeemed_at = Some(at(110));
        r.now = at(9999);
    });
    assert_eq!(late, replay, "after its lifetime too");
    let elsewhere = decide(|code, r| {
        code.redeemed_at = Some(at(110));
        r.redirect_uri = Some("http://127.0.0.1:6/cb");
    });
    assert_eq!(refusal(elsewhere), (ErrorCode::InvalidGrant, false), "the request is not the client's");
    let wrong = decide(|code, r| {
        code.redeemed_at = Some(at(110));
        r.verifier = "x";
    });
    assert_eq!(refusal(wrong), (ErrorCode::InvalidGrant, true));
    let stranger = decide(|code, _| {
        code.redeemed_at = Some(at(110));
        code.client = ClientId::parse("other").unwrap();
    });
    assert_eq!(refusal(stranger), (ErrorCode::InvalidGrant, false));
}

#[test]
fn the_resource_stays_the_one_of_the_grant() {
    // RFC 8707 §2.2
    let named = |resource| decide_at(&fixtures::grant(), Some(resource), |_, _| ());
    assert_eq!(named("https://MCP.example/mcp/"), redeem());
    assert_eq!(refusal(named(OTHER)), (ErrorCode::InvalidTarget, false));
}

#[test]
fn a_code_gives_what_may_still_be_given() {
    // OWASP ASVS 8.3.2: the role behind `admin` was lost since the person agreed
    let mut grant = fixtures::grant();
    (grant.resources[0].scope, grant.general) = (scope("read admin"), scope(""));
    assert_eq!(decide_at(&grant, None, |_, _| ()), CodeDecision::Redeem(scope("read")));
}

#[test]
fn a_replay_is_not_hidden_by_another_resource() {
    let grant = fixtures::grant();
    let replay = decide_at(&grant, Some(OTHER), |code, _| code.redeemed_at = Some(at(110)));
    assert_eq!(replay, CodeDecision::Replay(grant.id.clone()));
}
