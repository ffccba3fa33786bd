//! Introspection (RFC 7662): what is said about a token, and to whom.
//!
//! A token says what was so when it was issued. The answer says what is so now: whatever ended since then ends the
//! token, and what was lost is left out of its scope.

use serde_json::{Map, Value};

use super::refresh::RefreshDecision;
use super::{
    Client, ClientId, Grant, GrantType, Issuer, OAuthError, Params, Resource, Scope, Standing, Timestamp,
};

/// What is said about an active token, `active` included (RFC 7662 §2.2).
pub type Answer = Map<String, Value>;

/// The token that a request asks about. `token_type_hint` makes no difference (RFC 7662 §2.1).
///
/// # Errors
/// `invalid_request` when there is no token, or a parameter is repeated.
pub fn token(params: &Params) -> Result<&str, OAuthError> {
    params.optional("token_type_hint")?;
    params.one("token")
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'a> {
    /// A client that has proved who it is.
    Client(&'a Client),
    /// Somebody on the same machine, where the operator lets everybody ask.
    Anybody,
}

impl Caller<'_> {
    /// Whether an access token is any of the caller's business: it is for a resource that the caller is the server of, or
    /// the caller's own (RFC 7662 §4: a token is not told to a server that it is not for).
    pub fn may_see_access_token(&self, issued_to: &ClientId, resources: &[Resource]) -> bool {
        match self {
            Self::Client(client) => {
                client.id == *issued_to
                    || resources.iter().any(|resource| client.introspects.contains(&resource.uri))
            }
            Self::Anybody => true,
        }
    }

    /// Whether a refresh token is: to the client that it was given to, and nobody else. A resource server that is handed
    /// one must not be told that it is good, least of all where it does not have to say who it is.
    pub fn may_see_refresh_token(&self, grant: &Grant) -> bool {
        matches!(self, Self::Client(client) if client.id == grant.client)
    }
}

/// An access token that this server signed, for now, as it was issued.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuedToken {
    /// `client_id`.
    pub client: ClientId,
    /// `sub`.
    pub subject: String,
    /// `aud`.
    pub audience: String,
    /// `jti`.
    pub jti: String,
    /// `exp`.
    pub expires_at: Timestamp,
    scope: Scope,
    claims: Map<String, Value>,
}

impl IssuedToken {
    /// Reads the claims of a token whose type and signature have been checked; nothing when it is of another issuer, or
    /// its time has not come or has passed (RFC 7662 §4), or a claim that each of our tokens has is not there.
    pub fn read(claims: Map<String, Value>, issuer: &Issuer, now: Timestamp) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_seconds);
        let expires_at = time("exp").filter(|at| *at > now)?;
        let has_begun = claims.get("nbf").is_none_or(|_| time("nbf").is_some_and(|at| at <= now));
        if text("iss") != Some(issuer.as_str()) || !has_begun {
            return None;
        }
        Some(Self {
            client: ClientId::parse(text("client_id")?)?,
            subject: text("sub")?.to_owned(),
            audience: text("aud")?.to_owned(),
            jti: text("jti")?.to_owned(),
            expires_at,
            scope: Scope::parse(text("scope").unwrap_or_default()).ok()?,
            claims,
        })
    }
}

/// What stands behind an access token now. That it has not been revoked is known.
#[derive(Clone, Copy, Debug)]
pub enum Behind<'a> {
    /// A grant; its resource is filled in from those that the token may be for.
    Grant {
        /// The grant, and what it depends on.
        standing: Standing<'a>,
        /// The user name of its person.
        username: Option<&'a str>,
    },
    /// The client alone.
    Machine,
}

/// An access token beside what it depends on as that is now.
#[derive(Clone, Copy, Debug)]
pub struct AccessToken<'a> {
    /// The token.
    pub token: &'a IssuedToken,
    /// The client that it was issued to, which still stands.
    pub client: &'a Client,
    /// What it was issued for.
    pub behind: Behind<'a>,
    /// The resources with its audience that are still served.
    pub resources: &'a [Resource],
}

impl AccessToken<'_> {
    /// What there is to say about it; nothing when it is active no more.
    ///
    /// Claims are answered as they stand in the token, those that a configuration has mapped and renamed among them. The
    /// scope is what is left of it: a person who lost a role, or a resource that withdrew a scope, takes that from tokens
    /// that are out as well.
    pub fn answer(&self) -> Option<Answer> {
        let left = self.resources.iter().find_map(|resource| self.scope_at(resource))?;
        let scope = self.token.scope.intersection(&left);
        if scope.is_empty() && !self.token.scope.is_empty() {
            return None;
        }
        let mut answer = self.token.claims.clone();
        if !scope.is_empty() {
            answer.insert("scope".to_owned(), scope.to_string().into());
        }
        if let Behind::Grant { username: Some(username), .. } = self.behind {
            answer.insert("username".to_owned(), username.into());
        }
        answer.insert("token_type".to_owned(), "Bearer".into());
        answer.insert("active".to_owned(), true.into());
        Some(answer)
    }

    /// How far the token's bearer may still go at `resource`; nothing when not even there.
    fn scope_at(&self, resource: &Resource) -> Option<Scope> {
        let Self { token, client, behind, .. } = self;
        match behind {
            Behind::Grant { standing, .. } => {
                let grant = standing.grant;
                if grant.client != client.id || grant.user.as_str() != token.subject {
                    return None;
                }
                let standing = Standing { resource: Some(resource), ..*standing };
                standing.scope_for(Some(&resource.uri)).ok()
            }
            Behind::Machine => {
                let may = token.subject == client.id.as_str()
                    && client.require_grant_type(GrantType::ClientCredentials).is_ok();
                may.then(|| client.machine_scope(resource, Some(&token.scope)).ok())?
            }
        }
    }
}

/// What there is to say about a refresh token, about which the token endpoint would decide so, for each resource of its
/// grant; nothing when it would be refused for all of them.
///
/// Its audience is this server: a resource server that takes whatever is active for an access token, and looks at its
/// audience as it must, does not take this. For the same reason it has no `token_type` (RFC 6749 §7.1).
pub fn refresh_token(
    grant: &Grant,
    decisions: &[RefreshDecision],
    username: Option<&str>,
    issuer: &Issuer,
) -> Option<Answer> {
    let given = decisions.iter().filter_map(|decision| match decision {
        RefreshDecision::Rotate(scope) | RefreshDecision::Retry(scope) => Some(scope.clone()),
        RefreshDecision::Replay(_) | RefreshDecision::Refuse(_) => None,
    });
    let scope = given.reduce(|all, scope| all.union(&scope))?;
    let chain = grant.refresh?;
    let mut answer = Answer::new();
    let mut say = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    say("active", true.into());
    say("iss", issuer.as_str().into());
    say("aud", issuer.as_str().into());
    say("sub", grant.user.as_str().into());
    say("client_id", grant.client.as_str().into());
    say("scope", scope.to_string().into());
    say("iat", chain.rotated_at.seconds().into());
    say("exp", chain.idle_expires_at.min(chain.expires_at).seconds().into());
    if let Some(username) = username {
        say("username", username.into());
    }
    Some(answer)
}

/// What is said about every other token, and nothing else (RFC 7662 §2.2): why it is not active is nobody's business.
pub fn inactive() -> Answer {
    Answer::from_iter([("active".to_owned(), false.into())])
}

/// What a signed answer to `caller` claims (RFC 9701 §5). What is said about the token is a member of its own; `sub` and
/// `exp` of the answer itself are missing, so that nobody takes it for an access token.
pub fn signed(answer: Answer, caller: &ClientId, issuer: &Issuer, now: Timestamp) -> Map<String, Value> {
    Map::from_iter([
        ("iss".to_owned(), issuer.as_str().into()),
        ("aud".to_owned(), caller.as_str().into()),
        ("iat".to_owned(), now.seconds().into()),
        ("token_introspection".to_owned(), answer.into()),
    ])
}

#[cfg(test)]
mod tests {
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
        let standing =
            Standing { grant, is_alive: alive, resource: None, roles: &[], now: fixtures::at(101) };
        let behind = Behind::Grant { standing, username: Some("alice@acme") };
        AccessToken { token, client: &fixtures::client(&[]), behind, resources }.answer()
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
        AccessToken { token, client, behind: Behind::Machine, resources: &[resource] }.answer()
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
        assert_eq!(
            answer_of(&token(), &grant, false, std::slice::from_ref(&resource)),
            None,
            "grant or person"
        );
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
            AccessToken { token: &token, client: &client, behind, resources: &resource }.answer()
        };
        assert_eq!(asked(&owner).unwrap()["scope"], "read admin");
        assert_eq!(asked(&[]).unwrap()["scope"], "read");
        // A narrowed token whose one scope is gone is good for nothing.
        let token = read(with("scope", json!("admin")), 1000).unwrap();
        let standing =
            Standing { grant: &grant, is_alive: true, resource: None, roles: &[], now: fixtures::at(101) };
        let behind = Behind::Grant { standing, username: None };
        let client = fixtures::client(&[]);
        assert_eq!(
            AccessToken { token: &token, client: &client, behind, resources: &resource }.answer(),
            None
        );
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
        let resources = [fixtures::resource()];
        let own = fixtures::client(&[]);
        let other = Client { id: ClientId::parse("d").unwrap(), ..own.clone() };
        let server = Client { introspects: vec![fixtures::resource().uri], ..other.clone() };
        let elsewhere = ResourceUri::parse("https://other.example/mcp").unwrap();
        let stranger = Client { introspects: vec![elsewhere], ..other.clone() };
        let sees = |caller: Caller<'_>| caller.may_see_access_token(&issued_to, &resources);
        assert!(sees(Caller::Client(&own)) && sees(Caller::Client(&server)) && sees(Caller::Anybody));
        assert!(!sees(Caller::Client(&other)) && !sees(Caller::Client(&stranger)));
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
        let about = |decisions: &[RefreshDecision]| refresh_token(&grant, decisions, Some("alice"), &issuer);
        let (rotate, retry) = (RefreshDecision::Rotate(scope("read")), RefreshDecision::Retry(scope("read")));
        let refused = RefreshDecision::Refuse(OAuthError::new(ErrorCode::InvalidGrant, ""));
        for decisions in [vec![rotate.clone()], vec![retry], vec![refused.clone(), rotate.clone()]] {
            let expected = json!({
                "active": true, "iss": issuer.as_str(), "aud": issuer.as_str(), "sub": "alice", "client_id": "c",
                "scope": "read", "iat": 1000, "exp": 5000, "username": "alice",
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
}
