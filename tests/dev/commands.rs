//! The administrative commands on the data of `gatelet dev`: what they print, refuse and end with.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::network::post;
use crate::program::{Dev, directory, gatelet};
use crate::{NotRun, cases};

cases![
    every_noun_is_listed_and_shown,
    a_person_is_added_changed_and_deleted_for_good,
    what_is_declared_is_changed_in_the_configuration_alone,
    a_client_exchanges_its_secret_without_downtime,
    a_token_is_issued_in_dev_mode_and_ends_with_its_grant,
    names_of_strangers_command_no_terminal,
    exit_codes_are_those_of_the_documentation,
    commands_make_no_database_and_open_none_of_another_mode,
    the_audit_log_says_what_was_done_and_by_what,
    completions_and_man_pages_are_well_formed,
];

/// What a command ended with and said.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}{}", self.stdout, self.stderr))
    }
}

/// Runs a command with a text on its standard input.
pub(crate) fn typed(directory: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = gatelet(directory, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who does not read what is typed has closed its end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command.
pub(crate) fn ran(directory: &Path, arguments: &[&str]) -> Ran {
    typed(directory, arguments, "")
}

/// What a command prints that is done.
pub(crate) fn done(directory: &Path, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let ran = ran(directory, &arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    ran.json()
}

/// The sentence by which a command is refused.
pub(crate) fn refused(directory: &Path, code: i32, arguments: &[&str]) -> String {
    let ran = ran(directory, arguments);
    assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout, "", "{arguments:?}");
    assert!(ran.stderr.starts_with("error: ") && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran.stderr
}

/// The status and the body of a form that is posted to the token endpoint.
pub(crate) fn token_request(port: u16, form: &str) -> (u16, String) {
    form_request(port, "token", form)
}

/// The status and the body of a form that is posted to an endpoint of clients.
pub(crate) fn form_request(port: u16, endpoint: &str, form: &str) -> (u16, String) {
    post(port, &format!("/oauth/{endpoint}"), ("application/x-www-form-urlencoded", form), "")
}

fn machine_token(port: u16, client: &str, secret: &str) -> u16 {
    let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    token_request(port, &form).0
}

fn every_noun_is_listed_and_shown() -> Result<(), NotRun> {
    let here = directory("nouns");
    Dev::start(&here, ".gatelet").stop();
    for (noun, id, first) in [
        ("user", "id", "admin"),
        ("tenant", "id", "acme"),
        ("role", "name", "admin"),
        ("client", "client_id", "dev-machine"),
    ] {
        let listed = done(&here, &[noun, "list"]);
        assert_eq!(listed[format!("{noun}s")][0][id], first);
        assert_eq!(listed["next"], Value::Null);
        assert_eq!(done(&here, &[noun, "show", first])[id], first);
        let table = ran(&here, &[noun, "list"]).stdout;
        let head = table.lines().next().unwrap();
        assert!(head.starts_with(&id.replace('_', " ").to_uppercase()) && !table.contains('\x1b'), "{table}");
        assert!(table.lines().nth(1).unwrap().starts_with(first), "{table}");
    }
    let resources = done(&here, &["resource", "list"]);
    assert_eq!(resources["resources"][0]["scopes"][0]["name"], "mcp:read");
    // A list goes on where it ended.
    let first = done(&here, &["user", "list", "--limit", "2"]);
    let next = first["next"].as_str().unwrap();
    let rest = done(&here, &["user", "list", "--limit", "2", "--after", next]);
    assert_eq!((rest["users"][0]["id"].as_str(), &rest["next"]), (Some("grace"), &Value::Null));
    Ok(())
}

fn a_person_is_added_changed_and_deleted_for_good() -> Result<(), NotRun> {
    let here = directory("person");
    Dev::start(&here, ".gatelet").stop();
    let add = ["user", "add", "Bob", "--id", "u-7", "--tenant", "acme=member,admin", "--password-stdin"];
    assert_eq!(typed(&here, &add, "short\n").code, 2);
    let added = typed(&here, &[&add[..], &["--json"]].concat(), "long enough\n").json();
    assert_eq!((&added["username"], &added["has_password"]), (&"Bob".into(), &true.into()));
    assert_eq!(added["tenants"]["acme"], serde_json::json!(["member", "admin"]));
    assert_eq!(added["origin"], "admin");
    let changed =
        done(&here, &["user", "change", "bob", "--username", "rob", "--name", "Rob", "--email", ""]);
    assert_eq!((&changed["id"], &changed["name"]), (&"u-7".into(), &"Rob".into()));
    assert_eq!(done(&here, &["user", "join", "rob", "globex"])["tenants"]["globex"], serde_json::json!([]));
    assert!(done(&here, &["user", "leave", "rob", "acme"])["tenants"].get("acme").is_none());
    assert_ne!(done(&here, &["user", "disable", "rob"])["suspended_at"], Value::Null);
    assert_eq!(done(&here, &["user", "resume", "rob"])["suspended_at"], Value::Null);
    assert_eq!(done(&here, &["user", "delete", "rob"])["deleted"], "u-7");
    refused(&here, 3, &["user", "show", "rob"]);
    let said = refused(&here, 4, &["user", "add", "eve", "--id", "u-7"]);
    assert!(said.contains("never given again"), "{said}");
    Ok(())
}

fn what_is_declared_is_changed_in_the_configuration_alone() -> Result<(), NotRun> {
    let here = directory("declared");
    Dev::start(&here, ".gatelet").stop();
    for arguments in [
        &["user", "change", "alice", "--name", "A"][..],
        &["user", "delete", "alice"],
        &["user", "join", "alice", "globex"],
        &["tenant", "change", "acme", "--name", "A"],
        &["tenant", "delete", "acme"],
        &["role", "change", "member", "--description", "x"],
        &["role", "delete", "member"],
        &["client", "change", "dev-machine", "--name", "A"],
        &["client", "delete", "dev-machine"],
        &["client", "secret", "add", "dev-machine"],
    ] {
        let said = refused(&here, 4, arguments);
        assert!(said.contains("belongs to the configuration file"), "{arguments:?}: {said}");
    }
    let password = typed(&here, &["user", "password", "alice", "--stdin"], "long enough\n");
    assert_eq!(password.code, 4);
    assert!(password.stderr.contains("is given by the configuration file"), "{}", password.stderr);
    // Suspending is no change of what is declared.
    done(&here, &["client", "suspend", "dev-machine"]);
    done(&here, &["client", "resume", "dev-machine"]);
    Ok(())
}

fn a_client_exchanges_its_secret_without_downtime() -> Result<(), NotRun> {
    let here = directory("secrets");
    let dev = Dev::start(&here, ".gatelet");
    let add = ["client", "add", "robot", "--machine", "--auth-method", "client_secret_post"];
    let added = done(&here, &[&add[..], &["--machine-scope", "mcp:read", "--tenant", "acme"]].concat());
    let old = added["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(
        machine_token(dev.port(), "robot", &old),
        200,
        "a client authenticates as soon as it is there"
    );
    let second = done(&here, &["client", "secret", "add", "robot"]);
    let new = second["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(second["secrets_made_at"].as_array().unwrap().len(), 2);
    for secret in [&old, &new] {
        assert_eq!(machine_token(dev.port(), "robot", secret), 200);
    }
    refused(&here, 4, &["client", "secret", "add", "robot"]);
    done(&here, &["client", "secret", "drop", "robot"]);
    assert_eq!(
        (machine_token(dev.port(), "robot", &old), machine_token(dev.port(), "robot", &new)),
        (401, 200)
    );
    refused(&here, 4, &["client", "secret", "drop", "robot"]);
    let shown = ran(&here, &["client", "show", "robot"]).stdout;
    assert!(!shown.contains(&new) && !shown.contains("gtlcs"), "a secret is shown once: {shown}");
    let chosen = "a0secret0that0somebody0chose0elsewhere";
    let given = typed(&here, &["client", "secret", "add", "robot", "--stdin", "--json"], chosen);
    assert!(given.code == 0 && !given.stdout.contains(chosen), "{}", given.stderr);
    assert_eq!(machine_token(dev.port(), "robot", chosen), 200);
    dev.stop();
    Ok(())
}

fn a_token_is_issued_in_dev_mode_and_ends_with_its_grant() -> Result<(), NotRun> {
    let here = directory("tokens");
    let dev = Dev::start(&here, ".gatelet");
    let issue = ["token", "issue", "--user", "alice", "--scope", "mcp:read"];
    let issued = ran(&here, &issue);
    assert_eq!((issued.code, issued.stderr.as_str()), (0, ""), "the token alone, to be pasted");
    let token = issued.stdout.trim();
    assert!(token.split('.').count() == 3 && !token.contains(char::is_whitespace), "{token}");
    assert_eq!(call(&dev, token), 200, "the demonstration server takes it");
    let inspected = done(&here, &["token", "inspect", token]);
    assert_eq!((&inspected["active"], &inspected["claims"]["sub"]), (&true.into(), &"alice".into()));
    assert_eq!(inspected["claims"]["iss"], dev.issuer());
    assert_eq!(inspected["claims"]["scope"], "mcp:read");
    let grant = inspected["grant"].as_str().unwrap();
    assert_eq!(done(&here, &["grant", "list", "--user", "alice"])["grants"][0]["id"], grant);
    let single = ran(&here, &issue).stdout;
    let revoked = done(&here, &["token", "revoke", single.trim()]);
    assert_eq!((&revoked["active"], &revoked["reason"]), (&false.into(), &"it was revoked".into()));
    assert_eq!(done(&here, &["token", "inspect", token])["active"], true, "the other one is still good");
    refused(&here, 4, &["token", "revoke", single.trim()]);
    assert_ne!(done(&here, &["grant", "revoke", grant])["revoked_at"], Value::Null);
    refused(&here, 4, &["grant", "revoke", grant]);
    let ended = typed(&here, &["token", "inspect", "-", "--json"], token).json();
    assert_eq!((&ended["active"], &ended["reason"]), (&false.into(), &"its grant has ended".into()));
    let said = refused(&here, 2, &["token", "issue", "--user", "alice", "--scope", "mcp:all"]);
    assert!(said.contains("it knows mcp:read mcp:write"), "{said}");
    refused(&here, 3, &["token", "issue", "--user", "nobody"]);
    refused(&here, 3, &["token", "inspect", "no.such.token"]);
    dev.stop();
    Ok(())
}

/// Calls the demonstration server.
fn call(dev: &Dev, token: &str) -> u16 {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}"#;
    let authorization = format!("Authorization: Bearer {token}\r\n");
    post(dev.port(), "/demo/mcp", ("application/json", body), &authorization).0
}

fn names_of_strangers_command_no_terminal() -> Result<(), NotRun> {
    let here = directory("strangers");
    let dev = Dev::start(&here, ".gatelet");
    let body = r#"{"client_name":"good\u202eevil","redirect_uris":["http://127.0.0.1/cb"]}"#;
    let answer = post(dev.port(), "/oauth/register", ("application/json", body), "");
    dev.stop();
    for arguments in [&["client", "list"][..], &["client", "list", "--json"]] {
        let out = ran(&here, arguments).stdout;
        let raw = out.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert!(!raw, "{out:?}\n{answer:?}");
        let escaped = if arguments.len() == 2 { r"good\u{202e}evil" } else { r"good\u202eevil" };
        assert!(out.contains(escaped), "{out}\n{answer:?}");
    }
    Ok(())
}

fn exit_codes_are_those_of_the_documentation() -> Result<(), NotRun> {
    let here = directory("codes");
    assert!(refused(&here, 5, &["user", "list"]).contains("neither a configuration"));
    std::fs::write(here.join("bad.toml"), "no = \"such key\"\n").unwrap();
    refused(&here, 5, &["user", "list", "--config", "bad.toml"]);
    Dev::start(&here, ".gatelet").stop();
    assert_eq!(ran(&here, &["user", "list"]).code, 0);
    refused(&here, 2, &["user", "frobnicate"]);
    refused(&here, 2, &["user", "add", "x", "--tenant", "no such name"]);
    refused(&here, 2, &["client", "add", "--grant", "client_credentials", "--auth-method", "none"]);
    refused(&here, 2, &["client", "change", "dev-machine"]);
    refused(&here, 3, &["user", "show", "nobody"]);
    refused(&here, 3, &["user", "add", "x", "--tenant", "nowhere"]);
    refused(&here, 3, &["user", "add", "x", "--tenant", "acme=emperor"]);
    refused(&here, 3, &["tenant", "show", "nowhere"]);
    refused(&here, 3, &["client", "show", "nothing"]);
    refused(&here, 4, &["user", "add", "ALICE"]);
    refused(&here, 4, &["tenant", "add", "acme"]);
    let help = ran(&here, &["client", "--help"]).stdout;
    assert!(help.contains("Exit codes:\n  0  done"), "{help}");
    Ok(())
}

fn commands_make_no_database_and_open_none_of_another_mode() -> Result<(), NotRun> {
    let here = directory("modes");
    std::fs::create_dir_all(here.join(".gatelet")).unwrap();
    let said = refused(&here, 5, &["user", "list", "--dev"]);
    assert!(said.contains("there is no database yet"), "{said}");
    assert!(!here.join(".gatelet/gatelet.db").exists() && !here.join(".gatelet/keys").exists());
    Dev::start(&here, ".gatelet").stop();
    let configuration =
        "public_url = \"http://localhost:1\"\ndatabase_url = \"sqlite:.gatelet/gatelet.db\"\n";
    std::fs::write(here.join("gatelet.toml"), configuration).unwrap();
    let said = refused(&here, 5, &["user", "list"]);
    assert!(said.contains("belongs to dev mode, not to serve mode"), "{said}");
    assert_eq!(ran(&here, &["user", "list", "--dev"]).code, 0, "unless it is told which");
    Ok(())
}

fn the_audit_log_says_what_was_done_and_by_what() -> Result<(), NotRun> {
    let here = directory("audit");
    Dev::start(&here, ".gatelet").stop();
    done(&here, &["user", "add", "bob", "--id", "u-8", "--tenant", "acme"]);
    done(&here, &["user", "delete", "bob"]);
    let events = done(&here, &["audit", "list", "--user", "u-8", "--since", "1h"]);
    let kinds: Vec<&str> =
        events["events"].as_array().unwrap().iter().filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds.len(), 2, "{events}");
    assert!(kinds.contains(&"added") && kinds.contains(&"deleted"));
    assert_eq!(events["events"][0]["detail"], "user, by command line");
    let added = done(&here, &["audit", "list", "--kind", "added"]);
    assert_eq!(added["events"].as_array().unwrap().len(), 1);
    assert_eq!(done(&here, &["sweep"])["swept"]["grants"], 0);
    Ok(())
}

fn completions_and_man_pages_are_well_formed() -> Result<(), NotRun> {
    let here = directory("completions");
    let bash = ran(&here, &["completions", "bash"]);
    assert_eq!(bash.code, 0);
    std::fs::write(here.join("gatelet.bash"), &bash.stdout).unwrap();
    let parsed = Command::new("bash").arg("-n").arg(here.join("gatelet.bash")).output().unwrap();
    assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(ran(&here, &["completions", shell]).stdout.contains("gatelet"), "{shell}");
    }
    let page = ran(&here, &["man"]).stdout;
    assert!(page.contains(".TH gatelet 1") && page.contains(".SH SUBCOMMANDS"), "{page}");
    assert_eq!(ran(&here, &["man", "--dir", "man"]).code, 0);
    let add = here.join("man/gatelet-user-add.1");
    assert!(std::fs::read_to_string(&add).unwrap().contains("password"));
    // The page renders, where there is something that renders pages.
    if let Ok(shown) = Command::new("man").arg("-l").arg(&add).env("MANPAGER", "cat").output()
        && shown.status.success()
    {
        assert!(String::from_utf8_lossy(&shown.stdout).contains("SYNOPSIS"));
    }
    Ok(())
}
