//! Documents that are made from the code. `BLESS=1 cargo test --test generated` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its file fails")]

use std::fmt::Write;
use std::path::Path;

use gatelet::protocol::{Answer, Endpoint, ErrorCode};
use gatelet::zoo::SPECIMENS;

#[test]
fn the_table_of_errors_is_fresh() {
    fresh("docs/errors.md", &errors());
}

#[test]
fn the_reference_of_the_command_line_is_fresh() {
    fresh("docs/cli.md", &gatelet::cli::reference());
}

#[test]
fn the_list_of_the_zoo_is_fresh() {
    fresh("docs/token-zoo.md", &zoo());
}

fn zoo() -> String {
    let mut out = String::from(
        "# The token zoo\n\nAccess tokens that are wrong in one way each, and what a resource server has to do with them. Made \
         from the table in `src/zoo/specimens.rs`. [`gatelet probe`](probe.md) sends them to an MCP server; the control plane of \
         `gatelet test` hands them out by `POST …/zoo`, or one by `POST …/tokens` with its name as `defect`.\n\n\
         | name | answer | section | what it is | what to do |\n| --- | --- | --- | --- | --- |\n",
    );
    for specimen in SPECIMENS {
        let answer = match specimen.error {
            Some(error) => format!("{} `{error}`", specimen.status),
            None => "accepted".to_owned(),
        };
        let condition = specimen.depends_on.map(|on| format!(", if {}", on.condition())).unwrap_or_default();
        let (name, section, why, remedy) = (specimen.name, specimen.section, specimen.why, specimen.remedy);
        writeln!(out, "| `{name}` | {answer}{condition} | {section} | {why} | {remedy} |").unwrap();
    }
    out
}

fn errors() -> String {
    let mut out = String::from(
        "# Errors\n\nEvery error code, and how it is answered where it can occur. Made from the table in \
         `src/protocol/error.rs`.\n\nJSON answers are objects with `error` and `error_description` (RFC 6749 §5.2). \
         *redirect* means that the client is told through its redirect URI (RFC 6749 §4.1.2.1), and a page while that is \
         not proven; for clients that registered themselves only after somebody has logged in. Every answer carries an \
         `X-Request-Id` that the log knows.\n\n| code | token, introspect, revoke | authorize | register | userinfo |\n| --- | --- | --- | --- | --- |\n",
    );
    for code in ErrorCode::ALL {
        let cells =
            [Endpoint::Token, Endpoint::Authorize, Endpoint::Register, Endpoint::Userinfo].map(|endpoint| {
                match code.answer(endpoint) {
                    Answer::Json(status) => format!("{status}"),
                    Answer::Redirect { page } => format!("redirect, or {page} page"),
                    Answer::Page(status) => format!("{status} page"),
                    Answer::Never => "–".to_owned(),
                }
            });
        writeln!(out, "| `{code}` | {} |", cells.join(" | ")).unwrap();
    }
    out.push_str(
        "\nA method that an endpoint does not know is 405, another media type 415, a body over 64 KiB 413: as JSON at the \
         endpoints for programs, as a page elsewhere. What comes too often is 429, what cannot be answered for the moment 503; both with \
         `Retry-After` in whole seconds. A request under a foreign `Host` name is 403.\n",
    );
    out
}

fn fresh(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{name} is not what the code says; BLESS=1 cargo test --test generated writes it"
    );
}
