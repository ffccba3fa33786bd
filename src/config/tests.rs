//! Whole configurations, good and bad, without files, programs or a real environment.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::*;
use crate::protocol::{ClientAuthMethod, GrantType, Lifetimes, RegistrationMode};

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

/// The example with every `#` that is followed by configuration taken away.
fn uncommented(example: &str) -> String {
    let lines = example.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_public_url_is_enough() {
    let config = good("");
    assert_eq!(config.policy.issuer.as_str(), "https://id.example/oauth");
    assert_eq!(config.policy.lifetimes, Lifetimes::default());
    assert_eq!(config.policy.registration, RegistrationMode::Open);
    assert!(!config.policy.loopback_resources);
    assert_eq!(config.policy.scopes_supported.to_string(), "offline_access");
    assert_eq!(config.listen, ["127.0.0.1:8710".parse().unwrap(), "[::1]:8710".parse().unwrap()]);
    assert_eq!(config.database_url.expose_secret(), "sqlite:/etc/gatelet.db");
    assert_eq!(config.key, KeySource::Directory("/etc/keys".into()));
    assert_eq!(config.declared, Declared::default());
    assert_eq!(warnings(&config), [""; 0]);
}

#[test]
fn the_example_uncommented_is_a_good_configuration_that_sets_every_key() {
    let text = uncommented(&example());
    let config = Pretended::config(&text)
        .file("/run/secrets/notes-app", "0123456789abcdef0123456789abcdef\n")
        .load(&[])
        .unwrap();
    assert_eq!(warnings(&config), [""; 0]);
    assert_eq!(config.policy.lifetimes, Lifetimes::default(), "the example says that it shows the defaults");
    assert_eq!(config.policy.scopes_supported.to_string(), "notes:read notes:write offline_access");
    let declared = &config.declared;
    let counts =
        [declared.tenants.len(), declared.roles.len(), declared.users.len(), declared.resources.len()];
    assert_eq!(counts, [1; 4]);
    assert_eq!(declared.clients[0].secrets.len(), 1);
    for (section, keys) in [
        ("", server::RawConfig::KEYS),
        ("users", people::RawUser::KEYS),
        ("clients", clients::RawClient::KEYS),
    ] {
        for key in keys.keys.iter().filter(|key| matches!(key.example, read::Example::Value(_))) {
            assert!(text.contains(&format!("\n{} = ", key.name)), "{section}.{}", key.name);
            assert!(!key.doc.is_empty(), "{section}.{} is not documented", key.name);
        }
    }
}

#[test]
fn every_alternative_in_the_example_is_a_key() {
    let example = example();
    let alternatives: Vec<_> = example.lines().filter_map(|line| line.strip_prefix("# Or: ")).collect();
    assert_eq!(alternatives.len(), 9);
    for line in alternatives {
        let section = if line.contains("alice") {
            "[[users]]"
        } else if line.contains("notes-app") {
            "[[clients]]"
        } else {
            ""
        };
        let errors = errors(&format!("{section}\n{line}\n"));
        assert!(!errors.contains("unknown key") && !errors.contains("must be a"), "{line}: {errors}");
    }
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let text = r#"public_url = "https://id.example/people"
listn = ["127.0.0.1:1"]
listen = ["localhost:80", 5]
[lifetimes]
access_token = "2h"
[[clients]]
id = "a"
redirect_uris = ["http://a.example/cb"]
[[clients]]
id = "a"
redirect_uris = ["https://a.example/cb", "javascript:x"]
"#;
    let expected = "\
f:1: public_url: must have no path: pages live at the root of a host, and `issuer` may have a path
f:2: listn: unknown key; did you mean `listen`?
f:3: listen[1]: must be a text, not of type integer
f:3: listen[0]: must be an IP address and a port, such as `127.0.0.1:8710`, `[::1]:8710` or `0.0.0.0:8710`
f:5: lifetimes.access_token: is longer than the bound of 1h
f:8: clients[0].redirect_uris[0]: http is for 127.0.0.1, [::1] and localhost only; use https
f:10: clients[1].id: the same id as clients[0].id; each stands once
f:11: clients[1].redirect_uris[1]: the scheme must be https, http on loopback, or an application's own in \
reverse-domain form";
    assert_eq!(
        Pretended::config(text).errors(&[("GATELET_TOKEN", "x")]).rsplit_once('\n').unwrap().0,
        expected
    );
}

#[test]
fn what_does_not_fit_together_is_refused_in_words() {
    for (text, expected) in [
        (
            "issuer = \"https://other.example/oauth\"",
            "f:2: issuer: begins with https://other.example, but public_url is https://id.example",
        ),
        (
            "issuer = \"http://id.example\"",
            "f:2: issuer: the issuer must be https unless its host is localhost, 127.0.0.1 or [::1]",
        ),
        (
            "database_url = \"mysql://x\"",
            "f:2: database_url: must be `sqlite:<path of a file>` or `postgres://<user>@<host>/<database>`",
        ),
        (
            "database_url = \"sqlite::memory:\"",
            "f:2: database_url: must be `sqlite:<path of a file>` or `postgres://<user>@<host>/<database>`",
        ),
        (
            "hosts = [\"http://a\"]",
            "f:2: hosts[0]: must be a host name with an optional port, such as `id.internal` or `id.internal:8710`",
        ),
        ("listen = []", "f:2: listen: names no address to listen on"),
        (
            "default_resource = \"https://mcp.example\"",
            "f:2: default_resource: there is no resource `https://mcp.example`",
        ),
        ("public_url = \"https://x\"", "f:2: duplicate key"),
        ("issuer = \"\"", "f:2: issuer: is empty; leave the key out instead"),
        ("[login]\nmax_parallel = 0", "f:3: login.max_parallel: must be between 1 and 256"),
        ("[login]\nmax_parallel = -1", "f:3: login.max_parallel: must be a whole number from zero up"),
        ("[log]\nformat = \"xml\"", "f:3: log.format: must be one of `text`, `json`"),
        (
            "[lifetimes]\ncode = \"90\"",
            "f:3: lifetimes.code: write a duration as a number and a unit of d, h, m or s, such as `15m`, `1h30m` or `30d`",
        ),
        ("[lifetimes]\ncode = \"0s\"", "f:3: lifetimes.code: is shorter than the bound of 1s"),
        (
            "[lifetimes]\nrefresh_absolute = \"1d\"",
            "f:3: lifetimes.refresh_absolute: refresh_idle (30d) is longer than refresh_absolute (1d)",
        ),
        ("[registration]\nmode = \"on\"", "f:3: registration.mode: must be one of `open`, `off`"),
        (
            "[[tenants]]\nid = \"a b\"",
            "f:3: tenants[0].id: must be 1 to 64 letters, digits, `-`, `_` and `.`",
        ),
        ("[[tenants]]\nname = \"A\"", "f:2: tenants[0].id: missing"),
        ("users = 3", "f:2: users: must be a list of tables, not of type integer"),
        (
            "[[users]]\nusername = \"a\"\n[[users]]\nusername = \"A\"",
            "f:5: users[1].username: the same username as users[0].username; each stands once",
        ),
        (
            "[[users]]\nusername = \"a\"\nmemberships = [{ tenant = \"acme\" }]",
            "f:4: users[0].memberships[0].tenant: there is no tenant `acme`",
        ),
        ("[[users]]\nusername = \"a\"\nemail = \"a\"", "f:4: users[0].email: is no mail address"),
        (
            "[[users]]\nusername = \"a\"\npassword_hash = \"$2b$12$x\"",
            "f:4: users[0].password_hash: must be an Argon2id hash in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`",
        ),
        (
            "[[resources]]\nuri = \"https://a/#x\"",
            "f:3: resources[0].uri: a resource is an absolute URI without fragment, at most 2048 characters long",
        ),
        (
            "[[resources]]\nuri = \"https://A/x/\"\n[[resources]]\nuri = \"https://b\"\naliases = [\"https://a:443/x\"]",
            "f:6: resources[1].aliases[0]: the same URI as resources[0].uri; each stands once",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\ndefault_scopes = [\"x\"]",
            "f:4: resources[0].default_scopes[0]: `x` is none of its scopes",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\nscopes = [{ name = \"x\", roles = [\"r\"] }]",
            "f:4: resources[0].scopes[0].roles[0]: there is no role `r`",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\nscopes = [{ name = \"offline_access\" }]",
            "f:4: resources[0].scopes[0].name: offline_access belongs to no resource; it is accepted everywhere",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\naccess_token_ttl = \"61m\"",
            "f:4: resources[0].access_token_ttl: is longer than the bound of 1h",
        ),
    ] {
        assert_eq!(errors(text), expected, "{text}");
    }
}

#[test]
fn clients_that_could_not_work_are_refused_in_words() {
    for (client, expected) in [
        (
            "redirect_uris = [\"https://a/cb\"]\ngrant_types = [\"client_credentials\"]",
            "f:5: clients[0].grant_types: has redirect_uris, which only authorization_code uses\nf:5: clients[0].grant_types: client_credentials needs a secret: secret_file, secret_command or its variable",
        ),
        (
            "",
            "f:2: clients[0]: has neither redirect_uris nor a secret; a public client needs the first, a machine the second",
        ),
        (
            "grant_types = [\"authorization_code\"]",
            "f:2: clients[0].redirect_uris: authorization_code needs at least one",
        ),
        (
            "redirect_uris = [\"https://a/cb\"]\nauth_method = \"client_secret_post\"",
            "f:5: clients[0].auth_method: client_secret_post needs a secret: secret_file, secret_command or its variable",
        ),
        (
            "redirect_uris = [\"https://a/cb\"]\nauth_method = \"none\"\nsecret_file = \"long\"",
            "f:5: clients[0].auth_method: is `none`, but the client has a secret",
        ),
        (
            "secret_file = \"long\"\nsecret_command = [\"p\"]",
            "f:5: clients[0].secret_command: clients[0].secret_file says already where this secret is",
        ),
        (
            "secret_file = \"nowhere\"",
            "f:4: clients[0].secret_file: cannot read /etc/nowhere: entity not found",
        ),
        (
            "secret_file = \"empty\"",
            "f:4: clients[0].secret_file: gives no secret: nothing, or something with a NUL character in it",
        ),
        (
            "secret_file = \"short\"",
            "f:4: clients[0].secret_file: a client's secret has at least 8 characters",
        ),
        ("secret_command = [\"p\"]", "f:4: clients[0].secret_command: not there"),
        (
            "secret_command = \"p\"",
            "f:2: clients[0]: has neither redirect_uris nor a secret; a public client needs the first, a machine the second\nf:4: clients[0].secret_command: must be a list of a program and its arguments, not of type string",
        ),
        (
            "secret_file = \"long\"\nmachine_scopes = [\"x\"]",
            "f:5: clients[0].machine_scopes[0]: no resource of this client knows `x`",
        ),
        (
            "secret_file = \"long\"\nresource = \"https://mcp.example\"",
            "f:5: clients[0].resource: there is no resource `https://mcp.example`",
        ),
        ("secret_file = \"long\"\ntenant = \"acme\"", "f:5: clients[0].tenant: there is no tenant `acme`"),
        ("secret_file = \"long\"\nuri = \"javascript:x\"", "f:5: clients[0].uri: must be an https URL"),
        (
            "secret_file = \"long\"\nfirst_party = \"yes\"",
            "f:5: clients[0].first_party: must be true or false, not of type string",
        ),
        (
            "previous_secret_file = \"long\"\nredirect_uris = [\"https://a/cb\"]",
            "f:2: clients[0]: has a previous secret, but no secret",
        ),
    ] {
        let found = Pretended::config(&format!("{URL}[[clients]]\nid = \"c\"\n{client}"))
            .file("/etc/long", "0123456789012345678901")
            .file("/etc/short", "secret\n")
            .file("/etc/empty", "\n")
            .errors(&[]);
        assert_eq!(found, expected, "{client}");
    }
}

#[test]
fn the_environment_stands_above_the_file() {
    let config = Pretended::config(&format!(
        "{URL}listen = [\"127.0.0.1:1\"]\nkey_file = \"k\"\n[lifetimes]\naccess_token = \"5m\"\ncode = \"30s\""
    ))
    .load(&[
        ("GATELET_PUBLIC_URL", "https://other.example"),
        ("GATELET_LISTEN", "0.0.0.0:80, [::]:80"),
        ("GATELET_LIFETIMES__ACCESS_TOKEN", "10m"),
        ("GATELET_LOGIN__MAX_PARALLEL", "3"),
        ("GATELET_LOG__FORMAT", "json"),
        ("GATELET_DATABASE_URL", "postgres://u:hunter2@db/gatelet"),
        ("GATELET_KEY", "the-key"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.policy.issuer.as_str(), "https://other.example/oauth");
    assert_eq!(config.listen, ["0.0.0.0:80".parse().unwrap(), "[::]:80".parse().unwrap()]);
    assert_eq!(config.policy.lifetimes.access_token.as_secs(), 600);
    assert_eq!(config.policy.lifetimes.code.as_secs(), 30);
    assert_eq!(config.login.max_parallel.unwrap().get(), 3);
    assert_eq!(config.log, LogConfig { format: LogFormat::Json, level: LogLevel::Info });
    assert_eq!(config.database_url.expose_secret(), "postgres://u:hunter2@db/gatelet");
    assert_eq!(config.key, KeySource::Given(ConfigSecret::new("the-key")));
    assert!(!format!("{config:?}").contains("hunter2") && !format!("{config:?}").contains("the-key"));
}

#[test]
fn bad_variables_are_told_by_their_names() {
    let file =
        Pretended::config(&format!("{URL}[[clients]]\nid = \"my-app\"\nredirect_uris = [\"https://a/cb\"]"));
    for (name, value, expected) in [
        ("GATELET_PUBLIC_ULR", "x", "unknown variable; did you mean GATELET_PUBLIC_URL?"),
        ("GATELET_ZZZZ", "x", "unknown variable; `gatelet config example` tells the keys"),
        (
            "GATELET_LISTEN",
            "80",
            "must be an IP address and a port, such as `127.0.0.1:8710`, `[::1]:8710` or `0.0.0.0:8710`",
        ),
        ("GATELET_LISTEN", "", "is empty; unset it instead"),
        ("GATELET_LIFETIMES__CODE", "1h", "is longer than the bound of 10m"),
        ("GATELET_LOGIN__MAX_PARALLEL", "many", "must be a whole number from zero up"),
        ("GATELET_KEY_COMMAND", "x", "unknown variable; did you mean GATELET_KEY?"),
        ("GATELET_USERS", "x", "unknown variable; `gatelet config example` tells the keys"),
        (
            "GATELET_CLIENT_MYAPP_SECRET",
            "x",
            "no client in the configuration has this name; there may be GATELET_CLIENT_MY_APP_SECRET",
        ),
        ("GATELET_CLIENT_MY_APP_SECRET", "1234567", "a client's secret has at least 8 characters"),
    ] {
        assert_eq!(file.errors(&[(name, value)]), format!("{name}: {expected}"));
    }
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_of_our_name_are_left_alone() {
    let file = Pretended::config(URL);
    let set = [
        ("GATELET_SERVICE_HOST", "10.0.0.1"),
        ("GATELET_SERVICE_PORT", "8710"),
        ("GATELET_SERVICE_PORT_HTTP", "8710"),
        ("GATELET_PORT", "tcp://10.0.0.1:8710"),
        ("GATELET_PORT_8710_TCP_ADDR", "10.0.0.1"),
    ];
    assert!(file.load(&set).is_ok());
    assert!(file.errors(&[("GATELET_PORT", "8710")]).starts_with("GATELET_PORT: unknown variable"));
}

#[test]
fn secrets_come_from_files_programs_and_variables() {
    let text = format!(
        "{URL}database_url_command = [\"pass\", \"db\"]\nkey_file = \"kek\"\n\
         [[tenants]]\nid = \"t\"\n\
         [[users]]\nusername = \"a\"\npassword_file = \"/run/pw\"\nmemberships = [{{ tenant = \"t\" }}]\n\
         [[clients]]\nid = \"my-app\"\nprevious_secret_file = \"old\"\n"
    );
    let config = Pretended::config(&text)
        .program("pass db", Ok("postgres://u:hunter2@db/x\n"))
        .file("/etc/kek", "key")
        .file("/run/pw", " correct horse \r\n")
        .exposed("/etc/old", "0123456789abcdef\n")
        .load(&[("GATELET_CLIENT_MY_APP_SECRET", "0123456789abcdef0123456789abcdef")])
        .unwrap();
    assert_eq!(config.database_url.expose_secret(), "postgres://u:hunter2@db/x");
    assert_eq!(config.key, KeySource::File("/etc/kek".into()));
    let password = DeclaredPassword::Plain(ConfigSecret::new(" correct horse "));
    assert_eq!(config.declared.users[0].password, Some(password));
    let client = &config.declared.clients[0];
    let secrets: Vec<_> = client.secrets.iter().map(ConfigSecret::expose_secret).collect();
    assert_eq!(secrets, ["0123456789abcdef0123456789abcdef", "0123456789abcdef"], "the current one first");
    assert_eq!(client.client.auth_method, ClientAuthMethod::ClientSecretBasic);
    assert_eq!(client.client.grant_types, [GrantType::ClientCredentials]);
    for secret in ["hunter2", "0123456789abcdef", "correct horse"] {
        assert!(!format!("{config:?}").contains(secret), "{secret}");
    }
}

#[test]
fn weak_and_exposed_secrets_earn_warnings() {
    let text = format!(
        "{URL}database_url = \"postgres://u:hunter2@db/x\"\n[[clients]]\nid = \"c\"\nsecret_file = \"weak\"\n\
         [[users]]\nusername = \"a\"\n"
    );
    let pretended = Pretended::default()
        .exposed("/etc/gatelet.toml", &text)
        .exposed("/etc/weak", "012345678901234567890");
    assert_eq!(
        warnings(&pretended.load(&[]).unwrap()),
        [
            "f:2: database_url: holds a password, and others may read this file; use database_url_file",
            "f:5: clients[0].secret_file: others than its owner may read /etc/weak; run `chmod 600 /etc/weak`",
            "f:5: clients[0].secret_file: can be guessed: a secret of fewer than 22 characters has less than 128 \
             bits; `openssl rand -hex 32` prints a good one",
            "f:6: users[0]: has no password here, and cannot log in unless the database knows one",
            "f:6: users[0]: belongs to no tenant, and so can use nothing",
        ]
    );
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let pretended = Pretended::config(&format!("{URL}key_file = \"kek\"")).exposed("/etc/kek", "key");
    let expected = "f:2: key_file: others than its owner may read /etc/kek; run `chmod 600 /etc/kek`";
    assert_eq!(pretended.errors(&[]), expected);
}

#[test]
fn no_error_repeats_a_secret() {
    for text in [
        "key = \"hunter2\"",
        "[[users]]\nusername = \"a\"\npassword = \"hunter2\"",
        "[[users]]\nusername = \"a\"\npassword_hash = \"hunter2\"",
        "[[clients]]\nid = \"a\"\nsecret = \"hunter2\"",
        "database_url = \"hunter2\"",
        "database_url = \"postgres://u:hunter2",
        "database_url = hunter2",
        "key = [\"hunter2\"",
    ] {
        assert!(!errors(text).contains("hunter2"), "{}", errors(text));
    }
    assert_eq!(
        errors("[[clients]]\nid = \"a\"\nredirect_uris = [\"https://a\"]\nsecret = \"hunter2\""),
        "f:5: clients[0].secret: a secret is not written in this file; use `secret_file` or `secret_command`"
    );
    let short = Pretended::config(URL).errors(&[("GATELET_DATABASE_URL", "hunter2")]);
    assert!(!short.contains("hunter2"), "{short}");
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
fn the_ceiling_of_registered_clients_bounds_what_metadata_names() {
    let config = good(
        "[registration]\nscopes = [\"a\", \"z\"]\n[[resources]]\nuri = \"https://m.example\"\n\
         scopes = [{ name = \"a\" }, { name = \"b\" }]",
    );
    assert_eq!(config.policy.scopes_supported.to_string(), "a offline_access");
    assert_eq!(config.policy.default_resource.as_ref().unwrap().as_str(), "https://m.example");
    assert_eq!(warnings(&config), ["f:3: registration.scopes[1]: no resource knows the scope `z`"]);
}
