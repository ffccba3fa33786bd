//! `docs/cli.md`: every command and every member of JSON, from where they are declared.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory as _};

use super::output::Field;
use super::{Cli, admin, audit, client_shown, grant, initial_token, key, resource, role, tenant, user};

/// The kinds of things that are printed: their member in a list, and what each consists of.
const SHAPES: &[(&str, &[Field])] = &[
    (user::USER.many, &user::USER.fields),
    (tenant::TENANT.many, &tenant::TENANT.fields),
    (role::ROLE.many, &role::ROLE.fields),
    (resource::RESOURCE.many, &resource::RESOURCE.fields),
    (client_shown::CLIENT.many, &client_shown::CLIENT.fields),
    (initial_token::INITIAL_TOKEN.many, &initial_token::INITIAL_TOKEN.fields),
    (grant::GRANT.many, &grant::GRANT.fields),
    (grant::ISSUED.many, &grant::ISSUED.fields),
    (grant::INSPECTED.many, &grant::INSPECTED.fields),
    (audit::EVENT.many, &audit::EVENT.fields),
    (key::KEY.many, &key::KEY.fields),
];

/// The reference of the command line as Markdown.
pub fn reference() -> String {
    let mut cli = Cli::command();
    cli.build();
    let mut out = format!(
        "# The command line\n\nMade from the commands themselves; `gatelet help` and `gatelet man` say the same, \
         `gatelet completions bash` prints completions.\n\n{ABOUT}\n\n```text\n{}\n```\n",
        admin::EXIT_CODES
    );
    out.push_str(JSON);
    for (many, fields) in SHAPES {
        let _ = writeln!(out, "\n### `{many}`\n\n| member | says |\n| --- | --- |");
        for field in *fields {
            let _ = writeln!(out, "| `{}` | {} |", field.name, field.about);
        }
    }
    out.push_str("\n## Commands\n");
    for command in commands(&cli) {
        describe(&mut out, command, "gatelet");
    }
    out
}

const ABOUT: &str = "\
The administrative commands (`user`, `tenant`, `role`, …) work on the database of the server that a configuration \
describes: the one that `--config` or `GATELET_CONFIG` names, or `gatelet.toml` if it is there. Where there is no \
configuration but the data of `gatelet dev` in `.gatelet`, they work on that; `--dev` and `--data` say so. They are safe \
beside a running server, on the same machine or, with PostgreSQL, on another; they make, migrate and reconcile nothing: \
the server has to have been started once, by the same version. (Only `key import` makes a database, for a server that is \
to sign with that key from the beginning.) What the configuration file declares is shown, suspended \
and resumed by commands, and changed in the file alone. Every change is in the audit log.

Secrets are read from standard input, never from arguments, which others on the machine can see. A secret that is made \
is printed this once. Control characters in names, which strangers choose, are shown as `\\u{1b}`. Tables are in colour on \
a terminal alone, and not when `NO_COLOR` is set.

## Exit codes";

const JSON: &str = "
`gatelet config` and `gatelet serve` end with 78 when the configuration is wrong.

## JSON

With `--json` a command prints one document. A list is an object with the things under the name below and `next`, which \
is where the list goes on with `--after`, or null at its end; a single thing is an object with the same members. Members \
are always there, and null when there is nothing to say; times are RFC 3339; later versions may add members. What was \
deleted is `{\"deleted\": \"<identifier>\"}`. A single client has `secrets_made_at` besides (when each of its live \
secrets was made, the newer first), and `client_secret` when one was just made; an initial access token that was just made has \
`initial_access_token`; `sweep` prints `{\"swept\": {…}}` with the \
number of rows of each kind.
";

fn commands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set())
}

fn describe(out: &mut String, command: &Command, parents: &str) {
    let name = format!("{parents} {}", command.get_name());
    if command.has_subcommands() {
        let _ = writeln!(out, "\n### {name}\n\n{}", about(command));
        let _ = writeln!(out, "\n{}", arguments(command, true).unwrap_or_default().trim_start());
        for inner in commands(command) {
            describe(out, inner, &name);
        }
        return;
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let depth = if parents == "gatelet" { "###" } else { "####" };
    let _ = writeln!(out, "\n{depth} {name}\n\n{}\n\n```text\n{usage}\n```", about(command));
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        let _ = writeln!(out, "\nAlso called {}.", aliases.join(", "));
    }
    if let Some(list) = arguments(command, false) {
        let _ = writeln!(out, "\n{list}");
    }
}

/// A list of the arguments: the shared ones with the noun, the others with the verb.
fn arguments(command: &Command, shared: bool) -> Option<String> {
    let own = command.get_arguments().filter(|arg| {
        arg.is_global_set() == shared
            && !arg.is_hide_set()
            && !matches!(arg.get_id().as_str(), "help" | "version")
    });
    let lines: Vec<String> = own.map(argument).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn argument(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let takes = arg.get_action().takes_values();
    let value: String = names.iter().map(|name| format!("<{name}>")).collect();
    let spelled = match arg.get_long() {
        Some(long) if takes => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    };
    let help = sentence(arg.get_help());
    let possible: Vec<String> = match arg.get_long() {
        _ if !takes => Vec::new(),
        _ => arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect(),
    };
    let mut line = format!("- `{spelled}`: {help}");
    if !possible.is_empty() {
        let _ = write!(line, " One of {}.", possible.join(", "));
    }
    if let [default] = arg.get_default_values()
        && takes
    {
        let _ = write!(line, " Default: `{}`.", default.to_string_lossy());
    }
    line
}

fn about(command: &Command) -> String {
    sentence(command.get_long_about().or(command.get_about()))
}

/// clap takes the full stop from the end of what is said in one paragraph.
fn sentence(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    if text.is_empty() || text.ends_with(['.', ':']) { text } else { text + "." }
}
