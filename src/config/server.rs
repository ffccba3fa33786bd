//! The whole file: its top-level keys and its sections.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::check::{Check, SecretSources};
use super::claims::RawClaims;
use super::clients::RawClient;
use super::fetch::RawFetch;
use super::lifetimes::RawLifetimes;
use super::log::RawLog;
use super::login::RawLogin;
use super::people::{RawRole, RawTenant, RawUser};
use super::problem::{Origin, Place};
use super::reach::{misleading, unheard};
use super::read::Example::{Instead, Section, Value, Words};
use super::read::{Section as _, section};
use super::registration::RawRegistration;
use super::resources::RawResource;
use super::secret::ConfigSecret;
use super::values::{Command, FromEnvironment, Table, Text, Texts, WordOrTexts, Written};
use crate::protocol::{Issuer, Network, PublicUrl};
use crate::tokens::KeyEncryptionKey;

section! {
    /// Configuration of `gatelet serve`.
    RawConfig {
        /// Where people and clients reach this server. It has a path if a proxy serves it beside other things on one
        /// origin, as in `https://example.com/auth`: then pages and endpoints lie under that path. Default: the origin
        /// of `issuer`; one of the two is required.
        public_url: Text = Value(r#""https://id.example.com""#),
        /// The identifier of this server in metadata and tokens. Clients compare it byte for byte, and every
        /// resource server is configured with it, so it cannot be changed later without touching all of them. It
        /// lies under `public_url`. Default: `<public_url>/oauth`.
        issuer: Text = Value(r#""https://id.example.com/oauth""#),
        /// The addresses to listen on. Default: the two below. For a container: `["0.0.0.0:8710"]`.
        listen: Texts = Value(r#"["127.0.0.1:8710", "[::1]:8710"]"#),
        /// Further host names, without port, by which requests may address this server. The host of `public_url` and
        /// loopback names need not be listed.
        hosts: Texts = Value(r#"["id.internal"]"#),
        /// Reverse proxies in front of this server: addresses or ranges of them. The address of whom they got a
        /// request from, which they add to `X-Forwarded-For`, is used for limits and the log; from anybody else the
        /// header is ignored. Without this, everybody behind a proxy shares its limits. Default: none.
        trusted_proxies: Texts = Value(r#"["127.0.0.1", "::1", "10.0.0.0/8"]"#),
        /// The database: `sqlite:<path>` or `postgres://…`. Default: `sqlite:gatelet.db`. Like every path in this
        /// file, it is relative to the directory of this file.
        database_url: Option<Written<ConfigSecret>> = Value(r#""sqlite:gatelet.db""#),
        /// A file that holds the database's URL, for one with a password in it.
        database_url_file: Text = Instead(r#""/run/secrets/gatelet-database-url""#),
        /// A program that prints the database's URL. No shell is involved; it has ten seconds.
        database_url_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/database-url"]"#),
        /// A file with the key under which private keys are sealed in the database: 32 random bytes in base64, as
        /// `openssl rand -base64 32` prints them. Keep a copy elsewhere: without it the database is of no use.
        /// Default: a file in `keys/` beside this file, made at the first start.
        key_file: Text = Instead(r#""/run/secrets/gatelet-key""#),
        /// A program that prints this key.
        key_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/key"]"#),
        /// The key itself, in the environment variable `GATELET_KEY`; it cannot stand in this file.
        key: Option<Written<FromEnvironment>> = Words,
        /// The resource that a request means when neither it nor its client names one: the `uri` of one of
        /// `[[resources]]`. Default: the only one, when there is only one.
        default_resource: Text = Value(r#""https://mcp.example.com/mcp""#),
        /// Whose client id metadata documents are taken, by which a client is known whose `client_id` is the URL of
        /// such a document: `"any"` for everybody's (the default), `"off"`, or a list of the hosts that they may be
        /// at. A host is a whole name without port (subdomains are not included); the case of its letters does not
        /// matter.
        client_documents: Option<Written<WordOrTexts>> = Value(r#"["client.example.com"]"#),
        /// Who may introspect tokens (`POST <issuer>/introspect`). `"authenticated"` (the default): clients that prove
        /// who they are, for their own tokens and for those of the resources that they are the server of (`introspects`
        /// of a client). `"open"`: everybody, for every access token; for development on one machine, so that it is
        /// refused unless the issuer and all of `listen` are on loopback.
        introspection: Text = Value(r#""authenticated""#),
        lifetimes: Table<RawLifetimes> = Section,
        claims: Table<RawClaims> = Section,
        registration: Table<RawRegistration> = Section,
        login: Table<RawLogin> = Section,
        fetch: Table<RawFetch> = Section,
        log: Table<RawLog> = Section,
        tenants: Vec<RawTenant> = Section,
        roles: Vec<RawRole> = Section,
        users: Vec<RawUser> = Section,
        resources: Vec<RawResource> = Section,
        clients: Vec<RawClient> = Section,
    }
}

/// Where the key-encryption key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// From this file, which must exist.
    File(PathBuf),
    /// It was given: by a command or in the environment.
    Given(ConfigSecret),
    /// From a file in this directory, made at the first start.
    Directory(PathBuf),
}

impl RawConfig {
    /// The issuer, and with it where the server is reached.
    pub(super) fn issuer(&self, check: &mut Check<'_>) -> Option<Issuer> {
        let public_url = self.public_url.as_ref().map(|written| check.parsed(written, PublicUrl::parse));
        match (&self.issuer, public_url) {
            (None, None) => {
                self.refuse_without_address(check);
                None
            }
            (None, Some(public_url)) => {
                let public_url = public_url?;
                Issuer::within(&public_url, &public_url.page_url("/oauth")).ok()
            }
            (Some(issuer), None) => check.parsed(issuer, Issuer::parse),
            // One thing at a time: what it is to lie within is not known yet.
            (Some(issuer), Some(None)) => {
                check.parsed(issuer, |text| PublicUrl::parse(text).map(drop));
                None
            }
            (Some(issuer), Some(Some(public_url))) => {
                check.parsed(issuer, |text| Issuer::within(&public_url, text))
            }
        }
    }

    /// Says what keeps people and clients from reaching the issuer where the server listens.
    pub(super) fn warn_of_misfits(&self, check: &mut Check<'_>, issuer: &Issuer, listen: &[SocketAddr]) {
        let place = self.public_url.as_ref().or(self.issuer.as_ref()).map(|written| written.place.clone());
        let place = place.unwrap_or_default();
        if let Some(misleading) = misleading(issuer, listen) {
            check.warning(&place, misleading);
        } else if !issuer.is_https() {
            check
                .warning(&place, "plain http on loopback: only programs on this machine can use this server");
        }
        if let Some(unheard) = unheard(issuer, listen) {
            check.warning(&place, unheard);
        }
    }

    fn refuse_without_address(&self, check: &mut Check<'_>) {
        let hint = if check.problems.has_file() {
            ""
        } else {
            "; there is no gatelet.toml here, `gatelet config example` prints one"
        };
        let message = "missing: where people and clients reach this server, such as \"https://id.example.com\" (or \
                       GATELET_PUBLIC_URL)";
        check.problems.missing(&self.place().key("public_url"), format!("{message}{hint}"));
    }

    /// The addresses to listen on.
    pub(super) fn listen(&self, check: &mut Check<'_>) -> Vec<SocketAddr> {
        let parse = |text: &str| {
            text.parse::<SocketAddr>().map_err(|_| {
                "must be an IP address and a port, such as `127.0.0.1:8710`, `[::1]:8710` or `0.0.0.0:8710`"
            })
        };
        let Some(list) = &self.listen else {
            return vec![([127, 0, 0, 1], 8710).into(), (std::net::Ipv6Addr::LOCALHOST, 8710).into()];
        };
        if list.value.is_empty() {
            check.problems.missing(&list.place, "names no address to listen on");
        }
        let addresses = check.each_parsed(&self.listen, parse);
        check.refuse_twice("address", addresses.iter().map(|a| (a.value.to_string(), &a.place)));
        addresses.into_iter().map(|written| written.value).collect()
    }

    /// Further names that requests may use.
    pub(super) fn hosts(&self, check: &mut Check<'_>) -> Vec<String> {
        check.each_parsed(&self.hosts, parse_host).into_iter().map(|written| written.value).collect()
    }

    /// Proxies whose `X-Forwarded-For` is believed.
    pub(super) fn trusted_proxies(&self, check: &mut Check<'_>) -> Vec<Network> {
        check
            .each_parsed(&self.trusted_proxies, Network::parse)
            .into_iter()
            .map(|written| written.value)
            .collect()
    }

    /// The database's URL; the path of a SQLite file is made absolute.
    pub(super) fn database_url(&mut self, check: &mut Check<'_>) -> ConfigSecret {
        let sources = SecretSources {
            given: self.database_url.take(),
            file: self.database_url_file.take(),
            command: self.database_url_command.take(),
            must_be_private: false,
        };
        let is_named = sources.is_named();
        let written = check.secret(sources);
        if is_named && written.is_none() {
            return ConfigSecret::new("");
        }
        let url = written.as_ref().map_or("sqlite:gatelet.db", |written| written.value.expose_secret());
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.is_empty() && !path.starts_with(':') && !path.contains('?') {
                return ConfigSecret::new(format!("sqlite:{}", check.path(path).display()));
            }
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            if let Some(written) = written.as_ref().filter(|_| check.exposed) {
                warn_of_exposed_password(check, written);
            }
            return ConfigSecret::new(url);
        }
        let place = written.map(|written| written.place).unwrap_or_default();
        check.error(&place, "must be `sqlite:<path of a file>` or `postgres://<user>@<host>/<database>`");
        ConfigSecret::new("")
    }

    /// Where the key-encryption key comes from.
    pub(super) fn key(&mut self, check: &mut Check<'_>) -> KeySource {
        let given =
            self.key.take().map(|Written { value: FromEnvironment(value), place }| Written { value, place });
        let sources = SecretSources {
            given,
            file: self.key_file.take(),
            command: self.key_command.take(),
            must_be_private: true,
        };
        let file = sources.file.as_ref().map(|written| check.path(&written.value));
        let secret = check.secret(sources);
        if let Some(written) = &secret
            && let Err(error) = KeyEncryptionKey::from_text(written.value.expose_secret())
        {
            check.error(&written.place, error.to_string());
        }
        match (secret, file) {
            (Some(written), Some(file)) if written.place.path == "key_file" => KeySource::File(file),
            (Some(written), _) => KeySource::Given(written.value),
            (None, _) => KeySource::Directory(check.path("keys")),
        }
    }
}

/// A password in a file that others may read.
fn warn_of_exposed_password(check: &mut Check<'_>, url: &Written<ConfigSecret>) {
    let has_password = url::Url::parse(url.value.expose_secret()).is_ok_and(|url| url.password().is_some());
    if has_password && url.place.path == "database_url" && matches!(url.place.origin, Origin::File(_)) {
        check.warning(&url.place, "holds a password, and others may read this file; use database_url_file");
    }
}

/// A host name or address as the `Host` header has it, without the port.
pub(super) fn parse_host(text: &str) -> Result<String, &'static str> {
    let text = text.to_ascii_lowercase();
    let url = url::Url::parse(&format!("http://{text}/")).ok();
    let is_host = url.and_then(|url| url.host_str().map(|host| host == text)) == Some(true);
    if is_host { Ok(text) } else { Err("must be a host name without port, such as `id.internal`") }
}

/// Tells that a required key is missing.
pub(super) fn required<'t>(
    check: &mut Check<'_>,
    text: &'t Text,
    place: &Place,
    key: &str,
) -> Option<&'t Written<String>> {
    if text.is_none() {
        check.problems.missing(&place.key(key), "missing");
    }
    text.as_ref()
}
