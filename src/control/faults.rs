//! What is to go wrong with the answers of an issuer, because a test wants to see how its client takes it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Refused;
use super::issuer::TestIssuer;

/// The longest delay: five minutes.
const LONGEST_DELAY_MS: u64 = 300_000;

/// A fault, as a test describes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// At which endpoint (`token`, `authorize`, `metadata`, `jwks`, …); `*` for all.
    pub endpoint: String,
    /// Only requests with these parameters in their body, such as `grant_type`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub form: BTreeMap<String, String>,
    /// How often; once unless given, and for good when null.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// Waits so many milliseconds first; five minutes at the most.
    #[serde(default)]
    pub delay_ms: u64,
    /// Cuts the connection in place of an answer.
    #[serde(default)]
    pub drop: bool,
    /// Answers with this status.
    #[serde(default)]
    pub status: Option<u16>,
    /// Answers with this body.
    #[serde(default)]
    pub body: Option<String>,
    /// Whether the request takes effect although it is dropped or answered by `status` or `body`: the answer is lost.
    #[serde(default)]
    pub processed: bool,
    /// Headers of the answer; null takes one away.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// Members of an answer in JSON; null takes one away.
    #[serde(default)]
    pub set: Map<String, Value>,
    /// Parameters with which the browser is sent to the client; null takes one away.
    #[serde(default)]
    pub redirect_set: BTreeMap<String, Option<String>>,
}

#[expect(clippy::unnecessary_wraps, reason = "null means for good, and so the member is optional")]
fn once() -> Option<u32> {
    Some(1)
}

impl Default for FaultSpec {
    fn default() -> Self {
        Self {
            endpoint: "*".to_owned(),
            times: once(),
            delay_ms: 0,
            drop: false,
            status: None,
            body: None,
            processed: false,
            headers: BTreeMap::new(),
            set: Map::new(),
            redirect_set: BTreeMap::new(),
            form: BTreeMap::new(),
        }
    }
}

impl FaultSpec {
    /// A fault of the next answer of an endpoint, with which nothing is wrong yet.
    pub fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), ..Self::default() }
    }
}

/// A fault in place.
#[derive(Clone, Debug, Serialize)]
pub struct Fault {
    /// Its number.
    pub id: u64,
    /// What goes wrong; `times` is how often it still does.
    #[serde(flatten)]
    pub spec: FaultSpec,
    /// The persona that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
}

/// The faults of an issuer.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Placed>);

#[derive(Clone, Debug, Default)]
pub(super) struct Placed {
    faults: Vec<Fault>,
    last: u64,
}

impl Faults {
    /// Puts a fault in place; its number.
    ///
    /// # Errors
    /// It makes no sense.
    pub(super) fn add(&self, spec: FaultSpec, persona: Option<&str>) -> Result<u64, Refused> {
        check(&spec)?;
        let mut placed = self.lock();
        placed.last += 1;
        let id = placed.last;
        placed.faults.push(Fault { id, spec, persona: persona.map(str::to_owned) });
        Ok(id)
    }

    /// Takes all faults of personas away.
    pub(super) fn drop_persona(&self) {
        self.lock().faults.retain(|fault| fault.persona.is_none());
    }

    /// Takes all away that no persona brought.
    pub(super) fn clear(&self) {
        self.lock().faults.retain(|fault| fault.persona.is_some());
    }

    /// Takes one away; whether it was there.
    pub(super) fn remove(&self, id: u64) -> bool {
        let mut placed = self.lock();
        let before = placed.faults.len();
        placed.faults.retain(|fault| fault.id != id);
        placed.faults.len() < before
    }

    /// What is in place.
    pub(super) fn all(&self) -> Vec<Fault> {
        self.lock().faults.clone()
    }

    /// Everything, to be put back later.
    pub(super) fn kept(&self) -> Placed {
        self.lock().clone()
    }

    /// Puts everything back.
    pub(super) fn put_back(&self, placed: Placed) {
        *self.lock() = placed;
    }

    /// The faults of the next request to an endpoint, with the parameters in its body; each is used up a little by that.
    pub(super) fn take(
        &self,
        endpoint: &str,
        form: Option<&BTreeMap<String, String>>,
        which: fn(&FaultSpec) -> bool,
    ) -> Vec<FaultSpec> {
        let mut placed = self.lock();
        let is_meant = |fault: &&mut Fault| {
            let has = |(name, value)| form.and_then(|form| form.get(name)) == Some(value);
            let is_there = fault.spec.endpoint == "*" || fault.spec.endpoint == endpoint;
            is_there && fault.spec.form.iter().all(has) && which(&fault.spec)
        };
        let taken: Vec<FaultSpec> = placed
            .faults
            .iter_mut()
            .filter(is_meant)
            .map(|fault| {
                fault.spec.times = fault.spec.times.map(|times| times.saturating_sub(1));
                fault.spec.clone()
            })
            .collect();
        placed.faults.retain(|fault| fault.spec.times != Some(0));
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Placed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestIssuer {
    /// Puts a fault in place; its number.
    ///
    /// # Errors
    /// It makes no sense.
    pub fn add_fault(&self, fault: FaultSpec) -> Result<u64, Refused> {
        self.faults.add(fault, None)
    }

    /// What is in place.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.all()
    }

    /// Takes a fault away; whether it was there.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.faults.remove(id)
    }

    /// Takes all faults away but those of the persona.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }
}

fn check(spec: &FaultSpec) -> Result<(), Refused> {
    if spec.times == Some(0) {
        return Err(Refused::invalid("times: is 0; leave the fault away, or say null for one that stays"));
    }
    if spec.delay_ms > LONGEST_DELAY_MS {
        return Err(Refused::invalid(format!("delay_ms: is {LONGEST_DELAY_MS} at the most")));
    }
    if spec.status.is_some_and(|status| !(200..=599).contains(&status)) {
        return Err(Refused::invalid("status: is between 200 and 599"));
    }
    for (name, value) in &spec.headers {
        let is_good = HeaderName::try_from(name).is_ok()
            && value.as_ref().is_none_or(|value| HeaderValue::try_from(value).is_ok());
        if !is_good {
            return Err(Refused::invalid(format!("headers: {name:?} is no header")));
        }
    }
    Ok(())
}
