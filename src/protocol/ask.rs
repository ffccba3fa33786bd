//! What a person is asked, and what their answer comes to (OAuth 2.1 §7.9; RFC 8707 §2.1).
//!
//! Scopes belong to resources: a scope of the same name at two of them is two permissions, shown and ticked apart. What
//! is allowed is what was shown, ticked, and theirs to give in the tenant that they chose.

use std::fmt;
use std::time::Duration;

use super::step::Situation;
use super::{
    Consent, ErrorCode, Granted, Membership, OAuthError, Resource, ResourceUri, Scope, ScopeToken, TenantId,
};

/// What the person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The resources that the client wants to use, in its order.
    pub resources: Vec<AskedResource>,
    /// Whether all of it was allowed before, so that one click is enough.
    pub is_repetition: bool,
    /// Whether it was allowed to a client whose document has changed since, which is no repetition.
    pub has_changed: bool,
    /// The tenants to choose from, the proposed one first.
    pub tenants: Vec<Membership>,
}

/// What the person is asked about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedResource {
    /// The resource.
    pub resource: Resource,
    /// What may be allowed, to be ticked or not. Nothing, when nothing in particular is asked for.
    pub offered: Scope,
    /// What of it was allowed before.
    pub remembered: Scope,
    /// What of it was left unticked before. It is not ticked for the person again.
    pub refused: Scope,
    /// What of it the operator wants people to be asked each time.
    pub each_time: Scope,
    /// Whether the client was allowed to use this resource before.
    pub is_known: bool,
}

/// A tick on the consent page: a scope at a resource, or a resource of which nothing in particular is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The resource.
    pub resource: ResourceUri,
    /// The scope there.
    pub scope: Option<ScopeToken>,
}

impl Tick {
    /// Reads what [`Display`](fmt::Display) writes; neither part can hold a space.
    pub fn parse(text: &str) -> Option<Self> {
        let (uri, scope) = text.split_once(' ').map_or((text, None), |(uri, scope)| (uri, Some(scope)));
        let scope = scope.map(ScopeToken::parse).transpose().ok()?;
        Some(Self { resource: ResourceUri::parse(uri).ok()?, scope })
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{} {scope}", self.resource),
            None => self.resource.fmt(f),
        }
    }
}

/// What is agreed on: the tenant to act in and how far the client may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The tenant.
    pub tenant: TenantId,
    /// How far the client may go at which resource; a resource of which nothing was allowed is not among them.
    pub resources: Vec<Granted>,
    /// What was asked for that belongs to no resource.
    pub general: Scope,
    /// What is to be remembered, for each resource that the person could decide about.
    pub decisions: Vec<Decision>,
}

/// What a person has allowed and refused at a resource, this time and before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The resource.
    pub resource: ResourceUri,
    /// What is allowed.
    pub allowed: Scope,
    /// What was shown and left unticked.
    pub refused: Scope,
}

impl Ask {
    /// Whether something is asked for that the person has refused before.
    pub fn has_refused(&self) -> bool {
        self.resources.iter().any(|asked| !asked.refused.is_empty())
    }

    /// Whether something is asked for about which people are asked each time.
    pub fn asks_each_time(&self) -> bool {
        self.resources.iter().any(|asked| !asked.each_time.is_empty())
    }

    /// How long ago the person may have logged in for what is asked for. What they refused before does not make them log
    /// in; should they allow it now, they do so when the client asks again.
    pub fn max_age(&self) -> Option<Duration> {
        let max_age =
            |asked: &AskedResource| asked.resource.max_age(&asked.offered.difference(&asked.refused));
        self.resources.iter().filter_map(max_age).min()
    }

    /// Every tick there is.
    pub fn ticks(&self) -> Vec<Tick> {
        self.resources.iter().flat_map(AskedResource::ticks).collect()
    }
}

impl AskedResource {
    /// Its ticks: one for each scope, or one for the resource of which nothing in particular is asked.
    pub fn ticks(&self) -> Vec<Tick> {
        let resource = &self.resource.uri;
        if self.offered.is_empty() {
            return vec![Tick { resource: resource.clone(), scope: None }];
        }
        let tick = |scope: &ScopeToken| Tick { resource: resource.clone(), scope: Some(scope.clone()) };
        self.offered.iter().map(tick).collect()
    }
}

impl Situation<'_> {
    /// What the person is asked. A resource that is closed to all their tenants, or where nothing of what is asked is
    /// theirs to give, is left out.
    ///
    /// # Errors
    /// `access_denied` when they belong to no tenant that may use any of the resources; `invalid_scope` when nothing is
    /// left to ask.
    pub(super) fn ask(&self) -> Result<Ask, OAuthError> {
        let mut tenants: Vec<Membership> = self.eligible().cloned().collect();
        let proposed = self.proposed_tenant(&tenants).ok_or(OAuthError::new(
            ErrorCode::AccessDenied,
            "the person belongs to no tenant that may use this resource",
        ))?;
        tenants.sort_by_key(|membership| membership.tenant.id != proposed);
        let asked = self.resources.iter().filter_map(|resource| self.asked_of(resource, &tenants));
        let resources: Vec<AskedResource> = asked.collect();
        if self.lacks_a_server(resources.iter().map(|asked| &asked.resource.uri)) {
            return Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "nothing of what was asked may be given by this person",
            ));
        }
        let is_allowed = |asked: &AskedResource| asked.is_known && asked.offered.is_within(&asked.remembered);
        let has_changed =
            |asked: &AskedResource| !asked.is_known && self.given_in(&asked.resource, &proposed).is_some();
        Ok(Ask {
            is_repetition: !resources.is_empty() && resources.iter().all(is_allowed),
            has_changed: resources.iter().any(has_changed),
            resources,
            tenants,
        })
    }

    /// What is asked about one resource; `tenants` begins with the proposed one.
    fn asked_of(&self, resource: &Resource, tenants: &[Membership]) -> Option<AskedResource> {
        let mut admitted =
            tenants.iter().filter(|member| resource.admits_tenant(&member.tenant.id)).peekable();
        admitted.peek()?;
        let asked = self.asked_at(resource);
        let by_tenant = |member: &Membership| resource.grantable(&asked, &member.roles);
        let offered = admitted.map(by_tenant).fold(Scope::default(), |all, scope| all.union(&scope));
        let offered = asked.intersection(&offered);
        if offered.is_empty() && !asked.is_empty() {
            return None;
        }
        let proposed = &tenants.first()?.tenant.id;
        let consent = self.consent_in(resource, proposed);
        let allowed = consent.map(|consent| offered.intersection(&consent.scope)).unwrap_or_default();
        Some(AskedResource {
            resource: resource.clone(),
            each_time: resource.asked_each_time(&offered),
            refused: offered.intersection(&self.refused_in(resource, proposed)).difference(&allowed),
            remembered: allowed,
            is_known: consent.is_some(),
            offered,
        })
    }

    /// Turns what the person ticked into what is granted. What was not offered is not granted, whoever ticked it.
    ///
    /// # Errors
    /// `access_denied` when the tenant is none of theirs, or nothing is left of what was asked: nothing of it ticked,
    /// or nothing of it theirs to give in this tenant.
    pub fn agree(&self, ticks: &[Tick], tenant: &TenantId) -> Result<Agreement, OAuthError> {
        let membership = self
            .eligible()
            .find(|membership| membership.tenant.id == *tenant)
            .ok_or(OAuthError::new(ErrorCode::AccessDenied, "the person cannot act in this tenant"))?;
        let mut agreement = Agreement {
            tenant: tenant.clone(),
            resources: Vec::new(),
            general: self.request.asked_scope().map(Scope::general).unwrap_or_default(),
            decisions: Vec::new(),
        };
        for resource in self.resources.iter().filter(|resource| resource.admits_tenant(tenant)) {
            self.agree_on(resource, membership, ticks, &mut agreement);
        }
        if self.lacks_a_server(agreement.resources.iter().map(|granted| &granted.resource)) {
            return Err(OAuthError::new(
                ErrorCode::AccessDenied,
                "the person allowed nothing of what was asked",
            ));
        }
        Ok(agreement)
    }

    /// Whether nothing that was asked for is `left`: no MCP server where the client named one. Who the person is does not
    /// make up for that, since the client goes on to ask for a token for the server (RFC 8707 §2.2).
    fn lacks_a_server<'a>(&self, left: impl Iterator<Item = &'a ResourceUri>) -> bool {
        let own = ResourceUri::of_userinfo(&self.policy.issuer);
        let names_a_server = self.request.resources.iter().any(|uri| *uri != own);
        let mut left = left.filter(|uri| !names_a_server || **uri != own);
        !self.resources.is_empty() && left.next().is_none()
    }

    /// Adds what the ticks allow at one resource.
    fn agree_on(
        &self,
        resource: &Resource,
        membership: &Membership,
        ticks: &[Tick],
        agreement: &mut Agreement,
    ) {
        let asked = self.asked_at(resource);
        let offered = resource.grantable(&asked, &membership.roles);
        if offered.is_empty() && !asked.is_empty() {
            return;
        }
        let here = || ticks.iter().filter(|tick| tick.resource == resource.uri);
        let ticked: Scope = here().filter_map(|tick| tick.scope.clone()).collect();
        // Whoever does not want to be known to the client refuses the whole request.
        let granted = offered.filter(|token| ticked.contains(token) || *token == ScopeToken::openid());
        let is_used = here().any(|tick| tick.scope.is_none()) && offered.is_empty();
        if is_used || !granted.is_empty() {
            let granted = Granted { resource: resource.uri.clone(), scope: granted.clone() };
            agreement.resources.push(granted);
        } else if offered.is_empty() {
            return;
        }
        let tenant = &membership.tenant.id;
        let before = self.consent_in(resource, tenant).map(|consent| consent.scope.clone());
        let refused_before = self.refused_in(resource, tenant);
        agreement.decisions.push(Decision {
            resource: resource.uri.clone(),
            allowed: before.unwrap_or_default().difference(&offered).union(&granted),
            refused: refused_before.difference(&offered).union(&offered.difference(&granted)),
        });
    }

    /// What the request comes to at one resource before the person is asked. Each is asked for the whole scope, of which
    /// it takes what it knows (RFC 8707 §2.1).
    fn asked_at(&self, resource: &Resource) -> Scope {
        resource.requested_scope(self.request.asked_scope(), self.policy.ceiling(&self.request.client))
    }

    /// The tenants in which the person could use one of the resources by this client.
    fn eligible(&self) -> impl Iterator<Item = &Membership> {
        self.memberships.iter().filter(|membership| {
            let tenant = &membership.tenant.id;
            let is_served = self.resources.iter().any(|resource| resource.admits_tenant(tenant));
            (is_served || self.resources.is_empty()) && self.request.client.admits_tenant(tenant)
        })
    }

    /// The wished-for tenant if it is one of theirs, else the one they chose before, else the first.
    fn proposed_tenant(&self, eligible: &[Membership]) -> Option<TenantId> {
        let is_eligible =
            |tenant: &&TenantId| eligible.iter().any(|membership| membership.tenant.id == **tenant);
        let wished = self.request.tenant.as_ref().filter(is_eligible);
        let is_asked =
            |consent: &&Consent| self.resources.iter().any(|resource| resource.uri == consent.resource);
        let latest = self.consents.iter().filter(is_asked).max_by_key(|consent| consent.given_at);
        let latest = latest.map(|consent| &consent.tenant).filter(is_eligible);
        let first = eligible.first().map(|membership| &membership.tenant.id);
        wished.or(latest).or(first).cloned()
    }

    /// A consent counts for the receiver and for the client's document that it was given for.
    fn consent_in(&self, resource: &Resource, tenant: &TenantId) -> Option<&Consent> {
        let digest = self.request.client.document_digest();
        self.given_in(resource, tenant).filter(|consent| consent.document_digest.as_deref() == digest)
    }

    /// What was allowed for this receiver, whatever the client's document said then.
    fn given_in(&self, resource: &Resource, tenant: &TenantId) -> Option<&Consent> {
        let host = self.request.address.redirect_uri().consent_host();
        self.remembered_in(resource, tenant).filter(|consent| consent.redirect_host == host)
    }

    /// What was refused, for whichever receiver: a refusal does no harm to whom it was not meant for.
    fn refused_in(&self, resource: &Resource, tenant: &TenantId) -> Scope {
        self.remembered_in(resource, tenant).map(|consent| consent.refused.clone()).unwrap_or_default()
    }

    fn remembered_in(&self, resource: &Resource, tenant: &TenantId) -> Option<&Consent> {
        let is_meant = |consent: &&Consent| consent.tenant == *tenant && consent.resource == resource.uri;
        self.consents.iter().find(is_meant)
    }
}

#[cfg(test)]
mod tests;
