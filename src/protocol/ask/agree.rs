//! What the person's answer comes to.

use super::{Ask, AskedResource, Tick, given_by};
use crate::protocol::step::Situation;
use crate::protocol::{ErrorCode, Granted, Membership, OAuthError, ResourceUri, Scope, ScopeToken, TenantId};

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

impl Situation<'_> {
    /// Turns what the person ticked into what is granted. What was not asked is not granted, whoever ticked it.
    ///
    /// # Errors
    /// `access_denied` when the tenant is none of theirs, or nothing is left of what was asked: nothing of it ticked,
    /// or nothing of it theirs to give in this tenant.
    pub fn agree(&self, ask: &Ask, ticks: &[Tick], tenant: &TenantId) -> Result<Agreement, OAuthError> {
        let membership = ask
            .tenants
            .iter()
            .find(|membership| membership.tenant.id == *tenant)
            .ok_or(OAuthError::new(ErrorCode::AccessDenied, "the person cannot act in this tenant"))?;
        let mut agreement = Agreement {
            tenant: tenant.clone(),
            resources: Vec::new(),
            general: self.request.asked_scope().map(Scope::general).unwrap_or_default(),
            decisions: Vec::new(),
        };
        for asked in &ask.resources {
            agreement.resources.extend(granted(asked, membership, ticks));
            agreement.decisions.extend(self.decision(asked, membership, &agreement.resources));
        }
        if self.lacks_a_server(agreement.resources.iter().map(|granted| &granted.resource)) {
            return Err(OAuthError::new(
                ErrorCode::AccessDenied,
                "the person allowed nothing of what was asked",
            ));
        }
        Ok(agreement)
    }

    /// What is remembered about one resource. What was shown and is not theirs to give in the tenant that they chose is
    /// remembered too, so that it is not asked for again each time that this tenant is proposed.
    fn decision(
        &self,
        asked: &AskedResource,
        membership: &Membership,
        granted: &[Granted],
    ) -> Option<Decision> {
        let resource = &asked.resource;
        let granted = granted.iter().find(|granted| granted.resource == resource.uri);
        if granted.is_none() && asked.offered.is_empty() {
            return None;
        }
        let granted = granted.map(|granted| granted.scope.clone()).unwrap_or_default();
        let tenant = &membership.tenant.id;
        let here = given_by(resource, &asked.offered, membership).unwrap_or_default();
        let before = self.consent_in(resource, tenant).map(|consent| consent.scope.clone());
        let allowed = before.unwrap_or_default().difference(&here).union(&granted);
        let refused_before = self.refused_in(resource, tenant).difference(&asked.offered);
        Some(Decision {
            resource: resource.uri.clone(),
            refused: refused_before.union(&asked.offered.difference(&allowed)),
            allowed,
        })
    }
}

/// What the ticks allow at one resource.
fn granted(asked: &AskedResource, membership: &Membership, ticks: &[Tick]) -> Option<Granted> {
    let resource = &asked.resource.uri;
    let offered = given_by(&asked.resource, &asked.offered, membership)?;
    let here = || ticks.iter().filter(|tick| tick.resource == *resource);
    let ticked: Scope = here().filter_map(|tick| tick.scope.clone()).collect();
    // Whoever does not want to be known to the client refuses the whole request.
    let scope = offered.filter(|token| ticked.contains(token) || *token == ScopeToken::openid());
    let is_used = offered.is_empty() && here().any(|tick| tick.scope.is_none());
    (is_used || !scope.is_empty()).then(|| Granted { resource: resource.clone(), scope })
}
