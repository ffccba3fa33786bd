//! Clients that sign (RFC 7523 §2.2).

use std::time::Duration;

use super::{Engine, Failure, Refusal};
use crate::protocol::client_assertion::ClientAssertion;
use crate::protocol::client_auth::unauthenticated;
use crate::protocol::{Client, ClientKeys};
use crate::store::Outcome;
use crate::tokens::assertion::is_signed;

/// How often a client's keys are looked for at most.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60);

impl Engine {
    /// Lets in a client whose key signed `assertion`, for this server, for now, and for the first time.
    ///
    /// # Errors
    /// [`Refusal::WrongProof`] with `invalid_client`, in the same words whatever was wrong.
    pub(super) async fn prove_by_assertion(
        &self,
        client: &Client,
        assertion: &ClientAssertion,
    ) -> Result<(), Refusal> {
        let refused = |why: String| Refusal::WrongProof(unauthenticated().with_detail(why));
        // OpenID Connect Registration §2: a client that has committed itself to one algorithm uses no other.
        if client.assertion_alg.is_some_and(|alg| alg != assertion.algorithm()) {
            return Err(refused("another algorithm than the client registered".to_owned()));
        }
        // First what costs nothing: whoever makes us compute or fetch has at least written an assertion for us.
        let spending = assertion
            .check(&client.id, &self.policy, self.clock.now())
            .map_err(|error| refused(error.to_string()))?;
        if !self.is_signed_by(client, assertion).await? {
            return Err(refused("none of the client's keys signed the assertion".to_owned()));
        }
        match self.store.spend_assertion(spending).await? {
            Outcome::Won(()) => Ok(()),
            Outcome::Lost => Err(refused("the assertion was used before".to_owned())),
        }
    }

    /// Whether one of the client's keys signed, as they were last seen, or else as they are now.
    ///
    /// Documents are not fetched at the token endpoint; keys are, from the address that the document named when a
    /// person was logged in, or that is registered or configured. Clients exchange their keys and go on refreshing for months without a person: without this
    /// they would be locked out. It happens when an assertion meant for this server is signed by none of the known keys,
    /// at most once a minute for each client (requests at once share one fetch), within the limits of every fetch, and for
    /// clients of the operator or that a person has let in: a stranger's registration makes nobody fetch anything.
    async fn is_signed_by(&self, client: &Client, assertion: &ClientAssertion) -> Result<bool, Failure> {
        let Some(keys) = &client.keys else { return Ok(false) };
        if keys.jwks().is_some_and(|jwks| is_signed(assertion, jwks)) {
            return Ok(true);
        }
        let ClientKeys::Remote { uri, tried_at, .. } = keys else { return Ok(false) };
        let now = self.clock.now();
        if tried_at.is_some_and(|at| now.since(at) < LOOK_AGAIN_AFTER) {
            return Ok(false);
        }
        if !client.origin.is_vouched_for() && !self.store.is_used_client(&client.id).await? {
            return Ok(false);
        }
        let found = self.fetched_keys(uri).await;
        self.store.put_client_keys(&client.id, uri, found.as_deref(), now).await?;
        Ok(found.is_some_and(|jwks| is_signed(assertion, &jwks)))
    }
}
