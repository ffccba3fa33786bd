//! From names to addresses, each judged before it is dialled.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::FetchError;
use super::error::printable;
use super::target::judge_resolved;

/// Looks names up: the operating system, or a function that a test brings.
#[derive(Clone)]
pub struct Resolver(Source);

type LookUp = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

#[derive(Clone)]
enum Source {
    System,
    Given(Arc<LookUp>),
}

impl Resolver {
    /// The operating system's.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Knows these names, in lower case, and no other.
    pub fn fixed(names: HashMap<String, Vec<IpAddr>>) -> Self {
        Self::asking(move |name| names.get(name).cloned().unwrap_or_default())
    }

    /// Asks a function each time; no addresses mean that there is no such name.
    pub fn asking(look_up: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Source::Given(Arc::new(look_up)))
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, FetchError> {
        let found: Vec<_> = match &self.0 {
            Source::System => {
                let found = tokio::net::lookup_host((name, 0)).await;
                let found = found.map_err(|error| FetchError::Unresolved(printable(&error.to_string())))?;
                found.map(|address| address.ip()).collect()
            }
            Source::Given(look_up) => look_up(name),
        };
        if found.is_empty() { Err(FetchError::Unresolved("no address".to_owned())) } else { Ok(found) }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Resolver(system)",
            Source::Given(_) => "Resolver(given)",
        })
    }
}

/// The only resolver that the HTTP client knows. What it answers is what is dialled, so that a name cannot lead
/// elsewhere at a second look (DNS rebinding).
#[derive(Debug)]
pub(super) struct Vetted {
    pub(super) resolver: Resolver,
    pub(super) loopback: bool,
}

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, loopback) = (self.resolver.clone(), self.loopback);
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            // One bad address spoils the name: its owner decides in which order they are tried.
            for address in &addresses {
                judge_resolved(name.as_str(), *address, loopback)?;
            }
            // The port is the URL's.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
