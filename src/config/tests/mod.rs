//! Whole configurations, good and bad, without files, programs or a real environment.

mod addresses;
mod environment;
mod example;
mod introspection;
mod profiles;
mod refused;
mod secrets;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::protocol::{ClientDocuments, Lifetimes, Rate, Rates, RegistrationMode};

const URL: &str = "public_url = \"https://id.example\"\n";

/// Files (with whether others may read them) and programs that exist only here.
#[derive(Default)]
struct Pretended {
    files: HashMap<&'static str, (String, bool)>,
    programs: HashMap<&'static str, Result<&'static str, &'static str>>,
}

impl Pretended {
    fn config(text: &str) -> Self {
        Self::default().file("/etc/gatelet.toml", text)
    }

    fn file(mut self, path: &'static str, text: &str) -> Self {
        self.files.insert(path, (text.to_owned(), false));
        self
    }

    fn exposed(mut self, path: &'static str, text: &str) -> Self {
        self.files.insert(path, (text.to_owned(), true));
        self
    }

    fn program(mut self, words: &'static str, output: Result<&'static str, &'static str>) -> Self {
        self.programs.insert(words, output);
        self
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        self.load_path(Some("/etc/gatelet.toml"), variables)
    }

    fn load_path(&self, path: Option<&str>, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load_from(path.map(Path::new), variables, self)
    }

    fn errors(&self, variables: &[(&str, &str)]) -> String {
        self.load(variables).unwrap_err().to_string().replace("/etc/gatelet.toml", "f")
    }
}

impl Outside for Pretended {
    fn read(&self, path: &Path) -> io::Result<FoundFile> {
        let found = path.to_str().and_then(|path| self.files.get(path));
        let (text, exposed) = found.cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(FoundFile { text, exposed })
    }

    fn run(&self, command: &[String], directory: &Path) -> Result<String, String> {
        assert_eq!(directory, Path::new("/etc"));
        let output = self.programs.get(command.join(" ").as_str()).ok_or("not there")?;
        output.map(str::to_owned).map_err(str::to_owned)
    }
}

/// Every error of a configuration that begins with a good `public_url` in line 1.
fn errors(text: &str) -> String {
    Pretended::config(&format!("{URL}{text}")).errors(&[])
}

fn good(text: &str) -> Config {
    Pretended::config(&format!("{URL}{text}")).load(&[]).unwrap()
}

fn warnings(config: &Config) -> Vec<String> {
    config.warnings.iter().map(|warning| warning.to_string().replace("/etc/gatelet.toml", "f")).collect()
}

#[test]
fn a_public_url_is_enough() {
    let config = good("");
    assert_eq!(config.policy.issuer.as_str(), "https://id.example/oauth");
    assert_eq!(config.policy.lifetimes, Lifetimes::default());
    assert_eq!(config.policy.registration, RegistrationMode::Open);
    assert_eq!(config.policy.client_documents, ClientDocuments::Any);
    assert_eq!(config.fetch.ca_file, None);
    assert!(!config.policy.loopback_resources);
    assert_eq!(config.policy.scopes_supported.to_string(), "openid offline_access");
    assert_eq!(config.listen, ["127.0.0.1:8710".parse().unwrap(), "[::1]:8710".parse().unwrap()]);
    assert_eq!(config.database_url.expose_secret(), "sqlite:/etc/gatelet.db");
    assert_eq!(config.key, KeySource::Directory("/etc/keys".into()));
    assert_eq!(config.declared, Declared::default());
    assert_eq!(warnings(&config), [""; 0]);
}

#[test]
fn the_file_is_the_named_one_or_the_one_here_or_none() {
    let here =
        Pretended::default().file("gatelet.toml", URL).file("/a/b.toml", "issuer = \"https://b.example\"");
    assert_eq!(here.load_path(None, &[]).unwrap().policy.issuer.as_str(), "https://id.example/oauth");
    let named = here.load_path(None, &[("GATELET_CONFIG", "/a/b.toml")]).unwrap();
    assert_eq!(named.policy.issuer.as_str(), "https://b.example");
    assert_eq!(named.database_url.expose_secret(), "sqlite:/a/gatelet.db");
    let missing = here.load_path(Some("/c.toml"), &[]).unwrap_err().to_string();
    assert_eq!(
        missing,
        "/c.toml: cannot read the configuration: entity not found; `gatelet config example` prints one"
    );
    let nothing = Pretended::default();
    assert!(nothing.load_path(None, &[("GATELET_PUBLIC_URL", "https://id.example")]).is_ok());
    assert_eq!(
        nothing.load_path(None, &[]).unwrap_err().to_string(),
        "public_url: missing: where people and clients reach this server, such as \"https://id.example.com\" (or \
         GATELET_PUBLIC_URL); there is no gatelet.toml here, `gatelet config example` prints one"
    );
}

#[test]
fn registrations_are_limited_as_configured() {
    let policy = good("").policy;
    assert_eq!((policy.max_unused_clients, policy.rates), (10_000, Rates::default()));
    let config = good(
        "trusted_proxies = [\"10.0.0.0/8\"]\n[registration]\nmax_unused = 7\nrate = \"5/1m30s\"\n\
         total_rate = \"50/1h\"",
    );
    assert_eq!(config.trusted_proxies, [Network::parse("10.0.0.0/8").unwrap()]);
    assert_eq!(config.policy.max_unused_clients, 7);
    assert_eq!(config.policy.rates.registrations, Rate::new(5, Duration::from_secs(90)));
    assert_eq!(config.policy.rates.registrations_in_all, Rate::new(50, Duration::from_secs(3600)));
    assert_eq!(config.policy.rates.wrong_secrets, Rates::default().wrong_secrets);
}

#[test]
fn the_ceiling_of_registered_clients_bounds_what_metadata_names() {
    let config = good(
        "[registration]\nscopes = [\"a\", \"z\"]\n[[resources]]\nuri = \"https://m.example\"\n\
         scopes = [{ name = \"a\" }, { name = \"b\" }]",
    );
    assert_eq!(config.policy.scopes_supported.to_string(), "a offline_access");
    assert_eq!(config.policy.default_resource.as_ref().unwrap().as_str(), "https://m.example");
    assert_eq!(warnings(&config), ["f:3: registration.scopes[1]: no resource knows the scope `z`"]);
}

#[test]
fn client_documents_are_anybodys_nobodys_or_those_of_some_hosts() {
    let hosts = |hosts: &[&str]| ClientDocuments::Hosts(hosts.iter().map(|&host| host.to_owned()).collect());
    for (written, expected) in [
        ("\"any\"", ClientDocuments::Any),
        ("\"off\"", ClientDocuments::Off),
        ("[\"Client.Example.com\", \"localhost\"]", hosts(&["client.example.com", "localhost"])),
        ("\"client.example.com\"", hosts(&["client.example.com"])),
    ] {
        assert_eq!(good(&format!("client_documents = {written}")).policy.client_documents, expected);
    }
    let variable = |value| Pretended::config(URL).load(&[("GATELET_CLIENT_DOCUMENTS", value)]);
    for (value, expected) in [
        ("any", ClientDocuments::Any),
        ("off", ClientDocuments::Off),
        ("a.example, B.example", hosts(&["a.example", "b.example"])),
    ] {
        assert_eq!(variable(value).unwrap().policy.client_documents, expected);
    }
    let choice =
        "must be \"any\", \"off\" or a list of host names without port, such as [\"client.example.com\"]";
    for wrong in
        ["On", "client.example.com:443", "https://client.example.com", "client.example.com.", "a b.example"]
    {
        let found = errors(&format!("client_documents = [\"{wrong}\"]"));
        assert_eq!(found, format!("f:2: client_documents[0]: {choice}"), "{wrong}");
    }
    assert_eq!(
        errors("client_documents = [\"client.example.com\", \"any\"]"),
        format!("f:2: client_documents[1]: {choice}")
    );
    assert_eq!(
        errors("client_documents = []"),
        "f:2: client_documents: names no host; \"off\" is for no documents"
    );
    assert_eq!(
        errors("client_documents = 1"),
        "f:2: client_documents: must be a list of texts, not of type integer"
    );
}

#[test]
fn a_file_of_authorities_is_relative_to_the_configuration() {
    assert_eq!(good("[fetch]\nca_file = \"ca.pem\"").fetch.ca_file, Some("/etc/ca.pem".into()));
    assert_eq!(good("[fetch]\nca_file = \"/ssl/ca.pem\"").fetch.ca_file, Some("/ssl/ca.pem".into()));
}
