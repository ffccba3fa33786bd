//! What goes wrong with the answers of an issuer, because a test wants to see how its client takes it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::{Full, Limited};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::answer::Refused;
use super::issuer::TestIssuer;

/// The longest answer that is changed, in bytes.
const LONGEST: usize = 1024 * 1024;
/// The longest delay.
const LONGEST_DELAY: Duration = Duration::from_secs(300);

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
    /// Cuts the connection in place of an answer (which `HEAD` does not show: its answer has no body to break off in).
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

impl FaultSpec {
    /// A fault of the next answer of an endpoint, with which nothing is wrong yet.
    pub fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), ..Self::default() }
    }

    /// Whether the request is not to be seen by the server behind.
    pub(super) fn is_instead(&self) -> bool {
        !self.processed && (self.drop || self.status.is_some() || self.body.is_some())
    }

    /// Waits as long as it says.
    pub(super) async fn wait(&self) {
        if self.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.delay_ms).min(LONGEST_DELAY)).await;
        }
    }

    /// An answer as this fault makes it.
    pub(super) async fn spoil(&self, answer: Response) -> Response {
        if self.drop {
            return cut();
        }
        let mut answer = self.replaced(answer);
        if !self.set.is_empty() {
            answer = self.with_members(answer).await;
        }
        if !self.redirect_set.is_empty() {
            self.redirect(&mut answer);
        }
        for (name, value) in &self.headers {
            let Ok(name) = HeaderName::try_from(name) else { continue };
            match value.as_ref().map(HeaderValue::try_from) {
                Some(Ok(value)) => drop(answer.headers_mut().insert(name, value)),
                _ => drop(answer.headers_mut().remove(name)),
            }
        }
        answer
    }

    fn replaced(&self, mut answer: Response) -> Response {
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            *answer.status_mut() = status;
        }
        if self.status.is_none() && self.body.is_none() {
            return answer;
        }
        let (mut parts, _) = answer.into_parts();
        is_another(&mut parts.headers);
        parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.body.is_none() {
            // A failure of the server's own form (RFC 6749 §4.1.2.1 has the code).
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let own =
            || r#"{"error":"temporarily_unavailable","error_description":"a fault that a test put here"}"#;
        let body = self.body.clone().unwrap_or_else(|| own().to_owned());
        Response::from_parts(parts, Body::from(body))
    }

    async fn with_members(&self, answer: Response) -> Response {
        let (mut parts, body) = answer.into_parts();
        let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
        let Ok(Value::Object(mut members)) = serde_json::from_slice::<Value>(&bytes) else {
            return Response::from_parts(parts, Body::from(bytes));
        };
        for (name, value) in &self.set {
            match value {
                Value::Null => drop(members.remove(name)),
                value => drop(members.insert(name.clone(), value.clone())),
            }
        }
        is_another(&mut parts.headers);
        Response::from_parts(parts, Body::from(Value::Object(members).to_string()))
    }

    fn redirect(&self, answer: &mut Response) {
        let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location.map(|location| self.redirected(location)) else { return };
        if let Ok(location) = HeaderValue::try_from(location) {
            answer.headers_mut().insert(header::LOCATION, location);
        }
    }

    /// The URL to which a browser is sent, as this fault makes it. One of our own pages stays as it is.
    pub(super) fn redirected(&self, location: &str) -> String {
        let url = Url::parse(location).ok().filter(|_| !self.redirect_set.is_empty());
        let Some(mut url) = url else { return location.to_owned() };
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !self.redirect_set.contains_key(name.as_ref()))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let set = self.redirect_set.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        let pairs: Vec<(String, String)> = kept.into_iter().chain(set).collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
        url.into()
    }
}

/// Takes from an answer what was said about the body that it had.
pub(super) fn is_another(headers: &mut HeaderMap) {
    for name in [header::CONTENT_LENGTH, header::ETAG, header::LAST_MODIFIED] {
        headers.remove(name);
    }
}

/// An answer that breaks off before its first byte, upon which the connection is cut: a body that is over its limit from
/// the start.
fn cut() -> Response {
    let broken = Limited::new(Full::new(Bytes::from_static(b"cut")), 0);
    let mut answer = Response::new(Body::new(broken));
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("3"));
    answer
}
