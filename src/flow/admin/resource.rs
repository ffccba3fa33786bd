//! MCP servers.

use super::{Admin, AdminError, Named};
use crate::audit::AuditKind;
use crate::protocol::{ClaimMapping, KnownScopes, Resource, ResourceChange, ResourceUri};
use crate::store::{ClientFilter, Known};

/// How many clients are looked through at once.
const PAGE: u32 = 1000;

fn named(uri: &ResourceUri) -> Named<'_> {
    Named { what: "resource", id: uri.as_str() }
}

impl Admin {
    /// At most `limit` resources by URI, after the one with `after`.
    ///
    /// # Errors
    /// Faults.
    pub async fn resources(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Known<Resource>>, AdminError> {
        Ok(self.engine.store.known_resources(after, limit).await?)
    }

    /// The resource that a URI names, by one of its aliases too.
    ///
    /// # Errors
    /// There is none.
    pub async fn resource(&self, uri: &ResourceUri) -> Result<Known<Resource>, AdminError> {
        self.engine.store.known_resource(uri).await?.ok_or_else(|| named(uri).not_found())
    }

    /// Adds a resource, which `change` describes.
    ///
    /// # Errors
    /// One of its names is taken, a tenant or role is not there, or what is said of it makes no sense.
    pub async fn add_resource(
        &self,
        uri: &ResourceUri,
        change: &ResourceChange,
    ) -> Result<Known<Resource>, AdminError> {
        self.require_named(change).await?;
        let scopes = KnownScopes::Listed(Vec::new());
        let mut resource = Resource { scopes, ..Resource::unregistered(uri.clone()) };
        change.apply(&mut resource).map_err(AdminError::Invalid)?;
        self.refuse_taken_claims(&resource)?;
        self.refuse_audience_of_a_client(&resource).await?;
        let event = self.event(AuditKind::Added, &format!("resource {uri}"));
        let outcome = self.engine.store.add_resource(resource, event).await?;
        outcome.won().ok_or_else(|| named(uri).taken())?;
        self.resource(uri).await
    }

    /// Changes a resource.
    ///
    /// # Errors
    /// It is not there, belongs to configuration, or as for [`Admin::add_resource`].
    pub async fn change_resource(
        &self,
        uri: &ResourceUri,
        change: ResourceChange,
    ) -> Result<Known<Resource>, AdminError> {
        let known = self.resource(uri).await?;
        named(uri).changeable(known.origin)?;
        self.require_named(&change).await?;
        let mut wanted = known.thing.clone();
        change.apply(&mut wanted).map_err(AdminError::Invalid)?;
        self.refuse_taken_claims(&wanted)?;
        self.refuse_audience_of_a_client(&wanted).await?;
        let uri = &known.thing.uri;
        let event = self.event(AuditKind::Changed, &format!("resource {uri}"));
        let changed = self.engine.store.change_resource(uri, change, event).await?;
        named(uri).changed(changed)?;
        self.resource(uri).await
    }

    /// Deletes a resource; grants at it find it gone.
    ///
    /// # Errors
    /// It is not there, or belongs to configuration.
    pub async fn delete_resource(&self, uri: &ResourceUri) -> Result<(), AdminError> {
        let known = self.resource(uri).await?;
        named(uri).changeable(known.origin)?;
        let event = self.event(AuditKind::Deleted, &format!("resource {}", known.thing.uri));
        let outcome = self.engine.store.delete_resource(&known.thing.uri, event).await?;
        named(uri).won(outcome)
    }

    /// A claim of a resource must not have the name of one that its tokens have anyway.
    fn refuse_taken_claims(&self, resource: &Resource) -> Result<(), AdminError> {
        match self.engine.policy.claims.taken_at(resource).first() {
            Some(ClaimMapping { name, from }) => Err(AdminError::Invalid(format!(
                "{name} is the name of the {from} claim of every token; give that another name in [claims] of the \
                 configuration, or here by mapping another name from {from}"
            ))),
            None => Ok(()),
        }
    }

    /// The tokens that a client gets for an audience of its own would be good at a resource of that audience, with scopes
    /// that the resource never gave.
    async fn refuse_audience_of_a_client(&self, resource: &Resource) -> Result<(), AdminError> {
        let mut after = None;
        loop {
            let page = self.clients(after.as_deref(), ClientFilter::default(), PAGE).await?;
            for client in page.iter().map(|known| &known.known.thing) {
                let audience = client.audience.as_ref();
                if audience.is_some_and(|audience| resource.is_meant_by_audience(audience)) {
                    return Err(AdminError::Invalid(format!(
                        "the client {:?} has an audience of its own that would mean this resource",
                        client.id.as_str()
                    )));
                }
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => after = Some(last.known.thing.id.to_string()),
                _ => return Ok(()),
            }
        }
    }

    /// What a resource names must be there, or its name would be given a meaning later.
    async fn require_named(&self, change: &ResourceChange) -> Result<(), AdminError> {
        for tenant in change.tenants.iter().flatten() {
            self.tenant(tenant).await?;
        }
        for role in change.put_scopes.iter().flat_map(|scope| &scope.roles) {
            self.role(role).await?;
        }
        Ok(())
    }
}
