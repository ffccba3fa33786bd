//! One request, from the look-up of the name to the last byte, within every limit.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::budget::Budget;
use super::flights::Flights;
use super::freshness::fresh_for;
use super::resolver::Vetted;
use super::target::Target;
use super::{FetchError, FetchOptions, FetchSetupError, Fetched};

/// Fetches at once, whatever their hosts.
const MAX_AT_ONCE: usize = 8;

/// Fetches over the network.
#[derive(Debug)]
pub(super) struct Network {
    client: Client,
    loopback: bool,
    deadline: Duration,
    budget: Budget,
    slots: Semaphore,
    flights: Flights,
}

impl Network {
    pub(super) fn new(options: FetchOptions) -> Result<Self, FetchSetupError> {
        let FetchOptions { loopback, ca_file, resolver, clock, deadline } = options;
        let extra = ca_file.as_deref().map_or(Ok(Vec::new()), certificates)?;
        let vetted = Arc::new(Vetted { resolver, loopback });
        Ok(Self {
            client: client(&vetted, &extra, ca_file.as_deref())?,
            loopback,
            deadline,
            budget: Budget::new(clock),
            slots: Semaphore::new(MAX_AT_ONCE),
            flights: Flights::default(),
        })
    }

    /// Fetches a document, or waits for the fetch of it that is under way.
    pub(super) async fn json(self: &Arc<Self>, url: &str, longest: usize) -> Result<Fetched, FetchError> {
        let target = Target::parse(url, self.loopback).inspect_err(|error| {
            // It may hold anything and lead anywhere: no word of it.
            tracing::info!(%error, "a document was not fetched");
        })?;
        let network = self.clone();
        self.flights.join(url, longest, || async move { network.fetch(target, longest).await }).await
    }

    async fn fetch(&self, target: Target, longest: usize) -> Result<Fetched, FetchError> {
        let host = target.host.clone();
        let outcome = self.within_limits(target, longest).await;
        if let Err(error) = &outcome {
            tracing::info!(host, %error, "a document was not fetched");
        }
        outcome
    }

    async fn within_limits(&self, target: Target, longest: usize) -> Result<Fetched, FetchError> {
        if !self.budget.take(&target.host) {
            return Err(FetchError::Budget);
        }
        let deadline = Instant::now() + self.deadline;
        // Who had to wait for a turn and is late has us to blame.
        let (_slot, late) = match self.slots.try_acquire() {
            Ok(slot) => (slot, FetchError::TimedOut),
            Err(_) => match timeout_at(deadline, self.slots.acquire()).await {
                Ok(Ok(slot)) => (slot, FetchError::Busy),
                Ok(Err(_)) | Err(_) => return Err(FetchError::Busy),
            },
        };
        timeout_at(deadline, self.request(target, longest)).await.unwrap_or(Err(late))
    }

    async fn request(&self, target: Target, longest: usize) -> Result<Fetched, FetchError> {
        let response = self.client.get(target.url).send().await.map_err(FetchError::of_request)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        judge_headers(response.headers())?;
        let fresh_for = fresh_for(response.headers());
        Ok(Fetched { body: body(response, longest).await?, fresh_for })
    }
}

fn judge_headers(headers: &HeaderMap) -> Result<(), FetchError> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !media_type.is_some_and(is_json) {
        return Err(FetchError::MediaType);
    }
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(identity) { Ok(()) } else { Err(FetchError::Encoded) }
}

/// `application/json` or `application/<something>+json`, with or without parameters.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or(media_type).trim().to_ascii_lowercase();
    let Some(subtype) = essence.strip_prefix("application/") else { return false };
    subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty())
}

/// The body, counted while it is read: what it says of its length is not believed.
async fn body(mut response: Response, longest: usize) -> Result<Bytes, FetchError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchError::of_request)? {
        if body.len() + chunk.len() > longest {
            return Err(FetchError::TooLarge(longest));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// An HTTP client that goes nowhere by itself: no redirects, no proxy, no second try, no second look at a name. A
/// connection serves one request, so that each begins with an address that was judged for it.
fn builder(vetted: &Arc<Vetted>) -> ClientBuilder {
    Client::builder()
        .dns_resolver(vetted.clone())
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        .pool_max_idle_per_host(0)
        .user_agent(concat!("gatelet/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
}

/// The client, trusting the machine's certificate authorities and `extra`. A machine without any is no reason not to
/// start: then `extra` are all there are.
fn client(
    vetted: &Arc<Vetted>,
    extra: &[Certificate],
    file: Option<&Path>,
) -> Result<Client, FetchSetupError> {
    let machine = match builder(vetted).tls_certs_merge(extra.iter().cloned()).build() {
        Ok(client) => return Ok(client),
        Err(error) => FetchError::of_request(error),
    };
    match (builder(vetted).tls_certs_only(extra.iter().cloned()).build(), file) {
        (Ok(client), _) => {
            tracing::warn!(
                "this machine has no certificate authorities that could be read ({machine}): documents from \
                 strangers' https addresses will not be fetched; install ca-certificates"
            );
            Ok(client)
        }
        (Err(_), Some(file)) => Err(unusable(file, "holds something that is no certificate")),
        (Err(error), None) => Err(FetchSetupError::Tls(FetchError::of_request(error).to_string())),
    }
}

/// The certificates in a PEM file.
fn certificates(file: &Path) -> Result<Vec<Certificate>, FetchSetupError> {
    let text = std::fs::read(file).map_err(|error| unusable(file, &error.to_string()))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unusable(file, "holds no certificate in PEM")),
        Err(_) => Err(unusable(file, "holds something that is no certificate")),
    }
}

fn unusable(file: &Path, why: &str) -> FetchSetupError {
    FetchSetupError::CaFile { path: file.display().to_string(), why: why.to_owned() }
}
