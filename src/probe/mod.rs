//! `gatelet probe`: the authorization server and the attacker of somebody's MCP server.
//!
//! It has an issuer of [test mode](crate::zoo) sign tokens, good ones and the whole zoo, sends them to an MCP server that
//! trusts that issuer, and says what the server wrongly accepts and wrongly refuses, by which section, and what to do
//! about it. What cannot be seen from outside it says too.
//!
//! A named exception among the modules: it dials the MCP server and the control plane that the person at the command
//! line names, and nobody else.

mod answer;
mod challenge;
mod checks;
mod child;
mod control;
mod door;
mod format;
mod http;
mod listener;
mod mcp;
mod report;

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use answer::{Answer, Session};
use checks::place::Place;
use checks::tokens::Known;
pub use checks::tools::ToolScope;
use checks::{discovery, keys, tokens, tools, usage};
pub use child::Child;
pub use control::Issuer;
use door::Door;
pub use format::Format;
use mcp::{Call, McpServer, Sent};
pub use report::{Check, Outcome, Report, Tally};
use report::{Rule, quoted};

/// The endpoint that servers ask about tokens (RFC 7662), as the control plane names it.
const INTROSPECT: &str = "introspect";

/// What is probed, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The URL of the MCP server, as the probe reaches it.
    pub target: String,
    /// The URL as clients are given it, if that is another: the server's `resource` and the audience of its tokens.
    pub resource: Option<String>,
    /// A scope that every request at the server needs; without it the server's own word counts.
    pub scope: Option<String>,
    /// The tenant that the server belongs to, if it belongs to one.
    pub tenant: Option<String>,
    /// The person for whom the tokens are; the control plane's choice unless given.
    pub user: Option<String>,
    /// Tools that need a scope of their own.
    pub tools: Vec<ToolScope>,
    /// How long the server may take to notice that the issuer's keys are others.
    pub key_patience: Duration,
    /// How long it may take for one answer.
    pub timeout: Duration,
}

/// Why a server could not be probed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No HTTP client could be set up.
    #[error("no HTTP client: {}", http::told(.0))]
    Http(reqwest::Error),
    /// The URL is none of a server.
    #[error("{0}: not an http or https URL without a fragment")]
    Target(String),
    /// The MCP server does not answer.
    #[error("{url}: {why}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        why: String,
    },
    /// What answers is no MCP server.
    #[error("{url} does not answer as an MCP server does: a good token got {answer}{hint}")]
    NotMcp {
        /// Where it should be.
        url: String,
        /// What came.
        answer: String,
        /// What may be the reason.
        hint: &'static str,
    },
    /// The MCP server answered, and does not any more.
    #[error("{url} stopped answering after {after} was sent: {why}")]
    Fell {
        /// Where it was.
        url: String,
        /// The check that was the last.
        after: String,
        /// What happened.
        why: String,
    },
    /// Somebody wanted it to stop.
    #[error("stopped")]
    Stopped,
    /// Nothing was asked.
    #[error("the MCP server was not asked")]
    NoAnswer,
    /// The control plane does not do what it was asked for.
    #[error("control plane: {0}")]
    Control(String),
    /// The probe cannot listen.
    #[error("cannot listen on loopback: {0}")]
    Listen(std::io::Error),
    /// The MCP server's command cannot be run.
    #[error("{command}: {source}")]
    Command {
        /// The program.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// A server answers before the command was started.
    #[error("something answers at {0} already, which the command has not started")]
    Taken(String),
    /// The MCP server's command ended.
    #[error("{command} ended before {url} answered: {status}")]
    Ended {
        /// The program.
        command: String,
        /// Where it should have answered.
        url: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The MCP server's command runs and does not answer.
    #[error("{command} runs, and nothing answers at {url} after {seconds} s")]
    Silent {
        /// The program.
        command: String,
        /// Where it should have answered.
        url: String,
        /// How long it had.
        seconds: u64,
    },
}

/// The tokens that are asked for.
#[derive(Clone, Debug)]
struct Wanted {
    resource: String,
    user: Option<String>,
    scope: Option<String>,
    tenant: Option<String>,
}

impl Wanted {
    /// As the control plane takes it.
    fn body(&self) -> Map<String, Value> {
        let members = [
            ("resource", Some(&self.resource)),
            ("user", self.user.as_ref()),
            ("scope", self.scope.as_ref()),
            ("tenant", self.tenant.as_ref()),
        ];
        members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.clone().into())))
            .collect()
    }

    fn is_loopback(&self) -> bool {
        is_loopback(&self.resource)
    }
}

/// Whether a URL leads to this machine.
fn is_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    })
}

/// What came out so far.
#[derive(Debug, Default)]
struct Findings(Vec<Check>);

impl Findings {
    fn add(&mut self, check: Check) {
        self.0.push(check);
    }

    fn extend(&mut self, checks: impl IntoIterator<Item = Check>) {
        self.0.extend(checks);
    }
}

const VALID: Rule = Rule::new(
    "token/valid",
    "RFC 9068 §4",
    "A good access token for this server is accepted; without that nothing can be said of bad ones.",
    "Configure issuer, audience and JWKS of the server as the issuer's metadata and the server's own URL say.",
);

/// Probes a server that trusts `issuer`, until that is done or `stop` is. The issuer's keys are exchanged meanwhile; in
/// the end, whichever it was, the issuer is as it was before.
///
/// # Errors
/// The server cannot be reached or is none, or the control plane does not do what is asked.
pub async fn run(
    settings: &Settings,
    issuer: &Issuer,
    stop: impl Future<Output = ()>,
) -> Result<Report, ProbeError> {
    for url in [Some(&settings.target), settings.resource.as_ref()].into_iter().flatten() {
        check_target(url)?;
    }
    let snapshot = issuer.snapshot().await?;
    let mut findings = Findings::default();
    let checked = tokio::select! {
        checked = check(settings, issuer, &mut findings) => checked,
        () = stop => Err(ProbeError::Stopped),
    };
    issuer.restore(&snapshot).await?;
    checked?;
    Ok(Report { target: settings.target.clone(), issuer: issuer.issuer.clone(), checks: findings.0 })
}

async fn check(settings: &Settings, issuer: &Issuer, findings: &mut Findings) -> Result<(), ProbeError> {
    let server = McpServer::at(&settings.target, settings.timeout)?;
    let first = stranger(&server).await?;
    let place = Place::new(settings, &issuer.issuer);
    let found = discovery::check(&server, &place, &first, findings).await?;
    let wanted = Wanted {
        resource: found.resource.unwrap_or_else(|| place.resource.to_owned()),
        user: settings.user.clone(),
        scope: settings.scope.clone().or(found.scope),
        tenant: settings.tenant.clone(),
    };
    if !wanted.is_loopback() {
        issuer.add_resource(&wanted).await?;
    }
    let asked_before = issuer.last_request(INTROSPECT).await?;
    let good = issuer.token(&wanted).await?;
    let door = match Door::find(server, &good, first.is_success()).await? {
        Ok(door) => door,
        Err(answer) if answer.is_refusal() => {
            let audience = quoted(&wanted.resource);
            findings.add(VALID.broken(format!("refused: {}; its `aud` is {audience}", answer.told())));
            return Ok(());
        }
        Err(answer) => {
            let (url, hint) = (settings.target.clone(), hint(answer.status));
            return Err(ProbeError::NotMcp { url, answer: answer.told(), hint });
        }
    };
    let known = Known {
        wanted: &wanted,
        scope_is_demanded: settings.scope.is_some() || found.scope_is_demanded,
        introspects: issuer.last_request(INTROSPECT).await? > asked_before,
    };
    tokens::check(issuer, &door, known, findings).await?;
    usage::check(&door, &good, findings).await?;
    tools::check(issuer, &door, known, &settings.tools, findings).await?;
    keys::check(issuer, &door, &wanted, settings.key_patience, findings).await
}

/// The answer to a request without a token. A server that speaks 2026-07-28 alone may say so before it asks who is there.
async fn stranger(server: &McpServer) -> Result<Answer, ProbeError> {
    let answer = server.call(Call::Initialize, Sent::Without, &Session::default()).await?;
    if answer.is_success() || answer.is_refusal() {
        return Ok(answer);
    }
    let other = server.call(Call::ListToolsStateless, Sent::Without, &Session::default()).await?;
    Ok(if other.is_refusal() { other } else { answer })
}

/// What may be the reason that something is no MCP server.
fn hint(status: u16) -> &'static str {
    match status {
        300..400 => "; give the URL to which it redirects",
        404 => "; is the path right?",
        405 => "; MCP over Streamable HTTP takes POST there (HTTP+SSE of 2024-11-05 is not probed)",
        500.. => "; that is a fault of the server's own, which its log may tell",
        _ => "",
    }
}

fn check_target(target: &str) -> Result<(), ProbeError> {
    let url = Url::parse(target).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
        .map(drop)
        .ok_or_else(|| ProbeError::Target(target.to_owned()))
}
