//! What an issuer was asked: every request of a test, to be waited for and looked at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::address::endpoint_of;
use super::answer::Refused;
use super::issuer::TestIssuer;

/// The most requests that are kept; the oldest go first.
const KEPT: usize = 2_000;
/// The longest body that is kept, in bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// The most requests that are told of when others were expected.
const TOLD: usize = 20;
/// The longest that anybody may wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A request that an issuer got, and how it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Captured {
    /// Its number; the first of an issuer is 1.
    pub n: u64,
    /// When, by the issuer's clock.
    pub at: i64,
    /// The endpoint: `token`, `metadata`, …, or the path.
    pub endpoint: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The parameters in the URL; the last of a name.
    pub query: BTreeMap<String, String>,
    /// The headers, in lower case; the last of a name.
    pub headers: BTreeMap<String, String>,
    /// The parameters in the body, where it is a form of 64 KiB at the most.
    pub form: Option<BTreeMap<String, String>>,
    /// The body, where it is JSON of 64 KiB at the most.
    pub json: Option<Value>,
    /// The status of the answer; nothing when the connection was cut, by us or by whoever asked.
    pub status: Option<u16>,
}

/// Which requests are meant. What is left out is any.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pattern {
    /// The endpoint.
    pub endpoint: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// Parameters in the URL.
    pub query: BTreeMap<String, String>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Parameters in the body.
    pub form: BTreeMap<String, String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Later than the request with this number.
    pub after: u64,
    /// So many at least; one unless given.
    pub count: Option<usize>,
    /// So many and no more.
    pub exactly: Option<usize>,
    /// How many seconds to wait for them.
    pub wait: f64,
}

/// The requests of an issuer so far.
#[derive(Debug)]
pub(super) struct Log {
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
    /// Whether there is nothing more to wait for.
    is_over: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Captured>,
    last: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self { kept: Mutex::default(), newest: watch::Sender::new(0), is_over: watch::Sender::new(false) }
    }
}

impl Log {
    /// A request that is going to be kept.
    pub(super) fn open(&self, captured: Captured) -> Entry<'_> {
        Entry { log: self, captured: Some(captured) }
    }

    /// Keeps a request and tells whoever waits.
    fn add(&self, mut captured: Captured) {
        let last = {
            let mut kept = self.lock();
            kept.last += 1;
            captured.n = kept.last;
            if kept.requests.len() == KEPT {
                kept.requests.pop_front();
            }
            kept.requests.push_back(captured);
            kept.last
        };
        self.newest.send_replace(last);
    }

    /// Forgets what was asked so far; numbers go on.
    pub(super) fn forget(&self) {
        self.lock().requests.clear();
    }

    /// Nothing more is going to be asked: whoever waits gets what there is.
    pub(super) fn end(&self) {
        self.is_over.send_replace(true);
    }

    /// The requests that are meant, after waiting until `enough` says so, or for `wait` seconds at the most.
    pub(super) async fn wait_for(&self, pattern: &Pattern, enough: impl Fn(usize) -> bool) -> Vec<Captured> {
        let wait = Duration::try_from_secs_f64(pattern.wait).unwrap_or_default().min(LONGEST_WAIT);
        let late = tokio::time::sleep(wait);
        tokio::pin!(late);
        let (mut newest, mut is_over) = (self.newest.subscribe(), self.is_over.subscribe());
        loop {
            newest.borrow_and_update();
            let found = self.matching(pattern);
            if enough(found.len()) {
                return found;
            }
            tokio::select! {
                () = &mut late => return self.matching(pattern),
                _ = is_over.wait_for(|is_over| *is_over) => return self.matching(pattern),
                _ = newest.changed() => {}
            }
        }
    }

    /// The requests that are meant, as many as are expected.
    ///
    /// # Errors
    /// There are fewer or more; what there was instead.
    pub(super) async fn expect(&self, pattern: &Pattern) -> Result<Vec<Captured>, Refused> {
        pattern.check()?;
        let least = pattern.exactly.or(pattern.count).unwrap_or(1);
        // Whether there are more can only be known at the end of the time.
        let enough = |found: usize| match pattern.exactly {
            Some(exactly) => found > exactly,
            None => found >= least,
        };
        let found = self.wait_for(pattern, enough).await;
        if pattern.exactly.map_or(found.len() >= least, |exactly| found.len() == exactly) {
            return Ok(found);
        }
        let mut all =
            self.lock().requests.iter().filter(|one| one.n > pattern.after).map(told).collect::<Vec<_>>();
        all.drain(..all.len().saturating_sub(TOLD));
        let seen = if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
        let wanted = if pattern.exactly.is_some() { "exactly" } else { "at least" };
        Err(Refused::unexpected(format!(
            "expected {wanted} {least} such request(s), found {}; what was asked: {seen}",
            found.len()
        )))
    }

    fn matching(&self, pattern: &Pattern) -> Vec<Captured> {
        self.lock().requests.iter().filter(|one| pattern.fits(one)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestIssuer {
    /// The requests that are meant, after waiting for one as long as the pattern says.
    pub async fn requests(&self, pattern: &Pattern) -> Vec<Captured> {
        self.log.wait_for(pattern, |found| found > 0).await
    }

    /// The requests that are meant, as many as the pattern expects.
    ///
    /// # Errors
    /// There are fewer or more; what there was instead.
    pub async fn expect(&self, pattern: &Pattern) -> Result<Vec<Captured>, Refused> {
        self.log.expect(pattern).await
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) {
        self.log.forget();
    }
}

fn told(one: &Captured) -> String {
    let status = one.status.map_or_else(|| "cut".to_owned(), |status| status.to_string());
    format!("{} {} ({status})", one.method, one.endpoint)
}

/// A request that is being answered. It is kept when this is dropped, answered or not.
pub(super) struct Entry<'a> {
    log: &'a Log,
    captured: Option<Captured>,
}

impl Entry<'_> {
    /// It was answered so.
    pub(super) fn answered(mut self, status: u16) {
        if let Some(captured) = &mut self.captured {
            captured.status = Some(status);
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if let Some(captured) = self.captured.take() {
            self.log.add(captured);
        }
    }
}

impl Pattern {
    /// Requests to an endpoint: `token`, `metadata`, ….
    pub fn at(endpoint: &str) -> Self {
        Self { endpoint: Some(endpoint.to_owned()), ..Self::default() }
    }

    /// With this parameter in the body, too.
    pub fn form(mut self, name: &str, value: &str) -> Self {
        self.form.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Refuses a time that is none, and a status that no answer has.
    pub(super) fn check(&self) -> Result<(), Refused> {
        match Duration::try_from_secs_f64(self.wait) {
            _ if self.status.is_some_and(|status| !(100..=599).contains(&status)) => {
                Err(Refused::invalid("status: is between 100 and 599"))
            }
            Ok(wait) if wait <= LONGEST_WAIT => Ok(()),
            _ => Err(Refused::invalid("wait: is between 0 and 60 seconds")),
        }
    }

    fn fits(&self, one: &Captured) -> bool {
        let holds = |wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>| {
            wanted.iter().all(|(name, value)| found.get(name) == Some(value))
        };
        let nothing = BTreeMap::new();
        one.n > self.after
            && self.endpoint.as_ref().is_none_or(|endpoint| *endpoint == one.endpoint)
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&one.method))
            && self.status.is_none_or(|status| one.status == Some(status))
            && holds(&self.query, &one.query)
            && self.headers.iter().all(|(name, value)| one.headers.get(&name.to_lowercase()) == Some(value))
            && holds(&self.form, one.form.as_ref().unwrap_or(&nothing))
    }
}

/// A request as it came, without its answer.
pub(super) fn captured(parts: &Parts, body: &Bytes, at: i64) -> Captured {
    let kind = parts.headers.get(axum::http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let is_kept = body.len() <= LONGEST_BODY;
    let is_json = kind.is_some_and(|kind| kind.contains("json"));
    Captured {
        n: 0,
        at,
        endpoint: endpoint_of(parts.uri.path()).to_owned(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        headers: headers(&parts.headers),
        form: (is_form && is_kept).then(|| pairs(body)),
        json: (is_json && is_kept).then(|| serde_json::from_slice(body).ok()).flatten(),
        status: None,
    }
}

fn pairs(encoded: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(encoded)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}
