//! People, clients, MCP servers and tenants that come and go while an issuer runs. They are declared, as at its start.

use serde_json::{Map, Value};

use super::answer::Refused;
use super::description::Description;
use super::issuer::TestIssuer;
use crate::protocol::ClientId;
use crate::store::Origin;

/// Declares one more thing; what was there stays, what is ready-made with it.
///
/// # Errors
/// It makes no sense, or there is one already.
pub(super) async fn add(issuer: &TestIssuer, table: &str, thing: Map<String, Value>) -> Result<(), Refused> {
    issuer.reconfigure(|description| description.add(table, thing)).await
}

/// Forgets a client as if it had never been: one that was declared, or one that registered itself.
///
/// # Errors
/// There is none of that name.
pub(super) async fn remove_client(issuer: &TestIssuer, id: &str) -> Result<(), Refused> {
    let running = issuer.running();
    if running.described.declared.clients.iter().any(|declared| declared.client.id.as_str() == id) {
        let forget = |description: &mut Description| {
            description.forget_client(id);
            Ok(())
        };
        return issuer.reconfigure(forget).await;
    }
    let unknown = || Refused::not_found("client", id);
    let client = ClientId::parse(id).ok_or_else(unknown)?;
    let admin = issuer.administrator();
    // One that was declared and is not any more is gone for everybody but the administrator.
    if admin.client(&client).await.is_ok_and(|known| known.known.origin == Origin::Withdrawn) {
        return Err(unknown());
    }
    Ok(admin.delete_client(&client).await?)
}
