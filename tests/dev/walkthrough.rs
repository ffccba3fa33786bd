//! `docs/walkthrough.md`, `docs/resource-servers.md` and `docs/testing-http.md`: their commands, run in order in one shell
//! against the program, print what they show.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::document::{Block, blocks};
use crate::program::{Dev, directory, gatelet};
use crate::{NotRun, cases};

cases![
    the_walkthrough_prints_what_it_shows,
    the_page_for_resource_servers_prints_what_it_shows,
    the_page_for_testing_over_http_prints_what_it_shows,
    the_configuration_for_resource_servers_is_taken,
    an_output_that_differs_is_noticed,
];

/// The port that the document writes.
const PORT: &str = "8710";
/// The port that the page about test mode writes.
const TEST_PORT: &str = "8720";
/// What the test prints between the outputs of two blocks.
const MARK: &str = "@@ end of block";

fn the_walkthrough_prints_what_it_shows() -> Result<(), NotRun> {
    prints_what_it_shows("walkthrough", 16)
}

fn the_page_for_resource_servers_prints_what_it_shows() -> Result<(), NotRun> {
    prints_what_it_shows("resource-servers", 5)
}

fn the_page_for_testing_over_http_prints_what_it_shows() -> Result<(), NotRun> {
    needs_tools()?;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let page = page("testing-http").replace(TEST_PORT, &free.to_string());
    // The page stops what it has started; if a command before that hangs or fails, the shell does.
    let page = page.replacen("```sh\n", "```sh\ntrap 'kill $GATELET 2>/dev/null' EXIT\n", 1);
    run_page(&page, &directory("testing-http"), 9);
    Ok(())
}

fn the_configuration_for_resource_servers_is_taken() -> Result<(), NotRun> {
    let here = directory("resource-servers-toml");
    let page = blocks(&page("resource-servers"));
    let block = page.iter().find(|block| block.language == "toml").unwrap();
    std::fs::write(here.join("gatelet.toml"), &block.text).unwrap();
    std::fs::write(here.join("notes-server-secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let checked = gatelet(&here, &["config", "check"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    Ok(())
}

fn page(name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{name}.md"));
    std::fs::read_to_string(page).unwrap()
}

fn needs_tools() -> Result<(), NotRun> {
    let mut tools = Command::new("sh");
    tools.args(["-c", "command -v curl && command -v openssl"]).stdout(Stdio::null());
    if tools.status().unwrap().success() { Ok(()) } else { Err(NotRun("not run, needs curl and openssl")) }
}

/// That the commands of a page about dev mode, at least as many as `least`, print what the page shows.
fn prints_what_it_shows(name: &str, least: usize) -> Result<(), NotRun> {
    needs_tools()?;
    let here = directory(name);
    let dev = Dev::start(&here, ".gatelet");
    run_page(&page(name).replace(PORT, &dev.port().to_string()), &here, least);
    dev.stop();
    Ok(())
}

/// That the commands of a page, at least as many as `least`, print what it shows. `gatelet` is the program.
fn run_page(page: &str, here: &Path, least: usize) {
    let blocks = blocks(page);
    let steps: Vec<(&Block, Option<&Block>)> = blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| block.language == "sh")
        .map(|(i, block)| (block, blocks.get(i + 1).filter(|next| next.language != "sh")))
        .collect();
    assert!(steps.len() >= least, "{} steps", steps.len());
    let script: String =
        steps.iter().map(|(step, _)| format!("{}printf '\\n{MARK}\\n'\n", step.text)).collect();
    let program = Path::new(env!("CARGO_BIN_EXE_gatelet")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("PATH", path).current_dir(here).stdin(Stdio::null());
    let run = shell.output().unwrap();
    let (printed, complained) =
        (String::from_utf8(run.stdout).unwrap(), String::from_utf8_lossy(&run.stderr));
    assert_eq!(complained, "", "nothing on standard error");
    let outputs: Vec<&str> = printed.split(&format!("\n{MARK}\n")).collect();
    assert_eq!(outputs.len(), steps.len() + 1, "{printed}");
    for ((step, expected), output) in steps.iter().zip(outputs) {
        let output = output.trim();
        let is_shown = expected.map_or(output.is_empty(), |expected| shows(expected, output));
        let shown = expected.map_or("", |expected| &expected.text);
        assert!(is_shown, "line {}:\n{}\nprinted\n{output}\nand not\n{shown}", step.line, step.text);
    }
}

/// Whether a block shows an output: JSON by its values, anything else line by line. `…` stands for whatever is there,
/// and as a member of an object for further members.
fn shows(block: &Block, output: &str) -> bool {
    if block.language == "json" {
        let expected: Value = serde_json::from_str(&block.text).expect("JSON in the document");
        return serde_json::from_str(output).is_ok_and(|found| alike(&expected, &found));
    }
    let (expected, found): (Vec<&str>, Vec<&str>) = (block.text.lines().collect(), output.lines().collect());
    expected.len() == found.len() && expected.iter().zip(found).all(|(expected, found)| fits(expected, found))
}

fn alike(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::String(expected), Value::String(found)) => fits(expected, found),
        (Value::String(any), _) if any == "…" => true,
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| alike(e, f))
        }
        (Value::Object(expected), Value::Object(found)) => {
            let open = expected.contains_key("…");
            let shown = expected.iter().filter(|(name, _)| *name != "…");
            let all =
                shown.clone().all(|(name, value)| found.get(name).is_some_and(|found| alike(value, found)));
            all && (open || shown.count() == found.len())
        }
        _ => expected == found,
    }
}

/// Whether a text is made of the parts between the `…`, in their order.
fn fits(expected: &str, found: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = found.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn an_output_that_differs_is_noticed() -> Result<(), NotRun> {
    for (expected, found, as_shown) in [
        ("a…c", "abc", true),
        ("a…c…", "abcd", true),
        ("a…c", "abd", false),
        ("abc", "abcd", false),
        ("…", "", true),
    ] {
        assert_eq!(fits(expected, found), as_shown, "{expected} {found}");
    }
    let block =
        |language: &str, text: &str| Block { language: language.to_owned(), text: text.to_owned(), line: 1 };
    for (expected, found, as_shown) in [
        (r#"{"a":1}"#, r#"{"a":1}"#, true),
        (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
        (r#"{"a":1,"…":"…"}"#, r#"{"a":1,"b":2}"#, true),
        (r#"{"a":1,"…":"…"}"#, r#"{"b":2}"#, false),
        (r#"{"a":["x…"]}"#, r#"{"a":["xy"]}"#, true),
        (r#"{"a":"…"}"#, r#"{"a":900}"#, true),
        (r#"{"a":1}"#, "no JSON", false),
    ] {
        assert_eq!(shows(&block("json", expected), found), as_shown, "{expected} {found}");
    }
    assert!(!shows(&block("text", "a\nb\n"), "a"), "a line is missing");
    Ok(())
}
