//! Which client a request comes from, and whether it has proved so (RFC 6749 §2.3).

use super::{Engine, Refusal};
use crate::protocol::client_auth::{Credentials, unauthenticated};
use crate::protocol::{Client, Params};
use crate::tokens::ClientSecret;

impl Engine {
    /// The client that `authorization` (the header of that name) and the form authenticate.
    ///
    /// # Errors
    /// `invalid_client`, `invalid_request`; [`Refusal::WrongProof`] when somebody may be guessing.
    pub(super) async fn authenticated_client(
        &self,
        authorization: Option<&str>,
        params: &Params,
    ) -> Result<Client, Refusal> {
        self.prove_client(&Credentials::read(authorization, params)?).await
    }

    /// The same for an endpoint that a public client has no business at: a name alone is no proof.
    ///
    /// # Errors
    /// As [`Self::authenticated_client`].
    pub(super) async fn proven_client(
        &self,
        authorization: Option<&str>,
        params: &Params,
    ) -> Result<Client, Refusal> {
        let credentials = Credentials::read(authorization, params)?;
        if !credentials.have_proof() {
            return Err(unauthenticated().with_detail("no proof was presented").into());
        }
        self.prove_client(&credentials).await
    }

    async fn prove_client(&self, credentials: &Credentials) -> Result<Client, Refusal> {
        let client = self.store.client(&credentials.client_id).await?;
        let client = client.filter(|client| self.policy.admits(client)).ok_or_else(|| {
            unauthenticated().with_detail(format!("unknown client {}", credentials.client_id))
        })?;
        if let Some(assertion) = credentials.assertion_of(&client) {
            self.prove_by_assertion(&client, assertion).await?;
            return Ok(client);
        }
        let checked = credentials.check(&client, |presented| {
            let presented = ClientSecret::from_text(presented.to_owned());
            client.secret_hashes.iter().any(|hash| self.secrets.verify(&presented, hash))
        });
        match checked {
            Ok(()) => Ok(client),
            Err(error) if credentials.have_proof() => Err(Refusal::WrongProof(error)),
            Err(error) => Err(error.into()),
        }
    }
}
