//! MCP servers as administrators see and change them.

use super::admin::{Changed, Known, origin};
use super::admin_user::recorded;
use super::audit::{Noted, record};
use super::backend::{Running, Tx, Verb};
use super::resource::{insert_sql, resource, resource_columns, update_sql, write};
use super::sql::statements;
use super::value::{Row, args};
use super::{Outcome, Store, StoreError, suspend};
use crate::audit::AuditEvent;
use crate::protocol::{Resource, ResourceChange, ResourceUri};

statements! {
    BY_NAME = concat!("SELECT r.origin, r.created_at, ", resource_columns!(),
        " FROM resource_names n JOIN resources r ON r.uri = n.resource_uri WHERE n.lookup_key = $1");
    PAGE = concat!("SELECT r.origin, r.created_at, ", resource_columns!(),
        " FROM resources r WHERE r.uri > $1 ORDER BY r.uri LIMIT $2");
    ADD = concat!(insert_sql!(), " ON CONFLICT (uri) DO NOTHING");
    /// Whoever changes the resource at the same time waits here, and then sees what came of it.
    HOLD = "UPDATE resources SET name = name WHERE uri = $1 AND origin = 'admin'";
    BY_URI = concat!("SELECT ", resource_columns!(), " FROM resources r WHERE r.uri = $1");
    CHANGE = concat!(insert_sql!(), update_sql!(), " WHERE resources.origin = 'admin'");
    DELETE = "DELETE FROM resources WHERE uri = $1 AND origin = 'admin'";
}

impl Store {
    /// At most `limit` resources by URI, after the one with `after`.
    pub async fn known_resources(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Known<Resource>>, StoreError> {
        let args = args![after.unwrap_or_default(), i64::from(limit)];
        self.backend.all(PAGE, args).await?.iter().map(known).collect()
    }

    /// The resource that a URI names, by one of its aliases too.
    pub async fn known_resource(&self, uri: &ResourceUri) -> Result<Option<Known<Resource>>, StoreError> {
        let row = self.backend.optional(BY_NAME, args![&uri.lookup_key()]).await?;
        row.as_ref().map(known).transpose()
    }

    /// Adds a resource. Lost when its URI is taken; when only another spelling of it or an alias is,
    /// [`StoreError::TakenByAnother`].
    pub async fn add_resource(&self, resource: Resource, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((resource, self.noted(audit)), |tx, (resource, audit)| {
            Box::pin(async move {
                let added = write(tx, ADD, resource, "admin", audit.at()).await?;
                recorded(tx, added, audit).await
            })
        })
        .await
    }

    /// Changes a resource as it is at this moment. Lost when it is not there or belongs to configuration.
    pub async fn change_resource(
        &self,
        uri: &ResourceUri,
        change: ResourceChange,
        audit: AuditEvent,
    ) -> Result<Changed, StoreError> {
        let args = (uri.clone(), change, self.noted(audit));
        let run: for<'t> fn(
            &'t mut Tx<'_>,
            &'t (ResourceUri, ResourceChange, Noted),
        ) -> Running<'t, Changed> = |tx, (uri, change, audit)| Box::pin(changed(tx, uri, change, audit));
        self.backend.write(Verb { args, run, keep: Changed::is_done }).await
    }

    /// Deletes a resource with the consents given for it, and revokes the grants at it. Lost when it is not there or
    /// belongs to configuration.
    pub async fn delete_resource(&self, uri: &ResourceUri, audit: AuditEvent) -> Result<Outcome, StoreError> {
        self.write_guarded((uri.clone(), self.noted(audit)), |tx, (uri, audit)| {
            Box::pin(async move {
                let deleted = tx.execute(DELETE, args![uri.as_str()]).await?;
                suspend::end_everything_at(tx, uri.as_str(), audit.at()).await?;
                recorded(tx, deleted, audit).await
            })
        })
        .await
    }
}

async fn changed(
    tx: &mut Tx<'_>,
    uri: &ResourceUri,
    change: &ResourceChange,
    audit: &Noted,
) -> Result<Changed, StoreError> {
    if tx.execute(HOLD, args![uri.as_str()]).await? == 0 {
        return Ok(Changed::Lost);
    }
    let Some(row) = tx.optional(BY_URI, args![uri.as_str()]).await? else { return Ok(Changed::Lost) };
    let mut resource = resource(&row)?;
    if let Err(why) = change.apply(&mut resource) {
        return Ok(Changed::Refused(why));
    }
    write(tx, CHANGE, &resource, "admin", audit.at()).await?;
    record(tx, audit).await?;
    Ok(Changed::Done)
}

fn known(row: &Row) -> Result<Known<Resource>, StoreError> {
    Ok(Known {
        thing: resource(row)?,
        origin: origin(row)?,
        created_at: Some(row.time("created_at")?),
        suspended_at: None,
    })
}
