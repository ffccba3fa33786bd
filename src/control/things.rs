//! People, clients, MCP servers and tenants that come and go while an issuer runs. They are declared, as at its start.

use serde_json::{Map, Value, json};

use super::answer::Refused;
use super::issuer::TestIssuer;
use crate::protocol::ClientId;
use crate::store::Origin;

/// Declares one more thing; what was there stays, what is ready-made with it.
///
/// # Errors
/// It makes no sense, or there is one already.
pub(super) async fn add(issuer: &TestIssuer, table: &str, thing: Map<String, Value>) -> Result<(), Refused> {
    let declare = |config: &mut Map<String, Value>| match config.entry(table).or_insert_with(|| json!([])) {
        Value::Array(things) => {
            things.push(Value::Object(thing));
            Ok(())
        }
        _ => Err(Refused::invalid(format!("config.{table}: is no list"))),
    };
    issuer.reconfigure(declare).await
}

/// Forgets a client as if it had never been: one that was declared, or one that registered itself.
///
/// # Errors
/// There is none of that name.
pub(super) async fn remove_client(issuer: &TestIssuer, id: &str) -> Result<(), Refused> {
    let is_it = |client: &Value| client.get("id").and_then(Value::as_str) == Some(id);
    let declared = &issuer.running().described.config.declared.clients;
    if declared.iter().any(|declared| declared.client.id.as_str() == id) {
        let forget = |config: &mut Map<String, Value>| {
            let clients = config.get_mut("clients").and_then(Value::as_array_mut);
            clients.into_iter().for_each(|clients| clients.retain(|client| !is_it(client)));
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
