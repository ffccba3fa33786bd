//! People, clients, MCP servers and tenants that come and go while an issuer runs. They are declared, as at its start.

use serde_json::{Map, Value};

use super::answer::Refused;
use super::description::Description;
use super::issuer::TestIssuer;
use crate::protocol::ClientId;
use crate::store::Origin;

impl TestIssuer {
    /// Declares one more person, in the words of a configuration file; their `password` in clear.
    ///
    /// # Errors
    /// It makes no sense, or there is one already; or it is the issuer of a
    /// [`TestServer`](crate::testkit::TestServer), which gets more from its builder.
    pub async fn add_user(&self, user: Value) -> Result<(), Refused> {
        self.declare("users", object(user)?).await
    }

    /// Declares one more client; its `secret` in clear.
    ///
    /// # Errors
    /// As [`TestIssuer::add_user`].
    pub async fn add_client(&self, client: Value) -> Result<(), Refused> {
        self.declare("clients", object(client)?).await
    }

    /// Declares one more MCP server.
    ///
    /// # Errors
    /// As [`TestIssuer::add_user`].
    pub async fn add_resource(&self, resource: Value) -> Result<(), Refused> {
        self.declare("resources", object(resource)?).await
    }

    /// Declares one more tenant.
    ///
    /// # Errors
    /// As [`TestIssuer::add_user`].
    pub async fn add_tenant(&self, tenant: Value) -> Result<(), Refused> {
        self.declare("tenants", object(tenant)?).await
    }

    /// Declares one more thing; what was there stays, what is ready-made with it.
    pub(super) async fn declare(&self, list: &str, thing: Map<String, Value>) -> Result<(), Refused> {
        self.reconfigure(|description| description.add(list, thing)).await
    }

    /// Forgets a client as if it had never been: one that was declared, or one that registered itself.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn remove_client(&self, id: &str) -> Result<(), Refused> {
        let running = self.running();
        if running.described.declared.clients.iter().any(|declared| declared.client.id.as_str() == id) {
            let forget = |description: &mut Description| {
                description.forget_client(id);
                Ok(())
            };
            return self.reconfigure(forget).await;
        }
        let unknown = || Refused::not_found("client", id);
        let client = ClientId::parse(id).ok_or_else(unknown)?;
        let admin = self.administrator();
        // One that was declared and is not any more is gone for everybody but the administrator.
        if admin.client(&client).await.is_ok_and(|known| known.known.origin == Origin::Withdrawn) {
            return Err(unknown());
        }
        Ok(admin.delete_client(&client).await?)
    }
}

fn object(thing: Value) -> Result<Map<String, Value>, Refused> {
    match thing {
        Value::Object(members) => Ok(members),
        _ => Err(Refused::invalid("what is declared is an object")),
    }
}
