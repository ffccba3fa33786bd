//! Claims of access tokens that deployments name and map.

use std::collections::BTreeMap;

use serde_json::Value;

use super::mint::Bearer;
use super::{Engine, Failure};
use crate::protocol::{ClaimFacts, ClaimName, ClaimSource, Resource};

impl Engine {
    /// The claims that tokens of `bearer` for `resource` have beside those of fixed meaning. What a grant does not say is
    /// read only for resources that ask for it.
    pub(super) async fn mapped_claims(
        &self,
        bearer: &Bearer<'_>,
        resource: &Resource,
    ) -> Result<BTreeMap<ClaimName, Value>, Failure> {
        let mappings = self.policy.claims.at(resource);
        let asked = |of: fn(&ClaimSource) -> bool| mappings.iter().any(|mapping| of(&mapping.from));
        match bearer {
            Bearer::Person(known) => {
                let grant = &known.grant;
                let person = match asked(ClaimSource::is_of_person) {
                    true => self.store.person_facts(&grant.user, &grant.tenant).await?,
                    false => None,
                };
                let client = match asked(ClaimSource::is_of_client) {
                    true => self.store.client(&grant.client).await?,
                    false => None,
                };
                let facts = ClaimFacts {
                    tenant: Some(&grant.tenant),
                    roles: &known.roles,
                    person: person.as_ref(),
                    client: client.as_ref().map(|client| &client.attributes),
                };
                Ok(facts.claims(&mappings))
            }
            Bearer::Machine(client) => {
                let facts = ClaimFacts {
                    tenant: client.tenant.as_ref(),
                    roles: &[],
                    person: None,
                    client: Some(&client.attributes),
                };
                Ok(facts.claims(&mappings))
            }
        }
    }
}
