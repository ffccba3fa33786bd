//! What an issuer is to be.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Refused;
use super::auto::Auto;
use super::description::Described;
use super::ready_made::{self, PASSWORD_HASH};
use crate::config::{
    self, ConfigErrors, ConfigSecret, Declared, DeclaredPassword, FoundFile, Outside, client_secret_variable,
};
use crate::protocol::{Issuer, PasswordHash};

/// Keys of the configuration that say where and how a server runs, which is not a test's to say.
const OURS: [&str; 15] = [
    "public_url",
    "issuer",
    "listen",
    "hosts",
    "trusted_proxies",
    "database_url",
    "database_url_file",
    "database_url_command",
    "key_file",
    "key_command",
    "key",
    "log",
    "fetch",
    "login",
    "env",
];

/// What an issuer is to be. Everything can be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerSpec {
    /// Its name in the path: lower-case letters, digits, hyphens. A fresh one unless given.
    pub name: Option<String>,
    /// Draws all chance from a sequence that is the same for the same seed. The clock then stands still from the start,
    /// at the same moment each time.
    pub seed: Option<u64>,
    /// Where its clock starts, in seconds since 1970; at the machine's time unless given.
    pub now: Option<i64>,
    /// Whether its clock stands still. It does when `now` or `seed` is given, and goes on like the machine's if not.
    pub frozen: Option<bool>,
    /// After how many seconds of the machine's clock it ends by itself.
    pub expires_in: Option<u64>,
    /// Where its first signing key comes from.
    pub keys: KeyChoice,
    /// Scheme, host and port by which it is reached; those of the process unless given. For a port that a container or a
    /// proxy has mapped.
    pub origin: Option<String>,
    /// The path of the issuer under its URL: `/oauth` unless given; `""` or `"/"` for one at the root of it.
    pub issuer_path: Option<String>,
    /// Whether tokens are issued for every MCP server on loopback, registered or not. They are unless this is false.
    pub loopback_resources: Option<bool>,
    /// The keys of a configuration file (`gatelet config example`), and beside them `password` of a user and `secret` of
    /// a client in clear.
    pub config: Map<String, Value>,
    /// Client id metadata documents by their URLs.
    pub documents: BTreeMap<String, Value>,
    /// Answers authorization requests at once, without a page.
    pub auto: Option<Auto>,
    /// The kind of broken or hostile server that it is to be.
    pub persona: Option<String>,
}

/// Where signing keys come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyChoice {
    /// A key of the repository, whose making costs nothing.
    #[default]
    Pool,
    /// A fresh key, whose making takes up to 200 ms.
    Fresh,
}

/// Reads the configuration of an issuer as that of a server in production is read, and so refuses what that refuses.
///
/// # Errors
/// Everything that is wrong with it, in one sentence each.
pub(super) fn describe(
    issuer: &Issuer,
    table: &Map<String, Value>,
    loopback_resources: bool,
) -> Result<Described, Refused> {
    if let Some(key) = table.keys().find(|key| OURS.contains(&key.as_str())) {
        return Err(Refused::invalid(format!("config.{key}: that is decided for the issuer of a test")));
    }
    let mut table = table.clone();
    ready_made::complete(&mut table);
    let passwords = taken_out(&mut table, "users", "username", "password")?;
    let secrets = taken_out(&mut table, "clients", "id", "secret")?;
    table.insert("public_url".to_owned(), issuer.public_url().page_url("").into());
    table.insert("issuer".to_owned(), issuer.as_str().into());
    let text = toml::to_string(&table).map_err(|error| Refused::invalid(format!("config: {error}")))?;
    let variables = secrets.iter().map(|(id, secret)| (client_secret_variable(id), secret.clone()));
    let mut config = config::load_from(Some(Path::new("config")), variables, &Given(text)).map_err(told)?;
    for user in &mut config.declared.users {
        let given = passwords.get(&user.username).cloned();
        if given.is_some() || user.password.is_none() {
            let usual = || DeclaredPassword::Hash(PasswordHash::from_stored(PASSWORD_HASH.to_owned()));
            let plain = |password: String| DeclaredPassword::Plain(ConfigSecret::new(&password));
            user.password = Some(given.map_or_else(usual, plain));
        }
    }
    config.policy.loopback_resources = loopback_resources;
    config.policy.rates = crate::protocol::Rates::on_loopback();
    Ok(Described { policy: config.policy, declared: config.declared })
}

/// What an issuer has of which nothing is said.
///
/// # Errors
/// Faults.
pub(crate) fn ready_made(issuer: &Issuer) -> Result<Declared, Refused> {
    Ok(describe(issuer, &Map::new(), true)?.declared)
}

/// Takes a member out of each item of a list; what it was, by the item's name.
fn taken_out(
    table: &mut Map<String, Value>,
    list: &str,
    name: &str,
    member: &str,
) -> Result<BTreeMap<String, String>, Refused> {
    let mut taken = BTreeMap::new();
    let items = table.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    for (i, item) in items.enumerate() {
        let Some(value) = item.as_object_mut().and_then(|item| item.remove(member)) else { continue };
        let not_a_text = || Refused::invalid(format!("config.{list}[{i}].{member}: must be a text"));
        let value = value.as_str().filter(|text| !text.is_empty()).ok_or_else(not_a_text)?.to_owned();
        if let Some(name) = item.get(name).and_then(Value::as_str) {
            taken.insert(name.to_owned(), value);
        }
    }
    Ok(taken)
}

fn told(errors: ConfigErrors) -> Refused {
    let sentences: Vec<String> = errors.problems().iter().map(without_line).collect();
    Refused::invalid(sentences.join("; "))
}

/// A problem without its line, which is that of a text that the test has never seen.
fn without_line(problem: &config::Problem) -> String {
    let text = problem.to_string();
    let rest = text.strip_prefix("config:").and_then(|rest| rest.split_once(": ")).map(|(_, rest)| rest);
    format!("config: {}", rest.unwrap_or(&text))
}

/// One file, and nothing else outside.
struct Given(String);

impl Outside for Given {
    fn read(&self, path: &Path) -> io::Result<FoundFile> {
        if path == Path::new("config") {
            return Ok(FoundFile { text: self.0.clone(), exposed: false });
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "the issuer of a test reads no files"))
    }

    fn run(&self, _command: &[String], _directory: &Path) -> Result<String, String> {
        Err("the issuer of a test runs no programs".to_owned())
    }
}
