//! Resources: the MCP servers that tokens are for (RFC 8707; MCP 2026-07-28 authorization, resource parameter).

mod uri;
mod wish;

use std::ops::RangeInclusive;
use std::time::Duration;

pub use uri::{MalformedResource, ResourceUri};
pub use wish::{single_wish, wishes};

use super::{ClaimMapping, Lifetimes, RoleName, Scope, ScopeToken, SigningAlg, TenantId, Timestamp};

/// One permission that a resource knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceScope {
    /// Its name in tokens.
    pub token: ScopeToken,
    /// What it allows, for the person who is asked to consent.
    pub description: String,
    /// Who may give it: members with one of these roles; everybody when empty.
    pub roles: Vec<RoleName>,
    /// Whether people are asked each time, whoever the client is and whatever they allowed before.
    pub asks_each_time: bool,
    /// How long ago the person may have logged in when a token with it is issued (RFC 9470).
    pub max_age: Option<Duration>,
    /// The longest life of an access token with it.
    pub access_token_ttl: Option<Duration>,
}

impl ResourceScope {
    /// How long ago a login may be at least and at most, by a scope's rule.
    pub const MAX_AGE: RangeInclusive<Duration> =
        RangeInclusive::new(Duration::from_secs(60), Lifetimes::BOUNDS.browser_session_idle);

    /// Reads the name of a scope that belongs to a resource.
    ///
    /// # Errors
    /// What speaks against it, for people.
    pub fn parse_token(text: &str) -> Result<ScopeToken, String> {
        let token = ScopeToken::parse(text).map_err(|error| error.to_string())?;
        match token.is_of_server() {
            true => Err(format!("{token} belongs to no resource; it is accepted everywhere")),
            false => Ok(token),
        }
    }

    /// A scope that everybody may give, with no rule of its own.
    pub fn new(token: ScopeToken) -> Self {
        let description = String::new();
        Self {
            token,
            description,
            roles: Vec::new(),
            asks_each_time: false,
            max_age: None,
            access_token_ttl: None,
        }
    }
}

/// Which scopes a resource knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownScopes {
    /// These and no others.
    Listed(Vec<ResourceScope>),
    /// Whatever is asked for: a developer's own server on loopback, of which only it knows.
    Any,
}

/// An MCP server that accepts our tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its canonical URI, the `aud` of its tokens unless `audience` says otherwise.
    pub uri: ResourceUri,
    /// Other URIs by which clients name it.
    pub aliases: Vec<ResourceUri>,
    /// Its name for people.
    pub name: String,
    /// The `aud` that it checks, when that is not its URI; need not be a URI.
    pub audience: Option<String>,
    /// The scopes it knows.
    pub scopes: KnownScopes,
    /// What a client gets that asks for nothing in particular.
    pub default_scopes: Scope,
    /// The tenants whose members may use it; every tenant when empty.
    pub tenants: Vec<TenantId>,
    /// The claims of its tokens that are not every token's, or have other names.
    pub claims: Vec<ClaimMapping>,
    /// Lifetime of its access tokens, when it differs from the server's.
    pub access_token_ttl: Option<Duration>,
    /// What its access tokens are signed with.
    pub signing_alg: SigningAlg,
}

impl Resource {
    /// A developer's own MCP server, which nobody registered: its scopes are whatever is asked for.
    pub fn unregistered(uri: ResourceUri) -> Self {
        Self {
            name: uri.to_string(),
            uri,
            aliases: Vec::new(),
            audience: None,
            scopes: KnownScopes::Any,
            default_scopes: Scope::default(),
            tenants: Vec::new(),
            claims: Vec::new(),
            access_token_ttl: None,
            signing_alg: SigningAlg::default(),
        }
    }

    /// The `aud` of its tokens: exactly one string.
    pub fn audience(&self) -> &str {
        self.audience.as_deref().unwrap_or_else(|| self.uri.as_str())
    }

    /// Whether `uri` is one of its names, in any spelling.
    pub fn is_named_by(&self, uri: &ResourceUri) -> bool {
        let key = uri.lookup_key();
        std::iter::once(&self.uri).chain(&self.aliases).any(|name| name.lookup_key() == key)
    }

    /// Whether members of `tenant` may use it.
    pub fn admits_tenant(&self, tenant: &TenantId) -> bool {
        self.tenants.is_empty() || self.tenants.contains(tenant)
    }

    /// What it allows under the name `token`, in words; nothing for a scope that nobody described.
    pub fn describe(&self, token: &ScopeToken) -> Option<&str> {
        match &self.scopes {
            KnownScopes::Listed(scopes) => {
                scopes.iter().find(|scope| scope.token == *token).map(|scope| scope.description.as_str())
            }
            KnownScopes::Any => None,
        }
    }

    /// The part of `asked` that this resource knows. Unknown names are dropped, not refused: RFC 6749 §3.3 lets
    /// the server ignore them, and clients name scopes of other servers.
    pub fn known(&self, asked: &Scope) -> Scope {
        match &self.scopes {
            KnownScopes::Any => asked.for_resource(),
            KnownScopes::Listed(scopes) => {
                asked.filter(|token| scopes.iter().any(|scope| scope.token == *token))
            }
        }
    }

    /// The part of `scope` that a member with `roles` may give away.
    pub fn grantable(&self, scope: &Scope, roles: &[RoleName]) -> Scope {
        match &self.scopes {
            KnownScopes::Any => scope.clone(),
            KnownScopes::Listed(scopes) => scope.filter(|token| {
                scopes.iter().any(|known| {
                    known.token == *token
                        && (known.roles.is_empty() || known.roles.iter().any(|role| roles.contains(role)))
                })
            }),
        }
    }

    /// The scopes that this resource has rules for, with those rules.
    fn ruled<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a ResourceScope> {
        let listed = match &self.scopes {
            KnownScopes::Any => &[],
            KnownScopes::Listed(scopes) => scopes.as_slice(),
        };
        listed.iter().filter(|known| scope.contains(&known.token))
    }

    /// The part of `scope` about which people are asked each time.
    pub fn asked_each_time(&self, scope: &Scope) -> Scope {
        self.ruled(scope).filter(|known| known.asks_each_time).map(|known| known.token.clone()).collect()
    }

    /// How long ago a person may have logged in who gives `scope`, if any part of it says so.
    pub fn max_age(&self, scope: &Scope) -> Option<Duration> {
        self.ruled(scope).filter_map(|known| known.max_age).min()
    }

    /// The part of `scope` for which a login at `auth_time` is still young enough (RFC 9470 §1).
    pub fn fresh(&self, scope: &Scope, auth_time: Timestamp, now: Timestamp) -> Scope {
        let is_stale = |known: &ResourceScope| known.max_age.is_some_and(|age| auth_time.plus(age) < now);
        let stale: Scope =
            self.ruled(scope).filter(|known| is_stale(known)).map(|known| known.token.clone()).collect();
        scope.difference(&stale)
    }

    /// How long an access token with `scope` lives, `default` being the server's choice: the shortest of what the
    /// resource and each of the scopes allows.
    pub fn token_ttl(&self, scope: &Scope, default: Duration) -> Duration {
        let own = self.access_token_ttl.unwrap_or(default);
        self.ruled(scope).filter_map(|known| known.access_token_ttl).fold(own, Duration::min)
    }

    /// What a request for `asked` comes to, before anybody is asked to agree: what the resource knows of it, and
    /// its default scopes when nothing is asked for or nothing known is left; never "everything".
    pub fn requested_scope(&self, asked: Option<&Scope>, ceiling: Option<&Scope>) -> Scope {
        let within =
            |scope: Scope| ceiling.map_or_else(|| scope.clone(), |ceiling| scope.intersection(ceiling));
        let known = asked.map(|asked| within(self.known(asked))).unwrap_or_default();
        if known.is_empty() { within(self.default_scopes.clone()) } else { known }
    }
}

/// Everything that `resources` know.
pub fn known_scopes<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Scope {
    let listed = resources.into_iter().flat_map(|resource| match &resource.scopes {
        KnownScopes::Listed(scopes) => scopes.as_slice(),
        KnownScopes::Any => &[],
    });
    listed.map(|scope| scope.token.clone()).collect()
}
#[cfg(test)]
mod tests;
