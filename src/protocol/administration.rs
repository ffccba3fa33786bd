//! What administrators may change of resources, and whether what comes of it makes sense.

use std::time::Duration;

use super::{
    ClaimMapping, KnownScopes, Lifetimes, Resource, ResourceScope, ResourceUri, Scope, ScopeToken,
    SigningAlg, TenantId,
};

/// What is to be changed of a resource; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceChange {
    /// Its name for people.
    pub name: Option<String>,
    /// The `aud` that it checks; empty for its URI.
    pub audience: Option<String>,
    /// Other URIs by which clients name it.
    pub aliases: Option<Vec<ResourceUri>>,
    /// Scopes to be added, or described anew: in words and roles. The rules of one that is there stay.
    pub put_scopes: Vec<ResourceScope>,
    /// Rules of scopes that are there, or are being added.
    pub scope_rules: Vec<ScopeRules>,
    /// Scopes to be taken away, from the default scopes too.
    pub drop_scopes: Vec<ScopeToken>,
    /// What a client gets that asks for nothing in particular.
    pub default_scopes: Option<Scope>,
    /// The tenants whose members may use it; every tenant when empty.
    pub tenants: Option<Vec<TenantId>>,
    /// Lifetime of its access tokens; zero for the server's.
    pub access_token_ttl: Option<Duration>,
    /// What its access tokens are signed with.
    pub signing_alg: Option<SigningAlg>,
    /// The claims of its tokens that are not every token's.
    pub claims: Option<Vec<ClaimMapping>>,
}

/// What is to be changed of the rules of a scope; what is absent stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRules {
    /// Which.
    pub token: ScopeToken,
    /// Whether people are asked each time.
    pub asks_each_time: Option<bool>,
    /// How long ago the person may have logged in; zero for any time.
    pub max_age: Option<Duration>,
    /// The longest life of an access token with it; zero for that of the resource.
    pub access_token_ttl: Option<Duration>,
}

impl ScopeRules {
    fn apply(&self, scope: &mut ResourceScope) {
        let unless_zero = |duration: Duration| Some(duration).filter(|duration| !duration.is_zero());
        scope.asks_each_time = self.asks_each_time.unwrap_or(scope.asks_each_time);
        scope.max_age = self.max_age.map_or(scope.max_age, unless_zero);
        scope.access_token_ttl = self.access_token_ttl.map_or(scope.access_token_ttl, unless_zero);
    }
}

impl ResourceChange {
    /// Changes a resource.
    ///
    /// # Errors
    /// What speaks against the result, for people.
    pub fn apply(&self, resource: &mut Resource) -> Result<(), String> {
        if let Some(name) = &self.name {
            resource.name.clone_from(name);
        }
        if let Some(audience) = &self.audience {
            resource.audience = Some(audience.clone()).filter(|audience| !audience.is_empty());
        }
        if let Some(aliases) = &self.aliases {
            resource.aliases.clone_from(aliases);
        }
        if let Some(tenants) = &self.tenants {
            resource.tenants.clone_from(tenants);
        }
        if let Some(ttl) = self.access_token_ttl {
            resource.access_token_ttl = Some(ttl).filter(|ttl| !ttl.is_zero());
        }
        resource.signing_alg = self.signing_alg.unwrap_or(resource.signing_alg);
        if let Some(claims) = &self.claims {
            resource.claims.clone_from(claims);
        }
        let mut scopes = match &resource.scopes {
            KnownScopes::Listed(scopes) => scopes.clone(),
            KnownScopes::Any => Vec::new(),
        };
        scopes.retain(|known| !self.drop_scopes.contains(&known.token));
        for put in &self.put_scopes {
            match scopes.iter_mut().find(|known| known.token == put.token) {
                Some(known) => {
                    known.description.clone_from(&put.description);
                    known.roles.clone_from(&put.roles);
                }
                None => scopes.push(put.clone()),
            }
        }
        for rules in &self.scope_rules {
            let scope = scopes.iter_mut().find(|known| known.token == rules.token);
            rules.apply(scope.ok_or_else(|| format!("{} is none of its scopes", rules.token))?);
        }
        resource.scopes = KnownScopes::Listed(scopes);
        resource.default_scopes = match &self.default_scopes {
            Some(scopes) => scopes.clone(),
            None => resource.default_scopes.filter(|token| !self.drop_scopes.contains(token)),
        };
        check_resource(resource)
    }
}

fn check_resource(resource: &Resource) -> Result<(), String> {
    let KnownScopes::Listed(scopes) = &resource.scopes else { return Ok(()) };
    let known: Scope = scopes.iter().map(|scope| scope.token.clone()).collect();
    known.iter().try_for_each(|token| ResourceScope::parse_token(token.as_str()).map(drop))?;
    if let Some(unknown) = resource.default_scopes.difference(&known).iter().next() {
        return Err(format!("the default scope {unknown} is none of its scopes"));
    }
    let longest = Lifetimes::BOUNDS.access_token;
    let ttls = scopes.iter().map(|scope| scope.access_token_ttl).chain([resource.access_token_ttl]);
    if ttls.flatten().any(|ttl| ttl > longest) {
        return Err(format!("access tokens live at most {} s", longest.as_secs()));
    }
    let ages = ResourceScope::MAX_AGE;
    if scopes.iter().filter_map(|scope| scope.max_age).any(|age| !ages.contains(&age)) {
        let (least, most) = (ages.start().as_secs(), ages.end().as_secs());
        return Err(format!("max_age is between {least} s and {most} s"));
    }
    let mut names: Vec<_> = resource.claims.iter().map(|claim| &claim.name).collect();
    names.sort();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("the claim {} stands once", twice[0]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, scope};
    use crate::protocol::{ClaimName, ClaimSource};

    fn token(text: &str) -> ScopeToken {
        ScopeToken::parse(text).unwrap()
    }

    fn described(text: &str, description: &str) -> ResourceScope {
        ResourceScope { description: description.to_owned(), ..ResourceScope::new(token(text)) }
    }

    #[test]
    fn a_resource_is_changed_in_what_is_named_and_in_nothing_else() {
        let mut resource = fixtures::resource();
        let before = resource.clone();
        ResourceChange::default().apply(&mut resource).unwrap();
        assert_eq!(resource, before);
        let change = ResourceChange {
            name: Some("Other".to_owned()),
            audience: Some("notes".to_owned()),
            put_scopes: vec![described("extra", "More"), described("read", "Look")],
            default_scopes: Some(scope("extra")),
            access_token_ttl: Some(Duration::from_secs(60)),
            ..ResourceChange::default()
        };
        change.apply(&mut resource).unwrap();
        assert_eq!((resource.name.as_str(), resource.audience()), ("Other", "notes"));
        assert_eq!(resource.describe(&token("extra")), Some("More"));
        assert_eq!(resource.describe(&token("read")), Some("Look"));
        let back = ResourceChange {
            audience: Some(String::new()),
            drop_scopes: vec![token("extra")],
            access_token_ttl: Some(Duration::ZERO),
            ..ResourceChange::default()
        };
        back.apply(&mut resource).unwrap();
        assert_eq!((resource.audience.as_ref(), resource.access_token_ttl), (None, None));
        assert_eq!(resource.default_scopes, Scope::default(), "what is gone is not given by default");
    }

    fn of(text: &str) -> ScopeRules {
        ScopeRules { token: token(text), asks_each_time: None, max_age: None, access_token_ttl: None }
    }

    fn rules(rules: ScopeRules) -> ResourceChange {
        ResourceChange { scope_rules: vec![rules], ..ResourceChange::default() }
    }

    fn claim(name: &str) -> ClaimMapping {
        ClaimMapping { name: ClaimName::parse(name).unwrap(), from: ClaimSource::Email }
    }

    #[test]
    fn the_rules_of_a_scope_outlive_its_description() {
        let mut resource = fixtures::resource();
        let minute = Duration::from_secs(60);
        let strict = ScopeRules {
            asks_each_time: Some(true),
            max_age: Some(minute),
            access_token_ttl: Some(minute),
            ..of("write")
        };
        rules(strict).apply(&mut resource).unwrap();
        let anew =
            ResourceChange { put_scopes: vec![described("write", "Anew")], ..ResourceChange::default() };
        anew.apply(&mut resource).unwrap();
        let write = scope("write");
        assert_eq!(resource.describe(&token("write")), Some("Anew"));
        assert_eq!(resource.asked_each_time(&write), write);
        assert_eq!(resource.max_age(&write), Some(minute));
        assert_eq!(resource.token_ttl(&write, Duration::from_secs(900)), minute);
        let lax = ScopeRules {
            asks_each_time: Some(false),
            max_age: Some(Duration::ZERO),
            access_token_ttl: Some(Duration::ZERO),
            ..of("write")
        };
        rules(lax).apply(&mut resource).unwrap();
        assert_eq!((resource.max_age(&write), resource.asked_each_time(&write)), (None, Scope::default()));
        assert_eq!(resource.token_ttl(&write, Duration::from_secs(900)), Duration::from_secs(900));
    }

    #[test]
    fn a_resource_that_makes_no_sense_is_refused() {
        for change in [
            ResourceChange { default_scopes: Some(scope("unknown")), ..ResourceChange::default() },
            ResourceChange { put_scopes: vec![described("offline_access", "")], ..ResourceChange::default() },
            ResourceChange { put_scopes: vec![described("openid", "")], ..ResourceChange::default() },
            rules(ScopeRules { max_age: Some(Duration::from_secs(59)), ..of("read") }),
            rules(ScopeRules { max_age: Some(Duration::from_secs(31 * 86_400)), ..of("read") }),
            rules(ScopeRules { access_token_ttl: Some(Duration::from_secs(3601)), ..of("read") }),
            rules(ScopeRules { asks_each_time: Some(true), ..of("unknown") }),
            ResourceChange { claims: Some(vec![claim("a"), claim("a")]), ..ResourceChange::default() },
            ResourceChange {
                access_token_ttl: Some(Lifetimes::BOUNDS.access_token + Duration::from_secs(1)),
                ..ResourceChange::default()
            },
        ] {
            assert!(change.apply(&mut fixtures::resource()).is_err(), "{change:?}");
        }
    }
}
