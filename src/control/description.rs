//! What the server of an issuer is to be: said in the words of a configuration, or made ready by a test in Rust.

use serde_json::{Map, Value, json};

use super::answer::Refused;
use super::ready_made;
use super::spec::describe;
use crate::config::Declared;
use crate::protocol::{Issuer, Policy};

/// The rules of a server, and what is declared.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) policy: Policy,
    pub(crate) declared: Declared,
}

/// Where the rules and declarations come from, each time that the server is started.
#[derive(Clone, Debug)]
pub(crate) enum Description {
    /// A configuration, as the test gave it.
    Table {
        /// Its keys.
        config: Map<String, Value>,
        /// Whether tokens are issued for every MCP server on loopback.
        loopback_resources: bool,
    },
    /// What a [`TestServerBuilder`](crate::testkit::TestServerBuilder) has described.
    Built(Box<Described>),
}

impl Description {
    /// The rules and declarations.
    ///
    /// # Errors
    /// The configuration makes no sense.
    pub(super) fn described(&self, issuer: &Issuer) -> Result<Described, Refused> {
        match self {
            Self::Table { config, loopback_resources } => describe(issuer, config, *loopback_resources),
            Self::Built(described) => Ok((**described).clone()),
        }
    }

    /// Declares one more thing; what was there stays, what is ready-made with it.
    ///
    /// # Errors
    /// There is no list to add it to.
    pub(super) fn add(&mut self, list: &str, thing: Map<String, Value>) -> Result<(), Refused> {
        let Self::Table { config, .. } = self else {
            return Err(Refused::invalid("a TestServer gets more by restart_with(), from its builder"));
        };
        ready_made::complete(config);
        match config.entry(list).or_insert_with(|| json!([])) {
            Value::Array(things) => {
                things.push(Value::Object(thing));
                Ok(())
            }
            _ => Err(Refused::invalid(format!("config.{list}: is no list"))),
        }
    }

    /// Declares a client no longer.
    pub(super) fn forget_client(&mut self, id: &str) {
        match self {
            Self::Table { config, .. } => {
                ready_made::complete(config);
                let clients = config.get_mut("clients").and_then(Value::as_array_mut);
                let is_it = |client: &Value| client.get("id").and_then(Value::as_str) == Some(id);
                clients.into_iter().for_each(|clients| clients.retain(|client| !is_it(client)));
            }
            Self::Built(described) => {
                described.declared.clients.retain(|declared| declared.client.id.as_str() != id);
            }
        }
    }
}
