//! Client credentials: reads only. Issuing by client secret writes nothing, however often it is done.

use super::mint::Bearer;
use super::{Engine, Refusal, TokenAnswer};
use crate::protocol::{Client, ResourceUri, Scope};

impl Engine {
    /// Gives a client a token for itself (RFC 6749 §4.4). There is no refresh token (RFC 6749 §4.4.3).
    pub(super) async fn client_credentials(
        &self,
        client: &Client,
        scope: Option<&Scope>,
        resource: Option<&ResourceUri>,
    ) -> Result<TokenAnswer, Refusal> {
        let resource = self.target(client, resource).await??;
        let scope = client.machine_scope(&resource, scope)?;
        let answer = self.mint(Bearer::Machine(client), &resource, &scope, self.clock.now()).await?;
        tracing::info!(client = %client.id, resource = %resource.uri, scope = %scope, "machine token issued");
        Ok(answer)
    }
}
