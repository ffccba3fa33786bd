//! What a person is asked, and what their answer comes to (OAuth 2.1 §7.9; RFC 8707 §2.1).
//!
//! Scopes belong to resources: a scope of the same name at two of them is two permissions, shown and ticked apart. What
//! is allowed is what was shown, ticked, and theirs to give in the tenant that they chose.

use std::fmt;
use std::time::Duration;

use super::step::Situation;
use super::{Consent, ErrorCode, Membership, OAuthError, Resource, ResourceUri, Scope, ScopeToken, TenantId};

mod agree;

pub use agree::{Agreement, Decision};

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
    /// What of it was allowed before, in the proposed tenant.
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
    /// Whether a member of a tenant may give what is ticked.
    pub fn may_be_given(&self, tick: &Tick, membership: &Membership) -> bool {
        let scope = tick.scope.iter().cloned().collect();
        given_by(&self.resource, &scope, membership).is_some()
    }

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
    /// theirs to give, is left out. So is what the proposed tenant cannot give, when the client named that tenant, or when
    /// the person chose it before in spite of that.
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
        let is_named = self.request.tenant.as_ref() == Some(&proposed);
        let lacks = |resources: &[AskedResource]| {
            self.lacks_a_server(resources.iter().map(|asked| &asked.resource.uri))
        };
        let mut resources = self.asked_in(&tenants, is_named);
        if is_named && lacks(&resources) {
            // Another tenant can be chosen.
            resources = self.asked_in(&tenants, false);
        }
        if lacks(&resources) {
            return Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "nothing of what was asked may be given by this person",
            ));
        }
        let is_allowed = |asked: &AskedResource| asked.is_known && asked.offered.is_within(&asked.remembered);
        let digest = self.request.client.document_digest();
        let has_changed = |asked: &AskedResource| {
            let given = self.given_in(&asked.resource, &proposed);
            given.is_some_and(|consent| consent.document_digest.as_deref() != digest)
        };
        Ok(Ask {
            is_repetition: !resources.is_empty() && resources.iter().all(is_allowed),
            has_changed: resources.iter().any(has_changed),
            resources,
            tenants,
        })
    }

    /// What is asked about each resource; `tenants` begins with the proposed one, the only one that counts when the
    /// client named it.
    fn asked_in(&self, tenants: &[Membership], is_named: bool) -> Vec<AskedResource> {
        let Some((proposed, others)) = tenants.split_first() else { return Vec::new() };
        let others = if is_named { &[] } else { others };
        self.resources.iter().filter_map(|resource| self.asked_of(resource, proposed, others)).collect()
    }

    /// What is asked about one resource: what the proposed tenant can give, and what only others can and the person does
    /// not know yet. Who knew it and chose the proposed tenant is not asked again.
    fn asked_of(
        &self,
        resource: &Resource,
        proposed: &Membership,
        others: &[Membership],
    ) -> Option<AskedResource> {
        let asked = self.asked_at(resource);
        let here = given_by(resource, &asked, proposed);
        let elsewhere = self.given_elsewhere(resource, &asked, proposed, others);
        if here.is_none() && elsewhere.is_none() {
            return None;
        }
        let (here, elsewhere) = (here.unwrap_or_default(), elsewhere.unwrap_or_default());
        let offered = asked.intersection(&here.union(&elsewhere));
        let consent = self.consent_in(resource, &proposed.tenant.id);
        let allowed = consent.map(|consent| offered.intersection(&consent.scope)).unwrap_or_default();
        let refused = here.intersection(&self.refused_in(resource, &proposed.tenant.id));
        Some(AskedResource {
            resource: resource.clone(),
            each_time: resource.asked_each_time(&offered),
            refused: refused.difference(&allowed),
            remembered: allowed,
            is_known: consent.is_some_and(|consent| !consent.scope.is_empty() || consent.refused.is_empty()),
            offered,
        })
    }

    /// Whether nothing that was asked for is `left`: no MCP server where the client named one. Who the person is does not
    /// make up for that, since the client goes on to ask for a token for the server (RFC 8707 §2.2).
    fn lacks_a_server<'a>(&self, left: impl Iterator<Item = &'a ResourceUri>) -> bool {
        let own = ResourceUri::of_userinfo(&self.policy.issuer);
        let names_a_server = self.request.resources.iter().any(|uri| *uri != own);
        let mut left = left.filter(|uri| !names_a_server || **uri != own);
        !self.resources.is_empty() && left.next().is_none()
    }

    /// What other tenants can give and the person has not decided about for the proposed one.
    fn given_elsewhere(
        &self,
        resource: &Resource,
        asked: &Scope,
        proposed: &Membership,
        others: &[Membership],
    ) -> Option<Scope> {
        let given = others.iter().filter_map(|member| given_by(resource, asked, member));
        let given = given.reduce(|all, scope| all.union(&scope))?;
        if asked.is_empty() {
            // There is no scope of which it could be remembered that the person did not want it.
            return (!self.is_remembered(&proposed.tenant.id)).then_some(given);
        }
        let consent = self.consent_in(resource, &proposed.tenant.id);
        let decided = consent.map(|consent| consent.scope.union(&consent.refused)).unwrap_or_default();
        Some(given.difference(&decided)).filter(|scope| !scope.is_empty())
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

    /// The wished-for tenant if it is one of theirs, else the one they chose before, else the first: of those, one that
    /// can give something of what is asked.
    fn proposed_tenant(&self, eligible: &[Membership]) -> Option<TenantId> {
        let named = |tenant: &TenantId| eligible.iter().find(|membership| membership.tenant.id == *tenant);
        let gives = |membership: &&Membership| {
            let given = |it: &&Resource| given_by(it, &self.asked_at(it), membership).is_some();
            !self.lacks_a_server(self.resources.iter().filter(given).map(|it| &it.uri))
        };
        let latest = self.asked_before().max_by_key(|consent| consent.given_at);
        let wished = self.request.tenant.as_ref().and_then(named);
        let latest = latest.and_then(|consent| named(&consent.tenant)).filter(gives);
        let first = eligible.iter().find(gives).or(eligible.first());
        wished.or(latest).or(first).map(|membership| membership.tenant.id.clone())
    }

    /// What the person decided about one of these resources before.
    fn asked_before(&self) -> impl Iterator<Item = &Consent> {
        let is_asked =
            |consent: &&Consent| self.resources.iter().any(|resource| resource.uri == consent.resource);
        self.consents.iter().filter(is_asked)
    }

    /// Whether the person chose a tenant for one of these resources before.
    fn is_remembered(&self, tenant: &TenantId) -> bool {
        self.asked_before().any(|consent| consent.tenant == *tenant)
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

/// What of `asked` a member of a tenant may give at a resource; nothing in particular when nothing in particular is asked.
/// `None` where it is closed to the tenant, or nothing of it is theirs to give.
fn given_by(resource: &Resource, asked: &Scope, membership: &Membership) -> Option<Scope> {
    let admitted = resource.admits_tenant(&membership.tenant.id);
    let scope = admitted.then(|| resource.grantable(asked, &membership.roles))?;
    (asked.is_empty() || !scope.is_empty()).then_some(scope)
}

#[cfg(test)]
mod tests;
