//! Configuration of `gatelet serve`: one TOML file, the environment above it, and secrets from files and programs.
//!
//! [`load`] tells everything that is wrong at once, or gives a [`Config`] of plain, checked values. Each key is
//! documented where it is declared, one file for each section; [`example`] prints the same words.

mod check;
mod claims;
mod client_auth;
mod client_keys;
mod client_machine;
mod client_secrets;
mod clients;
mod duration;
mod environment;
mod example;
mod fetch;
mod hint;
mod introspection;
mod lifetimes;
mod log;
mod login;
mod outside;
mod people;
mod problem;
mod profiles;
mod reach;
mod read;
mod registration;
mod registration_tokens;
mod resources;
mod secret;
mod server;
#[cfg(test)]
mod tests;
mod values;
mod variable_path;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

pub use client_secrets::secret_variable as client_secret_variable;
pub use clients::DeclaredClient;
pub use duration::{MalformedDuration, parse as parse_duration};
pub use example::example;
pub use fetch::FetchConfig;
pub use log::{LogConfig, LogFormat, LogLevel};
pub use login::LoginConfig;
pub use outside::{FoundFile, Machine, Outside};
pub use people::{DeclaredMembership, DeclaredPassword, DeclaredUser};
pub use problem::{ConfigErrors, Problem};
pub use profiles::{PROFILES, Profile, environment_lines};
pub use reach::{misleading, unheard};
pub use registration_tokens::DeclaredRegistrationToken;
pub use secret::ConfigSecret;
pub use server::KeySource;

use check::Check;
use clients::Known;
use environment::Environment;
use problem::{Origin, Place, Problems};
use read::{Reader, Section};
use server::RawConfig;

use crate::protocol::{Issuer, Network, Policy, Resource, Role, Scope, Tenant};

/// The file that is read when none is named and it is there.
pub const DEFAULT_FILE: &str = "gatelet.toml";

/// The configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the server does and allows.
    pub policy: Policy,
    /// The addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// Further names by which requests may address the server, in lower case, without port.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// `sqlite:<absolute path>` or `postgres://…`; may hold a password.
    pub database_url: ConfigSecret,
    /// Where the key-encryption key comes from.
    pub key: KeySource,
    /// How people log in.
    pub login: LoginConfig,
    /// How the server fetches from strangers.
    pub fetch: FetchConfig,
    /// What the server says while it runs.
    pub log: LogConfig,
    /// What the store is to hold.
    pub declared: Declared,
    /// What the operator should know of.
    pub warnings: Vec<Problem>,
}

/// What the configuration declares, to be reconciled with the store at every start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Roles.
    pub roles: Vec<Role>,
    /// People.
    pub users: Vec<DeclaredUser>,
    /// MCP servers.
    pub resources: Vec<Resource>,
    /// Clients.
    pub clients: Vec<DeclaredClient>,
    /// Initial access tokens.
    pub registration_tokens: Vec<DeclaredRegistrationToken>,
}

/// Reads and checks the configuration.
///
/// `path` is the file; else `GATELET_CONFIG` in `variables` names it; else it is [`DEFAULT_FILE`] in the working
/// directory if that is there; else the variables are all there is. `variables` is the environment: what begins with
/// `GATELET_` is read, whatever else there is is left alone.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn load(
    path: Option<&Path>,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigErrors> {
    load_from(path, variables, &Machine)
}

/// [`load`], with files and programs from `outside`.
///
/// # Errors
/// As [`load`].
pub fn load_from(
    path: Option<&Path>,
    variables: impl Iterator<Item = (String, String)>,
    outside: &dyn Outside,
) -> Result<Config, ConfigErrors> {
    let environment = Environment::new(variables);
    let (file, found) = read_file(path, environment.config.as_deref(), outside)?;
    let text = found.text;
    let mut problems = Problems::new(file.clone());
    let (mut document, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        // The parser's own rendering would repeat the line, which may hold a secret.
        let line = error.span().map_or(1, |span| read::line(&text, span.start));
        problems.error(&Place { path: String::new(), origin: Origin::File(line) }, error.message());
    }
    if problems.has_errors() {
        // What could not be read would only seem to be missing.
        return problems.finish(None).map(|(config, _)| config);
    }
    let paths = environment.overlay(document.get_mut(), RawConfig::KEYS.keys, &mut problems);
    let mut reader = Reader { text: &text, variables: &paths, problems: &mut problems };
    let raw: RawConfig = reader.document(Spanned::get_ref(&document));
    let directory = file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let directory = std::path::absolute(directory.join(".")).unwrap_or_else(|_| directory.to_owned());
    let mut check = Check { problems: &mut problems, directory: &directory, exposed: found.exposed, outside };
    let config = raw.check(&mut check, environment.client_secrets);
    let (config, warnings) = problems.finish(config)?;
    Ok(Config { warnings, ..config })
}

fn read_file(
    path: Option<&Path>,
    variable: Option<&str>,
    outside: &dyn Outside,
) -> Result<(Option<PathBuf>, FoundFile), ConfigErrors> {
    let named = path.or(variable.map(Path::new));
    let file = named.unwrap_or(Path::new(DEFAULT_FILE));
    match outside.read(file) {
        Ok(found) => Ok((Some(file.to_owned()), found)),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            Ok((None, FoundFile::default()))
        }
        Err(error) => {
            let mut problems = Problems::new(Some(file.to_owned()));
            let message =
                format!("cannot read the configuration: {error}; `gatelet config example` prints one");
            problems.error(&Place::default(), message);
            problems.finish(None).map(|(found, _)| found)
        }
    }
}

impl RawConfig {
    fn check(
        mut self,
        check: &mut Check<'_>,
        client_secrets: std::collections::BTreeMap<String, String>,
    ) -> Option<Config> {
        let issuer = self.issuer(check);
        let lifetimes = self.lifetimes.0.check(check);
        let tenants = people::tenants(check, &self.tenants);
        let roles = people::roles(check, &self.roles);
        let users = people::users(check, std::mem::take(&mut self.users), &tenants, &roles);
        let claims = self.claims.0.check(check);
        let resources = resources::resources(check, &self.resources, &tenants, &roles, &claims);
        let known = resources::known_scopes(resources.iter());
        let tokens = std::mem::take(&mut self.registration.0.tokens);
        let registration_tokens = registration_tokens::registration_tokens(check, tokens, &known);
        let registration = self.registration.0.check(check, &known);
        let raw_clients = std::mem::take(&mut self.clients);
        clients::refuse_ids_of_people(check, &raw_clients, &users);
        let loopback = issuer.as_ref().is_some_and(Issuer::is_loopback);
        let known = Known { tenants: &tenants, resources: &resources, loopback };
        let clients = clients::clients(check, raw_clients, client_secrets, known);
        let default_resource = match (&self.default_resource, &resources[..]) {
            (Some(written), resources) => resources::resource_reference(check, written, resources),
            (None, [only]) => Some(only.uri.clone()),
            (None, _) => None,
        };
        let scopes_supported = scopes_supported(&resources, registration.scopes.as_ref());
        let listen = self.listen(check);
        let introspection = self.introspection(check, issuer.as_ref(), &listen);
        if let Some(issuer) = &issuer {
            self.warn_of_misfits(check, issuer, &listen);
        }
        Some(Config {
            listen,
            hosts: self.hosts(check),
            trusted_proxies: self.trusted_proxies(check),
            database_url: self.database_url(check),
            key: self.key(check),
            login: self.login.0.check(check),
            fetch: self.fetch.0.check(check),
            log: self.log.0.check(check),
            declared: Declared { tenants, roles, users, resources, clients, registration_tokens },
            warnings: Vec::new(),
            policy: Policy {
                issuer: issuer?,
                lifetimes,
                registration: registration.mode,
                registration_scopes: registration.scopes,
                max_unused_clients: registration.max_unused,
                rates: registration.rates,
                client_documents: self.client_documents(check),
                introspection,
                loopback_resources: false,
                default_resource,
                claims,
                scopes_supported,
            },
        })
    }
}

/// What a stranger may ask for: what resources know, within the ceiling of self-registered clients.
fn scopes_supported(resources: &[Resource], ceiling: Option<&Scope>) -> Scope {
    Policy::nameable_scopes(&resources::known_scopes(resources.iter()), ceiling)
}
