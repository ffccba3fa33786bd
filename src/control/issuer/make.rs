//! Making an issuer as a test has specified it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::{Beginning, Parts, TestIssuer, remove_files};
use crate::clock::Clock;
use crate::control::answer::Refused;
use crate::control::description::Description;
use crate::control::spec::{IssuerSpec, KeyChoice};
use crate::control::{document, personas, time};
use crate::fetch::{Fetcher, Supplied};
use crate::http::SiteFacts;
use crate::pages::{self, ModeNotice};
use crate::protocol::{Issuer, PublicUrl};
use crate::random::Random;
use crate::tokens::{NewKeys, TestKeyPool};

/// Where the clock starts of an issuer with a seed and nothing else: 2027-01-15 08:00:00 UTC.
pub(crate) const START: i64 = 1_800_000_000;
/// The connections that read a database: a test asks for little, each takes a thread and a reading of the schema, and many
/// issuers share the files that a process may open.
const READERS: u32 = 1;

/// From where a server can be reached.
#[derive(Clone, Debug, Default)]
pub(in crate::control) struct Reach {
    /// Further host names by which requests may address it, in lower case.
    pub(in crate::control) hosts: HashSet<String>,
    /// Whether other machines may reach it.
    pub(in crate::control) exposed: bool,
}

/// What a new issuer is made of.
pub(in crate::control) struct Foundation {
    pub(in crate::control) name: String,
    pub(in crate::control) public_url: PublicUrl,
    pub(in crate::control) control_url: String,
    pub(in crate::control) reach: Reach,
    pub(in crate::control) stem: PathBuf,
    /// A database with the schema, to be copied.
    pub(in crate::control) template: PathBuf,
    /// The test keys that all issuers share.
    pub(in crate::control) test_keys: TestKeyPool,
}

impl TestIssuer {
    /// Makes a server as the spec says, in front of a copy of the template.
    ///
    /// # Errors
    /// The spec makes no sense.
    pub(in crate::control) async fn make(foundation: Foundation, spec: IssuerSpec) -> Result<Self, Refused> {
        let Foundation { name, public_url, control_url, reach, stem, template, test_keys } = foundation;
        let text = public_url.page_url(spec.issuer_path.as_deref().unwrap_or("/oauth"));
        let issuer = Issuer::within(&public_url, &text);
        let issuer = issuer.map_err(|error| Refused::invalid(format!("issuer_path: {error}")))?;
        personas::check(spec.persona.as_deref())?;
        spec.documents.keys().try_for_each(|url| document::check(url))?;
        let documents = spec.documents.iter();
        let documents = documents.map(|(url, body)| (url.clone(), Supplied::document(body.to_string())));
        let new_keys = match spec.keys {
            KeyChoice::Pool => NewKeys::TestKeys(test_keys.share(spec.seed)),
            KeyChoice::Fresh => NewKeys::Generated,
        };
        let parts = Parts {
            clock: clock(&spec)?,
            random: spec.seed.map_or_else(Random::system, Random::seeded),
            fetcher: Fetcher::supplied(documents.collect::<HashMap<_, _>>()),
            facts: SiteFacts {
                hosts: reach.hosts,
                mode_notice: Some(ModeNotice { mode: pages::Mode::Test, exposed: reach.exposed }),
                ..SiteFacts::default()
            },
            new_keys,
            connections: READERS,
        };
        let loopback_resources = spec.loopback_resources.unwrap_or(true);
        let description = Description::Table { config: spec.config, loopback_resources };
        let file = stem.with_extension("0.db");
        std::fs::copy(template, &file)?;
        let begun = Self::begin(Beginning {
            name,
            issuer,
            control_url: Some(control_url),
            description,
            parts,
            database: format!("sqlite:{}", file.display()),
            stem: stem.clone(),
            expires_in: spec.expires_in,
        });
        let issuer = begun.await.inspect_err(|_| remove_files(&stem))?;
        issuer.set_auto(spec.auto);
        issuer.put_on(spec.persona.as_deref())?;
        Ok(issuer)
    }
}

fn clock(spec: &IssuerSpec) -> Result<Clock, Refused> {
    let given = spec.now.or(spec.seed.map(|_| START));
    let start = match given {
        Some(now) => time::moment(now)?,
        None => Clock::system().now(),
    };
    let frozen = spec.frozen.unwrap_or(given.is_some());
    Ok(if frozen { Clock::fixed(start) } else { Clock::running_from(start) })
}
