//! Introspection (RFC 7662): what is said about a token, and to whom.
//!
//! A token says what was so when it was issued. The answer says what is so now: whatever ended since then ends the
//! token, and what was lost is left out of its scope.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::refresh::RefreshDecision;
use super::{
    ClaimMapping, ClaimName, ClaimSource, Client, ClientId, Grant, GrantType, Issuer, OAuthError, Params,
    Resource, Scope, Standing, Timestamp,
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
    /// Whoever holds the token, where nobody has to say who they are.
    Anybody,
}

impl Caller<'_> {
    /// Those of the `resources` that an access token may be for at which it is the caller's business: all when it is the
    /// caller's own, else those that the caller is the server of (RFC 7662 §4: a token is not told to a server that it is
    /// not for). Another resource with the same audience is somebody else's.
    pub fn sees(&self, issued_to: &ClientId, mut resources: Vec<Resource>) -> Vec<Resource> {
        if let Self::Client(client) = self
            && client.id != *issued_to
        {
            resources.retain(|resource| client.introspects.contains(&resource.uri));
        }
        resources
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
    /// `iat`.
    pub issued_at: Timestamp,
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
            issued_at: time("iat")?,
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
    /// The resources with its audience that are still served, as far as they are the caller's business.
    pub resources: &'a [Resource],
}

impl AccessToken<'_> {
    /// What there is to say about it, and at which resource it is good; nothing when it is active no more.
    ///
    /// The scope is what is left of it: a person who lost a role, or a resource that withdrew a scope, takes that from
    /// tokens that are out as well. Claims are as they stand in the token until [`update`] has seen them.
    pub fn answer(&self) -> Option<(Answer, &Resource)> {
        let at = |resource| Some((self.scope_at(resource)?, resource));
        let (left, resource) = self.resources.iter().find_map(at)?;
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
        Some((answer, resource))
    }

    /// How far the token's bearer may still go at `resource`; nothing when not even there.
    fn scope_at(&self, resource: &Resource) -> Option<Scope> {
        let Self { token, client, behind, .. } = self;
        match behind {
            Behind::Grant { standing, .. } => {
                let grant = standing.grant;
                let is_of_it = grant.client == client.id && grant.user.as_str() == token.subject;
                if !is_of_it || !client.admits_tenant(&grant.tenant) {
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

/// Members of an answer that speak for this server whatever a mapped claim is called (RFC 7662 §2.2).
const OURS: [&str; 4] = ["active", "scope", "username", "token_type"];

/// Puts what is so `now` in place of what a token says, claim by claim of `mappings`: roles that a person lost are told no
/// more. Nothing is left of a token whose tenant is another one by now, as that of a machine may be.
pub fn update(
    mut answer: Answer,
    mappings: &[ClaimMapping],
    now: BTreeMap<ClaimName, Value>,
) -> Option<Answer> {
    for mapping in mappings.iter().filter(|mapping| !OURS.contains(&mapping.name.as_str())) {
        let was = answer.remove(mapping.name.as_str());
        if mapping.from == ClaimSource::Tenant && was.is_some() && was.as_ref() != now.get(&mapping.name) {
            return None;
        }
    }
    for (name, value) in now {
        answer.entry(name.as_str()).or_insert(value);
    }
    Some(answer)
}

/// What there is to say about a refresh token, about which the token endpoint would decide so, for each resource of its
/// grant; nothing when it would be refused for all of them.
///
/// Its audience is this server: a resource server that takes whatever is active for an access token, and looks at its
/// audience as it must, does not take this. For the same reason it has no `token_type` (RFC 6749 §7.1). `claims` are the
/// tenant and the roles.
pub fn refresh_token(
    grant: &Grant,
    decisions: &[RefreshDecision],
    username: Option<&str>,
    claims: BTreeMap<ClaimName, Value>,
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
    for (name, value) in claims {
        answer.entry(name.as_str()).or_insert(value);
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
mod tests;
